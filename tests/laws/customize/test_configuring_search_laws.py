"""The search, its refutations and the count equal brute force on random clauses, dense enough to need learning."""

from __future__ import annotations

import random
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.customize.configuring.conflicts import bits, contradicts, smallest
from crmcore.idic.customize.configuring.counting import count_variants
from crmcore.idic.customize.configuring.domains import valid_values
from crmcore.idic.customize.configuring.search import Problem, Search


def random_problem(rng: random.Random) -> Problem:
    n = rng.randint(1, 7)
    full = [(1 << rng.randint(1, 4)) - 1 for _ in range(n)]
    clauses = []
    for _ in range(rng.randint(0, 10 * n)):
        clause = {v: rng.randint(1, full[v]) for v in rng.sample(range(n), rng.randint(1, min(n, 4)))}
        clause = {v: mask for v, mask in clause.items() if mask != full[v]}
        if clause and (len(clause) > 1 or rng.random() < 0.2):
            clauses.append(clause)
    return Problem(tuple(full), tuple(clauses), tuple(1 << i for i in range(len(clauses))))


def solutions(problem: Problem) -> list[tuple[int, ...]]:
    sizes = (range(mask.bit_length()) for mask in problem.full)
    return [s for s in product(*sizes) if all(any(m >> s[v] & 1 for v, m in c.items()) for c in problem.clauses)]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_the_search_equals_brute_force(seed: int) -> None:
    problem = random_problem(random.Random(seed))
    found = solutions(problem)
    assert count_variants(problem) == len(found)
    shown = [0] * len(problem.full)
    for solution in found:
        for v, at in enumerate(solution):
            shown[v] |= 1 << at
    assert valid_values(problem, ()) == (shown if found else None)
    search = Search(problem)
    for v, mask in enumerate(problem.full):
        for at in bits(mask):
            answer = search.solve((v, 1 << at))
            assert answer == bool(shown[v] >> at & 1)
            if answer:
                place = tuple(m.bit_length() - 1 for m in search.domains)
                assert place in found
                assert place[v] == at


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_a_refutation_is_true_and_its_smallest_part_minimal(seed: int) -> None:
    problem = random_problem(random.Random(seed))
    search = Search(problem)
    if search.refuted is None and search.solve():
        return
    assert search.refuted is not None
    assert not solutions(problem.only(search.refuted))
    core = smallest(problem, search.refuted, ())
    assert not solutions(problem.only(core))
    assert all(solutions(problem.only(core & ~(1 << i))) for i in bits(core))
    assert contradicts(problem, (), core) == core


def test_dense_models_are_decided_by_learning() -> None:
    answers = []
    for seed in range(6):
        rng = random.Random(seed)
        clauses = []
        for _ in range(540):
            a, b = rng.sample(range(14), 2)
            clauses.append({a: 31 & ~(1 << rng.randrange(5)), b: 31 & ~(1 << rng.randrange(5))})
        search = Search(Problem((31,) * 14, tuple(clauses), (1,) * len(clauses)))
        answers.append(search.solve())
        if answers[-1]:
            assert all(any(search.domains[v] & m for v, m in c.items()) for c in clauses)
    assert set(answers) == {True, False}
