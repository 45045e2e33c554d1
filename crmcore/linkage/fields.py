"""What each kind of field is: its agreement levels, its blocking atoms, and the part it plays in the model.

Everything that tells one kind from another is data in `DEFINITIONS`; comparison, blocking and model read it. A new kind
is a new entry.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs

__all__ = ["DEFINITIONS", "Comparison", "Kind", "KindDefinition"]


class Kind(enum.StrEnum):
    """What a column says about a person, an organisation or a thing; it decides comparison, blocking and model."""

    GIVEN_NAME = "given name"
    SURNAME = "surname"
    BIRTH_DATE = "birth date"
    EMAIL = "email"
    PHONE = "phone"
    STREET = "street"
    STREET_NUMBER = "street number"
    POSTCODE = "postcode"
    CITY = "city"
    STATE = "state"
    OCCUPATION = "occupation"
    GENDER = "gender"
    IDENTIFIER = "identifier"
    HANDLE = "handle"
    ORGANISATION = "organisation"
    TEXT = "text"


class Comparison(enum.StrEnum):
    """How two values of a kind are compared; each has its own list of levels."""

    NAME = "name"
    DATE = "date"
    EMAIL = "email"
    CODE = "code"
    PLACE = "place"
    WORD = "word"
    POSTCODE = "postcode"
    COMPANY = "company"
    WORDS = "words"
    EQUAL = "equal"


# Level 1 is the strongest agreement, the last but "swapped" is disagreement; level 0 (missing) needs no name.
LEVELS: Mapping[Comparison, tuple[str, ...]] = MappingProxyType(
    {
        Comparison.NAME: (
            "same",
            "one typo",
            "two typos or near",
            "alike or short form",
            "somewhat alike",
            "different",
        ),
        Comparison.DATE: (
            "same",
            "one digit or day/month swapped",
            "two of year, month, day",
            "two digits",
            "same year or same day",
            "different",
        ),
        Comparison.EMAIL: ("same", "one typo", "few typos or same local part", "local part alike", "different"),
        Comparison.CODE: ("same", "one digit", "two digits", "different"),
        Comparison.PLACE: ("same", "few typos", "near", "alike", "different"),
        Comparison.WORD: ("same", "one typo", "alike", "different"),
        Comparison.POSTCODE: ("same", "one typo", "same district", "two typos", "same area", "different"),
        Comparison.COMPANY: (
            "same",
            "one typo",
            "same words, shortened or mistyped",
            "one name in the other or two typos",
            "same first word",
            "different",
        ),
        Comparison.WORDS: ("same", "same words", "most words", "some words", "different"),
        Comparison.EQUAL: ("same", "different"),
    }
)

# Share of levels 2, 3, ... among pairs of unrelated people whose values differ, before any data are seen; disagreement
# takes the rest.
_UNLIKE: Mapping[Comparison, tuple[float, ...]] = MappingProxyType(
    {
        Comparison.NAME: (0.003, 0.008, 0.02, 0.12),
        Comparison.DATE: (0.0008, 0.004, 0.015, 0.04),
        Comparison.EMAIL: (0.002, 0.01, 0.05),
        Comparison.CODE: (0.001, 0.005),
        Comparison.PLACE: (0.003, 0.02, 0.05),
        Comparison.WORD: (0.01, 0.05),
        Comparison.POSTCODE: (0.01, 0.03, 0.03, 0.1),
        Comparison.COMPANY: (0.0001, 0.0002, 0.0005, 0.004),
        Comparison.WORDS: (0.0005, 0.005, 0.02),
        Comparison.EQUAL: (),
    }
)

# Share of each level among true pairs before any data are seen (50 pseudo-pairs hold it in the fit).
_TYPICAL = (0.78, 0.10, 0.04, 0.03, 0.02)
_REST = 0.04


@attrs.frozen(kw_only=True)
class KindDefinition:
    """The part that a kind plays.

    Attributes
    ----------
    comparison : how two values are compared
    frequency_levels : levels 1..k whose weight depends on how rare the value is (0: never)
    chance : share of unrelated pairs with the same value, before any data are seen
    contact : whether it can change while the person stays (a move, a new telephone)
    household, place, namesake : whether it may agree between different people who live together, live near each
        other, or bear the same name
    atoms : parts of a value that may serve as blocking keys
    """

    comparison: Comparison
    frequency_levels: int
    chance: float
    contact: bool = False
    household: bool = False
    place: bool = False
    namesake: bool = False
    atoms: tuple[str, ...] = ("whole", "first 4")

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of levels 1, 2, ...; "swapped" (given and family name exchanged) exists for given names only."""
        return LEVELS[self.comparison]

    def typical(self, n_levels: int) -> tuple[float, ...]:
        """Prior share of levels 1..n among pairs of one person."""
        if n_levels == 7:  # a given name, with "swapped" as its last level
            return (0.80, 0.08, 0.04, 0.03, 0.01, 0.03, 0.01)
        head = _TYPICAL[: n_levels - 1]
        rest = 1.0 - sum(head) if n_levels <= 5 else _REST
        total = sum(head) + rest
        return (*(h / total for h in head), rest / total)

    def by_chance(self, n_levels: int) -> tuple[float, ...]:
        """Prior share of levels 1..n among pairs of unrelated people.

        Examples
        --------
        >>> DEFINITIONS[Kind.GENDER].by_chance(2)
        (0.5, 0.5)
        """
        unlike = _UNLIKE[self.comparison]
        tail = (1e-4,) if n_levels > len(unlike) + 2 else ()  # swapped names
        rest = 1.0 - sum(unlike) - sum(tail)
        return (self.chance, *(x * (1 - self.chance) for x in (*unlike, rest, *tail)))


_NAME_ATOMS = ("whole", "first 1", "first 3", "last 3", "sound")

DEFINITIONS: Mapping[Kind, KindDefinition] = MappingProxyType(
    {
        Kind.GIVEN_NAME: KindDefinition(
            comparison=Comparison.NAME, frequency_levels=4, chance=0.005, namesake=True, atoms=_NAME_ATOMS
        ),
        Kind.SURNAME: KindDefinition(
            comparison=Comparison.NAME,
            frequency_levels=4,
            chance=0.003,
            household=True,
            place=True,
            namesake=True,
            atoms=_NAME_ATOMS,
        ),
        Kind.BIRTH_DATE: KindDefinition(
            comparison=Comparison.DATE,
            frequency_levels=3,
            chance=0.0001,
            atoms=("whole", "first 4", "last 4", "first 6", "year and day"),
        ),
        Kind.EMAIL: KindDefinition(
            comparison=Comparison.EMAIL,
            frequency_levels=1,
            chance=1e-05,
            household=True,
            namesake=True,
            atoms=("whole", "local part", "first 5", "last 9"),
        ),
        Kind.PHONE: KindDefinition(
            comparison=Comparison.CODE,
            frequency_levels=1,
            chance=1e-05,
            contact=True,
            household=True,
            place=True,
            atoms=("whole", "first 6", "last 6"),
        ),
        Kind.STREET: KindDefinition(
            comparison=Comparison.PLACE, frequency_levels=1, chance=0.001, contact=True, household=True, place=True
        ),
        Kind.STREET_NUMBER: KindDefinition(
            comparison=Comparison.CODE, frequency_levels=1, chance=0.02, contact=True, household=True, atoms=("whole",)
        ),
        Kind.POSTCODE: KindDefinition(
            comparison=Comparison.POSTCODE,
            frequency_levels=1,
            chance=0.003,
            contact=True,
            household=True,
            place=True,
            atoms=("whole", "district"),
        ),
        Kind.CITY: KindDefinition(
            comparison=Comparison.WORD, frequency_levels=1, chance=0.03, contact=True, household=True, place=True
        ),
        Kind.STATE: KindDefinition(
            comparison=Comparison.WORD, frequency_levels=1, chance=0.1, contact=True, household=True, place=True
        ),
        Kind.OCCUPATION: KindDefinition(comparison=Comparison.WORD, frequency_levels=1, chance=0.03, place=True),
        Kind.GENDER: KindDefinition(
            comparison=Comparison.EQUAL, frequency_levels=0, chance=0.5, place=True, namesake=True, atoms=("whole",)
        ),
        Kind.IDENTIFIER: KindDefinition(
            comparison=Comparison.CODE, frequency_levels=1, chance=1e-05, atoms=("whole", "first 4", "last 4")
        ),
        Kind.HANDLE: KindDefinition(
            comparison=Comparison.CODE, frequency_levels=1, chance=1e-05, atoms=("whole", "first 5", "last 5")
        ),
        Kind.ORGANISATION: KindDefinition(
            comparison=Comparison.COMPANY,
            frequency_levels=1,
            chance=0.001,
            household=True,
            namesake=True,
            atoms=("whole", "first 4", "last 4", "sound"),
        ),
        Kind.TEXT: KindDefinition(
            comparison=Comparison.WORDS,
            frequency_levels=1,
            chance=0.01,
            place=True,
            atoms=("whole", "first 4", "words", "longest word", "code word"),
        ),
    }
)
