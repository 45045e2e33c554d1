"""How much empathy and urgency the words of a draft show: points for what it does, each with its words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.recovery.words.languages import NOT_UNDERSTOOD, language_of
from crmcore.recovery.words.level import checked
from crmcore.recovery.words.reading import Reading, read

__all__ = ["Reason", "ReplyScore", "rank_replies", "score_reply"]

SECOND = 0.4
"""What the second hit of a signal counts; the third counts that squared, and so on: saying it again adds little."""

MIRRORED, MOST_MIRRORED = 0.3, 5
"""Points for each word of the complaint that a draft takes up, and how many of them count."""


@attrs.frozen
class Reason(Document):
    """What a draft does, the points it brings, and the words that show it."""

    what: str
    empathy: float
    urgency: float
    words: tuple[str, ...] = attrs.field(repr=lambda words: f"<{len(words)} places>")

    def __str__(self) -> str:
        sides = [f"{v:+.2f} {k}" for k, v in (("empathy", self.empathy), ("urgency", self.urgency)) if v]
        shown = f": {' | '.join(self.words[:3])}" if self.words else ""
        return f"{', '.join(sides)}  {self.what}{shown}"


def _hundred(points: float) -> float:
    return 100 / (1 + math.exp(-points / 2))


@attrs.frozen(kw_only=True)
class ReplyScore(Document):
    """How a draft reads to somebody who complained.

    Attributes
    ----------
    empathy, urgency : points
        Sums of the reasons; 0 is a draft that does nothing good or bad. NaN where the language is not understood.
    reasons : tuple of Reason
        The strongest first; their points add up exactly.
    language : text
        Code of the definitions used, or "not understood".
    words : count
        Words of the draft: a score of four words says little.
    """

    empathy: float
    urgency: float
    reasons: tuple[Reason, ...]
    language: str
    words: int

    @property
    def total(self) -> float:
        """Both sides together, in points: what drafts are ranked by."""
        return self.empathy + self.urgency

    @property
    def empathy_of_100(self) -> float:
        """Empathy on 0 to 100, 50 being neither: ``100 / (1 + exp(-points / 2))``."""
        return _hundred(self.empathy)

    @property
    def urgency_of_100(self) -> float:
        """Urgency on 0 to 100, 50 being neither."""
        return _hundred(self.urgency)

    def __str__(self) -> str:
        if self.language == NOT_UNDERSTOOD:
            return f"{NOT_UNDERSTOOD}: there are no definitions for this language"
        head = f"empathy {self.empathy_of_100:.0f}, urgency {self.urgency_of_100:.0f} of 100 ({self.words} words)"
        return "\n".join([head, *(f"  {r}" for r in self.reasons)])

    def _rows(self) -> list[dict[str, object]]:
        return [
            {"what": r.what, "empathy": r.empathy, "urgency": r.urgency, "words": " | ".join(r.words)}
            for r in self.reasons
        ]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a reason: what, empathy, urgency, words."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in ("what", "empathy", "urgency", "words")}, backend=backend)


def score_reply(draft: str, /, *, complaint: str | None = None) -> ReplyScore:
    """Score what the words of a draft do: understand, own, act, name a time; and what takes away from it.

    A judgement of words, by rules that are printed with the score. It cannot know whether what the draft says is true,
    whether the promise can be kept, or what this person needs.

    Parameters
    ----------
    draft : text
    complaint : text, optional
        What it answers: taking up its particulars ("five days", "your mother's birthday") counts.

    Examples
    --------
    >>> print(score_reply("I'm so sorry, two days without heating is awful. A fitter comes today at 5."))
    empathy 81, urgency 74 of 100 (15 words)
      +0.14 empathy, +0.98 urgency  names a day or an hour: today | at 5
      +1.10 empathy  puts itself in the other's place: is awful
      +1.00 urgency  says what is being done: comes today at 5
      +0.90 empathy  says sorry for what happened: I'm so sorry
      +0.50 empathy  means the apology: so sorry
      +0.25 empathy, +0.15 urgency  speaks in the first person: I'm
    """
    language = language_of(draft)
    if language is None:
        nan = math.nan
        return ReplyScore(empathy=nan, urgency=nan, reasons=(), language=NOT_UNDERSTOOD, words=len(draft.split()))
    reading = read(draft, language)
    reasons = list(_reasons(reading))
    if complaint is not None:
        taken = mirrored(checked(complaint, "complaint"), reading.text)
        if taken:
            points = MIRRORED * min(len(taken), MOST_MIRRORED)
            reasons.append(Reason("takes up what was said", points, 0.0, taken))
    reasons.sort(key=lambda r: (-abs(r.empathy) - abs(r.urgency), r.what))
    return ReplyScore(
        empathy=math.fsum(r.empathy for r in reasons),
        urgency=math.fsum(r.urgency for r in reasons),
        reasons=tuple(reasons),
        language=language.code,
        words=len(draft.split()),
    )


def _reasons(reading: Reading) -> Iterable[Reason]:
    for signal, _ in reading.language.table:
        found = reading.of(signal.name)
        if found and (signal.empathy or signal.urgency):
            times = sum(SECOND**i for i in range(len(found)))
            words = tuple(dict.fromkeys(f.words for f in found))
            yield Reason(signal.says, signal.empathy * times, signal.urgency * times, words)


@cache
def _ordinary() -> frozenset[str]:
    """Words that say nothing particular, and words that any reply holds."""
    from crmcore.text.languages import WORDS

    more = (
        "very much than then them were been being which while where after before again only over more some other "
        "please thank thanks sorry today tomorrow reply call customer service support order company team back "
        "still really never ever every each also even made make get got getting going want need time now here out off"
    )
    return frozenset(WORDS["en"].split()) | frozenset(more.split())


def mirrored(complaint: str, draft: str) -> tuple[str, ...]:
    """Words of a complaint that a draft takes up, by their stems, ordinary words left out, in the order of the draft.

    Examples
    --------
    >>> mirrored("The waiter was rude to my mother", "I will speak to the waiters about your mother")
    ('waiter', 'mother')
    """
    from crmcore.text import stems, tokenize

    batch = stems(tokenize([complaint, draft]))
    written = tokenize([complaint]).normalised().words().forms(0)
    particular = {
        stem
        for stem, word in zip(batch.forms(0), written, strict=True)
        if word not in _ordinary() and (len(word) > 3 or word.isdigit()) and word[0].isalnum()
    }
    return tuple(dict.fromkeys(stem for stem in batch.forms(1) if stem in particular))


def rank_replies(drafts: Iterable[str], /, *, complaint: str | None = None) -> tuple[tuple[int, ReplyScore], ...]:
    """Drafts with their scores, best first; equal ones by position, those not understood last.

    Examples
    --------
    >>> best, *_ = rank_replies(["We regret any inconvenience.", "Sorry! We refunded you today."])
    >>> best[0]
    1
    """
    texts = listed(drafts, "drafts", str, what="texts", hint="[first_draft, second_draft]")
    scores = [score_reply(text, complaint=complaint) for text in texts]
    order = sorted(range(len(texts)), key=lambda i: (math.isnan(scores[i].total), -_number(scores[i].total), i))
    return tuple((i, scores[i]) for i in order)


def _number(value: float) -> float:
    return 0.0 if math.isnan(value) else value
