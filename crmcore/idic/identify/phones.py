"""Telephone numbers in one form (E.164), by the rules of `phonenumbers` at the speed of slicing.

`phonenumbers.parse` costs 30 to 50 us a number. What it does to a plain run of digits is short, though: take off the
international prefix or the national one, put the country code before the rest. The fast path does this for runs of
digits where the library's own patterns (its metadata) show that no other rule applies; everything else is given to
the library. A law test holds both equal on random numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

__all__ = ["REGIONS", "guess_region", "is_junk_number", "known_region", "local_sample", "normalise_phones", "region_of_countries", "region_of_plus", "split_numbers"]

REGIONS = tuple("TH GB US DE FR AU ES IT NL CH AT SE PL IN JP SG MY ID VN PH CN KR BR MX ZA NZ CA IE BE PT DK NO FI".split())
"""Regions that are tried on national numbers, in the order that breaks ties."""

SHORTEST = 7
"""Fewest digits (without country code) that are written in E.164; shorter ones keep their digits."""

_SEPARATORS = str.maketrans("", "", " ()-./\u00a0\u2010\u2011\u2012\u2013\u2014\t[]")
_PLAIN = re.compile(r"\+?[0-9]+")
_TRUNK = re.compile(r"(\+\s*\d[\d\s\-]*)\(0\)")


def is_junk_number(digits: str) -> bool:
    """Whether digits were typed to fill a field: one digit repeated, or a run up or down.

    Examples
    --------
    >>> is_junk_number("0000000000"), is_junk_number("1234567890"), is_junk_number("0812345678")
    (True, True, False)
    """
    if len(digits) < 4:
        return True
    core = digits.lstrip("0") or digits
    return len(set(digits)) == 1 or (len(core) > 4 and len(set(core)) == 1) or digits in "01234567890123456789" or digits in "98765432109876543210"


@attrs.frozen
class _Plan:
    """What the library's metadata say about one region, as compiled patterns."""

    code: str
    general: re.Pattern[str]
    trunk: re.Pattern[str] | None  # national prefix, anchored
    plain_trunk: str | None  # the prefix where it is a fixed text that is just cut off
    exit: re.Pattern[str] | None  # international prefix, anchored
    lengths: frozenset[int]

    def may_cut(self, rest_length: int) -> bool:
        """Whether the library keeps the cut: it takes it back when what is left is too short for the region."""
        return rest_length in self.lengths or any(n < rest_length for n in self.lengths)


@lru_cache(maxsize=64)
def _plan(region: str) -> _Plan | None:
    import phonenumbers

    data: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if data is None or data.general_desc is None or not data.general_desc.national_number_pattern:
        return None
    prefix = data.national_prefix_for_parsing
    fixed = prefix if prefix and prefix.isdigit() and not data.national_prefix_transform_rule else None
    return _Plan(
        str(data.country_code),
        re.compile(data.general_desc.national_number_pattern),
        re.compile(prefix) if prefix else None,
        fixed,
        re.compile(data.international_prefix) if data.international_prefix else None,
        frozenset(data.general_desc.possible_length),
    )


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Country code -> main region."""
    import phonenumbers

    return {str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}


def _slow(value: str, region: str | None) -> str | None:
    """Ask the library; None where it cannot parse, or the number is too short to carry a country code."""
    import phonenumbers

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if len(str(number.national_number)) < SHORTEST:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _fast_plus(digits: str) -> str | None:
    """E.164 of digits after "+" where no rule changes them; None sends them to the library."""
    codes = _codes()
    code = next((digits[:n] for n in (1, 2, 3) if digits[:n] in codes), None)
    if code is None:
        return None
    plan = _plan(codes[code])
    rest = digits[len(code) :]
    if plan is None or not SHORTEST <= len(rest) <= 14 or rest[0] == "0" or (plan.trunk and plan.trunk.match(rest)):
        return None
    return "+" + digits


def _fast_national(digits: str, plan: _Plan) -> str | None:
    """E.164 of digits without "+"; None sends them to the library."""
    if not SHORTEST <= len(digits) <= 15 or (plan.exit and plan.exit.match(digits)) or digits.startswith(plan.code):
        return None
    cut = plan.plain_trunk
    if cut and digits.startswith(cut):
        rest = digits[len(cut) :]
        if rest[:1] == "0" or len(rest) not in plan.lengths or len(rest) < SHORTEST or plan.general.fullmatch(digits):
            return None
        return f"+{plan.code}{rest}"
    if digits[0] == "0" or (plan.trunk and plan.trunk.match(digits)):
        return None
    return f"+{plan.code}{digits}"


def normalise_phones(values: Sequence[str], *, region: str | None) -> list[str | None]:
    """Write numbers in E.164.

    Parameters
    ----------
    values : texts
        Numbers as people write them; extensions are dropped, letters are read as on a keypad.
    region : ISO 3166 alpha-2, or None
        Country of numbers without "+"; None keeps their digits as they are.

    Returns
    -------
    list of texts
        `+` and digits where the number could be read; else its bare digits (local, short or of unknown region); None
        for junk (see `is_junk_number`) and for text without digits. Wrong numbers of the right shape are kept: a typing
        error must stay comparable with the true number.

    Examples
    --------
    >>> normalise_phones(["081-234-5678", "+66 (0)81 234 5678", "1669", "0000000000"], region="TH")
    ['+66812345678', '+66812345678', '1669', None]
    """
    plan = _plan(region) if region else None
    out: list[str | None] = []
    add = out.append
    for value in values:
        text = value.translate(_SEPARATORS) if value.isascii() and "(0)" not in value else _fullwidth(value)
        if not _PLAIN.fullmatch(text):
            add(_odd(value, text, region))
            continue
        plus = text[0] == "+"
        digits = text[1:] if plus else text
        if is_junk_number(digits):
            add(None)
            continue
        quick = _fast_plus(digits) if plus else _fast_national(digits, plan) if plan else None
        if quick is None and (plus or region):
            quick = _slow(text, region)
        add(_checked(quick) if quick else digits)
    return out


def _checked(number: str) -> str | None:
    """A full number whose national part is filler is junk too."""
    return None if is_junk_number(number[1:]) or len(set(number[3:])) == 1 else number


def _fullwidth(value: str) -> str:
    import unicodedata

    text = unicodedata.normalize("NFKC", value)
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    return _TRUNK.sub(r"\1", text).translate(_SEPARATORS)


def _odd(value: str, text: str, region: str | None) -> str | None:
    """Numbers with letters, extensions or floats' tails."""
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if len(digits) < 4 or is_junk_number(digits):
        return None
    read = _slow(value if value.isascii() else text, region)
    return _checked(read) if read else digits


def region_of_plus(values: Iterable[str]) -> dict[str, int]:
    """Count the main regions of numbers written with "+" (or "00")."""
    codes = _codes()
    found: dict[str, int] = {}
    for value in values:
        text = value.translate(_SEPARATORS)
        digits = text[1:] if text[:1] == "+" else text[2:] if text[:2] == "00" else ""
        code = next((digits[:n] for n in (1, 2, 3) if digits[:n] in codes), None) if len(digits) > 8 and digits.isdigit() else None
        if code:
            found[codes[code]] = found.get(codes[code], 0) + 1
    return found


NOISE = 0.2
"""Share of numbers that may be wrong in `guess_region`."""


def guess_region(values: Sequence[str], *, tried: Sequence[str] = REGIONS) -> tuple[str | None, float]:
    """Region that explains national numbers best.

    The log-likelihood of a region adds, per number, log((1 - e) / p + e) where the number is valid there and log(e) where
    not, with e = 0.2 for noise and p the share of made-up numbers of the same shape that would be valid too: a country
    whose rules let everything pass explains nothing.

    Parameters
    ----------
    values : texts
        Numbers; those with "+" are left out.
    tried : regions
        In the order that breaks ties.

    Returns
    -------
    region, share
        Share of the numbers that are valid there; region None where it is below one half.

    Examples
    --------
    >>> guess_region(["(212) 555-2368", "415-555-0132"])[0]
    'US'
    """
    sample = [v for v in values if "+" not in v and sum(map(str.isdigit, v)) >= SHORTEST][:120]
    if not sample:
        return None, 0.0
    shaped = _alike(["".join(c for c in v if c.isdigit()) for v in sample])
    best, best_fit, best_share = None, -math.inf, 0.0
    for region in tried:
        share = _valid_share(sample, region)
        if share < 0.5:
            continue
        chance = max(_valid_share(shaped, region), 1.0 / (1 + len(shaped)))
        fit = share * math.log((1 - NOISE) / chance + NOISE) + (1 - share) * math.log(NOISE)
        if fit > best_fit + 1e-9:
            best, best_fit, best_share = region, fit, share
    return best, best_share


def _alike(numbers: Sequence[str]) -> list[str]:
    """Made-up numbers of the same first digit and length; always the same ones (a linear congruence, not chance)."""
    state, out = 20_260_101, []
    for i in range(60):
        shape = numbers[i % len(numbers)]
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        out.append(shape[:1] + f"{state:020d}"[: len(shape) - 1])
    return out


def _valid_share(numbers: Sequence[str], region: str) -> float:
    import phonenumbers

    good = 0
    for number in numbers:
        try:
            good += phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            continue
    return good / len(numbers)


def region_of_countries(countries: Mapping[str, int]) -> str | None:
    """Most frequent country (ISO code or name in several languages) as a region."""
    from crmcore.idic.identify.folding import words
    from crmcore.idic.identify.wordlists import COUNTRIES

    counts: dict[str, int] = {}
    for name, folded in zip(countries, words(list(countries)), strict=True):
        code = COUNTRIES.get(folded)
        if code:
            counts[code] = counts.get(code, 0) + countries[name]
    return max(sorted(counts), key=lambda c: counts[c]) if counts else None


def known_region(region: str) -> str:
    """Check an ISO region.

    Errors
    ------
    UnknownName
        `phonenumbers` knows no such region.
    """
    import phonenumbers

    from crmcore.errors import UnknownName

    code = region.upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise UnknownName("region", region, tuple(sorted(phonenumbers.SUPPORTED_REGIONS)))
    return code


def local_sample(values: Iterable[str]) -> list[str]:
    """At most 120 numbers without "+", chosen by checksum so that the order of rows does not matter."""
    import zlib

    local = [v for v in values if "+" not in v and not v.startswith("00") and any(map(str.isdigit, v))]
    if len(local) > 120:
        local = [v for _, v in sorted((zlib.crc32(v.encode("utf-8", "surrogatepass")), v) for v in local)[:120]]
    return sorted(local)


_SEVERAL = re.compile(r"\s*(?:[,;/|\n]| or | und | oder | et )\s*")


def split_numbers(cell: str) -> list[str]:
    """Numbers of one cell that holds several; a JSON list is one too.

    Examples
    --------
    >>> split_numbers("081-234-5678, 02 123 4567"), split_numbers('["1", "2"]'), split_numbers("030/1234567")
    (['081-234-5678', '02 123 4567'], ['1', '2'], ['030/1234567'])
    """
    if cell.isdigit() or len(cell) < 15 and not cell.startswith("["):
        return [cell]
    if cell.startswith("["):
        import json

        try:
            listed = json.loads(cell)
        except json.JSONDecodeError:
            return [cell]
        return [str(v.get("number", v.get("value", "")) if isinstance(v, dict) else v) for v in listed if v] or [""]
    parts = [p for p in _SEVERAL.split(cell) if p]
    # "030/1234567" is one number: only parts that could each be a number are several
    return parts if len(parts) > 1 and all(sum(map(str.isdigit, p)) >= SHORTEST for p in parts) else [cell]
