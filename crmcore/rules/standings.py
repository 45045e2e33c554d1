"""Where subjects stand on tiers, one and all, and how they move."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import aware, html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange, WrongType
from crmcore.rules.columnar import Evaluation
from crmcore.rules.fact_table import FactTable, check_table
from crmcore.rules.kinds import instant_us
from crmcore.tables import CustomerIndex

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.rules.tiers import Assignment, Tiers

__all__ = ["AssignmentTable", "Move", "MoveKind", "Standing", "StandingTable", "assign_columns", "next_standing"]

Instants = NDArray[np.datetime64]
_DAY = np.timedelta64(86_400_000_000, "us")


class MoveKind(enum.StrEnum):
    """What changed."""

    UP = "up"
    DOWN = "down"
    GRACE_STARTED = "grace started"
    GRACE_ENDED = "grace ended"  # the tier is kept after all


def _aware(at: np.datetime64) -> datetime:
    return datetime.fromisoformat(f"{at.astype('datetime64[us]')}+00:00")


@attrs.frozen
class Standing:
    """Tier of one subject, since when, and until when its grace lasts (None = no grace runs)."""

    tier: str
    since: datetime = attrs.field(validator=aware)
    grace_until: datetime | None = attrs.field(default=None, validator=aware)

    @classmethod
    def read(cls, tier: str, since: np.datetime64, grace_until: np.datetime64) -> Standing:
        """Standing of one row of columns."""
        return cls(tier, _aware(since), None if np.isnat(grace_until) else _aware(grace_until))

    def __str__(self) -> str:
        grace = f", in grace until {self.grace_until:%Y-%m-%d}" if self.grace_until else ""
        return f"{self.tier} since {self.since:%Y-%m-%d}{grace}"


@attrs.frozen
class Move:
    """One change: what, from which tier to which, when and why."""

    kind: MoveKind
    before: str
    after: str
    at: datetime
    reason: str

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.kind}: {self.reason}"


def next_standing(
    code: NDArray[np.integer],
    since: Instants,
    grace_until: Instants,
    enter: NDArray[np.bool_],
    leave: NDArray[np.bool_],
    /,
    *,
    min_stay_days: NDArray[np.float64],
    grace_days: NDArray[np.float64],
    now: np.datetime64,
) -> tuple[NDArray[np.int32], Instants, Instants, NDArray[np.uint8]]:
    """Step of all subjects from where they stand.

    Parameters
    ----------
    code, since, grace_until : (n,) tier (0 = base), since when, end of grace or NaT
    enter, leave : (k, n) whether each tier's condition is true; row j is tier j + 1
    min_stay_days, grace_days : (k + 1,) of every tier, the base first
    now : instant of the step

    Returns
    -------
    (n,) tier, since, grace_until, and the move: 0 = none, else 1 + position in `MoveKind`
    """
    k = len(enter)
    ranks = np.arange(1, k + 1)[:, None]
    reached = np.max(ranks * enter, axis=0, initial=0)
    up = reached > code
    lost = np.vstack([np.zeros((1, len(code)), np.bool_), leave])[code, np.arange(len(code))]
    kept = now < since + (min_stay_days[code] * 86_400_000_000).astype("m8[us]")
    exposed = lost & ~up & ~kept
    running = ~np.isnat(grace_until)
    length = (grace_days[code] * 86_400_000_000).astype("m8[us]")
    over = exposed & np.where(running, grace_until <= now, grace_days[code] == 0)
    starts = exposed & ~running & ~over
    saved = running & ~up & ~lost
    lower = np.max(ranks * (~leave & (ranks < code)), axis=0, initial=0)
    to = np.where(up, reached, np.where(over, lower, code)).astype(np.int32)
    ends = np.where(starts, now + length, np.where(up | over | saved, np.datetime64("NaT", "us"), grace_until))
    kind = np.select([up, over, starts, saved], [1, 2, 3, 4], 0).astype(np.uint8)
    return to, np.where(up | over, now, since), ends, kind


@attrs.frozen(eq=False, repr=False)
class StandingTable:
    """Where all subjects of an index stand; row i is customer i."""

    customers: CustomerIndex
    names: tuple[str, ...]  # base and tiers, lowest first
    code: NDArray[np.int32]  # (n,) position in names
    since: Instants  # (n,)
    grace_until: Instants  # (n,) NaT = no grace runs

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Standing:
        return Standing.read(self.names[self.code[row]], self.since[row], self.grace_until[row])

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {n}" for name, n in self.counts().items())
        return f"StandingTable({shown})"

    def counts(self) -> dict[str, int]:
        """How many stand on each tier."""
        return dict(zip(self.names, np.bincount(self.code, minlength=len(self.names)).tolist(), strict=True))

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per subject."""
        return write_frame(
            {
                "customer": list(self.customers.ids),
                "tier": [self.names[c] for c in self.code.tolist()],
                "since": self.since,
                "grace_until": self.grace_until,
            },
            backend=backend,
        )


@attrs.frozen(eq=False, repr=False)
class AssignmentTable:
    """What one step did to all subjects.

    Attributes
    ----------
    before, standings : where they stood, and stand now
    kinds : (n,) 0 = nothing changed, else 1 + position in `MoveKind`
    """

    tiers: Tiers
    table: FactTable
    now: datetime
    before: StandingTable
    standings: StandingTable
    kinds: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.kinds)

    def __repr__(self) -> str:
        return f"AssignmentTable({self})"

    def __str__(self) -> str:
        moved = ", ".join(f"{kind} {n}" for kind, n in self.moves().items())
        return f"{len(self):,} subjects: {moved}"

    def __getitem__(self, row: int) -> Assignment:
        """The same step with its reason, for one subject by row."""
        return self.tiers.assign(self.before[row], self.table[row], now=self.now)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(n,) whether something changed."""
        return np.asarray(self.kinds > 0)

    def moves(self) -> dict[MoveKind, int]:
        """How many moved how."""
        counted = np.bincount(self.kinds, minlength=len(MoveKind) + 1).tolist()
        return dict(zip(MoveKind, counted[1:], strict=True))

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per subject that changed: an event, and none for the others."""
        rows = np.flatnonzero(self.kinds)
        names, kinds = self.standings.names, list(MoveKind)
        return write_frame(
            {
                "customer": [self.standings.customers[int(i)] for i in rows],
                "move": [str(kinds[k - 1]) for k in self.kinds[rows].tolist()],
                "before": [names[c] for c in self.before.code[rows].tolist()],
                "after": [names[c] for c in self.standings.code[rows].tolist()],
                "grace_until": self.standings.grace_until[rows],
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        before, after = self.before.counts(), self.standings.counts()
        rows = [{"tier": name, "before": before[name], "now": after[name]} for name in reversed(self.standings.names)]
        return html_table(rows, caption=self.tiers.name)

    def chart(self) -> Chart:
        """Bars: how many stand on each tier now."""
        from crmcore.charts import bar

        counts = self.standings.counts()
        said = f"How many of {len(self):,} subjects stand on each tier"
        return bar(list(counts), list(counts.values()), title=self.tiers.name, description=said, axis="subjects")


def assign_columns(tiers: Tiers, previous: StandingTable | None, table: FactTable, *, now: datetime) -> AssignmentTable:
    """Step all subjects of a table; subjects that `previous` does not know are new."""
    instant_us(now, "now")
    check_table(table)
    at = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    before = _aligned(tiers, previous, table.customers, at)
    late = np.flatnonzero(before.since > at)
    if len(late):
        raise OutOfRange("now", now.isoformat(), f"{before.since.max()}Z or later", "tiers move forward")
    reader = Evaluation(table, now, tiers.vocabulary)
    code, since, grace, kinds = next_standing(
        before.code,
        before.since,
        before.grace_until,
        np.array([reader.truth(t.enter).true for t in tiers.tiers]),
        np.array([reader.truth(t.leaves).true for t in tiers.tiers]),
        min_stay_days=np.array([0, *(t.min_stay_days for t in tiers.tiers)], np.float64),
        grace_days=np.array([0, *(t.grace_days for t in tiers.tiers)], np.float64),
        now=at,
    )
    after = StandingTable(table.customers, tiers.names, code, since, grace)
    return AssignmentTable(tiers, table, now, before, after, kinds)


def _aligned(
    tiers: Tiers, previous: StandingTable | None, customers: CustomerIndex, now: np.datetime64
) -> StandingTable:
    """Standings in the order of an index and in the codes of these tiers."""
    n = len(customers)
    code = np.zeros(n, np.int32)
    since = np.full(n, now)
    grace = np.full(n, np.datetime64("NaT", "us"))
    if previous is not None:
        given: object = previous
        if not isinstance(given, StandingTable):
            hint = "pass the .standings of the last assign_all, or None where all are new"
            raise WrongType("previous", f"a {type(given).__name__}", "a StandingTable or None", hint)
        to = np.array([tiers.code(name) for name in previous.names], np.int32)
        rows = previous.customers.codes(customers.ids)
        known = rows >= 0
        code[known], since[known] = to[previous.code[rows[known]]], previous.since[rows[known]]
        grace[known] = previous.grace_until[rows[known]]
    return StandingTable(customers, tiers.names, code, since, grace)
