"""What is needed is enough and the least; lint never accuses wrongly; tiers step alike alone and together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from crmcore.rules import Facts, FactTable, Rule, RuleSet, Tier, Tiers, field
from crmcore.rules.lint import implies, impossible
from crmcore.rules.nodes import Compare, Condition, Field, Literal
from crmcore.rules.standings import MoveKind

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GRID = [None, *(x / 2 for x in range(-1, 8))]
NAMES = ("a", "b")

atoms = st.one_of(
    st.builds(
        lambda op, name, value: Compare(op, Field(name), Literal(value)),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(NAMES), st.sampled_from([0, 1, 2, 3]),
    ),
    st.builds(lambda name, values: field(name).isin(values), st.sampled_from(NAMES), st.lists(st.integers(0, 3))),
    st.builds(
        lambda name, low, high, closed: field(name).between(low, high, closed=closed),
        st.sampled_from(NAMES), st.integers(0, 3), st.integers(0, 3),
        st.sampled_from(["both", "left", "right", "neither"]),
    ),
    st.builds(lambda name: field(name).exists(), st.sampled_from(NAMES)),
)  # fmt: skip
conditions: st.SearchStrategy[Condition] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
        st.builds(lambda a, yes: a.if_unknown(yes), inner, st.booleans()),
    ),
    max_leaves=5,
)
facts = st.fixed_dictionaries({name: st.sampled_from(GRID) for name in NAMES})


def holds(condition: Condition, values: dict[str, object]) -> bool:
    return Rule("grid", condition).decide(values, now=NOW).holds


def distance(a: dict[str, object], b: dict[str, object]) -> int:
    return sum(a[name] != b[name] for name in NAMES)


EVERYTHING: list[dict[str, object]] = [dict(zip(NAMES, values, strict=True)) for values in product(GRID, repeat=2)]


@given(conditions, facts)
def test_as_many_changes_as_needed_and_no_fewer_would_do(condition: Condition, values: dict[str, object]) -> None:
    """The grid has a point in every interval that the constants cut, so it stands for all values."""
    needed = Rule("needed", condition).decide(values, now=NOW).needed
    ways = [distance(values, other) for other in EVERYTHING if holds(condition, other)]
    if needed is None:
        assert not ways
    else:
        assert len(needed) == min(ways)


@given(conditions, facts)
def test_doing_what_is_needed_makes_the_rule_hold(condition: Condition, values: dict[str, object]) -> None:
    needed = Rule("needed", condition).decide(values, now=NOW).needed
    if not needed:
        return
    allowed = {
        change.term.name: [
            v for v in GRID
            if (v is None) != change.known
            and (v is None or (
                (not change.one_of or v in change.one_of)
                and v not in change.none_of
                and (change.at_least is None or v >= change.at_least)  # type: ignore[operator]
                and (change.above is None or v > change.above)  # type: ignore[operator]
                and (change.at_most is None or v <= change.at_most)  # type: ignore[operator]
                and (change.below is None or v < change.below)  # type: ignore[operator]
            ))
        ]
        for change in needed
        if isinstance(change.term, Field)
    }  # fmt: skip
    assert all(allowed.values())
    for chosen in product(*allowed.values()):
        assert holds(condition, {**values, **dict(zip(allowed, chosen, strict=True))})


@given(conditions, conditions)
def test_lint_never_accuses_wrongly(first: Condition, second: Condition) -> None:
    if impossible(first):
        assert not any(holds(first, values) for values in EVERYTHING)
    if implies(first, second):
        assert all(holds(second, values) for values in EVERYTHING if holds(first, values))


@given(st.lists(conditions, min_size=1, max_size=4), st.sampled_from(["first match", "all matches", "scored"]),
       st.sampled_from(["no", "ask", "yes"]), st.lists(facts, min_size=1, max_size=6))  # fmt: skip
def test_a_rule_set_decides_alike_alone_and_together(
    parts: list[Condition], policy: str, unknown: str, rows: list[dict[str, object]]
) -> None:
    rules = RuleSet(
        "law", [Rule(f"r{i}", c, then=f"o{i}", weight=2.0**i) for i, c in enumerate(parts)],
        policy=policy, unknown=unknown, default="none",
    )  # fmt: skip
    together = rules.decide_all(FactTable.of_facts(rows), now=NOW)
    alone = [rules.decide(values, now=NOW) for values in rows]
    assert together.outcomes() == [v.outcome for v in alone]
    assert together.settled.tolist() == [v.settled for v in alone]
    assert RuleSet.from_dict(rules.to_dict()) == rules


def reference(
    tiers: Tiers, code: int, since: int, grace: int | None, profit: float | None, day: int
) -> tuple[int, int, int | None, MoveKind | None]:
    """Ten lines for one subject, in days."""
    enter = [profit is not None and profit >= 2 * (j + 1) for j in range(len(tiers.tiers))]
    leave = [profit is not None and profit < 2 * (j + 1) - 1 for j in range(len(tiers.tiers))]
    best = max((j + 1 for j, yes in enumerate(enter) if yes), default=0)
    if best > code:
        return best, day, None, MoveKind.UP
    if code == 0 or not leave[code - 1]:
        return code, since, None, (MoveKind.GRACE_ENDED if grace is not None else None)
    tier = tiers.tiers[code - 1]
    if day < since + tier.min_stay_days:
        return code, since, grace, None
    if grace is None and tier.grace_days:
        return code, since, day + int(tier.grace_days), MoveKind.GRACE_STARTED
    if grace is not None and day < grace:
        return code, since, grace, None
    return max((j + 1 for j in range(code - 1) if not leave[j]), default=0), day, None, MoveKind.DOWN


profits = st.one_of(st.none(), st.integers(0, 8).map(float))


@given(
    st.integers(0, 3), st.integers(0, 3), st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 3), profits), min_size=1, max_size=12),
)  # fmt: skip
def test_tiers_step_as_the_reference_does_alone_and_together(
    grace_days: int, min_stay_days: int, k: int, steps: list[tuple[int, float | None]]
) -> None:
    tiers = Tiers(
        "law",
        [
            Tier(f"t{j}", field("p") >= 2 * j, leave=field("p") < 2 * j - 1, grace_days=grace_days,
                 min_stay_days=min_stay_days)
            for j in range(1, k + 1)
        ],
    )  # fmt: skip
    standing, table, day = None, None, 0
    state: tuple[int, int, int | None] = (0, 0, None)
    for i, (wait, profit) in enumerate(steps):
        day += wait
        now = NOW + timedelta(days=day)
        alone = tiers.assign(standing, {"p": profit}, now=now)
        several = FactTable.of_facts([Facts({"p": p}, subject=s) for p, s in ((profit, "x"), (None, "y"))])
        together = tiers.assign_all(table, several, now=now)
        code, since, until, kind = reference(tiers, *(state if i else (0, day, None)), profit, day)
        state = (code, since, until)
        assert alone.standing == together.standings[0]
        assert alone.standing.tier == tiers.names[state[0]]
        assert (alone.standing.since - NOW).days == state[1]
        ends = alone.standing.grace_until
        assert (None if ends is None else (ends - NOW).days) == state[2]
        assert (None if alone.move is None else alone.move.kind) == kind
        assert (alone.move is not None) == bool(together.changed[0])
        standing, table = alone.standing, together.standings
