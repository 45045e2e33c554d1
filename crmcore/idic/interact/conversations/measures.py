"""Is it a dialogue, and does it go on where it stopped? Measures of conversations, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import attrs

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.interact.conversations.asking import OnFile, redundant_questions
from crmcore.idic.interact.conversations.messages import Message
from crmcore.idic.interact.conversations.results import Conversation
from crmcore.metrics.estimates import Estimate, estimate_of
from crmcore.metrics.proportions import proportion
from crmcore.metrics.quantiles import median
from crmcore.values import Direction

__all__ = ["Continuity", "continuity", "dialogue_ratio"]


def dialogue_ratio(
    conversations: Iterable[Conversation],
    *,
    answer_days: float | None = None,
    now: datetime | None = None,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of the threads in which we spoke that the customer answered (Wilson).

    Parameters
    ----------
    conversations : iterable of Conversation
        Those without an outbound message are left out.
    answer_days : days, optional
        An answer counts within this time after our first message; None is at any time.
    now : aware datetime, optional
        With `answer_days`: threads too young to be judged, and not answered yet, are left out.
    level : share
    small_sample_ok : truth
        Do not warn below 30 threads.

    Examples
    --------
    >>> dialogue_ratio([], small_sample_ok=True).n
    0
    """
    if answer_days is not None and not answer_days > 0:
        raise OutOfRange("answer_days", answer_days, "above 0", "leave it out to count answers at any time")
    if now is not None:
        check_aware(now, "now")
    answered = total = 0
    for c in conversations:
        spoke = next((m for m in c.messages if m.direction is Direction.OUTBOUND), None)
        if spoke is None:
            continue
        until = None if answer_days is None else spoke.at + timedelta(days=answer_days)
        reply = any(
            m.direction is Direction.INBOUND and m.place > spoke.place and (until is None or m.at <= until)
            for m in c.messages
        )
        if not reply and until is not None and now is not None and until > now:
            continue
        answered, total = answered + reply, total + 1
    rule = "answered threads / threads with an outbound message"
    return proportion(answered, total, level=level, rule=rule, small_sample_ok=small_sample_ok)


@attrs.frozen(kw_only=True, repr=False)
class Continuity(Document):
    """How conversations survive a change of the channel.

    Parameters
    ----------
    without_repeating : Estimate
        Share of the channel switches after which we asked nothing that was known.
    minutes_to_context : Estimate
        Median minutes from the switch to the first of our messages on the new channel that asks nothing known.
    switches, repeated, never : counts
        Switches; those with a repeated question; those after which we never spoke on that channel.
    """

    without_repeating: Estimate
    minutes_to_context: Estimate
    switches: int
    repeated: int
    never: int

    def __repr__(self) -> str:
        return f"Continuity({self.switches} switches, {self.repeated} with a repeated question)"

    def __str__(self) -> str:
        return f"without repeating: {self.without_repeating}\nminutes to context: {self.minutes_to_context}"

    def _rows(self) -> list[dict[str, Any]]:
        parts = {"without repeating": self.without_repeating, "minutes to context": self.minutes_to_context}
        return [{"measure": n, "value": e.value, "low": e.low, "high": e.high, "n": e.n} for n, e in parts.items()]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure: measure, value, low, high, n."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def _switches(c: Conversation) -> Iterator[tuple[Message, ...]]:
    """Runs of messages on one channel that begin when the customer changes it."""
    starts = [i for i, (a, b) in enumerate(pairwise(c.messages), 1) if a.channel != b.channel]
    for start, stop in pairwise([*starts, len(c.messages)]):
        yield c.messages[start:stop]


def continuity(
    conversations: Iterable[Conversation],
    *,
    on_file: Mapping[str, Mapping[str, OnFile | str]] | None = None,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Continuity:
    """Measure whether people may go on on another channel without telling their story again.

    Parameters
    ----------
    conversations : iterable of Conversation
    on_file : mapping of contact to mapping of field to value, optional
        What is known beside what the conversation itself has named; see `redundant_questions`.
    level : share
    small_sample_ok : truth
        Do not warn below 30 switches.
    """
    clean: list[bool] = []
    minutes: list[float] = []
    for c in conversations:
        file = (on_file or {}).get(c.contact) if c.contact is not None else None
        asked = {q.message for q in redundant_questions(c.messages, on_file=file)}
        for run in _switches(c):
            clean.append(not any(m.id in asked for m in run))
            spoken = (m for m in run if m.direction is Direction.OUTBOUND and m.id not in asked)
            first = next(spoken, None)
            if first is not None:
                minutes.append((first.at - run[0].at).total_seconds() / 60)
    rule = "switches without a repeated question / channel switches"
    if minutes:
        middle = median(minutes, level=level, rule="minutes to context", small_sample_ok=True)
    else:
        nan = float("nan")
        middle = estimate_of(nan, nan, nan, level=level, n=0, rule="minutes to context", method="order statistics")
    return Continuity(
        without_repeating=proportion(sum(clean), len(clean), level=level, rule=rule, small_sample_ok=small_sample_ok),
        minutes_to_context=middle,
        switches=len(clean),
        repeated=clean.count(False),
        never=len(clean) - len(minutes),
    )
