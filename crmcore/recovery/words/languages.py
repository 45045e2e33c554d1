"""In which of the languages that have definitions a text is written, or that it is in none of them."""

from __future__ import annotations

import re
from functools import cache

from crmcore.recovery.words.english import ENGLISH
from crmcore.recovery.words.level import checked
from crmcore.recovery.words.reading import Language, read
from crmcore.recovery.words.thai import THAI
from crmcore.text.languages import UNDETERMINED, WORDS, detect_languages

__all__ = ["NOT_UNDERSTOOD", "code_of", "language_of"]

NOT_UNDERSTOOD = "not understood"
"""What is said of a text in a language without definitions."""

_LANGUAGES = {"en": ENGLISH, "th": THAI}


@cache
def _plain_letters() -> frozenset[str]:
    return frozenset("abcdefghijklmnopqrstuvwxyz\u00e9\u00ef")


_WORDS = re.compile(r"[^\W\d_]+")
_ENGLISH_WORDS = frozenset(WORDS["en"].split()) - set("no me as so an in on to".split()) | set(
    "hello hi hey thanks thank ok okay yes please help order refund good great nice open price how where best love loved "
    "amazing lovely awesome excellent perfect wonderful fantastic friendly delicious recommend service".split()
)


def code_of(text: str, /) -> str:
    """Language of what a customer wrote; a message too short to tell is English if it has an English word.

    Examples
    --------
    >>> code_of("Great coffee!"), code_of("ayuda por favor"), code_of("\u0e0a\u0e48\u0e27\u0e22\u0e14\u0e49\u0e27\u0e22")
    ('en', 'und', 'th')
    """
    code = detect_languages([checked(text, "text")]).codes[0]
    words = set(_WORDS.findall(text.casefold()))
    plain = all(word.isascii() for word in words)
    return "en" if code == UNDETERMINED and plain and words & _ENGLISH_WORDS else code


def language_of(text: str, /) -> Language | None:
    """Definitions to read a text with; None where there are none for its language.

    What is too short for function words to tell is English if it holds an English wording that is known, and no letters
    that English lacks.

    Examples
    --------
    >>> [found and found.code for found in map(language_of, ["Sorry!", "\u0e02\u0e2d\u0e42\u0e17\u0e29\u0e04\u0e23\u0e31\u0e1a", "Es tut uns sehr leid, wir erstatten den Betrag."])]
    ['en', 'th', None]
    """
    written = checked(text, "text")
    code = detect_languages([written]).codes[0]
    if code != UNDETERMINED:
        return _LANGUAGES.get(code)
    letters = {c for c in written.casefold() if c.isalpha()}
    return ENGLISH if letters and letters <= _plain_letters() and read(written, ENGLISH).finds else None
