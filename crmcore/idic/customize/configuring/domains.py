"""Which values still complete to a product: exact, by a witness for every value that is offered."""

from __future__ import annotations

from collections.abc import Sequence

from crmcore._base import one_of
from crmcore.errors import MissingExtra
from crmcore.idic.customize.configuring.conflicts import Given
from crmcore.idic.customize.configuring.search import Problem, Search

__all__ = ["NATIVE", "PYTHON_SAT", "SOLVERS", "valid_values"]

NATIVE, PYTHON_SAT = "native", "python-sat"
SOLVERS = (NATIVE, PYTHON_SAT)
is_solver = one_of(SOLVERS, what="solver")


def valid_values(problem: Problem, given: Sequence[Given], *, solver: str = NATIVE) -> list[int] | None:
    """Mask of the values of each variable that some product has; None where there is no product at all.

    One solution shows a value of every variable at once, and the search prefers values that no solution has shown
    yet, so far fewer solutions are needed than there are values.
    """
    if solver == PYTHON_SAT:
        return _by_python_sat(problem, given)
    search = Search(problem, given)
    if not search.solve():
        return None
    seen = list(search.domains)
    while True:
        search.reset()
        open_ = [mask & ~s for mask, s in zip(search.domains, seen, strict=True)]
        at = next((v for v, mask in enumerate(open_) if mask), -1)
        if at < 0:
            return seen
        if search.solve((at, open_[at] & -open_[at]), prefer=open_):
            seen = [s | mask for s, mask in zip(seen, search.domains, strict=True)]


def _by_python_sat(problem: Problem, given: Sequence[Given]) -> list[int] | None:
    """The same by the solvers of python-sat: one Boolean for each value."""
    try:
        from pysat.solvers import Minisat22  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise MissingExtra("solver='python-sat'", "configurator") from None
    first, count = [], 1
    for mask in problem.full:
        first.append(count)
        count += mask.bit_length()

    def literals(variable: int, mask: int) -> list[int]:
        return [first[variable] + k for k in range(mask.bit_length()) if mask >> k & 1]

    with Minisat22(use_timer=False) as sat:
        for v, mask in enumerate(problem.full):
            names = literals(v, mask)
            sat.add_clause(names)
            for i, a in enumerate(names):
                for b in names[:i]:
                    sat.add_clause([-a, -b])
        for clause in problem.clauses:
            sat.add_clause([x for v, mask in clause.items() for x in literals(v, mask)])
        for v, mask, _ in given:
            sat.add_clause(literals(v, mask))
        if not sat.solve():
            return None
        owner = [(v, 1 << k) for v, mask in enumerate(problem.full) for k in range(mask.bit_length())]
        dead = [0] * len(first)
        left = set(range(1, count))  # values without a witness
        while True:
            left.difference_update(sat.get_model() or ())
            sat.set_phases(sorted(left))
            while left:
                x = min(left)
                left.discard(x)
                if sat.solve(assumptions=[x]):
                    break
                dead[owner[x - 1][0]] |= owner[x - 1][1]
            else:
                return [mask & ~d for mask, d in zip(problem.full, dead, strict=True)]
