"""Work spread over cores: results in order, errors come out, one core says what two say."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from crmcore.linkage import scoring
from crmcore.linkage.compare import Comparer
from crmcore.linkage.mixture import start
from crmcore.linkage.rarity import Rarity, chance_levels
from crmcore.linkage.records import Records
from crmcore.linkage.scoring import Scorer, cores, spread

CORES = [1, 2, 5]


@pytest.fixture(params=CORES)
def n_cores(request, monkeypatch):
    monkeypatch.setattr(scoring, "cores", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_parts(n_cores):
    wait = threading.Event()

    def work(i: int) -> int:
        wait.wait(0.002 * (i % 3))  # later parts finish before earlier ones
        return i * i

    assert list(spread(work, range(40))) == [i * i for i in range(40)]
    assert list(spread(work, [])) == []


def test_an_error_in_one_part_comes_out(n_cores):
    def work(i: int) -> float:
        return 1 / (i - 7)

    found = spread(work, range(20))
    assert [next(found) for _ in range(7)] == [1 / (i - 7) for i in range(7)]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_an_error_in_the_making_of_parts_comes_out(n_cores):
    def parts():
        yield 1
        raise ValueError("no more parts")

    with pytest.raises(ValueError, match="no more parts"):
        list(spread(lambda i: i, parts()))


def test_few_parts_are_held_at_a_time(n_cores):
    made = []
    parts = (made.append(i) or i for i in range(100))
    found = spread(lambda i: i, parts)
    for done in range(50):
        next(found)
        assert len(made) - done <= 2 * n_cores + 1
    found.close()
    assert len(made) < 100


def test_at_least_one_core_is_there():
    assert cores() >= 1


def test_a_machine_that_cannot_tell_its_share_counts_its_cores(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert cores() == 1


def test_log_odds_are_the_same_in_chunks_of_any_size_and_on_any_number_of_cores(n_cores, monkeypatch):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), 4)) for _ in range(50)]
    comparer = Comparer.of(Records.from_columns({"x": words, "y": words[::-1]}, {"x": "surname", "y": "email"}))
    lo, hi = np.triu_indices(50, 1)
    u = chance_levels(comparer.levels(lo, hi), comparer)
    kinds = [e.kind for e in comparer.fields]
    scorer = Scorer(comparer, start(kinds, comparer.n_levels, u, n_records=50), Rarity.of(comparer, u))
    whole = scorer.log_odds(lo, hi)
    monkeypatch.setattr(scoring, "CHUNK", 37)
    assert (scorer.log_odds(lo, hi) == whole).all()
    assert len(scorer.log_odds(lo[:0], hi[:0])) == 0
    least = float(np.median(whole))
    found = scorer.odds_at_least(lo, hi, least)
    assert (found[whole >= least] == whole[whole >= least]).all()
    assert (found[whole < least] < least).all()
