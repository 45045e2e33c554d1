"""What the replay of a log says: about every case, about every step, and as counts that add up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.lifecycle.workflow import Workflow
    from crmcore.metrics import Estimate

__all__ = ["LogCounts", "LogReplay"]

US_PER_MINUTE = 60_000_000


def _added(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in sorted({*a, *b})}


@attrs.frozen(hash=False)
class LogCounts:
    """Counts of a replay that add up over logs of different cases: days, shops, partitions.

    Parameters
    ----------
    cases, events, illegal, illegal_cases, left_out : counts
        Cases, events replayed, steps that the workflow does not have, cases with such a step, and rows left out.
    steps : (state, activity) -> count
        Legal steps.
    ended : state -> count
        Where cases stand after their last event.
    minutes : state -> minutes
        Spent in each state, over all cases.

    Examples
    --------
    >>> day = LogCounts(cases=1, events=2, ended={"won": 1}, minutes={"lead": 60.0})
    >>> (day + day).ended, (day + day).minutes
    ({'won': 2}, {'lead': 120.0})
    """

    cases: int = 0
    events: int = 0
    illegal: int = 0
    illegal_cases: int = 0
    left_out: int = 0
    steps: Mapping[tuple[str, str], int] = attrs.field(factory=dict)
    ended: Mapping[str, int] = attrs.field(factory=dict)
    minutes: Mapping[str, float] = attrs.field(factory=dict)

    def __add__(self, other: LogCounts) -> LogCounts:
        return LogCounts(
            self.cases + other.cases,
            self.events + other.events,
            self.illegal + other.illegal,
            self.illegal_cases + other.illegal_cases,
            self.left_out + other.left_out,
            _added(self.steps, other.steps),
            _added(self.ended, other.ended),
            _added(self.minutes, other.minutes),
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LogReplay:
    """A log as a workflow sees it. Events are in the order of cases (by id) and time; `rows` leads back to the log.

    Parameters
    ----------
    workflow : Workflow
        What the log was held against.
    case_ids : (cases,) text
        Sorted.
    first : (cases,) positions
        Of the first event of each case.
    rows : (n,) positions
        Row of the log of each event.
    case : (n,) codes
        Into `case_ids`.
    before, after : (n,) codes
        States into `workflow.states`.
    legal : (n,) truth
        Whether the workflow has the step; otherwise the case stays where it stands.
    activity, activities : (n,) codes into text
        What happened, in the words of the log.
    time : (n,) instants
        In UTC.
    minutes : (cases, states) minutes
        In each state, up to the case's last event or `now`.
    left_out : count
        Rows without case, activity or time, and activities without a place.
    """

    workflow: Workflow
    case_ids: tuple[str, ...]
    first: NDArray[np.int64]
    rows: NDArray[np.int64]
    case: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    legal: NDArray[np.bool_]
    activity: NDArray[np.int32]
    activities: tuple[str, ...]
    time: NDArray[np.datetime64]
    minutes: NDArray[np.float64]
    left_out: int

    @classmethod
    def of(
        cls,
        flow: Workflow,
        *,
        case_ids: tuple[str, ...],
        rows: NDArray[np.int64],
        first: NDArray[np.int64],
        before: NDArray[np.int32],
        after: NDArray[np.int32],
        legal: NDArray[np.bool_],
        activity: NDArray[np.int32],
        activities: tuple[str, ...],
        time: NDArray[np.int64],
        end: int | None,
        left_out: int,
    ) -> LogReplay:
        """Collect what stepping found; `time` and `end` are microseconds since 1970."""
        n, k = len(rows), len(first)
        case = np.repeat(np.arange(k, dtype=np.int32), np.diff(np.append(first, n)))
        spent = np.zeros(n, np.int64)
        spent[:-1] = np.diff(time)
        last = np.append(first[1:], n)[:k] - 1
        spent[last] = 0 if end is None else np.maximum(end - time[last], 0)
        cell = case.astype(np.int64) * len(flow.states) + after
        minutes = np.bincount(cell, weights=spent / US_PER_MINUTE, minlength=k * len(flow.states))
        columns: dict[str, NDArray[Any]] = {
            "first": first,
            "rows": rows,
            "case": case,
            "before": before,
            "after": after,
            "legal": legal,
            "activity": activity,
            "time": time.astype("datetime64[us]"),
            "minutes": minutes.reshape(k, len(flow.states)),
        }
        for column in columns.values():
            column.flags.writeable = False
        return cls(workflow=flow, case_ids=case_ids, activities=activities, left_out=left_out, **columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"LogReplay({self.workflow.title}: {len(self)} events, {len(self.case_ids)} cases)"

    def __str__(self) -> str:
        c = self.counts
        bad = (
            "no illegal step"
            if not c.illegal
            else f"{_counted(c.illegal, 'illegal step')} in {_counted(c.illegal_cases, 'case')}"
        )
        out = f", {_counted(c.left_out, 'row')} left out" if c.left_out else ""
        head = f"{self.workflow.title}: {_counted(c.events, 'event')} of {_counted(c.cases, 'case')}, {bad}{out}"
        ended = ", ".join(f"{s} {c.ended[s]:,}" for s in self.workflow.states if c.ended.get(s))
        return f"{head}\n  ended: {ended}"

    def _repr_html_(self) -> str:
        c = self.counts
        rows = [
            {
                "state": s,
                "cases there": c.ended.get(s, 0),
                "days a case": number_text(c.minutes.get(s, 0.0) / 1440 / max(c.cases, 1)),
            }
            for s in self.workflow.states
        ]
        return html_table(rows, caption=str(self).splitlines()[0], limit=40)

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """(cases,) position of the last event of each case."""
        return np.append(self.first[1:], len(self))[: len(self.first)] - 1

    @property
    def final(self) -> NDArray[np.int32]:
        """(cases,) state of each case after its last event, a code into `workflow.states`."""
        return self.after[self.last]

    @cached_property
    def counts(self) -> LogCounts:
        """Counts that add up over logs of different cases."""
        states, k = self.workflow.states, len(self.case_ids)
        legal = self.legal
        width = len(self.activities) or 1
        steps = np.bincount(self.before[legal].astype(np.int64) * width + self.activity[legal])
        found = {(states[i // width], self.activities[i % width]): int(steps[i]) for i in np.flatnonzero(steps)}
        ended = np.bincount(self.final, minlength=len(states))
        return LogCounts(
            cases=k,
            events=len(self),
            illegal=int((~legal).sum()),
            illegal_cases=len(np.unique(self.case[~legal])),
            left_out=self.left_out,
            steps=dict(sorted(found.items())),
            ended={s: int(n) for s, n in zip(states, ended, strict=True) if n},
            minutes={s: float(m) for s, m in zip(states, self.minutes.sum(axis=0), strict=True)},
        )

    def conforming(self, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
        """Share of cases without an illegal step, with Wilson's interval.

        Cases are taken as independent; steps of one case are not.

        Examples
        --------
        >>> from crmcore.lifecycle import replay_frame
        >>> from crmcore.lifecycle.examples import deal
        >>> log = {"case": range(40), "activity": ["qualify"] * 39 + ["win"], "time": ["2026-05-04T00:00Z"] * 40}
        >>> print(replay_frame(deal(), log).conforming())
        0.975 [0.871, 0.996] (95 %, n = 40, wilson)
        """
        from crmcore.metrics import proportion

        c = self.counts
        return proportion(
            c.cases - c.illegal_cases,
            c.cases,
            level=level,
            rule="cases without an illegal step / cases",
            small_sample_ok=small_sample_ok,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: state, since when, events, illegal steps, minutes in each state (`"minutes: open"`)."""
        states = np.array(self.workflow.states, object)
        k = len(self.case_ids)
        moved = np.where(self.before != self.after, np.arange(len(self)), -1)
        moved[self.first] = self.first  # the first event begins the first state, whatever it is
        entered = np.maximum.reduceat(moved, self.first) if k else moved
        columns: dict[str, Any] = {
            "case": list(self.case_ids),
            "state": states[self.final].tolist(),
            "since": self.time[entered],
            "events": np.bincount(self.case, minlength=k),
            "illegal": np.bincount(self.case, weights=~self.legal, minlength=k).astype(np.int64),
        }
        columns |= {f"minutes: {s}": self.minutes[:, i] for i, s in enumerate(self.workflow.states)}
        return write_frame(columns, backend=backend)

    def illegal_steps(self, *, backend: Any = None) -> Any:
        """Frame of the steps that the workflow does not have.

        Columns: row of the log, case, position in the case (from 0), time, state in which the case stood, activity,
        and what could have happened there.
        """
        bad = np.flatnonzero(~self.legal)
        case = self.case[bad]
        before = self.before[bad]
        words = np.array(self.activities, object)
        allowed = [", ".join(self.workflow.commands(s)) for s in self.workflow.states]
        columns = {
            "row": self.rows[bad],
            "case": np.array(self.case_ids, object)[case].tolist(),
            "position": bad - self.first[case],
            "time": self.time[bad],
            "state": np.array(self.workflow.states, object)[before].tolist(),
            "activity": words[self.activity[bad]].tolist(),
            "allowed": np.array(allowed, object)[before].tolist(),
        }
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """Bars of the days that a case spends in each state on average."""
        from crmcore.charts import bar

        c = self.counts
        days = [c.minutes.get(s, 0.0) / 1440 / max(c.cases, 1) for s in self.workflow.states]
        title = f"{self.workflow.title}: days a case in each state"
        return bar(self.workflow.states, days, title=title, description=str(self).splitlines()[0], axis="days")


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
