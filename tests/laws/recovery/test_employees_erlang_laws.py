"""Laws of waiting lines: the formulas equal a chain of states solved term by term, and move the right way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.recovery.employees.queues import QueueTargets, agents_needed, erlang_a, erlang_c

loads = st.floats(0.05, 60)
agents = st.integers(1, 70)
patience = st.floats(0.05, 30)


def chain(n: int, arrivals: float, leaving: float, *, within: float) -> dict[str, float]:
    """M/M/n+M with handling time 1 from its states; waits of those who find j ahead by their distribution."""
    weights = [1.0]
    while len(weights) < n + 5 or weights[-1] > 1e-18 * max(weights):
        k = len(weights)
        weights.append(weights[-1] * arrivals / (min(k, n) + max(k - n, 0) * leaving))
    total = sum(weights)
    p = [w / total for w in weights]
    length = sum(max(k - n, 0) * x for k, x in enumerate(p))
    in_time = sum(p[:n])
    for j, x in enumerate(p[n:]):
        in_time += x * served_within(j, n, leaving, within)
    return {
        "waiting": sum(p[n:]),
        "abandoned": leaving * length / arrivals,
        "mean_wait_s": length / arrivals,
        "service_level": in_time,
        "occupancy": sum(min(k, n) * x for k, x in enumerate(p)) / n,
    }


def served_within(ahead: int, n: int, leaving: float, within: float) -> float:
    """Whether somebody with `ahead` people in front is served within a time, by uniformised steps of that chain."""
    top = n + (ahead + 1) * leaving
    alive = [0.0] * (ahead + 1)
    alive[ahead] = 1.0
    done = found = 0.0
    mass = math.exp(-top * within)
    for step in range(int(top * within + 12 * math.sqrt(top * within) + 60)):
        found += mass * done
        mass *= top * within / (step + 1)
        fresh = [0.0] * (ahead + 1)
        for j, x in enumerate(alive):
            if x:
                fresh[j] += x * (1 - (n + (j + 1) * leaving) / top)
                done += x * n / top if j == 0 else 0.0
                if j:
                    fresh[j - 1] += x * (n + j * leaving) / top
        alive = fresh
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.floats(0.05, 12), st.floats(0.05, 3), st.floats(0, 3))
def test_erlang_a_equals_the_chain_of_states(n: int, load: float, leaving: float, within: float) -> None:
    found = erlang_a(agents=n, arrivals_per_hour=3600 * load, handling_s=1, patience_s=1 / leaving, within_s=within)
    for name, value in chain(n, load, leaving, within=within).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-9), name


@settings(max_examples=60, deadline=None)
@given(agents, loads, patience)
def test_shares_are_shares_and_nobody_is_counted_twice(n: int, load: float, mean: float) -> None:
    found = erlang_a(agents=n, arrivals_per_hour=3600 * load, handling_s=1, patience_s=mean, within_s=0.3)
    for name in ("waiting", "service_level", "abandoned", "occupancy"):
        assert 0 <= getattr(found, name) <= 1, name
    assert found.service_level <= 1 - found.abandoned + 1e-12
    assert found.occupancy == pytest.approx(load * (1 - found.abandoned) / n)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.floats(0.05, 0.97))
def test_great_patience_is_erlang_c(n: int, part: float) -> None:
    load = n * part
    c = erlang_c(agents=n, arrivals_per_hour=3600 * load, handling_s=1, within_s=0.5)
    a = erlang_a(agents=n, arrivals_per_hour=3600 * load, handling_s=1, patience_s=1e7, within_s=0.5)
    for name in ("waiting", "service_level", "mean_wait_s", "mean_wait_answered_s", "occupancy"):
        assert getattr(a, name) == pytest.approx(getattr(c, name), rel=1e-3, abs=1e-6), name


@settings(max_examples=40, deadline=None)
@given(loads, patience, st.sampled_from([0.5, 0.8, 0.95]))
def test_the_answer_is_the_least_number_that_meets_the_target(load: float, mean: float, level: float) -> None:
    targets = QueueTargets(service_level=level, within_s=0.2)
    for given_patience in (None, mean):
        needed = agents_needed(arrivals_per_hour=3600 * load, handling_s=1, patience_s=given_patience, targets=targets)
        assert needed.best.service_level >= level
        fewer = [m for m in needed.measures if m.agents < needed.agents]
        assert all(m.service_level < level for m in fewer)
        rising = [m.service_level for m in needed.measures]
        assert rising == sorted(rising)


@settings(max_examples=40, deadline=None)
@given(agents, loads, patience, st.floats(0.1, 100))
def test_the_unit_of_time_does_not_matter(n: int, load: float, mean: float, unit: float) -> None:
    one = erlang_a(agents=n, arrivals_per_hour=3600 * load, handling_s=1, patience_s=mean, within_s=0.4)
    other = erlang_a(
        agents=n, arrivals_per_hour=3600 * load / unit, handling_s=unit, patience_s=mean * unit, within_s=0.4 * unit
    )
    assert other.service_level == pytest.approx(one.service_level, abs=1e-9)
    assert other.mean_wait_s == pytest.approx(one.mean_wait_s * unit, rel=1e-6, abs=1e-12)
