"""What a column of a source can mean, and which kind of evidence each meaning becomes."""

from __future__ import annotations

import enum

import attrs

from crmcore._base import between
from crmcore.errors import UnknownName
from crmcore.linkage.fields import Kind

__all__ = ["Meaning", "Role", "meaning_of"]


class Meaning(enum.StrEnum):
    """What one column of one source says; richer than `linkage.Kind`, because sources split and join fields."""

    GIVEN_NAME = "given name"
    SURNAME = "surname"
    FULL_NAME = "full name"
    BIRTH_DATE = "birth date"
    BIRTH_YEAR = "birth year"
    BIRTH_MONTH = "birth month"
    BIRTH_DAY = "birth day"
    EMAIL = "email"
    PHONE = "phone"
    STREET = "street"
    STREET_NUMBER = "street number"
    ADDRESS = "address"
    POSTCODE = "postcode"
    CITY = "city"
    STATE = "state"
    COUNTRY = "country"
    OCCUPATION = "occupation"
    GENDER = "gender"
    IDENTIFIER = "identifier"
    HANDLE = "handle"
    ORGANISATION = "organisation"
    TEXT = "text"
    RECORD_ID = "record id"
    UPDATED_AT = "updated at"
    IGNORE = "ignore"

    @property
    def kind(self) -> Kind | None:
        """Kind of linkage evidence that the column gives; None where it gives none by itself.

        Examples
        --------
        >>> Meaning.ADDRESS.kind.value, Meaning.COUNTRY.kind
        ('street', None)
        """
        return _KINDS.get(self)


_KINDS = {m: Kind(m.value) for m in Meaning if m.value in {k.value for k in Kind}} | {
    Meaning.ADDRESS: Kind.STREET,
    Meaning.FULL_NAME: Kind.GIVEN_NAME,
    Meaning.BIRTH_YEAR: Kind.BIRTH_DATE,
    Meaning.BIRTH_MONTH: Kind.BIRTH_DATE,
    Meaning.BIRTH_DAY: Kind.BIRTH_DATE,
}


def meaning_of(name: str | Meaning | Kind | None) -> Meaning:
    """Read a meaning from what a caller wrote; None means "do not use this column".

    Errors
    ------
    UnknownName
        The word is not a meaning; the nearest is proposed.

    Examples
    --------
    >>> meaning_of("Given_Name"), meaning_of(None)
    (<Meaning.GIVEN_NAME: 'given name'>, <Meaning.IGNORE: 'ignore'>)
    """
    if name is None:
        return Meaning.IGNORE
    word = str(name).casefold().replace("_", " ").replace("-", " ").strip()
    known = tuple(m.value for m in Meaning)
    if word not in known:
        raise UnknownName("kind", str(name), known)
    return Meaning(word)


@attrs.frozen
class Role:
    """What was decided for one column, how sure that is, and why.

    `part` orders several columns of one meaning (address_1, address_2); `chosen` is True where a person decided.
    """

    kind: Meaning
    confidence: float = attrs.field(validator=between(0.0, 1.0, hint="a confidence is a share"))
    reasons: tuple[str, ...] = ()
    part: int = 1
    chosen: bool = False
