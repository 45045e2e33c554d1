"""Waiting lines: what is said about them, what is refused, and very large or strange ones."""

from __future__ import annotations

import math
import pickle

import pytest

from crmcore.errors import OutOfRange, WrongType
from crmcore.recovery.employees.queues import (
    QueueMeasures,
    QueueTargets,
    StaffNeeded,
    UnstableQueue,
    agents_needed,
    erlang_a,
    erlang_c,
)


def test_a_load_that_reaches_the_agents_is_an_error_that_says_so() -> None:
    with pytest.raises(UnstableQueue) as caught:
        erlang_c(agents=10, arrivals_per_hour=200, handling_s=180)
    assert str(caught.value) == (
        "10 agents cannot carry 10 erlangs: expected more agents than erlangs, or the queue grows without end.\n"
        "  hint: take at least 11 agents, or say how long people wait with patience_s=... (Erlang A)"
    )
    assert isinstance(caught.value, ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert erlang_a(agents=10, arrivals_per_hour=200, handling_s=180, patience_s=60).abandoned > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("agents", 0), ("agents", 2.5), ("arrivals_per_hour", 0), ("arrivals_per_hour", math.nan), ("handling_s", -1),
     ("handling_s", math.inf), ("within_s", -1), ("patience_s", 0), ("agents", 10**8)],
)  # fmt: skip
def test_numbers_that_mean_nothing_are_refused_by_name(name: str, value: float) -> None:
    good = {"agents": 14, "arrivals_per_hour": 200, "handling_s": 180, "patience_s": 60, "within_s": 20}
    with pytest.raises(OutOfRange, match=name):
        erlang_a(**{**good, name: value})
    with pytest.raises(WrongType, match=name):
        erlang_a(**{**good, name: "many"})


def test_targets_need_at_least_one_and_shares_between_0_and_1() -> None:
    with pytest.raises(OutOfRange, match="at least one target"):
        QueueTargets(service_level=None)
    with pytest.raises(OutOfRange, match="write 80 % as service_level"):
        QueueTargets(service_level=80)
    with pytest.raises(OutOfRange, match="write 30 % as shrinkage"):
        agents_needed(arrivals_per_hour=200, handling_s=180, shrinkage=1)


def test_every_target_binds() -> None:
    def needed(**targets: float | None) -> int:
        given = {"service_level": None, **targets}
        return agents_needed(arrivals_per_hour=200, handling_s=180, patience_s=60, targets=QueueTargets(**given)).agents

    loose = needed(most_abandoned=0.2)
    assert loose < needed(most_abandoned=0.01)
    assert needed(most_wait_s=30) < needed(most_wait_s=1)
    assert needed(most_occupancy=0.5) == 20
    assert needed(most_occupancy=0.5, most_abandoned=0.2) == 20


def test_texts_say_what_counts() -> None:
    needed = agents_needed(arrivals_per_hour=200, handling_s=180)
    assert repr(needed) == "StaffNeeded(14 agents, 14 scheduled)"
    assert repr(needed.best) == "QueueMeasures(Erlang C, 14 agents, 10 erlangs, 88.8 % within 20 s)"
    assert "one fewer: 13 agents, 10 erlangs: 79.6 %" in str(needed)
    tight = agents_needed(arrivals_per_hour=200, handling_s=180, targets=QueueTargets(service_level=0.01))
    assert str(tight).endswith("one fewer: the queue grows without end")
    for result in (needed, needed.best):
        assert "<script" not in result._repr_html_()
        assert len(result._repr_html_()) < 6000


def test_results_leave_as_frames_and_json_and_come_back() -> None:
    needed = agents_needed(arrivals_per_hour=200, handling_s=180, patience_s=90)
    assert StaffNeeded.from_dict(needed.to_dict()) == needed
    assert QueueMeasures.from_dict(needed.best.to_dict()) == needed.best
    assert needed.to_frame()["agents"] == [m.agents for m in needed.measures]
    assert len(needed.to_frame(backend="polars")) == len(needed.measures)


def test_the_picture_shows_the_numbers_around_the_answer() -> None:
    needed = agents_needed(arrivals_per_hour=200, handling_s=180)
    chart = needed.chart()
    assert chart.title == "By number of agents: 14 are needed"
    assert {row["series"] for row in chart.rows} == {"answered within 20 s", "busy time of agents"}
    people_leave = agents_needed(arrivals_per_hour=200, handling_s=180, patience_s=90).chart()
    assert "give up" in {row["series"] for row in people_leave.rows}


def test_huge_and_tiny_desks_stay_numbers() -> None:
    million = erlang_c(agents=1_001_000, arrivals_per_hour=3_600_000_000, handling_s=1)
    assert 0 < million.waiting < 1
    assert million.mean_wait_s == pytest.approx(million.waiting / 1000, rel=1e-9)
    crushed = erlang_a(agents=2, arrivals_per_hour=3_600_000, handling_s=1, patience_s=10)
    assert crushed.abandoned == pytest.approx(0.998, abs=1e-6)
    assert crushed.occupancy == pytest.approx(1)
    idle = erlang_a(agents=500, arrivals_per_hour=1, handling_s=1, patience_s=10)
    assert (idle.waiting, idle.abandoned) == (pytest.approx(0), pytest.approx(0))
    assert idle.service_level == pytest.approx(1)
    patient = erlang_a(agents=100, arrivals_per_hour=200 * 3600, handling_s=1, patience_s=1e6)
    assert patient.abandoned == pytest.approx(0.5, abs=1e-9)  # half of the work can be done
    assert patient.mean_wait_answered_s == pytest.approx(1e6 * math.log(2), rel=1e-6)
    with pytest.raises(OutOfRange, match="Erlang C"):
        erlang_a(agents=100, arrivals_per_hour=200 * 3600, handling_s=1, patience_s=1e15)


def test_targets_that_nobody_can_meet_end_soon_with_an_error() -> None:
    with pytest.raises(OutOfRange, match="ease the targets"):
        agents_needed(arrivals_per_hour=200, handling_s=180, targets=QueueTargets(most_occupancy=1e-9))
