"""Two rules on one log: where they cut differently, why, and what that does to the rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, MissingColumn
from crmcore.metrics.estimates import frame_of
from crmcore.tables import EventTable
from crmcore.touchpoints.sessions.cutting import sessionize
from crmcore.touchpoints.sessions.profiles import PROFILES, session_rule
from crmcore.touchpoints.sessions.result import Sessions
from crmcore.touchpoints.sessions.rule import SessionRule
from crmcore.touchpoints.sessions.step import Cause

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RuleComparison", "RuleTable", "compare_rules", "under_rules"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RuleComparison:
    """Sessions of one log under two rules, and every cut that only one of them makes, with its reason.

    Attributes
    ----------
    first, second : Sessions
        Of the two rules.
    row : (k,) row of the event before which only one rule cuts, by visitor and time
    by_second : (k,) whether it is the second rule that cuts there
    causes : (k,) why it does, as bits of `Cause`
    reasons : k sentences
        Why the one cuts and the other does not.
    only_first, only_second : counts of events that are in a session under one rule only
    """

    first: Sessions
    second: Sessions
    row: Ints
    by_second: Bools
    causes: NDArray[np.uint8]
    reasons: tuple[str, ...]
    only_first: int
    only_second: int

    def __len__(self) -> int:
        return len(self.row)

    @property
    def names(self) -> tuple[str, str]:
        """Names of the rules; the second is marked where both are called alike."""
        a, b = self.first.rule.name, self.second.rule.name
        return (a, b) if a != b else (a, f"{b} (2)")

    def groups(self) -> dict[str, int]:
        """How sessions of the rules correspond: the same, split by the second, merged by it, or tangled.

        Counted are groups of sessions that share events: one and one with the same events are "same", one of the first
        beside several of the second is "split", several beside one is "merged", several beside several "tangled", and
        sessions that share nothing are "only" in one.
        """
        a, b = self.first.of_event, self.second.of_event
        both = (a >= 0) & (b >= 0)
        pairs = np.unique(np.stack([a[both], b[both]], axis=1), axis=0)
        label = _joined(pairs, len(self.first), len(self.second))
        n_first = np.bincount(label[: len(self.first)], minlength=label.max(initial=-1) + 1)
        n_second = np.bincount(label[len(self.first) :], minlength=label.max(initial=-1) + 1)
        return {
            "same": int(((n_first == 1) & (n_second == 1)).sum()),
            "split": int(((n_first == 1) & (n_second > 1)).sum()),
            "merged": int(((n_first > 1) & (n_second == 1)).sum()),
            "tangled": int(((n_first > 1) & (n_second > 1)).sum()),
            f"only {self.names[0]}": int(((n_first > 0) & (n_second == 0)).sum()),
            f"only {self.names[1]}": int(((n_first == 0) & (n_second > 0)).sum()),
        }

    def why(self) -> dict[str, tuple[int, int]]:
        """Reason -> cuts that only the first rule makes, cuts that only the second makes; most frequent first."""
        counted = Counter(zip(self.reasons, self.by_second.tolist(), strict=True))
        total = Counter(self.reasons)
        return {r: (counted[r, False], counted[r, True]) for r, _ in total.most_common()}

    def rates(self) -> list[dict[str, Any]]:
        """One row a measure that both rules know: measure, then value and interval under each."""
        a, b = self.first.rates(), self.second.rates()
        rows: list[dict[str, Any]] = [
            {"measure": "sessions", self.names[0]: f"{len(self.first):,}", self.names[1]: f"{len(self.second):,}"}
        ]
        return rows + [
            {"measure": m, self.names[0]: _short(a.get(m)), self.names[1]: _short(b.get(m))}
            for m in dict.fromkeys((*a, *b))
        ]

    def __str__(self) -> str:
        a, b = self.names
        lines = [f"{len(self.first):,} sessions under {a}, {len(self.second):,} under {b}"]
        lines.append(", ".join(f"{n:,} {word}" for word, n in self.groups().items() if n))
        for reason, (of_first, of_second) in self.why().items():
            told = [f"only {name} cuts, {n:,} times" for n, name in ((of_first, a), (of_second, b)) if n]
            lines.append(f"  {', '.join(told)}: {reason}")
        if self.only_first or self.only_second:
            lines.append(
                f"  events in a session under {a} only: {self.only_first:,}, under {b} only: {self.only_second:,}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"RuleComparison({self.names[0]}, {self.names[1]}, {len(self)} cuts differ)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cut that only one rule makes: row, customer, time, cut_by, causes, reason."""
        events = self.first.events
        ids = np.array([*events.customers.ids, None], object)
        columns: dict[str, Any] = {
            "row": self.row, "customer": list(ids[events.customer[self.row]]), "time": events.time[self.row],
            "cut_by": [self.names[int(s)] for s in self.by_second.tolist()],
            "causes": [", ".join(Cause(int(c)).words) for c in self.causes.tolist()], "reason": list(self.reasons),
        }  # fmt: skip
        return write_frame(columns, backend=backend or events.backend)

    def to_dict(self) -> dict[str, Any]:
        """Counts, reasons and rates as plain JSON values; no customers."""
        return {
            "rules": [self.first.rule.to_dict(), self.second.rule.to_dict()],
            "sessions": [len(self.first), len(self.second)], "groups": self.groups(),
            "why": {r: list(n) for r, n in self.why().items()},
            "rates": [{k: e.to_dict() for k, e in s.rates().items()} for s in (self.first, self.second)],
        }  # fmt: skip

    def chart(self) -> Chart:
        """Cuts that only one rule makes, by reason."""
        from crmcore.touchpoints.sessions.charts import difference_chart

        return difference_chart(self)

    def _repr_html_(self) -> str:
        told = "; ".join(f"{a + b:,}: {reason}" for reason, (a, b) in self.why().items())
        return html_table(self.rates(), caption=f"{self!r}. {told}"[:2000])


def _short(estimate: Any) -> str | None:
    if estimate is None:
        return None
    return f"{number_text(estimate.value)} [{number_text(estimate.low)}, {number_text(estimate.high)}]"


def _joined(pairs: Ints, m: int, k: int) -> Ints:
    """(m + k,) group of each session of the first rule, then of the second; those that share an event are together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1] + m)), shape=(m + k, m + k))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def compare_rules(
    events: EventTable, first: str | SessionRule, second: str | SessionRule, /, *,
    visitor: str | ArrayLike | None = None, zone: str | ZoneInfo | None = None,
) -> RuleComparison:  # fmt: skip
    """Cut one log by two rules and explain every difference.

    Parameters
    ----------
    events : EventTable
    first, second : name or SessionRule
    visitor, zone
        As for `sessionize`; the same for both rules.

    Returns
    -------
    RuleComparison
        Sessions of the second = sessions of the first - cuts that only the first makes + cuts that only the second
        makes, wherever both take the same events.

    Examples
    --------
    >>> events = EventTable.from_frame({
    ...     "customer": ["ann", "ann", "ann"], "kind": ["view"] * 3,
    ...     "time": ["2026-03-01T23:50Z", "2026-03-02T00:10Z", "2026-03-02T00:40Z"],
    ... })
    >>> print(compare_rules(events, "ga4", "plain"))
    2 sessions under ga4, 1 under plain
    1 merged
      only ga4 cuts, 1 times: ga4: silence >= 1800 s; plain: silence > 1800 s
    """
    a = sessionize(events, first, visitor=visitor, zone=zone)
    b = sessionize(events, second, visitor=visitor, zone=zone)
    inside = [s.of_event >= 0 for s in (a, b)]
    # a row that only one rule takes is no cut against the other: what is compared is the way from one shared row to the
    # next, and a session that began between them, with a row that the other leaves out, parts them all the same
    shared = np.flatnonzero(inside[0] & inside[1])
    visitor_of = a.visitor[a.of_event[shared]]
    order = np.lexsort((shared, events.time.view(np.int64)[shared], visitor_of))
    shared, visitor_of = shared[order], visitor_of[order]
    follows = visitor_of[1:] == visitor_of[:-1]
    cuts = [follows & (s.of_event[shared[1:]] != s.of_event[shared[:-1]]) for s in (a, b)]
    differs = cuts[0] != cuts[1]
    one, by_second = shared[1:][differs], cuts[1][differs]
    causes = np.where(by_second, b.codes.causes[b.of_event[one]], a.codes.causes[a.of_event[one]]).astype(np.uint8)
    rules = (a.rule, b.rule)
    told: dict[tuple[int, bool], str] = {}
    reasons = []
    for c, s in zip(causes.tolist(), by_second.tolist(), strict=True):
        if (c, s) not in told:
            told[c, s] = _reason(Cause(c), cutter=rules[int(s)], other=rules[1 - int(s)])
        reasons.append(told[c, s])
    return RuleComparison(
        first=a, second=b, row=one, by_second=by_second, causes=causes, reasons=tuple(reasons),
        only_first=int((inside[0] & ~inside[1]).sum()), only_second=int((inside[1] & ~inside[0]).sum()),
    )  # fmt: skip


def _reason(causes: Cause, *, cutter: SessionRule, other: SessionRule) -> str:
    """Why one rule cuts and the other does not."""
    a, b = cutter.name, other.name
    told = []
    if causes & (Cause.TIMEOUT | Cause.SINGLE_EVENT_TIMEOUT):
        lives = ["", ""] if cutter.keep_alive == other.keep_alive else [_alive(cutter), _alive(other)]
        told.append(f"{a}: {_silence(cutter, causes)}{lives[0]}; {b}: {_silence(other, causes)}{lives[1]}")
    if causes & Cause.MIDNIGHT:
        told.append(
            f"{a}: midnight in {cutter.zone}; {b}: {f'midnight in {other.zone}' if other.midnight else 'no matter'}"
        )
    if causes & Cause.MAXIMUM_LENGTH:
        limit = "none" if other.max_length_s is None else f"{other.max_length_s:g} s, from where its own session began"
        told.append(f"{a}: at most {cutter.max_length_s:g} s; {b}: {limit}")
    for cause, field in ((Cause.CAMPAIGN, "campaign"), (Cause.REFERRER, "referrer")):
        if causes & cause:
            known = getattr(other, field)
            why = "no matter" if known is None else f"not new in its own session (it reads {known})"
            told.append(f"{a}: another {field}; {b}: {why}")
    if causes & Cause.GIVEN_ID:
        told.append(f"{a}: another {cutter.given_id}; {b}: {other.cuts}")
    return "; ".join(told)


def _silence(rule: SessionRule, causes: Cause) -> str:
    if rule.timeout_s is None:
        return f"given by {rule.given_id}"
    if causes & Cause.SINGLE_EVENT_TIMEOUT and rule.single_event_timeout_s is not None:
        return f"silence {rule.boundary} {rule.single_event_timeout_s:g} s after a single event"
    return f"silence {rule.boundary} {rule.timeout_s:g} s"


def _alive(rule: SessionRule) -> str:
    return (
        f", which {', '.join(sorted(rule.keep_alive))} may only fill" if rule.keep_alive else ", which any event ends"
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RuleTable:
    """One log under several rules: sessions and rates of each. The numbers of two rows cannot be compared as if of one.

    Attributes
    ----------
    sessions : sessions under each rule, by its name
    left_out : rules that need an attribute which the events lack, with the attribute
    """

    sessions: dict[str, Sessions]
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.sessions)

    def __getitem__(self, rule: str) -> Sessions:
        return self.sessions[rule]

    def rows(self) -> list[dict[str, Any]]:
        """One row a rule: rule, sessions, bounce, time on site (s), views a session, and what a bounce is."""
        made = []
        for name, s in self.sessions.items():
            rates = s.rates()
            row: dict[str, Any] = {"rule": name, "sessions": len(s)}
            for measure in ("bounce rate", "engagement rate", "time on site (s)", "views a session"):
                row[measure] = rates[measure].value if measure in rates else None
            made.append({**row, "bounce": s.rule.bounce_words})
        return made

    def __str__(self) -> str:
        head = ("rule", "sessions", "bounce rate", "time on site (s)", "bounce is")
        cells: list[tuple[Any, ...]] = [head]
        for r in self.rows():
            known = r["bounce rate"] is not None and r["bounce rate"] == r["bounce rate"]
            bounce = f"{r['bounce rate']:.1%}" if known else "-"
            seconds = "-" if r["time on site (s)"] is None else f"{r['time on site (s)']:,.0f}"
            cells.append((r["rule"], f"{r['sessions']:,}", bounce, seconds, r["bounce"]))
        wide = [max(len(row[i]) for row in cells) for i in range(5)]
        lines = [
            "  ".join([r[0].ljust(wide[0]), *(r[i].rjust(wide[i]) for i in (1, 2, 3)), r[4]]).rstrip() for r in cells
        ]
        return "\n".join(
            [*lines, *(f"left out: {name} (no attribute {what!r})" for name, what in self.left_out.items())]
        )

    def __repr__(self) -> str:
        return f"RuleTable({len(self)} rules)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a rule."""
        return frame_of(self.rows(), backend=backend)

    def chart(self) -> Chart:
        """Bounce rate under each rule, with intervals."""
        from crmcore.touchpoints.sessions.charts import bounce_chart

        return bounce_chart(self)

    def _repr_html_(self) -> str:
        return html_table(self.rows(), caption="one log under several rules")


def under_rules(
    events: EventTable, rules: Iterable[str | SessionRule] | None = None, /, *,
    visitor: str | ArrayLike | None = None, zone: str | ZoneInfo | None = None,
) -> RuleTable:  # fmt: skip
    """Cut one log by several rules.

    Parameters
    ----------
    events : EventTable
    rules : names or rules, optional
        None takes all built-in profiles; those that need an attribute which the events lack are left out and named.
    visitor, zone
        As for `sessionize`.

    Examples
    --------
    >>> events = EventTable.from_frame({
    ...     "customer": ["ann", "ann", "ben"], "kind": ["view", "view", "view"],
    ...     "time": ["2026-03-01T09:00Z", "2026-03-01T09:00:08Z", "2026-03-01T09:10Z"],
    ... })
    >>> print(under_rules(events, ["ga4", "yandex"]))
    rule    sessions  bounce rate  time on site (s)  bounce is
    ga4            2        50.0%                 4  not engaged: longer than 10 s, or 2 views, or a key event
    yandex         2        50.0%                 4  1 view, shorter than 15 s
    """
    chosen = [session_rule(r) for r in (PROFILES.values() if rules is None else rules)]
    if not chosen:
        raise EmptyInput("rules", "name at least one")
    made: dict[str, Sessions] = {}
    left: dict[str, str] = {}
    for rule in chosen:
        try:
            made[rule.name] = sessionize(events, rule, visitor=visitor, zone=zone)
        except MissingColumn as error:
            if rules is not None:
                raise
            left[rule.name] = error.column
    return RuleTable(sessions=made, left_out=left)
