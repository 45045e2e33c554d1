"""Journeys as columns: who did which step when, one run of rows a journey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, mask, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import moment, refuse
from crmcore.tables import CustomerIndex, TextColumn
from crmcore.tables._door import codes, integers

__all__ = ["Journey", "Journeys"]

Codes = NDArray[np.int32]
Micros = NDArray[np.int64]


def _counts(value: Mapping[str, int]) -> Mapping[str, int]:
    return dict(value)


@attrs.frozen(kw_only=True)
class Journey:
    """One journey, for reading: `steps[i]` happened at `times[i]`; the id and the customer are masked in `repr`."""

    id: str = attrs.field(repr=mask)
    customer: str | None = attrs.field(repr=mask)
    steps: tuple[str, ...]
    times: tuple[Any, ...] = attrs.field(repr=False)  # aware datetimes

    def __len__(self) -> int:
        return len(self.steps)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Journeys(Document):
    """Journeys of any grain; rows start[j] to start[j + 1] are journey j, in the order of their times.

    Attributes
    ----------
    start : (m + 1,) rows
        Journeys stand in the sorted order of their ids.
    step : (n,) codes into `steps`
    time : (n,) microseconds since 1970, UTC
        When it happened, not when it became known. Never falls within a journey.
    customer : (m,) codes into `customers`
        -1 where nobody is known, or where several customers share a journey (an account, a household).
    row : (n,) row of the input
        Look up any other column with it.
    id : m names of the journeys
    grain : text
        What one journey is: "customer", "session", "case", or the column that was named.
    left_out : reason -> rows
        Rows of the input that are in no journey.
    backend : text, optional
        Flavour of the frame that was read.

    Examples
    --------
    >>> walks = Journeys.of([["ad", "shop", "buy"], ["ad", "shop"]])
    >>> walks, walks.steps, walks[1].steps
    (Journeys(2 of grain journey, 5 rows, 3 steps), ('ad', 'buy', 'shop'), ('ad', 'shop'))
    """

    start: Micros
    step: Codes
    time: Micros
    row: Micros
    customer: Codes
    steps: tuple[str, ...]
    id: tuple[str, ...]
    customers: CustomerIndex
    grain: str = "journey"
    left_out: Mapping[str, int] = attrs.field(factory=dict, converter=_counts)
    backend: str | None = None

    def __attrs_post_init__(self) -> None:
        for name in (
            "start",
            "time",
            "row",
        ):  # no converters: with one, pyright does not see the plain column of `Steps`
            object.__setattr__(self, name, integers(getattr(self, name)))
        for name in ("step", "customer"):
            object.__setattr__(self, name, codes(getattr(self, name)))
        m, n = len(self.id), len(self.step)
        for name, have, want in (
            ("start", len(self.start), m + 1),
            ("customer", len(self.customer), m),
            ("time", len(self.time), n),
            ("row", len(self.row), n),
        ):
            if have != want:
                raise OutOfRange(
                    f"len({name})", have, str(want), "make journeys with journeys(...) or Journeys.of(...)"
                )
        rising = self.start[0] == 0 and self.start[-1] == n and bool((np.diff(self.start) >= 0).all())
        if not rising:
            raise OutOfRange("start", "no rising column", f"0 to {n}, never falling", "rows start[j] to start[j + 1]")
        if n and not (int(self.step.min()) >= 0 and int(self.step.max()) < len(self.steps)):
            raise OutOfRange("step", int(self.step.max()), f"codes 0 to {len(self.steps) - 1}", "codes into steps")

    @classmethod
    def of(
        cls,
        paths: Iterable[Sequence[str]],
        *,
        times_s: Iterable[Sequence[float]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> Journeys:
        """Journeys from lists of steps; without `times_s` (seconds since 1970) steps are one second apart.

        Examples
        --------
        >>> Journeys.of([["ad", "buy"]], times_s=[[0, 90]]).duration_s.tolist()
        [90.0]
        """
        walks = [list(p) for p in paths]
        when = [list(range(len(w))) for w in walks] if times_s is None else [list(t) for t in times_s]
        if [len(w) for w in walks] != [len(t) for t in when]:
            raise OutOfRange("times_s", "other lengths", "one time a step", "give every path as many times as steps")
        bad = np.array([not abs(s) < 9e12 for t in when for s in t], np.bool_)
        refuse("times_s", "give finite seconds since 1970", times_s=(bad, "no time"))
        names = tuple(sorted({s for w in walks for s in w}))
        code = {name: i for i, name in enumerate(names)}
        start = np.concatenate([[0], np.cumsum([len(w) for w in walks], dtype=np.int64)])
        time = np.array([round(s * 1e6) for t in when for s in t], np.int64)
        order = np.lexsort((time, np.repeat(np.arange(len(walks)), np.diff(start))))
        return cls(
            start=start,
            step=np.array([code[s] for w in walks for s in w], np.int32)[order],
            time=time[order],
            row=order,
            customer=np.full(len(walks), -1, np.int32),
            steps=names,
            id=tuple(ids) if ids is not None else tuple(f"{i}" for i in range(len(walks))),
            customers=CustomerIndex(()),
        )

    def __len__(self) -> int:
        return len(self.id)

    def __repr__(self) -> str:
        return f"Journeys({len(self):,} of grain {self.grain}, {len(self.step):,} rows, {len(self.steps)} steps)"

    def __str__(self) -> str:
        length = self.length
        mean = number_text(float(length.mean())) if len(length) else "no"
        lost = "".join(f"; {n:,} rows left out: {why}" for why, n in self.left_out.items())
        return f"{len(self):,} journeys, one a {self.grain}, of {mean} rows on average, {len(self.steps)} steps{lost}"

    def __getitem__(self, j: int) -> Journey:
        if not -len(self) <= j < len(self):
            raise IndexError(j)
        j %= len(self)
        rows = slice(int(self.start[j]), int(self.start[j + 1]))
        code = int(self.customer[j])
        return Journey(
            id=self.id[j],
            customer=self.customers[code] if code >= 0 else None,
            steps=tuple(self.steps[s] for s in self.step[rows]),
            times=tuple(moment(t) for t in self.time[rows].view("datetime64[us]")),
        )

    def __iter__(self) -> Iterator[Journey]:
        return (self[j] for j in range(len(self)))

    @property
    def length(self) -> Micros:
        """(m,) rows of each journey."""
        return np.diff(self.start)

    @property
    def journey(self) -> Micros:
        """(n,) journey of each row."""
        return np.repeat(np.arange(len(self)), self.length)

    @property
    def first_us(self) -> Micros:
        """(m,) time of the first row; of an empty journey 0."""
        return self._at(self.start[:-1])

    @property
    def last_us(self) -> Micros:
        """(m,) time of the last row; of an empty journey 0."""
        return self._at(self.start[1:] - 1)

    def _at(self, rows: Micros) -> Micros:
        if not len(self.time):
            return np.zeros(len(self), np.int64)
        found: Micros = np.where(self.length > 0, self.time[np.clip(rows, 0, len(self.time) - 1)], 0)
        return found

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """(m,) seconds from the first row to the last."""
        found: NDArray[np.float64] = (self.last_us - self.first_us) / 1e6
        return found

    @property
    def inner(self) -> NDArray[np.bool_]:
        """(n - 1,) whether row i + 1 is in the journey of row i."""
        same = np.ones(max(len(self.step) - 1, 0), np.bool_)
        cuts = self.start[1:-1]
        same[cuts[(cuts > 0) & (cuts < len(self.step))] - 1] = False
        return same

    def code_of(self, step: str) -> int:
        """Code of a step; a name that no row has is refused with the nearest one."""
        if step not in self.steps:
            raise UnknownName("step", step, self.steps)
        return self.steps.index(step)

    def take(self, chosen: ArrayLike) -> Journeys:
        """Journeys by position or mask; steps, customers and `row` keep their meaning."""
        pick = np.asarray(chosen)
        which = np.flatnonzero(pick) if pick.dtype == np.bool_ else pick.astype(np.int64)
        length = self.length[which]
        start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        rows = np.repeat(self.start[which] - start[:-1], length) + np.arange(int(start[-1]))
        return attrs.evolve(
            self,
            start=start,
            step=self.step[rows],
            time=self.time[rows],
            row=self.row[rows],
            customer=self.customer[which],
            id=tuple(self.id[i] for i in which),
        )

    def keep(self, rows: NDArray[np.bool_]) -> Journeys:
        """Journeys with only some rows (n,); a journey without rows stays, empty."""
        kept = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        return attrs.evolve(
            self, start=kept[self.start], step=self.step[rows], time=self.time[rows], row=self.row[rows]
        )

    def renamed(self, names: Mapping[str, str]) -> Journeys:
        """Journeys whose steps have other names; two steps with one new name become one.

        Examples
        --------
        >>> Journeys.of([["ad", "video", "buy"]]).renamed({"video": "ad"})[0].steps
        ('ad', 'ad', 'buy')
        """
        for name in names:
            self.code_of(name)
        words = [names.get(s, s) for s in self.steps]
        new = tuple(sorted(set(words)))
        to = np.array([new.index(w) for w in words], np.int32)
        return attrs.evolve(self, step=to[self.step], steps=new)

    def labels(self, column: TextColumn | Sequence[str | None]) -> TextColumn:
        """(m,) cell of a column of the input at the first row of each journey: its segment, campaign or device."""
        rows = column if isinstance(column, TextColumn) else TextColumn.of(list(column))
        if not len(self.step) or (self.length == 0).any():
            raise EmptyInput("a journey", "labels are read at the first row: take(journeys.length > 0) first")
        return rows.take(self.row[self.start[:-1]])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a row: journey, customer, step, time, and the row of the input."""
        who = self.journey
        ids = np.array([*self.id, None], object)
        people = np.array([*self.customers.ids, None], object)
        return write_frame(
            {
                "journey": list(ids[who]),
                "customer": list(people[self.customer[who]]),
                "step": list(np.array([*self.steps, None], object)[self.step]),
                "time": self.time.view("datetime64[us]"),
                "row": self.row,
            },
            backend=backend or self.backend,
        )

    def _repr_html_(self) -> str:
        count = np.bincount(self.step, minlength=len(self.steps))
        order = np.lexsort((np.arange(len(count)), -count))
        return html_table(({"step": self.steps[i], "rows": int(count[i])} for i in order), caption=str(self), limit=12)
