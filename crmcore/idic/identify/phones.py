"""Telephone numbers in one form (E.164), by the rules of `phonenumbers` at the speed of slicing.

`phonenumbers.parse` costs 30 to 50 us a number. What it does to a plain run of digits is short, though: take off the
international prefix or the national one, put the country code before the rest. The fast path does this for runs of
digits where the library's own patterns (its metadata) show that no other rule applies; everything else is given to
the library. A law test holds both equal on random numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

__all__ = ["country_codes", "is_junk_number", "normalise_phones", "split_numbers"]

SHORTEST = 7
"""Fewest digits (without country code) that are written in E.164; shorter ones keep their digits."""

_SEPARATORS = str.maketrans("", "", " ()-./\u00a0\u2010\u2011\u2012\u2013\u2014\t[]")
_PLAIN = re.compile(r"\+?[0-9]+")
_TRUNK = re.compile(r"(\+\s*\d[\d\s\-]*)\(0\)")


_JUNK = frozenset(
    [str(d) * n for d in range(10) for n in range(1, 18)]
    + [
        (run * 3)[start : start + n]
        for run in ("0123456789", "9876543210")
        for start in range(10)
        for n in range(4, 16)
    ]
)


def is_junk_number(digits: str) -> bool:
    """Whether digits were typed to fill a field: under four, one digit repeated, a run up or down, or zeros at the end.

    Examples
    --------
    >>> is_junk_number("0000000000"), is_junk_number("1234567890"), is_junk_number("0812345678")
    (True, True, False)
    """
    return len(digits) < 4 or digits in _JUNK or digits.endswith("0000000")


def _data(region: str) -> Any:
    """Metadata of the library for one region."""
    import phonenumbers

    return phonenumbers.PhoneMetadata.metadata_for_region(region)


def _not(pattern: str | None, tail: str = "") -> str:
    """Pattern that refuses what starts with `pattern`."""
    return f"(?!(?:{pattern}){tail})" if pattern else ""


def _fixed_prefix(pattern: str | None) -> str:
    """First alternative of a national prefix, where no other one begins like it ("0|180020"); else empty."""
    first, *others = (pattern or "").split("|")
    plain = first.isdigit() and all(o.isdigit() and o[0] != first[0] for o in others)
    return first if plain else ""


@lru_cache(maxsize=64)
def _shapes(region: str) -> tuple[str, int, re.Pattern[str], re.Pattern[str], re.Pattern[str]] | None:
    """Country code, length of the national prefix, and the shapes of digits whose reading is plain.

    *With prefix*: the fixed national prefix, then a number of a possible length; the whole does not fit the
    country's own pattern (the library then keeps the prefix) and no international prefix matches. *Bare*:
    neither the country code nor any prefix matches at the start, so the library changes nothing. *Coded*: the country
    code without "+", which the library takes off where only the rest fits the country's pattern.
    """
    data = _data(region)
    if data is None or data.general_desc is None or not data.general_desc.national_number_pattern:
        return None
    code, prefix, leave = str(data.country_code), data.national_prefix_for_parsing, data.international_prefix
    general = data.general_desc.national_number_pattern
    lengths = [n for n in data.general_desc.possible_length if n >= SHORTEST]
    never = re.compile(r"(?!)")
    fixed = _fixed_prefix(prefix) if lengths and not data.national_prefix_transform_rule else ""
    tails = "|".join(rf"\d{{{n - 1}}}" for n in lengths)
    cut = re.compile(rf"{_not(leave)}{_not(general, chr(92) + 'Z')}{fixed}[1-9](?:{tails})") if fixed else never
    if fixed and fixed.startswith(code):
        cut = never
    once = rf"(?!(?:{general})\Z){_not(leave)}{_not(prefix)}{code}(?!0){_not(prefix)}(?=(?:{general})\Z)"
    coded = re.compile(rf"{once}\d{{{SHORTEST},14}}")
    bare = re.compile(rf"(?!{code}){_not(leave)}{_not(prefix)}[1-9]\d{{{SHORTEST - 1},14}}")
    return code, len(fixed or ""), cut, bare, coded


@lru_cache(maxsize=1)
def country_codes() -> dict[str, str]:
    """Country calling code -> main region.

    Examples
    --------
    >>> country_codes()["66"]
    'TH'
    """
    import phonenumbers

    return {str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}


@lru_cache(maxsize=256)
def _plus_shape(code: str) -> re.Pattern[str]:
    """Shape of "+" and digits of one country that the library leaves alone: no national prefix follows."""
    data = _data(country_codes()[code])
    if data is None:
        return re.compile(r"(?!)")
    return re.compile(rf"\+{code}(?!0){_not(data.national_prefix_for_parsing)}\d{{{SHORTEST},14}}")


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
    shapes = _shapes(region) if region else None
    never = re.compile(r"(?!)")
    code, cut, with_prefix, bare, coded = shapes or ("", 0, never, never, never)
    start, known = f"+{code}", country_codes()
    out: list[str | None] = []
    for value, text in zip(values, _squeezed(values), strict=True):
        if text in _JUNK or text[-7:] == "0000000":
            out.append(None)
        elif with_prefix.fullmatch(text):
            out.append(start + text[cut:])
        elif bare.fullmatch(text):
            out.append(start + text)
        elif coded.fullmatch(text):
            out.append("+" + text)
        elif (
            text[:1] == "+"
            and (cc := next((text[1:n] for n in (2, 3, 4) if text[1:n] in known), ""))
            and _plus_shape(cc).fullmatch(text)
        ):
            out.append(text)
        else:
            out.append(_odd(value, text, region))
    return out


def _squeezed(values: Sequence[str]) -> list[str]:
    """Numbers without separators and without the "(0)" of +44 (0)20; digits of any script become ASCII."""
    blob = "\n".join([v.replace("\n", " ") for v in values])
    if not blob.isascii():
        blob = unicodedata.normalize("NFKC", blob)
        blob = blob.translate({ord(c): str(unicodedata.digit(c)) for c in set(blob) if not c.isascii() and c.isdigit()})
    if "(0)" in blob:
        blob = _TRUNK.sub(r"\1", blob)
    return blob.translate(_SEPARATORS).split("\n") if values else []


def _odd(value: str, text: str, region: str | None) -> str | None:
    """All shapes that are not plain: short, with letters or an extension, of no known region."""
    digits = "".join(c for c in text if "0" <= c <= "9")
    plain = _PLAIN.fullmatch(text) is not None
    if len(digits) < 4 or digits.endswith("0000000") or (not text.startswith("+") and digits in _JUNK):
        return None
    read = _slow(text if plain or not value.isascii() else value, region) if region or text.startswith("+") else None
    return read or digits


_SEVERAL = re.compile(r"\s*(?:[,;/|\n]| or | und | oder | et )\s*")


def split_numbers(cell: str) -> list[str]:
    """Numbers of one cell that holds several; a JSON list is one too.

    Examples
    --------
    >>> split_numbers("081-234-5678, 02 123 4567"), split_numbers('["1", "2"]'), split_numbers("030/1234567")
    (['081-234-5678', '02 123 4567'], ['1', '2'], ['030/1234567'])
    """
    if cell.isdigit() or (len(cell) < 15 and not cell.startswith("[")):
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
