"""Only what is known: no admission without fault, no denial with it, no cause before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore._base import aware
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.recovery.words.languages import NOT_UNDERSTOOD, language_of
from crmcore.recovery.words.reading import Found, Reading, read
from crmcore.recovery.words.scoring import mirrored
from crmcore.values.words import Fault, word

__all__ = ["Cause", "Truth", "check_truth", "explain_cause"]


def _fault(value: Fault | str) -> Fault:
    return word(Fault, value, "fault")


@attrs.frozen
class Cause(Document):
    """What a case knows of its cause.

    Parameters
    ----------
    text : text
        A clause that can follow "because", for the customer's eyes: "our depot mixed up two labels". Empty if nothing
        is known.
    fault : Fault
        Whose doing it was.
    confirmed_at : aware datetime, optional
        When it was established; None is a suspicion, which no customer is told.
    """

    text: str = ""
    fault: Fault = attrs.field(default=Fault.UNKNOWN, converter=_fault)
    confirmed_at: datetime | None = attrs.field(default=None, validator=aware)

    def __attrs_post_init__(self) -> None:
        if self.confirmed_at is not None and not self.text.strip():
            raise EmptyInput("Cause.text", "a confirmed cause says what it was: 'our depot mixed up two labels'")
        if self.confirmed_at is not None and self.fault is Fault.UNKNOWN:
            raise OutOfRange("fault", str(self.fault), "ours, partner, nobody or customer", "a confirmed cause has one")

    @property
    def confirmed(self) -> bool:
        """Whether it may be told."""
        return self.confirmed_at is not None


@attrs.frozen
class Truth(Document):
    """Whether a draft claims only what is known.

    Attributes
    ----------
    blocks : texts
        Why it may not be sent; none if it may.
    words : texts
        The words that are at issue, in the order of `blocks`; empty for what is missing.
    """

    blocks: tuple[str, ...]
    words: tuple[str, ...] = attrs.field(repr=lambda words: f"<{len(words)} places>")

    @property
    def holds(self) -> bool:
        """Whether nothing is claimed that is not known."""
        return not self.blocks

    @property
    def told(self) -> tuple[str, ...]:
        """Every block with its words."""
        return tuple(f"{b}: {w}" if w else b for b, w in zip(self.blocks, self.words, strict=True))

    def __str__(self) -> str:
        return "; ".join(self.told) or "claims only what is known"


def check_truth(draft: str, /, cause: Cause | None) -> Truth:
    """Hold what a draft admits and explains against what the case knows.

    Parameters
    ----------
    draft : text
    cause : Cause or None
        None is "nothing is known".

    Returns
    -------
    Truth
        Blocked are: an admission while the fault is another's or not established; a confirmed own fault that the draft
        does not admit or denies; a cause while none is confirmed; another cause than the confirmed one (no word of it
        is taken up).

    Examples
    --------
    >>> print(check_truth("We are sorry, it was our mistake.", Cause("a strike closed the port", "nobody")))
    admits a mistake that is not established as ours: our mistake
    >>> print(check_truth("Sorry! It is late because of the snow.", None))
    names a cause that is not confirmed: because
    """
    known = Cause() if cause is None else cause
    language = language_of(draft)
    if language is None:
        return Truth((f"{NOT_UNDERSTOOD}: there are no definitions for this language",), ("",))
    reading = read(draft, language)
    found = [*_admissions(reading, known), *_causes(reading, known)]
    return Truth(tuple(block for block, _ in found), tuple(words for _, words in found))


def _admissions(reading: Reading, cause: Cause) -> Iterable[tuple[str, str]]:
    admitted = reading.of("ownership")
    ours = cause.confirmed and cause.fault is Fault.OURS
    if not ours:
        for f in admitted:
            yield "admits a mistake that is not established as ours", f.words
        return
    denied = [f for f in reading.aside_of("ownership") if f.set_aside == "denied"]
    for f in denied:
        yield "denies a mistake that is confirmed as ours", f.words
    if not admitted and not denied:
        yield "does not admit the mistake that is confirmed as ours", ""


def _causes(reading: Reading, cause: Cause) -> Iterable[tuple[str, str]]:
    for f in reading.of("cause"):
        if _still_open(f, reading):
            continue
        sentence = reading.sentence_at(f.start)
        if not cause.confirmed:
            yield "names a cause that is not confirmed", f.words
        elif not mirrored(cause.text, reading.text[sentence.start : sentence.end]):
            yield "names another cause than the confirmed one", f.words


def _still_open(found: Found, reading: Reading) -> bool:
    """Whether the words only say that the cause is being looked for."""
    sentence = reading.sentence_at(found.start)
    return any(sentence.start <= c.start <= found.start for c in reading.of("checking"))


def explain_cause(cause: Cause | None, /, *, by: str | None = None) -> str:
    """Tell the customer why it happened, in plain words: the confirmed cause, or that it is being checked.

    Parameters
    ----------
    cause : Cause or None
    by : text, optional
        When the customer will hear, as it would be written: "Friday noon". Used while nothing is confirmed.

    Examples
    --------
    >>> explain_cause(Cause("our depot mixed up two labels", "ours"), by="Friday noon")
    'We are checking what went wrong. We do not know it yet and will not guess; we will tell you by Friday noon.'
    """
    if cause is None or not cause.confirmed:
        told = f"; we will tell you by {by}" if by else ""
        return f"We are checking what went wrong. We do not know it yet and will not guess{told}."
    text = cause.text.strip().rstrip(".!")
    said = f"This happened because {text}."
    return f"{said} It was our mistake." if cause.fault is Fault.OURS else said
