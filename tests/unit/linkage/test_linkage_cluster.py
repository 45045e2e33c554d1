"""Records to entities: what clustering does on cases small enough to work out by hand, and on hopeless ones."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from crmcore.errors import BadRows, ConflictingConstraints, OutOfRange, WrongType
from crmcore.graphs import connected_parts
from crmcore.linkage.agglomerate import probability
from crmcore.linkage.cluster import Constraints, Cuts, cluster, refine

STRONG, WEAK, AGAINST = 6.0, 0.0, -6.0


def linked(n, pairs, **options):
    lo, hi, odds = (np.array([p[i] for p in pairs]) for i in range(3))
    return cluster(n, lo.astype(int), hi.astype(int), odds.astype(float), rank=np.arange(n), **options)


def complete(n, odds):
    lo, hi = np.triu_indices(n, 1)
    return lo, hi, np.full(len(lo), float(odds))


def test_a_chain_is_not_one_entity_when_its_ends_disagree():
    chain = [(i, i + 1, STRONG) for i in range(5)]
    result = linked(6, chain, score=lambda lo, hi: np.full(len(lo), AGAINST), cuts=Cuts.constant(0.3))
    assert result.labels.tolist() == [0, 0, 1, 1, 2, 2]  # single links would make one entity of all six


def test_without_a_score_unknown_pairs_count_as_evidence_against():
    assert linked(3, [(0, 1, STRONG), (1, 2, STRONG)], cuts=Cuts.constant(0.6)).labels.tolist() == [0, 0, 1]


def test_missing_pairs_are_asked_for_once_and_only_in_components_of_three_and_more():
    asked = []

    def score(lo, hi):
        asked.append(list(zip(lo.tolist(), hi.tolist(), strict=True)))
        return np.full(len(lo), STRONG)

    result = linked(7, [(0, 1, STRONG), (2, 3, STRONG), (3, 4, STRONG), (5, 6, WEAK)], score=score)
    assert asked == [[(2, 4)]]
    assert result.labels.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_a_score_below_the_floor_is_used_but_does_not_connect():
    assert linked(2, [(0, 1, -2.5)], cuts=Cuts.constant(0.0)).n_clusters == 2
    p = linked(3, [(0, 1, STRONG), (1, 2, WEAK), (0, 2, -2.5)], score=lambda lo, hi: pytest.fail("all pairs are known"))
    assert p.bridges.mean[0] == pytest.approx(float(np.mean(probability(np.array([WEAK, -2.5])))))


def test_a_cut_may_ask_more_of_small_entities():
    pairs = [(0, 1, STRONG), (1, 2, WEAK), (0, 2, WEAK), (3, 4, WEAK)]
    assert linked(5, pairs, cuts=Cuts.steps({2: 0.6, 3: 0.4})).labels.tolist() == [0, 0, 0, 1, 2]


def test_the_bridge_of_an_entity_is_its_weakest_merge():
    pairs = [(0, 1, STRONG), (2, 3, STRONG), (1, 2, WEAK), (0, 2, WEAK), (0, 3, WEAK), (1, 3, WEAK), (4, 5, WEAK)]
    bridges = linked(6, pairs).bridges
    assert (bridges.cluster.tolist(), bridges.left.tolist(), bridges.right.tolist()) == ([0], [0], [2])
    assert (bridges.left_size.tolist(), bridges.right_size.tolist(), bridges.mean.tolist()) == ([2], [2], [0.5])


def test_labels_are_numbered_by_smallest_rank():
    result = cluster(4, np.array([0, 1]), np.array([3, 2]), np.array([5.0, 5.0]), rank=np.array([9, 8, 7, 0]))
    assert result.labels.tolist() == [0, 1, 1, 0]


def test_ties_go_to_the_smallest_ids_whatever_the_rows():
    pairs = np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0])
    for rank in ([0, 1, 2], [2, 1, 0]):
        labels = cluster(3, *pairs, rank=np.array(rank), cuts=Cuts.constant(0.6)).labels
        assert labels[1] == labels[0 if rank[0] == 0 else 2]


def test_no_pairs_and_no_records_are_fine():
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    assert cluster(3, *nothing, rank=np.arange(3)).labels.tolist() == [0, 1, 2]
    empty = cluster(0, *nothing, rank=np.arange(0))
    assert (len(empty), empty.n_clusters, empty.histogram) == (0, 0, {})
    assert "0 records" in str(empty)


# orders


def test_a_must_link_joins_components_and_beats_the_evidence():
    orders = Constraints(must_link=[(1, 2)])
    result = linked(
        4, [(0, 1, STRONG), (2, 3, STRONG)], constraints=orders, score=lambda lo, hi: np.full(len(lo), AGAINST)
    )
    assert result.labels[1] == result.labels[2]


def test_a_must_not_link_is_obeyed_reported_and_the_next_best_merge_taken():
    orders = Constraints(must_not_link=[(1, 0)])
    result = linked(3, [(0, 1, STRONG), (1, 2, 5.0), (0, 2, 1.0)], constraints=orders)
    assert result.labels.tolist() == [0, 1, 1]
    assert (result.blocked.left.tolist(), result.blocked.right.tolist()) == ([0], [1])
    assert result.blocked.reason.tolist() == ["must_not_link"]
    assert result.blocked.mean[0] == probability(np.array([STRONG]))[0]


def test_two_records_of_a_one_to_one_source_stay_apart():
    orders = Constraints(source=np.array([0, 0, 1, 1]), one_to_one=(0,))
    result = linked(
        4, [(0, 1, STRONG), (0, 2, STRONG), (1, 2, WEAK), (2, 3, STRONG), (0, 3, STRONG)], constraints=orders
    )
    assert result.labels.tolist() == [0, 1, 0, 0]
    assert "one_to_one" in result.blocked.reason.tolist()


def test_an_entity_holds_at_most_so_many_values_of_an_identifier():
    lo, hi, odds = complete(4, STRONG)
    codes = np.array([7, 8, -1, 9])
    for most, expected in ((1, [0, 1, 0, 2]), (2, [0, 0, 0, 1]), (3, [0, 0, 0, 0])):
        orders = Constraints(max_values={"tax number": (codes, most)})
        result = cluster(4, lo, hi, odds, rank=np.arange(4), constraints=orders)
        assert result.labels.tolist() == expected
        assert set(result.blocked.reason) <= {"max_values: tax number"}
        assert bool(len(result.blocked)) == (most < 3)


def test_a_must_link_beats_a_general_rule_which_then_holds_for_the_rest():
    lo, hi, odds = complete(3, STRONG)
    orders = Constraints(must_link=[(0, 1)], source=np.zeros(3, int), one_to_one=(0,))
    assert cluster(3, lo, hi, odds, rank=np.arange(3), constraints=orders).labels.tolist() == [0, 0, 1]


def test_contradicting_decisions_are_an_error_even_through_others():
    orders = Constraints(must_link=[(0, 1), (1, 5)], must_not_link=[(5, 0)])
    with pytest.raises(ConflictingConstraints, match="records 0 and 5"):
        linked(6, [(0, 1, STRONG)], constraints=orders)
    with pytest.raises(ConflictingConstraints, match="records 2 and 2"):
        linked(6, [(0, 1, STRONG)], constraints=Constraints(must_not_link=[(2, 2)]))


def test_orders_that_cannot_be_read_say_why():
    with pytest.raises(BadRows, match="must_link: a row outside 0 to 1"):
        linked(2, [(0, 1, 1.0)], constraints=Constraints(must_link=[(0, 2)]))
    with pytest.raises(WrongType, match="source"):
        Constraints(one_to_one=(1,))
    with pytest.raises(WrongType, match=r"\(2,\)"):
        linked(2, [(0, 1, 1.0)], constraints=Constraints(source=np.zeros(3, int), one_to_one=(0,)))
    with pytest.raises(OutOfRange, match="phone"):
        Constraints(max_values={"phone": (np.zeros(2, int), 0)})


# large components


def test_a_weak_bridge_between_large_groups_is_cut_by_a_higher_floor_and_logged():
    left, right = complete(6, 5.0), complete(6, 5.0)
    lo, hi = np.r_[left[0], right[0] + 6, 0], np.r_[left[1], right[1] + 6, 11]
    result = cluster(12, lo, hi, np.r_[left[2], right[2], -1.5], rank=np.arange(12), max_component=8)
    assert result.labels.tolist() == [0] * 6 + [1] * 6
    (raised,) = result.raised
    assert (raised.record, raised.size, raised.parts, raised.largest, raised.floor) == (0, 12, 2, 6, -1.0)
    assert not raised.by_strongest_links
    assert "1 components were too large" in str(result)


def test_only_the_component_that_is_too_large_is_taken_apart():
    lo, hi = np.r_[np.arange(9), 20], np.r_[np.arange(1, 10), 21]
    result = cluster(
        22, lo, hi, np.r_[np.linspace(-1, 3, 9), -1.9], rank=np.arange(22), max_component=4, cuts=Cuts.constant(0.1)
    )
    assert result.labels[20] == result.labels[21]
    assert [r.size for r in result.raised] == [10]


def test_fifty_thousand_equal_records_do_not_take_quadratic_memory():
    n, m = 50_000, 400_000
    rng = np.random.default_rng(3)
    lo, hi = np.sort(rng.integers(0, n, (2, m)), axis=0)
    packed = np.unique((lo * n + hi)[lo < hi])
    lo, hi = packed // n, packed % n
    tracemalloc.start()
    result = cluster(
        n, lo, hi, np.full(len(lo), 20.0), rank=np.arange(n), score=lambda a, b: np.full(len(a), 20.0), max_component=50
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.sizes.max() == 50
    assert result.raised[0].by_strongest_links
    assert peak < 5e8  # the matrix of one component of 50,000 alone would be 20 GB


def test_a_group_joined_by_order_may_be_larger_than_the_limit():
    n = 3000
    orders = Constraints(must_link=np.stack([np.arange(n - 1), np.arange(1, n)], axis=1))
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    result = cluster(n + 1, *nothing, rank=np.arange(n + 1), constraints=orders)
    assert result.histogram == {1: 1, n: 1}
    assert not result.raised


# the door


def test_unusable_pairs_are_reported_together():
    with pytest.raises(BadRows) as found:
        cluster(3, np.array([0, 2, 1]), np.array([1, 1, 7]), np.array([np.nan, 1.0, 1.0]), rank=np.arange(3))
    assert {p.column: p.positions for p in found.value.problems} == {"lo": (1,), "lo, hi": (2,), "log_odds": (0,)}


def test_a_pair_given_twice_is_an_error():
    with pytest.raises(BadRows, match="given again"):
        linked(3, [(0, 1, 1.0), (1, 2, 1.0), (0, 1, 2.0)])


def test_ranks_must_be_distinct():
    with pytest.raises(BadRows, match="repeated rank"):
        cluster(3, np.array([0]), np.array([1]), np.array([1.0]), rank=np.array([1, 2, 1]))


def test_a_cut_is_a_probability():
    with pytest.raises(OutOfRange):
        Cuts.constant(1.5)
    with pytest.raises(OutOfRange):
        Cuts(())


def test_a_score_must_answer_for_every_pair():
    with pytest.raises(WrongType, match="score"):
        linked(3, [(0, 1, 1.0), (1, 2, 1.0)], score=lambda lo, hi: np.array([np.nan]))


# ways out


def test_a_clustering_prints_and_converts():
    result = linked(4, [(0, 1, STRONG), (1, 2, STRONG), (0, 2, WEAK)])
    assert repr(result) == "Clustering(4 records in 2 entities, largest 3)"
    assert "<table>" in result._repr_html_()
    frame = result.to_frame(backend="polars")
    assert frame.to_dicts()[3] == {"row": 3, "entity": 1, "size": 1}
    assert result.bridges.weakest(5).to_frame(backend="pandas")["left_size"].tolist() == [2]


def test_progress_is_reported_to_the_end():
    seen = []
    linked(4, [(0, 1, STRONG), (1, 2, STRONG)], progress=lambda *step: seen.append(step))
    assert seen[-1] == ("clusters", 3, 3)


def test_forbidden_pairs_work_on_one_component_alone():
    p = np.full((3, 3), 0.9)
    forbidden = np.zeros((3, 3), bool)
    forbidden[0, 2] = True
    assert refine(p, Cuts()).tolist() == [0, 0, 0]
    assert refine(p, Cuts(), forbidden=forbidden).tolist() == [0, 0, 1]


def test_components_are_numbered_by_smallest_node():
    assert connected_parts(6, np.array([3, 1]), np.array([5, 4])).tolist() == [0, 1, 2, 3, 1, 3]


def test_importing_the_module_does_not_import_scipy():
    code = "import sys; from crmcore.linkage import cluster, evaluate, review; print('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
