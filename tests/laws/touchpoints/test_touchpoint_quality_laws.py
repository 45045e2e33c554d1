"""Laws of phases, shrinking, quality and quadrants."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.metrics.shrinking import shrink_means
from crmcore.touchpoints.catalogue.phasing import phase_codes
from crmcore.touchpoints.quality import importance_performance, touchpoint_quality
from crmcore.touchpoints.quality.derived import shares_of_variance

touches = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 400)), max_size=25)


def slow_phase(who: int, at: int, orders: list[tuple[int, int]], during: int, after: int) -> int:
    if who < 0:
        return -1
    own = [t for c, t in orders if c == who]
    if any(0 <= t - at <= during for t in own):
        return 1
    return 2 if any(0 <= at - t <= after for t in own) else 0


@given(touches, touches, st.integers(0, 40), st.integers(0, 80))
def test_phases_equal_looking_at_every_order(
    met: list[tuple[int, int]], bought: list[tuple[int, int]], during: int, after: int
) -> None:
    def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        who = np.array([r[0] for r in rows], np.int32)
        return who, np.array([r[1] for r in rows], "datetime64[m]").astype("datetime64[us]")

    got = phase_codes(*columns(met), *columns(bought), during_minutes=during, after_days=after / 1440)
    assert got.tolist() == [slow_phase(c, t, bought, during, after) for c, t in met]


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 3)), min_size=1, max_size=8))
def test_shrunk_means_lie_between_their_own_and_the_common_one(groups: list[tuple[float, float]]) -> None:
    means, variances = (np.array(c) for c in zip(*groups, strict=True))
    got, _, between = shrink_means(means, variances)
    centre = np.average(means, weights=1 / (variances + between))
    assert (np.abs(got - centre) <= np.abs(means - centre) + 1e-9).all()


@given(st.data())
def test_quality_does_not_depend_on_the_order_of_rows(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 30))
    touch = data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    moved = data.draw(st.lists(st.sampled_from([0, 1]), min_size=n, max_size=n))
    who = data.draw(st.lists(st.integers(-1, 5), min_size=n, max_size=n))
    order = data.draw(st.permutations(range(n)))
    if max(who) < 0:
        who[0] = 0
    first = touchpoint_quality(touch, who, advanced=moved)
    again = touchpoint_quality([touch[i] for i in order], [who[i] for i in order], advanced=[moved[i] for i in order])
    assert [r.touchpoint for r in first.rows] == [r.touchpoint for r in again.rows]
    for a, b in zip(first.rows, again.rows, strict=True):
        assert np.isclose(a.quality.value, b.quality.value, rtol=1e-9, equal_nan=True)


points = st.dictionaries(st.sampled_from("abcdefg"), st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2)


@given(points, st.integers(1, 9), st.integers(-20, 20))
def test_quadrants_do_not_change_with_the_unit(named: dict[str, tuple[int, int]], times: int, plus: int) -> None:
    importance = {n: v[0] for n, v in named.items()}
    performance = {n: v[1] for n, v in named.items()}
    cut = (sum(importance.values()) / len(named) + 0.01, sum(performance.values()) / len(named) + 0.01)
    first = importance_performance(importance, performance, cut=cut)
    moved = importance_performance(
        {n: times * v + plus for n, v in importance.items()}, performance, cut=(times * cut[0] + plus, cut[1])
    )
    assert {r.touchpoint: r.quadrant for r in first.rows} == {r.touchpoint: r.quadrant for r in moved.rows}


@given(st.integers(2, 5), st.integers(0, 10_000))
def test_shares_of_variance_are_no_less_than_nothing_and_at_most_all(k: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(20, k + 1))
    shares = shares_of_variance(np.cov(x.T))
    assert (shares >= -1e-12).all()
    assert shares.sum() <= 1 + 1e-9
