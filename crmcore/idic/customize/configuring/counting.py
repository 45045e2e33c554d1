"""How many products there are: exact, by splitting into independent parts that are counted once."""

from __future__ import annotations

from collections.abc import Iterable

from crmcore.errors import OutOfRange
from crmcore.idic.customize.configuring.conflicts import Given
from crmcore.idic.customize.configuring.search import Problem

__all__ = ["count_variants"]

Part = tuple[tuple[tuple[int, int], ...], ...]


def count_variants(problem: Problem, given: Iterable[Given] = (), *, most_steps: int = 20_000) -> int:
    """Number of products.

    Parameters
    ----------
    most_steps
        Cases looked at before it gives up; rules that tie dozens of attributes together need very many.

    Raises
    ------
    OutOfRange
        The model is too entangled to be counted in so many steps.
    """
    domains = list(problem.full)
    for variable, mask, _ in given:
        domains[variable] &= mask
    counter = _Counter(most_steps)
    return counter.count(dict(enumerate(domains)), [dict(c) for c in problem.clauses])


class _Counter:
    def __init__(self, most_steps: int) -> None:
        self.left = self.most = most_steps
        self.known: dict[object, int] = {}

    def count(self, domains: dict[int, int], clauses: list[dict[int, int]]) -> int:
        """Products of domains under clauses, over exactly these variables."""
        reduced = _reduce(domains, clauses)
        if reduced is None:
            return 0
        total = 1
        tied = {v for c in reduced for v in c}
        for v, mask in domains.items():
            if v not in tied:
                total *= mask.bit_count()
        for part in _parts(reduced):
            total *= self._part({v: domains[v] for c in part for v in c}, part)
            if not total:
                break
        return total

    def _part(self, domains: dict[int, int], clauses: list[dict[int, int]]) -> int:
        key = (
            tuple(sorted(domains.items())),
            tuple(sorted(tuple(sorted(c.items())) for c in clauses)),
        )
        if key in self.known:
            return self.known[key]
        self.left -= 1
        if self.left < 0:
            hint = "choose a few attributes first; rules tie too many of the others together to be counted exactly"
            raise OutOfRange("cases of the count of variants", f"over {self.most}", f"at most {self.most}", hint)
        often: dict[int, int] = {}
        for clause in clauses:
            for v in clause:
                often[v] = often.get(v, 0) + 1
        variable = max(often, key=lambda v: (often[v], -v))
        total = 0
        for group in _alike(domains[variable], [c[variable] for c in clauses if variable in c]):
            total += self.count({**domains, variable: group}, clauses)
        self.known[key] = total
        return total


def _alike(mask: int, uses: list[int]) -> list[int]:
    """Values that no clause tells apart, as masks."""
    groups = [mask]
    for use in dict.fromkeys(uses):
        groups = [g for group in groups for g in (group & use, group & ~use) if g]
    return groups


def _reduce(domains: dict[int, int], clauses: list[dict[int, int]]) -> list[dict[int, int]] | None:
    """Clauses that still say something, with units applied to the domains in place; None where one is false."""
    while True:
        kept, moved = [], False
        for clause in clauses:
            now = {}
            for v, mask in clause.items():
                if not domains[v] & ~mask:
                    break
                if domains[v] & mask:
                    now[v] = domains[v] & mask
            else:
                if not now:
                    return None
                if len(now) == 1:
                    ((v, mask),) = now.items()
                    domains[v] = mask
                    moved = True
                else:
                    kept.append(now)
        clauses = kept
        if not moved:
            return kept


def _parts(clauses: list[dict[int, int]]) -> list[list[dict[int, int]]]:
    """Clauses in groups that share no variable."""
    root: dict[int, int] = {}

    def find(v: int) -> int:
        while root.setdefault(v, v) != v:
            root[v] = root[root[v]]
            v = root[v]
        return v

    for clause in clauses:
        first, *rest = clause
        for v in rest:
            root[find(v)] = find(first)
    groups: dict[int, list[dict[int, int]]] = {}
    for clause in clauses:
        groups.setdefault(find(next(iter(clause))), []).append(clause)
    return list(groups.values())
