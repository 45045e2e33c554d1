"""Definitions of the clocks: which leg of a case each follows, and in which moments it counts.

A definition answers two questions about a moment; where minutes come from, what a target does and what a breach is are
the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import attrs

from crmcore.calendars.clocks.policy import ClockName, ClockPolicy, OnReopen, Standing
from crmcore.calendars.clocks.timeline import Moment, Turn

__all__ = ["DEFINITIONS", "ClockDefinition", "Stretch", "stretches", "turn_of"]


def turn_of(moment: Moment, policy: ClockPolicy) -> str:
    """Who is to act: in a pause whom the status names, else who did not write last."""
    if moment.standing is Standing.PAUSED:
        return Turn.CUSTOMER.value if moment.status in policy.waiting_statuses else "a third party"
    return moment.turn.value


@attrs.frozen
class ClockDefinition:
    """One clock.

    Parameters
    ----------
    name : ClockName
    leg : function of a moment
        The running cycle, or minus the number of those that have ended.
    counts : function of a moment and the policy
        Whether minutes count while a cycle runs.
    carries : truth
        Whether a cycle goes on from the minutes of those before, where a reopened case resumes.
    gaps : truth
        Whether the time between two cycles is carried too.
    """

    name: ClockName
    leg: Callable[[Moment], int]
    counts: Callable[[Moment, ClockPolicy], bool]
    carries: bool = False
    gaps: bool = False

    def carried(self, policy: ClockPolicy) -> bool:
        """Whether a cycle goes on from those before under this policy."""
        return self.carries and policy.on_reopen is OnReopen.RESUME


def _always(_moment: Moment, _policy: ClockPolicy) -> bool:
    return True


def _active(moment: Moment, _policy: ClockPolicy) -> bool:
    return moment.standing is Standing.ACTIVE


def _customer_waits(moment: Moment, policy: ClockPolicy) -> bool:
    return turn_of(moment, policy) != Turn.CUSTOMER.value


def _agent_works(moment: Moment, _policy: ClockPolicy) -> bool:
    return moment.standing is Standing.ACTIVE and moment.turn is Turn.AGENT


def _first_only(moment: Moment) -> int:
    return moment.resolution if abs(moment.resolution) <= 1 else -1


_RESOLUTION: Callable[[Moment], int] = lambda m: m.resolution  # noqa: E731

DEFINITIONS: Mapping[ClockName, ClockDefinition] = {
    d.name: d
    for d in (
        ClockDefinition(ClockName.ACKNOWLEDGEMENT, lambda m: m.acknowledgement, _always),
        ClockDefinition(ClockName.FIRST_RESPONSE, lambda m: m.first_response, _always),
        ClockDefinition(ClockName.NEXT_RESPONSE, lambda m: m.next_response, _always),
        ClockDefinition(ClockName.UPDATE, lambda m: m.update, _active),
        ClockDefinition(ClockName.FIRST_RESOLUTION, _first_only, _always),
        ClockDefinition(ClockName.TOTAL_RESOLUTION, _RESOLUTION, _always, carries=True, gaps=True),
        ClockDefinition(ClockName.ACTIVE_RESOLUTION, _RESOLUTION, _active, carries=True),
        ClockDefinition(ClockName.CUSTOMER_WAITING, _RESOLUTION, _customer_waits, carries=True),
        ClockDefinition(ClockName.AGENT_WORK, _RESOLUTION, _agent_works, carries=True),
    )
}


@attrs.frozen(eq=False)
class Stretch:
    """Time between two events as one clock sees it: the cycle that it belongs to, and whether it counts."""

    start: datetime
    end: datetime
    moment: Moment
    cycle: int
    counted: bool
    gap: bool  # between two cycles


def ends(found: tuple[Moment, ...], now: datetime) -> list[datetime]:
    """When each moment was over: at the next event, the last one now."""
    return [*(m.at for m in found[1:]), now][: len(found)]


def stretches(
    found: tuple[Moment, ...], definition: ClockDefinition, policy: ClockPolicy, *, now: datetime
) -> Iterator[Stretch]:
    """Stretches of a clock from its first cycle on, in order; a gap belongs to the cycle that follows it."""
    total = max((abs(definition.leg(m)) for m in found), default=0)
    for moment, end in zip(found, ends(found, now), strict=True):
        leg = definition.leg(moment)
        if moment.standing is Standing.MERGED or leg == 0:
            continue
        if leg > 0:
            yield Stretch(moment.at, end, moment, leg, definition.counts(moment, policy), gap=False)
        elif definition.carried(policy) and -leg < total:
            yield Stretch(moment.at, end, moment, 1 - leg, definition.gaps, gap=True)


def cycle_bounds(found: tuple[Moment, ...], definition: ClockDefinition) -> list[tuple[Moment, Moment | None]]:
    """First moment of each cycle, and the moment that ended it."""
    begun: list[Moment] = []
    ended: list[Moment | None] = []
    for moment in found:
        leg = definition.leg(moment)
        count = abs(leg)
        while len(begun) < count:
            if ended and ended[-1] is None:
                ended[-1] = moment
            begun.append(moment)
            ended.append(None)
        if leg < 0 and ended and ended[-1] is None:
            ended[-1] = moment
    return list(zip(begun, ended, strict=True))
