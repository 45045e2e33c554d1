"""Funnels: how many get how far, who dropped out and who is only too young to judge, and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import cells_of, instant
from crmcore.metrics.durations import SurvivalTable, kaplan_meier
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.proportions import proportion
from crmcore.metrics.quantiles import median
from crmcore.metrics.scalars import real
from crmcore.tables import TextColumn
from crmcore.touchpoints.journeys.funnel_results import Entry, Funnel, FunnelStep, FunnelTable, StepOrder
from crmcore.touchpoints.journeys.table import Journeys
from crmcore.touchpoints.journeys.tries import Limits, Tries, any_order_tries, deadlines, ordered_tries
from crmcore.values.words import word

__all__ = ["funnel", "funnel_by"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def funnel(
    journeys: Journeys,
    steps: Sequence[str | Sequence[str]],
    /,
    *,
    window_s: float | None = None,
    step_windows_s: Sequence[float | None] | None = None,
    order: StepOrder | str = StepOrder.ORDERED,
    entry: Entry | str = Entry.ANY,
    exclude: Sequence[str] = (),
    observed_until: datetime | np.datetime64 | None = None,
    level: float = 0.95,
) -> Funnel:
    """Count how many journeys get how far.

    Parameters
    ----------
    journeys : Journeys
    steps : two steps or more
        Each a name, or several names of which any one will do.
    window_s : seconds
        From the entry, both ends included. None is no limit.
    step_windows_s : seconds
        From each step to the next (one fewer than steps), None is no limit; for `order` "ordered" and "strict".
    order : "ordered", "strict", "any"
        "strict": the very next row must match. "any": the steps may come in any order, each once, and "reached step k"
        means k different steps.
    entry : "any", "first", "last"
        Which occurrence of the first step begins a try; "any" tries them all and keeps the deepest.
    exclude : names
        Steps that end every try that began before them.
    observed_until : aware datetime
        When observation ended. A journey whose time was not up then is pending, not dropped, and enters no rate; who
        has converted early enters none either, as young converters without young non-converters would flatter it.
        None judges every journey as it stands.
    level : share
        Of the intervals (Wilson for shares, order statistics for medians).

    Raises
    ------
    UnknownName, EmptyInput, OutOfRange

    Examples
    --------
    >>> walks = Journeys.of([["ad", "shop", "ad", "buy"], ["ad", "shop"], ["shop", "buy"]])
    >>> print(funnel(walks, ["ad", "shop", "buy"]))
    3 journeys; ordered steps, no window, entry at any occurrence
    ad    2 reached, 0 dropped, 0 pending
    shop  2 reached (100.0 % [34.2, 100.0] of the step before), 1 dropped, 0 pending
    buy   1 reached (50.0 % [9.5, 90.5] of the step before)
    """
    asked = _ask(journeys, steps, window_s, step_windows_s, order, entry, exclude, observed_until, level)
    return _counted(asked, np.ones(len(journeys), np.bool_))


def funnel_by(
    journeys: Journeys,
    steps: Sequence[str | Sequence[str]],
    segment: TextColumn | ArrayLike | Sequence[str | None],
    /,
    *,
    window_s: float | None = None,
    step_windows_s: Sequence[float | None] | None = None,
    order: StepOrder | str = StepOrder.ORDERED,
    entry: Entry | str = Entry.ANY,
    exclude: Sequence[str] = (),
    observed_until: datetime | np.datetime64 | None = None,
    level: float = 0.95,
) -> FunnelTable:
    """Count one funnel a segment; `segment` (m,) has one label a journey, see `Journeys.labels`.

    Examples
    --------
    >>> walks = Journeys.of([["ad", "buy"], ["ad"], ["ad", "buy"]])
    >>> print(funnel_by(walks, ["ad", "buy"], ["new", "new", "loyal"]))
    loyal: 100.0 % [20.7, 100.0] of 1
    new: 50.0 % [9.5, 90.5] of 2
    """
    cells: Any = segment
    labels = segment if isinstance(segment, TextColumn) else TextColumn.of(cells_of("segment", cells).tolist())
    if len(labels) != len(journeys):
        raise OutOfRange("len(segment)", len(labels), f"{len(journeys)}, one a journey", "see journeys.labels(column)")
    if not (labels.codes >= 0).any():
        raise EmptyInput("segment", "give at least one journey a label")
    asked = _ask(journeys, steps, window_s, step_windows_s, order, entry, exclude, observed_until, level)
    names = sorted(labels.values)
    found = {name: _counted(asked, labels.equals(name)) for name in names if labels.equals(name).any()}
    return FunnelTable(funnels=found)


@attrs.frozen
class _Asked:
    """A funnel whose tries are found, before anything is counted."""

    journeys: Journeys
    names: tuple[str, ...]
    tries: Tries
    limits: Limits
    order: StepOrder
    entry: Entry
    window_s: float | None
    level: float


def _ask(
    journeys: Journeys, steps: Any, window_s: Any, step_windows_s: Any, order: Any, entry: Any, exclude: Any,
    until: Any, level: float,
) -> _Asked:  # fmt: skip
    check_level(level)
    kind, start = word(StepOrder, order, "order"), word(Entry, entry, "entry")
    groups = _groups(journeys, steps, kind)
    limits = _limits(journeys, len(groups), window_s, step_windows_s, kind, until)
    matches = [np.isin(journeys.step, [journeys.code_of(s) for s in g]) for g in groups]
    named = {s for g in groups for s in g}
    both = sorted(named & set(exclude))
    if both:
        raise OutOfRange(
            "exclude", both, "steps that the funnel does not have", "a step cannot lead on and end the try"
        )
    excluded = np.isin(journeys.step, [journeys.code_of(s) for s in exclude])
    if kind is StepOrder.ANY:
        if start is Entry.LAST:
            raise OutOfRange(
                "entry", "last", "'any' or 'first' with order='any'", "the last row leaves no time for more"
            )
        tries = any_order_tries(
            matches, journeys.time, journeys.start, excluded, limits, first_only=start is Entry.FIRST
        )
    else:
        entries = _entries(matches[0], journeys, start)
        tries = ordered_tries(matches, journeys.time, journeys.start, entries, excluded, limits)
    names = tuple(" or ".join(g) for g in groups)
    return _Asked(journeys, names, tries, limits, kind, start, window_s, level)


def _groups(journeys: Journeys, steps: Any, order: StepOrder) -> list[tuple[str, ...]]:
    groups = [(s,) if isinstance(s, str) else tuple(s) for s in ([] if isinstance(steps, str) else steps)]
    if len(groups) < 2 or not all(groups):
        raise EmptyInput("steps", "a funnel has two steps or more: ['product_view', 'purchase']")
    for name in (s for g in groups for s in g):
        journeys.code_of(name)
    flat = [s for g in groups for s in g]
    if order is StepOrder.ANY and len(set(flat)) < len(flat):
        raise OutOfRange("steps", flat, "each step once with order='any'", "in any order a second one has no place")
    return groups


def _limits(journeys: Journeys, k: int, window_s: Any, step_windows_s: Any, order: StepOrder, until: Any) -> Limits:
    steps = tuple(_micros("step_windows_s", w) for w in step_windows_s or ())
    if steps and order is StepOrder.ANY:
        raise OutOfRange("step_windows_s", step_windows_s, "None with order='any'", "limit the whole with window_s")
    if steps and len(steps) != k - 1:
        raise OutOfRange(
            "len(step_windows_s)", len(steps), f"{k - 1}", "one from each step to the next, None = no limit"
        )
    end = None
    if until is not None:
        end = int(instant("observed_until", until).astype(np.int64))
        if len(journeys.time) and int(journeys.time.max()) > end:
            hint = "read the journeys with as_of= the same instant, or observe until the last row"
            raise OutOfRange("observed_until", until, "no row after it", hint)
        if window_s is None and (not steps or None in steps):
            raise OutOfRange("window_s", None, "a limit in seconds", "without one every journey stays pending for ever")
    return Limits(
        window_us=_micros("window_s", window_s), step_us=steps, until_us=end, strict=order is StepOrder.STRICT
    )


def _micros(name: str, seconds: Any) -> int | None:
    if seconds is None:
        return None
    if not 0 <= real(name, seconds) < 9e11:
        raise OutOfRange(name, seconds, "0 or more seconds", "None is no limit")
    return round(float(seconds) * 1e6)


def _entries(match: Bools, journeys: Journeys, entry: Entry) -> Bools:
    if entry is Entry.ANY:
        return match
    rows = np.flatnonzero(match)
    whose = journeys.journey[rows]
    edge = np.diff(whose, prepend=-1) if entry is Entry.FIRST else np.diff(whose, append=-1)
    chosen = np.zeros(len(match), np.bool_)
    chosen[rows[edge != 0]] = True
    return chosen


def _counted(asked: _Asked, chosen: Bools) -> Funnel:
    tries, k = asked.tries, len(asked.names)
    depth, row, live = tries.depth[chosen], tries.row[chosen], tries.live[chosen]
    when = np.where(row >= 0, asked.journeys.time[row], 0) if len(asked.journeys.time) else row
    last = asked.journeys.last_us[chosen]
    judged = [_judged(asked, depth, when, live, level) for level in range(k - 1)]
    whole = _whole(asked, depth, when, live)
    made: list[FunnelStep] = []
    for i, name in enumerate(asked.names):
        here = depth > i
        stopped = (depth == i + 1) if i + 1 < k else np.zeros(len(depth), np.bool_)
        gone = stopped & ~live
        made.append(
            FunnelStep(
                step=name,
                reached=int(here.sum()),
                dropped=int(gone.sum()),
                pending=int((stopped & live).sum()),
                conversion=None
                if i == 0
                else _share(here, judged[i - 1], f"{name} / {asked.names[i - 1]}", asked.level),
                overall=_share(here, whole, f"{name} / {asked.names[0]}", asked.level),
                time_s=None if i == 0 else _median((when[here, i] - when[here, i - 1]) / 1e6, asked.level, "seconds"),
                dwell_s=None if i + 1 == k else _median((last[gone] - when[gone, i]) / 1e6, asked.level, "seconds"),
            )
        )
    done = depth == k
    return Funnel(
        steps=tuple(made),
        order=asked.order,
        entry=asked.entry,
        window_s=asked.window_s,
        time_to_convert_s=_median((when[done, -1] - when[done, 0]) / 1e6, asked.level, "seconds to convert"),
        survival=_survival(asked, depth, when),
        journeys=int(chosen.sum()),
    )


def _share(hit: Bools, of: Bools, rule: str, level: float) -> Estimate:
    n = int(of.sum())
    if n == 0:
        return Estimate(value=np.nan, low=0.0, high=1.0, level=level, n=0, rule=rule, method="wilson")
    return proportion(int((hit & of).sum()), n, level=level, rule=rule, small_sample_ok=True)


def _median(values: NDArray[np.float64], level: float, rule: str) -> Estimate:
    if not len(values):
        return Estimate(value=np.nan, low=np.nan, high=np.nan, level=level, n=0, rule=rule, method="order statistics")
    return median(values, level=level, rule=rule, small_sample_ok=True)


def _judged(asked: _Asked, depth: Ints, when: Ints, live: Bools, level: int) -> Bools:
    """Who reached a step and whose time for the next one was up when observation ended."""
    here = depth > level
    if asked.limits.until_us is None:
        return here
    limits = attrs.evolve(asked.limits, step_us=()) if asked.order is StepOrder.ANY else asked.limits
    up = deadlines(when[:, 0], when[:, level], limits, level) <= asked.limits.until_us
    return np.where(depth == level + 1, ~live, here & up)


def _whole(asked: _Asked, depth: Ints, when: Ints, live: Bools) -> Bools:
    """Who entered and had the whole time that a try may take."""
    here = depth > 0
    if asked.limits.until_us is None:
        return here
    return here & ~live & (when[:, 0] + _longest(asked.limits) <= asked.limits.until_us)


def _longest(limits: Limits) -> int:
    steps = [s for s in limits.step_us if s is not None]
    ends = [sum(steps)] if steps and len(steps) == len(limits.step_us) else []
    return min([*ends, *([] if limits.window_us is None else [limits.window_us])])


def _survival(asked: _Asked, depth: Ints, when: Ints) -> SurvivalTable | None:
    """Days from entry to conversion; who has not converted is censored where its time or the observation ended."""
    here = depth > 0
    if not here.any():
        return None
    done = depth[here] == len(asked.names)
    until = asked.limits.until_us
    end = int(asked.journeys.time.max()) if until is None else until
    open_us = end - when[here, 0]
    if asked.limits.window_us is not None:
        open_us = np.minimum(open_us, asked.limits.window_us)
    lasted = np.where(done, when[here, -1] - when[here, 0], open_us)
    return kaplan_meier(lasted / 86_400e6, done, unit="days")
