"""A text levelled character by character, so that every place in it is a place in what was written."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from crmcore.errors import WrongType

__all__ = ["checked", "level"]

_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0f\u20e3"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "`": "'", "\u201c": '"', "\u201d": '"'}


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char in _SPACES or char in _UNSEEN:
        return " " if char in _SPACES else "\u200b"
    if char in _DASHES:
        return "-"
    if char in _QUOTES:
        return _QUOTES[char]
    digit = unicodedata.digit(char, None)
    if digit is not None and char != "\u00b2" and char != "\u00b3":
        return str(digit)
    wide = unicodedata.normalize("NFKC", char)
    return wide if len(wide) == 1 else char


def level(text: str) -> str:
    r"""Write digits of any script as 0 to 9, and level dashes, quotes, spaces and wide letters; the length stays.

    Examples
    --------
    >>> level("\u0e50\u0e58\u0e51\u2013\uff12\u2462"), len(level("don\u2019t")) == len("don't")
    ('081-23', True)
    """
    return text if text.isascii() and "\t" not in text and "`" not in text else "".join(map(_plain, text))


def checked(text: object, name: str) -> str:
    """Refuse what is no text."""
    if not isinstance(text, str):
        raise WrongType(name, f"a {type(text).__name__}", "text", "pass the words as they would be sent")
    return text
