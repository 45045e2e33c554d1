"""In which of the languages that have definitions a text is written, or that it is in none of them."""

from __future__ import annotations

from functools import cache

from crmcore.recovery.words.english import ENGLISH
from crmcore.recovery.words.level import checked
from crmcore.recovery.words.reading import Language, read
from crmcore.recovery.words.thai import THAI
from crmcore.text.languages import UNDETERMINED, detect_languages

__all__ = ["NOT_UNDERSTOOD", "language_of"]

NOT_UNDERSTOOD = "not understood"
"""What is said of a text in a language without definitions."""

_LANGUAGES = {"en": ENGLISH, "th": THAI}


@cache
def _plain_letters() -> frozenset[str]:
    return frozenset("abcdefghijklmnopqrstuvwxyz\u00e9\u00ef")


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
