"""The distress gate: who is in need meets a person, never a template."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.choice import pick
from crmcore.documents import Document
from crmcore.recovery.words.languages import NOT_UNDERSTOOD, UNDERSTOOD, code_of, definitions
from crmcore.recovery.words.level import checked
from crmcore.recovery.words.reading import Reading, read

if TYPE_CHECKING:
    from crmcore.protocols import SentimentAnalyzer

__all__ = ["Distress", "DistressLevel", "Evidence", "Gate", "gate_automation", "read_distress"]

UPSET_FROM, DISTRESSED_FROM = 0.5, 1.0
"""Points from which somebody counts as upset, and as distressed."""

VERY_NEGATIVE = 0.9
"""Probability of "negative" from which an analyser's answer counts as evidence."""


class DistressLevel(enum.IntEnum):
    """How much somebody needs a person."""

    CALM = 0
    UPSET = 1
    DISTRESSED = 2
    IN_DANGER = 3


@attrs.frozen
class Evidence(Document):
    """One sign of distress, what it weighs, and the words."""

    sign: str
    points: float
    words: tuple[str, ...] = attrs.field(repr=lambda words: f"<{len(words)} places>")

    def __str__(self) -> str:
        return f"{self.sign} ({self.points:.1f}): {' | '.join(self.words[:3])}" if self.words else self.sign


@attrs.frozen(kw_only=True)
class Distress(Document):
    """How distressed a message sounds, with the evidence.

    Attributes
    ----------
    level : DistressLevel
        By the points, and danger by its words alone.
    points : number
        Sum over the evidence; 1 is distress.
    evidence : tuple of Evidence
        The heaviest first.
    language : text
        Code of the definitions used, or "not understood".
    routine : truth
        Whether it has words of everyday business (orders, hours, prices, requests, thanks). Much distress uses none of
        the words that a list can hold, so what is not routine goes to a person too.
    """

    level: DistressLevel
    points: float
    evidence: tuple[Evidence, ...]
    language: str
    routine: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether no automation may answer: distressed, in danger, not understood, or not recognised as routine."""
        return self.level >= DistressLevel.DISTRESSED or not self.routine or self.language == NOT_UNDERSTOOD

    def __str__(self) -> str:
        if self.language == NOT_UNDERSTOOD:
            return f"{NOT_UNDERSTOOD}: a person must read it"
        name = self.level.name.lower().replace("_", " ")
        odd = "" if self.routine else "; not recognised as routine"
        return f"{name}: {'; '.join(map(str, self.evidence)) or 'no sign of distress'}{odd}"

    def _rows(self) -> list[dict[str, object]]:
        return [{"sign": e.sign, "points": e.points, "words": " | ".join(e.words)} for e in self.evidence]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=self.level.name.lower())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a sign: sign, points, words."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in ("sign", "points", "words")}, backend=backend)


def read_distress(message: str, /, *, sentiment: SentimentAnalyzer | None = None) -> Distress:
    """Look for signs that the writer of a message is in need.

    Threats to life, health and safety, loss, money for living, people who depend on others, despair, strong anger and
    shouting; what is denied ("not angry at all"), joked or quoted does not count. It reads words alone: somebody quiet
    may need a person too, so the level is a lower bound.

    Parameters
    ----------
    message : text
        What the customer wrote.
    sentiment : SentimentAnalyzer, optional
        Any analyser of the house's protocol; a sure negative weighs half a point.

    Examples
    --------
    >>> print(read_distress("Not angry at all, just asking."))
    calm: no sign of distress
    >>> print(read_distress("I am furious about my order"))
    distressed: strong anger (1.0): am furious
    """
    text = checked(message, "message")
    code = code_of(text)
    if code not in UNDERSTOOD and text.isascii() and read(text, definitions("distress_en")).finds:
        code = "en"  # too short to tell, but a sign of distress is one
    if code not in UNDERSTOOD:
        return Distress(level=DistressLevel.CALM, points=0.0, evidence=(), language=NOT_UNDERSTOOD)
    signs = definitions(f"distress_{code}")
    reading = read(text, signs)
    found = [
        Evidence(s.says, s.urgency, tuple(dict.fromkeys(f.words for f in reading.of(s.name))))
        for s in signs.signals
        if s.urgency and reading.of(s.name)
    ]
    if sentiment is not None and float(sentiment.probabilities([text])[0][0]) >= VERY_NEGATIVE:
        found.append(Evidence("very negative by the analyser", 0.5, ()))
    shouted = _shouted(text)
    if shouted:
        found.append(Evidence("shouting", shouted, ()))
    found.sort(key=lambda e: (-e.points, e.sign))
    points = math.fsum(e.points for e in found)
    return Distress(
        level=_level(reading, points),
        points=points,
        evidence=tuple(found),
        language=code,
        routine=bool(reading.of("routine")),
    )


def _level(reading: Reading, points: float) -> DistressLevel:
    if reading.of("danger"):
        return DistressLevel.IN_DANGER
    if points >= DISTRESSED_FROM:
        return DistressLevel.DISTRESSED
    return DistressLevel.UPSET if points >= UPSET_FROM else DistressLevel.CALM


def _shouted(text: str) -> float:
    """Points for capitals and marks: half for each, only in messages long enough to tell."""
    letters = [c for c in text if c.isalpha() and c.lower() != c.upper()]
    capitals = len(letters) >= 12 and sum(c.isupper() for c in letters) > 0.6 * len(letters)
    marks = text.count("!") + text.count("\uff01") >= 3
    return 0.6 * capitals + 0.4 * marks


@attrs.frozen(kw_only=True)
class Gate(Document):
    """Whether a machine may answer a message, and who does if not.

    Attributes
    ----------
    automation : truth
        False: no template, no bot.
    owner : id, optional
        Who answers; None where nobody is needed, or nobody is there (`unowned`).
    reason : text
        Why, with the evidence; kept in the case, so it quotes no more than the signs.
    """

    automation: bool
    owner: str | None
    reason: str
    distress: Distress

    @property
    def unowned(self) -> bool:
        """Whether a person is needed and none is there: page whoever leads the desk."""
        return not self.automation and self.owner is None

    def __str__(self) -> str:
        if self.automation:
            return f"automation may answer: {self.reason}"
        return f"automation refused, {self.owner or 'nobody is free: page the lead'}: {self.reason}"


def gate_automation(
    message: str,
    /,
    *,
    owners: Mapping[str, float],
    unfit: Mapping[str, bool] | None = None,
    sentiment: SentimentAnalyzer | None = None,
) -> Gate:
    """Decide whether a machine may answer; if not, assign the person with the least load, ties by id.

    Parameters
    ----------
    message : text
        What the customer wrote.
    owners : id -> load
        People who are on duty, with what they carry (open cases). `recovery.employees` knows who that is.
    unfit : id -> truth, optional
        True for people who should not take this one, such as those who rest after a hard case.
    sentiment : SentimentAnalyzer, optional
        See `read_distress`.

    Examples
    --------
    >>> gate = gate_automation("My mother died and you still bill her", owners={"ann": 3, "bo": 1})
    >>> print(gate)
    automation refused, bo: distressed: bereavement
    """
    distress = read_distress(message, sentiment=sentiment)
    if not distress.needs_a_person:
        return Gate(automation=True, owner=None, reason=_told(distress), distress=distress)
    ids = tuple(owners)
    resting = {"should not take this one": [bool((unfit or {}).get(i, False)) for i in ids]}
    chosen = pick(ids, refused=resting, keys={"load": [owners[i] for i in ids]}).chosen
    return Gate(automation=False, owner=chosen, reason=_told(distress), distress=distress)


def _told(distress: Distress) -> str:
    """Level and signs, without the customer's words."""
    if distress.language == NOT_UNDERSTOOD:
        return "language not understood, a person must read it"
    name = distress.level.name.lower().replace("_", " ")
    signs = ", ".join(e.sign for e in distress.evidence) or "no sign of distress"
    return f"{name}: {signs}" if distress.routine else f"{name}: {signs}; not recognised as routine"
