"""What an answer to a complaint needs: apology, ownership, cause, step, date, remedy, empathy; found, or missing."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.recovery.words.languages import NOT_UNDERSTOOD, language_of
from crmcore.recovery.words.reading import Found, Reading, read
from crmcore.values.words import word

__all__ = ["REQUIRED", "ItemCheck", "ReplyCheck", "ReplyItem", "check_reply"]


class ReplyItem(enum.StrEnum):
    """What an answer to a complaint can hold."""

    APOLOGY = "apology"
    OWNERSHIP = "ownership"
    CAUSE = "cause"
    STEP = "step"
    DATE = "date"
    REMEDY = "remedy"
    EMPATHY = "empathy"


REQUIRED = (ReplyItem.APOLOGY, ReplyItem.CAUSE, ReplyItem.STEP, ReplyItem.DATE, ReplyItem.REMEDY)
"""What an answer must hold unless a call says otherwise."""

STEPS = ("repaired", "doing", "will_do", "remedy", "promise_back")
"""Signals of a step, beside which a day or an hour is a promise and not a memory."""

_SIGNALS: dict[ReplyItem, tuple[str, ...]] = {
    ReplyItem.APOLOGY: ("apology",),
    ReplyItem.OWNERSHIP: ("ownership",),
    ReplyItem.CAUSE: ("cause",),
    ReplyItem.STEP: STEPS,
    ReplyItem.DATE: ("time", "at_once"),
    ReplyItem.REMEDY: ("remedy",),
    ReplyItem.EMPATHY: ("understanding", "validation", "sympathy"),
}

_LOOKALIKES: dict[ReplyItem, tuple[str, ...]] = {
    ReplyItem.APOLOGY: ("conditional_apology", "sorry_to_hear"),
    ReplyItem.DATE: ("vague",),
    ReplyItem.STEP: ("burden", "vague"),
    ReplyItem.REMEDY: ("refusal", "bait"),
}
"""What stands where an item should, by signals that are something else."""

_ADVICE = {
    ReplyItem.APOLOGY: "say sorry for what happened, without if",
    ReplyItem.OWNERSHIP: "say whose mistake it was, where it is known to be yours",
    ReplyItem.CAUSE: "say why it happened, or that you are checking",
    ReplyItem.STEP: "say what you have done or will do",
    ReplyItem.DATE: "say by which day or hour",
    ReplyItem.REMEDY: "say how it is made good",
    ReplyItem.EMPATHY: "say what it meant for this customer",
}


def _item(value: ReplyItem | str) -> ReplyItem:
    return word(ReplyItem, value, "reply item")


def _items(value: Iterable[ReplyItem | str]) -> tuple[ReplyItem, ...]:
    return tuple(map(_item, listed(value, "required", str, what="reply items", hint="['apology', 'step', 'date']")))


@attrs.frozen
class ItemCheck(Document):
    """One item of the checklist: the words that show it with their places, or what stands in its stead."""

    item: ReplyItem
    found: bool
    required: bool
    words: tuple[str, ...] = attrs.field(repr=lambda words: f"<{len(words)} places>")
    spans: tuple[tuple[int, int], ...] = ()
    instead: tuple[str, ...] = attrs.field(default=(), repr=lambda words: f"<{len(words)} places>")
    advice: str = ""

    def __str__(self) -> str:
        if self.found:
            return f"{self.item}: {' | '.join(self.words[:3])}"
        seen = f"; instead: {' | '.join(self.instead[:2])}" if self.instead else ""
        return f"{self.item}: missing{seen}; {self.advice}"


@attrs.frozen(kw_only=True)
class ReplyCheck(Document):
    """A draft held against the checklist.

    Attributes
    ----------
    items : tuple of ItemCheck
        All seven, in the order of an answer.
    language : text
        Code of the definitions used, or "not understood": then nothing is found and nothing passes.
    text : text
        The draft as it was read; spans count in it.
    """

    items: tuple[ItemCheck, ...]
    language: str
    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")

    @property
    def missing(self) -> tuple[ReplyItem, ...]:
        """Required items that were not found."""
        return tuple(i.item for i in self.items if i.required and not i.found)

    @property
    def passes(self) -> bool:
        """Whether every required item was found, in a language that was understood."""
        return not self.missing and self.language != NOT_UNDERSTOOD

    def of(self, item: ReplyItem | str) -> ItemCheck:
        """One item."""
        wanted = _item(item)
        return next(i for i in self.items if i.item is wanted)

    def __str__(self) -> str:
        needed = [i for i in self.items if i.required]
        if self.language == NOT_UNDERSTOOD:
            return f"{NOT_UNDERSTOOD}: there are no definitions for this language, so it does not pass"
        head = f"{'passes' if self.passes else 'fails'} {len(self.missing) or len(needed)} of {len(needed)}"
        return "\n".join([head, *(f"  {i}" for i in self.items if i.required or i.found)])

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "item": str(i.item),
                "required": i.required,
                "found": i.found,
                "words": " | ".join(i.words if i.found else i.instead),
                "advice": i.advice,
            }
            for i in self.items
        ]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an item: item, required, found, words, advice."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in rows[0]}, backend=backend)


def check_reply(
    draft: str, /, *, required: Iterable[ReplyItem | str] = REQUIRED, cause_confirmed: bool | None = None
) -> ReplyCheck:
    """Hold a draft against the checklist of an answer to a complaint.

    An item is found where the draft says so of itself: "we will refund you", not "refunds are subject to", "if you send
    it we could refund", a question, or a quotation. "Sorry if you feel" and "we regret any inconvenience" are no
    apology. A day counts beside a step.

    Parameters
    ----------
    draft : text
    required : items
        What must be there to pass.
    cause_confirmed : truth, optional
        False where nobody knows the cause yet: then "we are checking what happened" is what the item asks for.

    Examples
    --------
    >>> print(check_reply("We are sorry."))
    fails 4 of 5
      apology: We are sorry
      cause: missing; say why it happened, or that you are checking
      step: missing; say what you have done or will do
      date: missing; say by which day or hour
      remedy: missing; say how it is made good
    >>> check_reply("Sorry if you feel let down.").of("apology").instead
    ('conditional: Sorry if',)
    """
    needed = _items(required)
    language = language_of(draft)
    if language is None:
        empty = tuple(ItemCheck(i, False, i in needed, (), (), (), NOT_UNDERSTOOD) for i in ReplyItem)
        return ReplyCheck(items=empty, language=NOT_UNDERSTOOD, text=draft)
    reading = read(draft, language)
    items = tuple(_checked_item(i, reading, i in needed, cause_confirmed) for i in ReplyItem)
    return ReplyCheck(items=items, language=language.code, text=reading.text)


def _checked_item(item: ReplyItem, reading: Reading, required: bool, cause_confirmed: bool | None) -> ItemCheck:
    signals = _SIGNALS[item]
    if item is ReplyItem.CAUSE and cause_confirmed is False:
        signals = ("checking",)
    found = reading.of(*signals)
    if found:
        words = tuple(dict.fromkeys(f.words for f in found))
        return ItemCheck(item, True, required, words, tuple((f.start, f.end) for f in found))
    return ItemCheck(item, False, required, (), (), tuple(_instead(item, signals, reading)), _ADVICE[item])


def _instead(item: ReplyItem, signals: tuple[str, ...], reading: Reading) -> Iterable[str]:
    seen = {"conditional_apology": "conditional", "sorry_to_hear": "sympathy"}
    others: tuple[Found, ...] = reading.of(*_LOOKALIKES.get(item, ()))
    for f in (*reading.aside_of(*signals), *others):
        yield f"{f.set_aside or seen.get(f.signal, f.signal)}: {f.words}"
