"""Hesitation: going back and forth between two states within a few days, as a rule and as one pass over journeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import held_whole
from crmcore.touchpoints.journeys.table import Journeys

if TYPE_CHECKING:
    from crmcore.rules import Rule

__all__ = ["HesitationTable", "hesitation_rule", "hesitations"]

Ints = NDArray[np.int64]

NEXT_ACTION = "offer help: a comparison, an answer, a person to talk to"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HesitationTable(Document):
    """When journeys began to hesitate; one row each time, in the order of the journeys and times.

    Attributes
    ----------
    journey : (h,) position of the journey
    row : (h,) row of the input at which it began
    time : (h,) microseconds since 1970, UTC
    switches : (h,) switches in the window at that moment
    ids : h names of the journeys
    next_action : suggestion
    journeys : count of all journeys
    """

    journey: Ints = attrs.field(converter=held_whole)
    row: Ints = attrs.field(converter=held_whole)
    time: Ints = attrs.field(converter=held_whole)
    switches: Ints = attrs.field(converter=held_whole)
    ids: tuple[str, ...]
    next_action: str
    journeys: int

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"HesitationTable({len(self)} times, {len(set(self.journey.tolist()))} of {self.journeys} journeys)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row each time: journey (its id), row, time, switches, next_action."""
        columns: dict[str, Any] = {
            "journey": list(self.ids),
            "row": self.row,
            "time": self.time.view("datetime64[us]"),
            "switches": self.switches,
            "next_action": [self.next_action] * len(self),
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        who = len(set(self.journey.tolist()))
        row = {"journeys": self.journeys, "hesitate": who, "times": len(self), "next action": self.next_action}
        return html_table([row], caption="hesitation")


def hesitation_rule(
    between: tuple[str, str] = ("explore", "evaluate"),
    /,
    *,
    at_least: int = 3,
    within_hours: float = 48,
    of: str = "kind",
    kinds: Sequence[str] = (),
    next_action: str = NEXT_ACTION,
) -> Rule:
    """Rule that holds while a customer switches between two states too often: for deciding about one customer now.

    Parameters
    ----------
    between : two states
        Kinds of events, or values of the part `of` of an event.
    at_least : count
        Switches that make hesitation.
    within_hours : hours
        Both ends of a switch lie in this time before now.
    of, kinds : text, list of texts
        Where the state stands in an attribute such as "stage": its name, and the kinds of events that have it.
    next_action : text
        What follows.

    Examples
    --------
    >>> print(hesitation_rule(next_action="chat").when)
    number of switches between explore and evaluate events within 2 days is at least 3
    """
    from crmcore.rules import Rule, field
    from crmcore.rules.making import switches

    _check(at_least, within_hours)
    days = within_hours / 24
    if of == "kind":
        term = switches(*between, within_days=days)
    else:
        if not kinds:
            raise EmptyInput("kinds", f"name the kinds of events that have {of!r}: kinds=['view', 'search']")
        term = switches(*kinds, of=of, within_days=days, where=field(of).isin(between))
    because = f"{at_least} switches within {within_hours:g} hours"
    return Rule("hesitates", term >= at_least, then=next_action, because=because)


def hesitations(
    journeys: Journeys,
    between: tuple[str, str] = ("explore", "evaluate"),
    /,
    *,
    at_least: int = 3,
    within_hours: float = 48,
    next_action: str = NEXT_ACTION,
) -> HesitationTable:
    """Find every moment at which a journey begins to hesitate.

    The condition is that of `hesitation_rule`, asked at each row. A journey triggers when the condition begins to hold
    and not again while it holds; once the switches have left the window it may trigger anew.

    Examples
    --------
    >>> hours = [0, 10, 20, 30, 40]
    >>> walks = Journeys.of([["explore", "evaluate"] * 2 + ["explore"]], times_s=[[3600 * h for h in hours]])
    >>> found = hesitations(walks)
    >>> len(found), found.switches.tolist(), found.row.tolist()
    (1, [3], [3])
    """
    _check(at_least, within_hours)
    codes = [journeys.code_of(s) for s in between]
    part = journeys.keep(np.isin(journeys.step, codes))
    who, time, step = part.journey, part.time, part.step
    order = np.lexsort((step, time, who))  # at one instant in the order of the states' letters, as the rule has it
    row, step = part.row[order], step[order]
    n = len(time)
    window = round(within_hours * 3600e6)
    switched = np.concatenate([[0], np.cumsum(part.inner & (step[1:] != step[:-1]))])[:n]
    rank = np.unique(np.concatenate([time, time - window]), return_inverse=True)[1]
    width = 2 * n + 2
    key, opened = who * width + rank[:n], who * width + rank[n:]
    place = np.arange(n)
    low = np.searchsorted(key, opened, side="right")  # first row after the window opened
    now = np.where(low <= place, switched[place] - switched[np.minimum(low, max(n - 1, 0))], 0) if n else place
    before = np.searchsorted(key, key, side="left") - 1  # last row of an earlier instant
    low = np.searchsorted(key, opened, side="left")
    then = np.where(low <= before, switched[before] - switched[np.minimum(low, max(n - 1, 0))], 0) if n else place
    last = np.append(key[1:] != key[:-1], True)[:n]  # of its instant
    hit = np.flatnonzero(last & (now >= at_least) & (then < at_least))
    return HesitationTable(
        journey=who[hit],
        row=row[hit],
        time=time[hit],
        switches=now[hit],
        ids=tuple(part.id[j] for j in who[hit]),
        next_action=next_action,
        journeys=len(journeys),
    )


def _check(at_least: int, within_hours: float) -> None:
    if not at_least >= 1:
        raise OutOfRange("at_least", at_least, "1 or more switches", "three are common")
    if not 0 < within_hours < 1e6:
        raise OutOfRange("within_hours", within_hours, "more than 0 hours", "two days are 48")
