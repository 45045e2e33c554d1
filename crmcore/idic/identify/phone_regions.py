"""In which country numbers without "+" were written: by numbers with "+", named countries, or what is valid."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from crmcore.idic.identify.folding import checksum_sample
from crmcore.idic.identify.phones import SHORTEST, country_codes, normalise_phones
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import rows_of
from crmcore.tables import RecordTable

__all__ = [
    "REGIONS",
    "guess_region",
    "country_regions",
    "known_region",
    "local_sample",
    "plus_numbers",
    "region_of_countries",
    "region_of_plus",
    "regions_of",
]

REGIONS = tuple(
    "TH GB US DE FR AU ES IT NL CH AT SE PL IN JP SG MY ID VN PH CN KR BR MX ZA NZ CA IE BE PT DK NO FI".split()
)
"""Regions that are tried on national numbers, in the order that breaks ties."""


def region_of_plus(values: Iterable[str]) -> dict[str, int]:
    """Count the main regions of numbers written with "+" or "00".

    Examples
    --------
    >>> region_of_plus(["+66 81 234 5678", "0066812345678", "081 234 5678"])
    {'TH': 2}
    """
    codes = country_codes()
    found: dict[str, int] = {}
    for value in values:
        if "+" not in value and value[:2] != "00":
            continue
        digits = "".join(c for c in value if c.isdigit()).removeprefix("00")
        code = next((digits[:n] for n in (1, 2, 3) if digits[:n] in codes), None) if len(digits) > 8 else None
        if code:
            found[codes[code]] = found.get(codes[code], 0) + 1
    return found


NOISE = 0.2
"""Share of numbers that may be wrong in `guess_region`."""


def guess_region(values: Sequence[str], *, tried: Sequence[str] = REGIONS) -> tuple[str | None, float]:
    """Region that explains national numbers best.

    The log-likelihood of a region adds, per number, log((1 - e) / p + e) where it is valid there and log(e) where not,
    with e = 0.2 for noise and p the share of made-up numbers of the same shape that would be valid too: a country
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
        out.append(shape[:1] + f"{state:020d}"[3 : 2 + len(shape)])
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


def country_regions(countries: Sequence[str]) -> list[str | None]:
    """Region of each country (ISO code, or name in English and its own languages); None where it is unknown.

    Examples
    --------
    >>> country_regions(["Thailand", "\u0e44\u0e17\u0e22", "Deutschland", "us", "Mars"])
    ['TH', 'TH', 'DE', 'US', None]
    """
    from crmcore.idic.identify.folding import words
    from crmcore.idic.identify.wordlists import COUNTRIES

    folded = words(list(countries))
    return [COUNTRIES.get(c.strip().casefold()) or COUNTRIES.get(f) for c, f in zip(countries, folded, strict=True)]


def region_of_countries(countries: Mapping[str, int]) -> str | None:
    """Most frequent country (ISO code or name in several languages) as a region."""
    counts: dict[str, int] = {}
    for name, code in zip(countries, country_regions(list(countries)), strict=True):
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
    local = [v for v in values if "+" not in v and v[:2] != "00"]
    return sorted(v for v in checksum_sample(local, 200) if any(map(str.isdigit, v)))[:120]


MIXED = 0.3
"""Share of valid numbers from which a source is taken to be of the country that the others speak for."""


def regions_of(table: RecordTable, schema: Schema, default: str | None) -> tuple[dict[str, str | None], dict[str, str]]:
    """Region of the telephone numbers of each source, and why.

    In this order: `default`; the country column of the source; its own numbers with "+"; the script of its names;
    X part its people; a guess of its own where that does not fit.
    """
    notes: dict[str, str] = {}
    if default is not None:
        code = known_region(default)
        return dict.fromkeys(table.sources, code), notes
    plus: dict[str, dict[str, int]] = {}
    local: dict[str, list[str]] = {}
    for i, source in enumerate(table.sources):
        rows = rows_of(table, i)
        cells: set[str] = set()
        for column in schema.columns(source, Meaning.PHONE):
            text = table.columns[column]
            here = np.bincount(text.codes[rows] + 1, minlength=len(text.values) + 1)[1:] > 0
            cells.update(text.values if here.all() else (text.values[i] for i in np.flatnonzero(here).tolist()))
        sample = checksum_sample(list(cells), 20_000)
        plus[source] = region_of_plus(sample)
        local[source] = local_sample(sample)
    together: dict[str, int] = {}
    for counts in plus.values():
        for region, n in counts.items():
            together[region] = together.get(region, 0) + n
    for i in range(len(table.sources)):
        for region, n in _countries(table, schema, i).items():
            together[region] = together.get(region, 0) + n
    shared, shared_why = _shared(together, [v for cells in local.values() for v in cells])
    out: dict[str, str | None] = {}
    for i, source in enumerate(table.sources):
        out[source] = None
        if not local[source] and not plus[source]:
            continue
        own = sorted(plus[source], key=lambda r: (-plus[source][r], r))
        if country := _country(table, schema, i):
            out[source], why = country, "its country column"
        elif own:
            out[source], why = own[0], "its numbers written with +"
        elif script := _script(table, schema, i):
            out[source], why = script, "the script of its names"
        elif shared and _valid_share(local[source], shared) >= MIXED:
            out[source], why = shared, shared_why
        else:
            out[source], share = guess_region(local[source])
            why = f"guess: {share:.0%} valid" if out[source] else "its local numbers fit no region; digits are kept"
        notes[source] = f"{out[source] or 'unknown'} ({why})"
    return out, notes


def plus_numbers(table: RecordTable, schema: Schema, sources: Sequence[int]) -> list[str]:
    """Numbers that these sources write with "+", in E.164."""
    written: set[str] = set()
    for source in sources:
        rows = rows_of(table, source)
        for column in schema.columns(table.sources[source], Meaning.PHONE):
            text = table.columns[column]
            present = np.flatnonzero(np.bincount(text.codes[rows] + 1, minlength=len(text.values) + 1)[1:]).tolist()
            written.update(v for i in present if (v := text.values[i])[0] == "+" and len(v) < 20)
    return [n for n in normalise_phones(sorted(written), region=None) if n and n[0] == "+"]


def _shared(together: Mapping[str, int], local: Sequence[str]) -> tuple[str | None, str]:
    """Region of all sources that do not say theirs: most of the numbers with "+", or one guess."""
    most = sorted(together, key=lambda r: (-together[r], r))
    if most and 2 * together[most[0]] > sum(together.values()):
        return most[0], "numbers of other sources written with +"
    region, share = guess_region(local_sample(local))
    return region, f"guess: {share:.0%} of all local numbers are valid there"


_SCRIPTS = {
    "TH": re.compile("[\u0e01-\u0e4e]"),
    "JP": re.compile("[\u3041-\u30ff]"),
    "KR": re.compile("[\uac00-\ud7a3]"),
}
_SPOKEN = (Meaning.GIVEN_NAME, Meaning.SURNAME, Meaning.FULL_NAME, Meaning.ADDRESS, Meaning.STREET, Meaning.CITY)


def _script(table: RecordTable, schema: Schema, source: int) -> str | None:
    """Country whose script a tenth of a source's names or addresses use."""
    rows = rows_of(table, source)
    for column in schema.columns(table.sources[source], *_SPOKEN):
        text = table.columns[column]
        present = np.flatnonzero(np.bincount(text.codes[rows] + 1, minlength=1)[1:]).tolist()
        values = checksum_sample([text.values[c] for c in present], 500)
        for region, letters in _SCRIPTS.items():
            if sum(letters.search(v) is not None for v in values) > 0.1 * len(values):
                return region
    return None


def _country(table: RecordTable, schema: Schema, source: int) -> str | None:
    """Most frequent country that a source names itself."""
    counts = _countries(table, schema, source)
    return max(sorted(counts), key=lambda c: counts[c]) if counts else None


def _countries(table: RecordTable, schema: Schema, source: int) -> dict[str, int]:
    """Rows by country, where a source names it."""
    rows = rows_of(table, source)
    counts: dict[str, int] = {}
    for column in schema.columns(table.sources[source], Meaning.COUNTRY)[:1]:
        text = table.columns[column]
        codes = text.codes[rows]
        held = np.bincount(codes[codes >= 0], minlength=len(text.values)).tolist()
        for region, n in zip(country_regions(text.values), held, strict=True):
            if region and n:
                counts[region] = counts.get(region, 0) + n
    return counts
