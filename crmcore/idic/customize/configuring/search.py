"""A search of our own over bit-mask domains: propagation, conflict analysis, learned clauses, back-jumps.

Every variable holds the bit mask of the values that are still possible. A clause is a set of (variable, mask) pairs of
which at least one must hold (a "signed" clause, Beckert, Haehnle, Manya 2000): "leather needs trim sport or lux" is
{seat: not leather, trim: sport | lux}. When all pairs but one are false, the last narrows its variable. A conflict is
resolved backwards until one variable of the deepest level is left (first unique implication point, Marques-Silva and
Sakallah 1999), and the clause so learned sends the search back. Each clause carries the bits of the rules and choices
that it follows from, so a refutation names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

__all__ = ["Clause", "Problem", "Search"]

Clause = Mapping[int, int]
"""Variable -> mask; at least one variable must lie in its mask."""


@attrs.frozen(eq=False)
class Problem:
    """Domains and clauses, each clause with the bits of what it comes from.

    Attributes
    ----------
    full : mask of all values of each variable
    clauses, sources : n clauses and, for each, a bit set of rules
    """

    full: tuple[int, ...]
    clauses: tuple[Clause, ...]
    sources: tuple[int, ...]
    single: tuple[Mapping[int, list[tuple[int, int, int]]], ...] = attrs.field(init=False, repr=False)
    double: tuple[list[tuple[int, int, int, int]], ...] = attrs.field(init=False, repr=False)
    units: tuple[int, ...] = attrs.field(init=False, repr=False)
    longer: tuple[int, ...] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Sort clauses by how they are watched.

        A pair whose mask lacks one value only becomes false when the variable *is* that value: most rules are of that
        kind, and are looked up by the value instead of being asked at every change.
        """
        single: list[dict[int, list[tuple[int, int, int]]]] = [{} for _ in self.full]
        double: list[list[tuple[int, int, int, int]]] = [[] for _ in self.full]
        units: list[int] = []
        longer: list[int] = []
        for i, clause in enumerate(self.clauses):
            if len(clause) != 2:
                (units if len(clause) < 2 else longer).append(i)
                continue
            (a, mine), (b, other) = clause.items()
            for this, own, that, theirs in ((a, mine, b, other), (b, other, a, mine)):
                lacks = self.full[this] & ~own
                if lacks and lacks & (lacks - 1) == 0:
                    single[this].setdefault(lacks, []).append((that, theirs, i))
                else:
                    double[this].append((own, that, theirs, i))
        object.__setattr__(self, "single", tuple(single))
        object.__setattr__(self, "double", tuple(double))
        object.__setattr__(self, "units", tuple(units))
        object.__setattr__(self, "longer", tuple(longer))

    def only(self, sources: int) -> Problem:
        """The part of the problem that comes from these rules alone."""
        kept = [i for i, s in enumerate(self.sources) if s & ~sources == 0]
        return Problem(self.full, tuple(self.clauses[i] for i in kept), tuple(self.sources[i] for i in kept))


class Search:
    """One search over a problem under given facts (variable, mask, source bits); it belongs to one caller.

    After `solve` has said yes, `domains` holds one value a variable.
    """

    def __init__(self, problem: Problem, given: Iterable[tuple[int, int, int]] = ()) -> None:
        self.problem = problem
        self.domains = list(problem.full)
        self.refuted: int | None = None  # sources that contradict each other whatever is decided
        self._clauses: list[Clause] = list(problem.clauses)
        self._sources = list(problem.sources)
        self._trail: list[tuple[int, int, int]] = []  # variable, mask before, clause (-1: decided)
        self._levels: list[int] = []
        self._queue: list[int] = []
        self._watching: list[list[int]] = [[] for _ in problem.full]
        self._watched: dict[int, tuple[int, int]] = {}
        self._order = list(range(len(problem.full)))
        self._easy = len(problem.clauses) + 200
        for i in problem.longer:
            pair = iter(problem.clauses[i])
            self._watch(i, next(pair), next(pair))
        facts = []
        for variable, mask, source in given:
            facts.append(len(self._clauses))
            self._clauses.append({variable: mask})
            self._sources.append(source)
        for i in (*problem.units, *facts):
            conflict = self._assert(i)
            if conflict < 0:
                conflict = self._propagate()
            if conflict >= 0:
                self.refuted = self._refute(conflict)
                return

    def _watch(self, clause: int, first: int, second: int) -> None:
        self._watched[clause] = (first, second)
        self._watching[first].append(clause)
        self._watching[second].append(clause)

    def _assert(self, clause: int) -> int:
        """Narrow by a clause of one pair; the clause itself where that leaves nothing."""
        for variable, mask in self._clauses[clause].items():
            return self._narrow(variable, mask, clause)
        return clause

    def _narrow(self, variable: int, mask: int, clause: int) -> int:
        old = self.domains[variable]
        new = old & mask
        if new != old:
            if not new:
                return clause
            self._trail.append((variable, old, clause))
            self.domains[variable] = new
            self._queue.append(variable)
        return -1

    def _propagate(self) -> int:
        """Narrow until nothing moves; number of the clause that became false, or -1."""
        domains, trail, queue = self.domains, self._trail, self._queue
        single, double = self.problem.single, self.problem.double
        while queue:
            a = queue.pop()
            now = domains[a]
            for b, mask, i in single[a].get(now, ()):
                old = domains[b]
                new = old & mask
                if new != old:
                    if not new:
                        queue.clear()
                        return i
                    trail.append((b, old, i))
                    domains[b] = new
                    queue.append(b)
            for mine, b, mask, i in double[a]:
                if now & mine:
                    continue
                old = domains[b]
                new = old & mask
                if new != old:
                    if not new:
                        queue.clear()
                        return i
                    trail.append((b, old, i))
                    domains[b] = new
                    queue.append(b)
            if self._watching[a]:
                conflict = self._visit(a)
                if conflict >= 0:
                    queue.clear()
                    return conflict
        return -1

    def _visit(self, a: int) -> int:
        """Look at the long clauses that watch a variable."""
        domains, kept = self.domains, []
        watching = self._watching[a]
        conflict = -1
        for at, i in enumerate(watching):
            clause = self._clauses[i]
            if domains[a] & clause[a]:
                kept.append(i)
                continue
            first, second = self._watched[i]
            other = second if first == a else first
            if not domains[other] & ~clause[other]:
                kept.append(i)
                continue
            for b, mask in clause.items():
                if b not in (a, other) and domains[b] & mask:
                    self._watched[i] = (other, b)
                    self._watching[b].append(i)
                    break
            else:
                kept.append(i)
                conflict = self._narrow(other, clause[other], i)
                if conflict >= 0:
                    kept.extend(watching[at + 1 :])
                    break
        self._watching[a] = kept
        return conflict

    # --- conflicts -------------------------------------------------------------------------------------------------

    def _refute(self, conflict: int) -> int:
        """Sources of a conflict that no decision takes part in."""
        clause, sources = dict(self._clauses[conflict]), self._sources[conflict]
        for variable, old, reason in reversed(self._trail):
            if clause.get(variable, 0) & old:
                _resolve(clause, self._clauses[reason], variable)
                sources |= self._sources[reason]
        return sources

    def _learn(self, conflict: int) -> None:
        """Analyse a conflict at the deepest level, keep its clause, jump back and apply it."""
        clause, sources = dict(self._clauses[conflict]), self._sources[conflict]
        start = self._levels[-1]
        before: dict[int, int] = {}
        for variable, old, _ in self._trail[start:]:
            before.setdefault(variable, old)
        domains = self.domains
        while True:
            deep = [v for v, mask in clause.items() if before.get(v, 0) & mask]
            if len(deep) <= 1:
                break
            variable, old, reason = self._trail.pop()
            domains[variable] = old
            if clause.get(variable, 0) & old:
                _resolve(clause, self._clauses[reason], variable)
                sources |= self._sources[reason]
        top = deep[0]
        self._back(len(self._levels) - 1)
        level, second = self._last_false(clause, top)
        self._back(level)
        self._clauses.append(clause)
        self._sources.append(sources)
        if second >= 0:
            self._watch(len(self._clauses) - 1, top, second)
        self._order = [*clause, *(v for v in self._order if v not in clause)]
        self._narrow(top, clause[top], len(self._clauses) - 1)

    def _last_false(self, clause: Clause, top: int) -> tuple[int, int]:
        """Level and variable where the last pair beside `top` became false."""
        domains: dict[int, int] = {}
        for at in range(len(self._trail) - 1, -1, -1):
            variable, old, _ = self._trail[at]
            if variable != top and clause.get(variable, 0) & old:
                level = sum(begin <= at for begin in self._levels)
                return level, variable
            domains[variable] = old
        return 0, next((v for v in clause if v != top), -1)

    def _back(self, level: int) -> None:
        if level < len(self._levels):
            start = self._levels[level]
            for variable, old, _ in reversed(self._trail[start:]):
                self.domains[variable] = old
            del self._trail[start:], self._levels[level:]
        self._queue.clear()

    # --- solving ---------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Take back every decision; what was learned stays."""
        self._back(0)

    def history(self) -> list[tuple[int, int, int, Clause, int]]:
        """What was narrowed before any decision, the last first: variable, mask after and before, clause, sources."""
        self.reset()
        now, made = list(self.domains), []
        for variable, old, clause in reversed(self._trail):
            made.append((variable, now[variable], old, self._clauses[clause], self._sources[clause]))
            now[variable] = old
        return made

    def _decide(self, variable: int, mask: int) -> None:
        self._levels.append(len(self._trail))
        self._narrow(variable, mask, -1)

    def solve(self, target: tuple[int, int] | None = None, *, prefer: Sequence[int] = ()) -> bool:
        """Whether a solution exists, with one value of the target where one is given.

        Parameters
        ----------
        target
            Variable and mask of one value, decided first.
        prefer
            Mask of the values to try first, of each variable.
        """
        self.reset()
        conflicts, patience = 0, 100
        while self.refuted is None:
            conflict = self._propagate()
            if conflict >= 0:
                conflicts += 1
                if not self._levels:
                    self.refuted = self._refute(conflict)
                    return False
                self._learn(conflict)
                if conflicts >= patience:
                    conflict = self._propagate()
                    if conflict < 0:
                        self._back(0)
                        conflicts, patience = 0, patience * 3 // 2
                    elif self._levels:
                        self._learn(conflict)
                    else:
                        self.refuted = self._refute(conflict)
                continue
            if target is not None and not self._levels:
                variable, mask = target
                if not self.domains[variable] & mask:
                    return False
                if self.domains[variable] != mask:
                    self._decide(variable, mask)
                    continue
            if not self._next(prefer):
                return True
        return False

    def _width(self, variable: int) -> int:
        return self.domains[variable].bit_count()

    def _next(self, prefer: Sequence[int]) -> bool:
        """Decide one more variable; False where none is open."""
        domains = self.domains
        order: Iterable[int] = self._order
        if len(self._clauses) > self._easy:  # conflicts were met: the tightest variable first
            tight = min((v for v in order if domains[v] & (domains[v] - 1)), key=self._width, default=-1)
            order = (tight,) if tight >= 0 else ()
        for variable in order:
            mask = domains[variable]
            if mask & (mask - 1):
                wanted = (mask & prefer[variable] if prefer else 0) or mask
                self._decide(variable, wanted & -wanted)
                return True
        return False


def _resolve(clause: dict[int, int], reason: Clause, variable: int) -> None:
    """Resolve a clause with the reason that narrowed a variable, in place."""
    both = clause.pop(variable) & reason[variable]
    for v, mask in reason.items():
        if v != variable:
            clause[v] = clause.get(v, 0) | mask
    if both:
        clause[variable] = both
