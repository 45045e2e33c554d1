"""The kinds of field that linkage understands."""

from __future__ import annotations

import enum

__all__ = ["Kind"]


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
