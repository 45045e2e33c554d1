"""Definitions of languages, and in which of them a text is written, or that it is in none of them.

Definitions are data beside this module: `replies_en.toml` and `replies_th.toml` say what a draft does,
`distress_en.toml` and `distress_th.toml` what a message shows.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from crmcore.recovery.words.level import checked
from crmcore.recovery.words.reading import Language, Signal, read
from crmcore.text.languages import UNDETERMINED, WORDS, detect_languages

__all__ = ["NOT_UNDERSTOOD", "UNDERSTOOD", "code_of", "definitions", "language_of"]

NOT_UNDERSTOOD = "not understood"
"""What is said of a text in a language without definitions."""

UNDERSTOOD = ("en", "th")

_WORDS = re.compile(r"[^\W\d_]+")
_GREETINGS = """
    hello hi hey thanks thank ok okay yes please help order refund good great nice open price how where best love loved
    such well done clean new staff food happy wow thrilled super brilliant amazing lovely awesome excellent perfect
    wonderful fantastic friendly delicious recommend service
"""
_ENGLISH_WORDS = (frozenset(WORDS["en"].split()) - set("no me as so an in on to".split())) | set(_GREETINGS.split())
_PLAIN_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz\u00e9\u00ef")


def _joined(pattern: str) -> str:
    """A pattern that is written over several lines."""
    return "".join(line.strip() for line in pattern.splitlines())


def _signal(fields: dict[str, Any]) -> Signal:
    patterns = tuple(map(_joined, fields.pop("patterns")))
    return Signal(patterns=patterns, beside=tuple(fields.pop("beside", ())), **fields)


@cache
def definitions(name: str, /) -> Language:
    """Definitions by the name of their file: "replies_en", "distress_th".

    Examples
    --------
    >>> len(definitions("replies_en").signals) > 20
    True
    """
    document = tomllib.loads(files("crmcore.recovery.words").joinpath(f"data/{name}.toml").read_text("utf-8"))
    return Language(
        code=document["code"],
        signals=tuple(map(_signal, document["signals"])),
        slots={k: _joined(v) for k, v in document["slots"].items()},
        negations=frozenset(document["negations"]),
        refusals=frozenset(document["refusals"]),
        reach_ends=frozenset(document["reach_ends"]),
        condition=_joined(document["condition"]),
        hypothesis=_joined(document["hypothesis"]),
        rule=_joined(document["rule"]),
        abbreviations=_joined(document["abbreviations"]),
    )


def code_of(text: str, /) -> str:
    """Language of what a customer wrote; a message too short to tell is English if it has an English word.

    Examples
    --------
    >>> [code_of(text) for text in ("Great coffee!", "ayuda por favor", "\u0e0a\u0e48\u0e27\u0e22")]
    ['en', 'und', 'th']
    """
    code = detect_languages([checked(text, "text")]).codes[0]
    words = set(_WORDS.findall(text.casefold()))
    plain = all(word.isascii() for word in words)
    return "en" if code == UNDETERMINED and plain and words & _ENGLISH_WORDS else code


def language_of(draft: str, /) -> Language | None:
    """Definitions to read a draft with; None where there are none for its language.

    What is too short for function words to tell is English if it holds an English wording that is known, and no letters
    that English lacks.

    Examples
    --------
    >>> drafts = ["Sorry!", "\u0e02\u0e2d\u0e42\u0e17\u0e29\u0e04\u0e23\u0e31\u0e1a", "Es tut uns sehr leid."]
    >>> [found and found.code for found in map(language_of, drafts)]
    ['en', 'th', None]
    """
    written = checked(draft, "draft")
    code = detect_languages([written]).codes[0]
    if code != UNDETERMINED:
        return definitions(f"replies_{code}") if code in UNDERSTOOD else None
    letters = {c for c in written.casefold() if c.isalpha()}
    english = definitions("replies_en")
    return english if letters and letters <= _PLAIN_LETTERS and read(written, english).finds else None
