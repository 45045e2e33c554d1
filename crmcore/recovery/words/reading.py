"""Reading a draft or a message: sentences, what each says, and what only looks as if it said so.

A `Signal` is a family of wordings. Its hits count where the sentence says so of itself: not where they are quoted,
denied, asked, made to depend on something ("if"), or part of a general rule ("refunds are subject to"). Those are kept
as set aside, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs
import numpy as np

from crmcore.recovery.words.level import checked, level
from crmcore.text import Tokenizer
from crmcore.text.forms import Vocabulary
from crmcore.text.patterns import cleaned
from crmcore.text.reach import within_reach
from crmcore.text.tokens import TokenBatch

__all__ = ["Found", "Language", "Reading", "Sentence", "Signal", "read"]

REACH, REFUSAL_REACH = 3, 8
"""Tokens over which a negation reaches, and over which "cannot" or "unable" does."""


@attrs.frozen
class Signal:
    """One thing that a text can do, and the wordings that do it.

    Parameters
    ----------
    name : text
        Unique within its language.
    says : text
        What a text does that has it: "names a day or an hour".
    patterns : regular expressions
        Over levelled text, case ignored; `{slot}` stands for a family of words of the language.
    empathy, urgency : numbers
        What it adds to each side of the score; see `score_reply`.
    anywhere : truth
        Whether it counts in questions, conditions and general rules too: for what is bad wherever it stands.
    negatable : truth
        Whether a negation shortly before it takes it away.
    asked : truth
        Whether it counts in questions: "may I call you at 5?".
    beside : names of earlier signals
        It counts only in a sentence that has one of them: "tomorrow" is a promise beside a step, else a mere day.
    whole : truth
        Whether a negation inside the wording takes it away too: "we are not sorry".
    """

    name: str
    says: str
    patterns: tuple[str, ...] = attrs.field(repr=False)
    empathy: float = 0.0
    urgency: float = 0.0
    anywhere: bool = False
    negatable: bool = True
    asked: bool = False
    beside: tuple[str, ...] = ()
    whole: bool = False


@attrs.frozen(eq=False)
class Language:
    """What drafts of one language are read with: signals, families of words, and marks of negation and condition.

    `covers` names the letters that a draft of this language may be recognised by where it is too short to tell.
    """

    code: str
    signals: tuple[Signal, ...]
    slots: Mapping[str, str] = attrs.field(repr=False)
    negations: frozenset[str] = attrs.field(repr=False)
    refusals: frozenset[str] = attrs.field(repr=False)
    reach_ends: frozenset[str] = attrs.field(repr=False)
    condition: str = attrs.field(repr=False)
    hypothesis: str = attrs.field(repr=False)
    rule: str = attrs.field(repr=False)
    abbreviations: str = attrs.field(default=r"(?!)", repr=False)

    def compiled(self, pattern: str) -> re.Pattern[str]:
        """One pattern with its slots filled."""
        for _ in range(4):  # families of families
            pattern = re.sub(r"\{([a-z_]+)\}", lambda m: f"(?:{self.slots[m[1]]})", pattern)
        return re.compile(pattern, re.IGNORECASE)

    @cached_property
    def table(self) -> tuple[tuple[Signal, tuple[re.Pattern[str], ...]], ...]:
        """Every signal with its compiled patterns."""
        return tuple((s, tuple(map(self.compiled, s.patterns))) for s in self.signals)

    @cached_property
    def marks(self) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
        """Compiled patterns of conditions, hypotheses and general rules."""
        return self.compiled(self.condition), self.compiled(self.hypothesis), self.compiled(self.rule)


@attrs.frozen
class Found:
    """Words that show a signal, where they stand, and why they were set aside if they were."""

    signal: str
    start: int
    end: int
    words: str = attrs.field(repr=lambda words: f"<{len(words)} characters>")
    set_aside: str = ""


@attrs.frozen
class Sentence:
    """One sentence: its place, and how it speaks."""

    start: int
    end: int
    question: bool
    rule: bool
    conditions: tuple[tuple[int, int], ...]


@attrs.frozen(eq=False, repr=False)
class Reading:
    """What was read in one text.

    Attributes
    ----------
    text : text
        As it was read: entities resolved, digits, dashes and quotes levelled; places count in it.
    finds : signal -> tuple of Found
        What the text says.
    aside : tuple of Found
        What only looks like it.
    """

    language: Language
    text: str
    sentences: tuple[Sentence, ...]
    finds: Mapping[str, tuple[Found, ...]]
    aside: tuple[Found, ...]

    def __repr__(self) -> str:
        return f"Reading({self.language.code}: {len(self.sentences)} sentences, {', '.join(sorted(self.finds))})"

    def of(self, *signals: str) -> tuple[Found, ...]:
        """Hits of some signals, in the order of the text."""
        return tuple(sorted((f for s in signals for f in self.finds.get(s, ())), key=lambda f: (f.start, f.end)))

    def aside_of(self, *signals: str) -> tuple[Found, ...]:
        """Hits of some signals that were set aside."""
        return tuple(f for f in self.aside if f.signal in signals)

    def sentence_at(self, place: int) -> Sentence:
        """The sentence around a place."""
        return next((s for s in self.sentences if s.start <= place < s.end), self.sentences[-1])


_QUOTED = re.compile(r'"[^"\n]{1,400}"|\u00ab[^\u00bb]{1,400}\u00bb|^>[^\n]*$', re.MULTILINE)


_BREAKS = re.compile(r"[.!?\u2026]+[\"')\]]*(?=\s|$)|[;\n]+|\s-\s")


def _spans(text: str, abbreviations: re.Pattern[str]) -> Iterable[tuple[int, int]]:
    """Places of sentences, and of parts that a semicolon, a dash or a new line cuts off."""
    at = 0
    for match in _BREAKS.finditer(text):
        if text[match.start()] == "." and abbreviations.search(text[max(0, match.start() - 8) : match.start() + 1]):
            continue
        if text[at : match.end()].strip():
            yield at, match.end()
        at = match.end()
    if text[at:].strip():
        yield at, len(text)


def _sentence(text: str, start: int, end: int, language: Language) -> Sentence:
    words = text[start:end]
    condition, hypothesis, rule = language.marks
    spans = []
    for match in condition.finditer(words):
        stop = words.find(",", match.end())
        # "If you send it, we refund": the main clause depends on it; "we refund it if ...": only what follows does
        leads = not words[: match.start()].strip(" ,.-:\"'")
        last = len(words) if leads or stop < 0 else stop
        spans.append((start + match.start(), start + last))
    spans += [(start + m.start(), start + m.end() + 40) for m in hypothesis.finditer(words)]
    return Sentence(start, end, words.rstrip(" \"')\n").endswith("?"), rule.search(words) is not None, tuple(spans))


def _negated(text: str, language: Language) -> tuple[list[tuple[int, int]], list[bool]]:
    """Places of tokens, and which of them stand within the reach of a negation."""
    clean, spans = Tokenizer().spans(text)
    if clean != text or not spans:
        return [], []
    forms = [text[a:b].casefold() for a, b in spans]
    vocabulary = Vocabulary()
    batch = TokenBatch(vocabulary.codes(forms), np.array([0, len(forms)], np.int64), vocabulary)
    marks = np.array([f in language.negations or f.endswith("n't") for f in forms], np.bool_)
    stops = np.array([f in language.reach_ends for f in forms], np.bool_)
    refusals = np.array([f in language.refusals for f in forms], np.bool_)
    near = within_reach(batch, marks, stops=stops, reach=REACH)
    return spans, (near | within_reach(batch, refusals, stops=stops, reach=REFUSAL_REACH)).tolist()


def read(text: str, language: Language, /) -> Reading:
    """Read one text in a language that is known.

    Examples
    --------
    >>> from crmcore.recovery.words.languages import definitions
    >>> reading = read("We are not sorry. We have refunded you today.", definitions("replies_en"))
    >>> [f.signal for f in reading.of("apology", "repaired")], [f.set_aside for f in reading.aside_of("apology")]
    (['repaired'], ['denied'])
    """
    plain = level(cleaned(checked(text, "text"))).replace("\u200b", " ").replace("&", " ")
    voiced = _QUOTED.sub(lambda m: " " * len(m[0]), plain)
    abbreviations = re.compile(language.abbreviations, re.IGNORECASE)
    sentences = tuple(_sentence(voiced, a, b, language) for a, b in _spans(voiced, abbreviations))
    if not sentences:
        return Reading(language, plain, (), {}, ())
    tokens, negated = _negated(voiced, language)
    denied = [span for span, no in zip(tokens, negated, strict=True) if no]
    finds: dict[str, list[Found]] = {}
    aside: list[Found] = []
    for signal, patterns in language.table:
        for sentence in sentences:
            for a, b in _hits(voiced, sentence, patterns):
                why = _why_aside(signal, sentence, (a, b), denied)
                if not why and signal.beside and not _has(finds, signal.beside, sentence):
                    why = "no step beside it"
                found = Found(signal.name, a, b, plain[a:b].strip(), why)
                (aside if why else finds.setdefault(signal.name, [])).append(found)
    return Reading(language, plain, sentences, {name: tuple(f) for name, f in finds.items()}, tuple(aside))


def _has(finds: Mapping[str, list[Found]], names: Iterable[str], sentence: Sentence) -> bool:
    return any(sentence.start <= f.start < sentence.end for name in names for f in finds.get(name, ()))


def _hits(text: str, sentence: Sentence, patterns: Iterable[re.Pattern[str]]) -> list[tuple[int, int]]:
    """Places in one sentence, longest first where several patterns meet, none twice."""
    found = sorted(
        (m.span() for p in patterns for m in p.finditer(text, sentence.start, sentence.end) if m.end() > m.start()),
        key=lambda span: (span[0] - span[1], span[0]),
    )
    kept: list[tuple[int, int]] = []
    for a, b in found:
        if all(b <= c or d <= a for c, d in kept):
            kept.append((a, b))
    return sorted(kept)


def _why_aside(signal: Signal, sentence: Sentence, hit: tuple[int, int], denied: Iterable[tuple[int, int]]) -> str:
    start, end = hit
    last = end if signal.whole else start + 1
    if signal.negatable and any(a < last and start < b for a, b in denied):
        return "denied"
    if signal.anywhere:
        return ""
    if sentence.question and not signal.asked:
        return "asked"
    if any(a <= start < b for a, b in sentence.conditions):
        return "conditional"
    return "general rule" if sentence.rule else ""
