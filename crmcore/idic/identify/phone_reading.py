"""Numbers whose country nobody says, read by what the other records know.

A source without countries holds numbers of several. Its usual country reads most of them; a number that is not valid
there is looked for among the numbers whose country is certain, and else given to the country that explains it best.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

from crmcore.idic.identify.phones import SHORTEST, country_codes, normalise_phones
from crmcore.linkage.scalar import value_hash

__all__ = ["PhoneReading", "region_shares"]

TYPO = 0.02
"""Share of numbers with a typing error: such a number is of the usual country, and not valid there."""

NO_PLUS = 0.1
"""Share of numbers that are written with their country code but without "+"."""

LEAST = 0.003
"""Least share of the certain numbers with which a country is considered."""

_LOG_TEN = math.log(10)
_DIGITS = re.compile(r"\D+")


@lru_cache(maxsize=64)
def _plan(region: str) -> tuple[str, str, re.Pattern[str]] | None:
    """Country code, national prefix and shape of the valid national numbers of a region."""
    import phonenumbers

    data = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if data is None:
        return None
    kinds = (data.fixed_line, data.mobile, data.voip, data.personal_number, data.toll_free, data.shared_cost, data.uan)
    shapes = [k.national_number_pattern for k in kinds if k is not None and k.national_number_pattern]
    return (
        str(data.country_code),
        data.national_prefix or "",
        re.compile("|".join(f"(?:{s})" for s in shapes) or r"(?!)"),
    )


@lru_cache(maxsize=512)
def _chance(region: str, length: int) -> float:
    """Share of digit strings of a length that are valid in a region; the same made-up ones in every run."""
    plan = _plan(region)
    state, good, n = 20_260_101, 0, 400
    for _ in range(n):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        good += plan is not None and plan[2].fullmatch(f"{state:020d}"[2 : 2 + length]) is not None
    return max(good, 0.5) / n


def _likely(region: str, national: str) -> float:
    """Log-likelihood of one valid national number: one of all that a region has of that length."""
    return -math.log(_chance(region, len(national))) - len(national) * _LOG_TEN


def _forms(digits: str, region: str) -> list[tuple[str, float]]:
    """E.164 numbers that digits can be in a region, each with the log-likelihood of being written so."""
    plan = _plan(region)
    if plan is None:
        return []
    code, trunk, valid = plan
    found = []
    if trunk and digits.startswith(trunk) and valid.fullmatch(digits, len(trunk)):
        national = digits[len(trunk) :]
        found.append((f"+{code}{national}", _likely(region, national)))
    if trunk != "0" and valid.fullmatch(digits):
        found.append((f"+{code}{digits}", _likely(region, digits)))
    if digits.startswith(code) and valid.fullmatch(digits, len(code)):
        national = digits[len(code) :]
        found.append((f"+{code}{national}", math.log(NO_PLUS) + _likely(region, national)))
    return found


def region_shares(numbers: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Main regions of E.164 numbers and their shares, largest first; rare ones are left out.

    Examples
    --------
    >>> region_shares(["+66812345678", "+66898765432", "+12125552368"])
    (('TH', 0.6666666666666666), ('US', 0.3333333333333333))
    """
    codes, counts = country_codes(), dict[str, int]()
    for number in numbers:
        code = next((number[1:n] for n in (2, 3, 4) if number[1:n] in codes), "")
        counts[code] = counts.get(code, 0) + 1
    total = sum(counts.values()) or 1
    shares = [(codes[c], n / total) for c, n in counts.items() if c and n / total >= LEAST]
    return tuple(sorted(shares, key=lambda s: (-s[1], s[0])))


@attrs.frozen(repr=False)
class PhoneReading:
    """How numbers without "+" are read in one source: plain data.

    Attributes
    ----------
    region : usual country of the source, None where unknown
    others : region -> share of the numbers whose country is certain, of all sources
    known : hashes of the E.164 numbers whose country is certain
    fixed : whether the caller named the region, so that no row's country changes it

    Examples
    --------
    >>> reading = PhoneReading("TH", (("TH", 0.8), ("US", 0.2)), frozenset({value_hash("+4917170712345")}))
    >>> reading.read(["081-234-5678", "303-735-9110"])
    ['+66812345678', '+13037359110']
    """

    region: str | None
    others: tuple[tuple[str, float], ...] = ()
    known: frozenset[int] = frozenset()
    fixed: bool = False

    def __repr__(self) -> str:
        return f"PhoneReading({self.region}, {len(self.others)} regions, {len(self.known)} known numbers)"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it back."""
        return {
            "region": self.region,
            "others": [list(share) for share in self.others],
            "known": [f"{h:016x}" for h in sorted(self.known)],
            "fixed": self.fixed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PhoneReading:
        """Read what `to_dict` wrote."""
        others = tuple((region, float(share)) for region, share in data["others"])
        return cls(data["region"], others, frozenset(int(h, 16) for h in data["known"]), data["fixed"])

    def read(self, values: Sequence[str]) -> list[str | None]:
        """E.164 numbers where they can be told, digits where not, None for junk."""
        usual = normalise_phones(values, region=self.region)
        if not self.others:
            return usual
        return [
            n
            if n is None or value_hash(n) in self.known or v.lstrip(" (").startswith(("+", "00"))
            else self._placed(v, n)
            for v, n in zip(values, usual, strict=True)
        ]

    def _placed(self, value: str, usual: str) -> str:
        """One number: the known one it can only be, else the best explained."""
        digits = _DIGITS.sub("", value)
        if len(digits) < SHORTEST or len(digits) > 15 or any(c.isalpha() for c in value):
            return usual
        share = dict(self.others)
        own = share.get(self.region, LEAST) if self.region else 0.0
        best, fit = usual, math.log(TYPO * own) - (len(digits) - 1) * math.log(10) if own else -math.inf
        met = set()
        for region, part in (
            self.others if self.region in share or not self.region else ((self.region, own), *self.others)
        ):
            for number, likely in _forms(digits, region):
                if value_hash(number) in self.known:
                    met.add(number)
                if math.log(part) + likely > fit + 1e-9:
                    best, fit = number, math.log(part) + likely
        return met.pop() if len(met) == 1 else best
