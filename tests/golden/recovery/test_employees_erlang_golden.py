"""Published figures of waiting lines.

- Rodrigo Arenas, pyworkforce, README: 100 calls in 30 minutes, 3 minutes each, 80 % within 20 seconds.
- The same, guide to Erlang A: those calls with a patience of 5 minutes, at most 85 % busy, at most 5 % giving up.
- Garnett, Mandelbaum & Reiman (2002), Designing a call center with impatient customers, Manufacturing & Service
  Operations Management 4(3):208, the comparison of M/M/N and M/M/N+M in the introduction.
- Exact Erlang values: the defining sums in fractions.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest

from crmcore.recovery.employees.queues import QueueTargets, agents_needed, erlang_a, erlang_c
from crmcore.recovery.employees.queues.erlang import erlang_b


def test_a_hundred_calls_in_half_an_hour_need_fourteen_agents() -> None:
    needed = agents_needed(arrivals_per_hour=200, handling_s=180, shrinkage=0.3)
    best = needed.best
    assert (needed.agents, needed.scheduled) == (14, 20)
    assert best.service_level == pytest.approx(0.8883500191794669, abs=1e-9)
    assert best.waiting == pytest.approx(0.1741319335950498, abs=1e-9)
    assert best.occupancy == pytest.approx(0.7142857142857143)
    assert needed.measures[2].service_level == pytest.approx(0.7955947884177831, abs=1e-9)


def test_with_five_minutes_of_patience_thirteen_agents_are_enough() -> None:
    targets = QueueTargets(service_level=0.8, within_s=20, most_occupancy=0.85, most_abandoned=0.05)
    needed = agents_needed(arrivals_per_hour=200, handling_s=180, patience_s=300, targets=targets, shrinkage=0.3)
    assert (needed.agents, needed.scheduled) == (13, 19)
    best = needed.best
    shown = (best.service_level, best.occupancy, best.abandoned, best.waiting, best.mean_wait_s / 60)
    assert tuple(round(x, 3) for x in shown) == (0.858, 0.750, 0.025, 0.226, 0.125)


def test_people_who_give_up_shorten_the_line_of_fifty_agents() -> None:
    c = erlang_c(agents=50, arrivals_per_hour=48 * 60, handling_s=60)
    a = erlang_a(agents=50, arrivals_per_hour=48 * 60, handling_s=60, patience_s=120)
    assert (round(c.mean_wait_s, 1), round(c.queue_length), round(c.occupancy, 2)) == (20.8, 17, 0.96)
    assert (round(a.abandoned, 3), round(a.mean_wait_s, 1)) == (0.031, 3.7)
    assert (round(a.queue_length), round(a.occupancy, 2)) == (3, 0.93)


@pytest.mark.parametrize(("agents", "load"), [(1, 1), (5, 3), (10, 5), (30, 29), (100, 90), (3, 200)])
def test_the_loss_formula_equals_its_definition_in_fractions(agents: int, load: int) -> None:
    terms = [Fraction(load) ** k / factorial(k) for k in range(agents + 1)]
    assert erlang_b(agents, load) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)


@pytest.mark.parametrize(("agents", "load"), [(2, 1), (4, 3), (10, 5), (14, 10), (30, 29), (120, 110)])
def test_the_delay_formula_equals_its_definition_in_fractions(agents: int, load: int) -> None:
    last = Fraction(load) ** agents / factorial(agents) * Fraction(agents, agents - load)
    exact = last / (sum(Fraction(load) ** k / factorial(k) for k in range(agents)) + last)
    found = erlang_c(agents=agents, arrivals_per_hour=load * 3600, handling_s=1)
    assert found.waiting == pytest.approx(float(exact), rel=1e-11)
    assert found.mean_wait_s == pytest.approx(float(exact / (agents - load)), rel=1e-11)
