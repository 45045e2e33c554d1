"""The search: the strongest region given all found before joins the model, and what it explains away leaves it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress
from crmcore.recovery.process.causes.case_columns import CaseColumns
from crmcore.recovery.process.causes.counting import Block, blocks_of
from crmcore.recovery.process.causes.fitting import Fit, Patterns, fit_patterns, saddlepoint_z, totals
from crmcore.recovery.process.causes.regions import Literal, Region
from crmcore.recovery.process.causes.shifts import Shift, best_shift, dated_again, shift_given, shifting_regions

__all__ = ["Candidate", "Found", "Settings", "Term", "model_of", "retested", "search"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LOOKED_AT = 30
"""Candidates of a family whose far tail is computed at each step: those with the largest normal deviates."""


@attrs.frozen
class Settings:
    """What a search asks and how sure it must be.

    Parameters
    ----------
    depth : count
        1: values alone; 2: pairs of values too.
    min_cases : count
        Fewest cases inside and outside a region.
    alpha : share
        Error that the adjustment bounds.
    by_share : truth
        Bound the share of false findings, not the chance of any.
    most : count
        Findings after which the search stops.
    """

    depth: int
    min_cases: int
    alpha: float
    by_share: bool
    most: int


@attrs.frozen(eq=False)
class Candidate:
    """A region with its test given a model; `log_adjusted` counts all that was tried."""

    region: Region
    trials: float
    z: float
    log_p: float
    log_adjusted: float
    block: Block | None = None
    place: int = 0
    shift: Shift | None = None
    kind: str = ""

    @property
    def order(self) -> tuple[float, float, bool, str]:
        """Strongest first; of two sides of one coin the one of fewer cases, then the one that fails more."""
        return round(self.log_adjusted, 6), self.trials, self.z < 0, str(self.region)


@attrs.frozen(eq=False)
class Term:
    """A region in the model."""

    region: Region
    rows: Bools
    kind: str  # a key of Found.tried
    log_p: float
    shift: Shift | None = None


@attrs.frozen(eq=False)
class Found:
    """What a search ends with.

    Parameters
    ----------
    terms : tuple of Term
        In the order in which they joined.
    fit : Fit
        The model of all terms.
    tried : kind -> count
        Questions asked at each step: `value`, `pair`, `change`, and `date`: since when a cause that was found is one.
    alone : tuple of Candidate
        Single values that stand out when nothing else is considered.
    values, pairs : p-values of what is not in the model, given the model
    stopped : truth
        Whether the search ended at `most`.
    """

    terms: tuple[Term, ...]
    fit: Fit
    tried: dict[str, int]
    alone: tuple[Candidate, ...]
    rest: dict[str, Floats]
    stopped: bool


def model_of(masks: Sequence[Bools], cases: CaseColumns, /) -> Fit:
    """Fit the model of some regions."""
    return fit_patterns(Patterns.of(masks, cases.trials, cases.failures))


class _Searcher:
    """One search: candidates are enumerated once, then asked again at every step."""

    def __init__(self, cases: CaseColumns, settings: Settings, progress: Progress) -> None:
        self.cases, self.settings, self.progress = cases, settings, progress
        self.blocks = list(blocks_of(cases, depth=settings.depth, min_cases=settings.min_cases))
        self.singles = [b for b in self.blocks if len(b.attributes) == 1]
        sizes = {"value": sum(map(len, self.singles)), "pair": sum(map(len, self.blocks))}
        sizes["pair"] -= sizes["value"]
        if cases.periods is not None:
            sizes |= {"change": len(shifting_regions(cases, self.singles, settings.min_cases)), "date": 1}
        self.tried = {kind: n for kind, n in sizes.items() if n}
        self.normal: dict[str, Floats] = {}

    def adjusted(self, log_p: float, kind: str) -> float:
        return adjusted_log_p(log_p, kind, self.tried)

    def limit(self, rank: int) -> float:
        return math.log(self.settings.alpha) + (math.log(max(rank, 1)) if self.settings.by_share else 0.0)

    def statics(self, fit: Fit) -> list[Candidate]:
        """Strongest values and pairs given a model, their tails computed."""
        scores = [block.scores(self.cases, fit) for block in self.blocks]
        out: list[Candidate] = []
        for kind, size in (("value", 1), ("pair", 2)):
            chosen = [i for i, b in enumerate(self.blocks) if len(b.attributes) == size]
            if not chosen:
                continue
            z = np.nan_to_num(np.concatenate([scores[i] for i in chosen]))
            self.normal[kind] = z
            where = np.repeat(chosen, [len(self.blocks[i]) for i in chosen])
            place = np.concatenate([np.arange(len(self.blocks[i])) for i in chosen])
            top = np.argsort(-np.abs(z), kind="stable")[:LOOKED_AT]
            for i in np.unique(where[top]):
                out += self.tails(kind, int(i), place[top[where[top] == i]], fit)
        return out

    def tails(self, kind: str, i: int, places: NDArray[np.intp], fit: Fit) -> list[Candidate]:
        block = self.blocks[i]
        trials = block.trials_by_pattern(self.cases, fit, places)
        z = saddlepoint_z(fit, trials, block.failures[places])
        return [
            self._candidate(kind, float(d), self._region(block, int(p)), float(block.trials[p]), block, int(p))
            for d, p in zip(z, places, strict=True)
            if np.isfinite(d)
        ]

    def _candidate(self, kind: str, z: float, region: Region, n: float, block: Block, place: int) -> Candidate:
        log_p = two_sided(z)
        return Candidate(region, n, z, log_p, self.adjusted(log_p, kind), block, place)

    def _region(self, block: Block, place: int) -> Region:
        columns = [self.cases.attributes[a] for a in block.attributes]
        said = [Literal(c.name, c.values[v]) for c, v in zip(columns, block.values[place], strict=True)]
        return Region(tuple(sorted(said)))

    def changes(self, fit: Fit, terms: Sequence[Term]) -> list[Candidate]:
        if "change" not in self.tried:
            return []
        pairs = {str(t.region): t.region for t in terms if t.kind == "pair"}
        found = [t.region for t in terms if t.shift is None]
        self.tried["date"] = max(len(found), 1)
        small = self.settings.min_cases
        asked = {
            "change": best_shift(self.cases, self.singles, fit, list(pairs.values()), small),
            "date": best_shift(self.cases, [], fit, found, small, all_cases=False),
        }
        out: list[Candidate] = []
        for kind, shift in asked.items():
            if shift is not None:
                z, log_p = shift_given(shift, self.cases, [t.rows for t in terms])
                adjusted = self.adjusted(log_p, kind)
                out.append(Candidate(shift.region, shift.trials, z, log_p, adjusted, shift=shift, kind=kind))
        return out

    def test_again(self, term: Term, others: Sequence[Term]) -> float:
        """Adjusted log p of a term given the others."""
        return self.adjusted(log_p_given(term, others, self.cases), term.kind)

    def pruned(self, terms: list[Term]) -> list[Term]:
        """Terms that still stand given each other: the weakest leaves first."""
        while len(terms) > 1:
            again = [self.test_again(t, [o for o in terms if o is not t]) for t in terms]
            worst = int(np.argmax(again))
            if again[worst] <= self.limit(len(terms)):
                break
            terms = [t for i, t in enumerate(terms) if i != worst]
        return terms

    def run(self) -> Found:
        terms: list[Term] = []
        alone: tuple[Candidate, ...] = ()
        left: dict[str, int] = {}
        stopped = False
        for step in range(4 * self.settings.most):
            self.progress("causes", len(terms), 0)
            fit = model_of([t.rows for t in terms], self.cases)
            asked = self.statics(fit)
            if step == 0:
                alone = tuple(
                    c for c in asked if len(c.region.literals) == 1 and c.log_adjusted <= math.log(self.settings.alpha)
                )
            asked += self.changes(fit, terms)
            asked = [c for c in asked if left.get(str(c.region), 0) < 2]
            best = min(asked, key=lambda c: c.order, default=None)
            if best is None or best.log_adjusted > self.limit(len(terms) + 1):
                break
            if len(terms) == self.settings.most:
                stopped = True
                break
            before = {str(t.region) for t in terms}
            joined = [*terms, self._term(best)]
            joined = joined if best.shift is None else self._redated(joined)
            terms = self.pruned(joined)
            now = {str(t.region) for t in terms}
            for gone in {str(t.region) for t in joined} - now:
                left[gone] = left.get(gone, 0) + 1
            if now == before:  # dated again, it is one that is known: not to be asked for ever
                left[str(best.region)] = 2
        terms = self.pruned(self._redated(terms))
        fit = model_of([t.rows for t in terms], self.cases)
        self.progress("causes", len(terms), max(len(terms), 1))
        return Found(tuple(terms), fit, self.tried, alone, self._rest(), stopped)

    def _redated(self, terms: list[Term]) -> list[Term]:
        """Changes dated again, twice round, now that others are known; two of one region on one day are one."""
        out = list(terms)
        for i in [i for i, t in enumerate(out) if t.shift is not None] * 2:
            term, rest = out[i], [t for j, t in enumerate(out) if j != i]
            if term.shift is not None:
                fit = model_of([t.rows for t in rest], self.cases)
                others = [t.shift for t in rest if t.shift is not None]
                shift = dated_again(term.shift, self.cases, fit, self.settings.min_cases, others=others)
                out[i] = attrs.evolve(term, region=shift.region, rows=shift.rows, shift=shift)
        seen: set[str] = set()
        return [t for t in out if not (str(t.region) in seen or seen.add(str(t.region)))]  # type: ignore[func-returns-value]

    def _term(self, best: Candidate) -> Term:
        if best.shift is not None:
            return Term(best.region, best.shift.rows, best.kind, best.log_p, best.shift)
        if best.block is None:
            raise AssertionError("a candidate is a shift or stands in a block")  # pragma: no cover
        rows = best.block.rows(self.cases.attributes, best.place)
        return Term(best.region, rows, "pair" if len(best.region.literals) > 1 else "value", best.log_p)

    def _rest(self) -> dict[str, Floats]:
        """P-values at the last step of all that was asked, for the share of false findings."""
        from scipy.special import ndtr

        return {kind: 2 * ndtr(-np.abs(z)) for kind, z in self.normal.items()}


def adjusted_log_p(log_p: float, kind: str, tried: Mapping[str, int], /) -> float:
    """Adjust for the whole search: every kind of question gets an equal share of the error, and shares it equally.

    Above 0 where nothing is shown: findings of a bounded share compare it with more than their share alone.
    """
    return log_p + math.log(tried[kind] * len(tried))


def log_p_given(term: Term, others: Sequence[Term], cases: CaseColumns, /) -> float:
    """Logarithm of the p-value of a term given others; 0 where they hold it."""
    masks = [t.rows for t in others]
    if term.shift is not None:
        return shift_given(term.shift, cases, masks)[1]
    fit = model_of(masks, cases)
    trials = totals(fit.patterns.code, cases.trials * term.rows, len(fit.p))[None]
    z = saddlepoint_z(fit, trials, np.array([cases.failures[term.rows].sum()]))[0]
    return two_sided(float(z)) if np.isfinite(z) else 0.0


def retested(cases: CaseColumns, found: Found, /) -> tuple[tuple[Term, ...], tuple[tuple[float, float], ...]]:
    """Terms of a search, and of each the log p given all others, raw and adjusted."""
    out = []
    for term in found.terms:
        log_p = log_p_given(term, [t for t in found.terms if t is not term], cases)
        out.append((log_p, adjusted_log_p(log_p, term.kind, found.tried)))
    return found.terms, tuple(out)


def two_sided(z: float, /) -> float:
    """Logarithm of the p-value of a normal deviate."""
    from scipy.special import log_ndtr

    return min(float(log_ndtr(-abs(z))) + math.log(2.0), 0.0)


def search(cases: CaseColumns, settings: Settings, /, *, progress: Progress) -> Found:
    """Search regions whose cases fail more, or less, than the rest of the model says.

    Parameters
    ----------
    cases : CaseColumns
        Rare values joined, see `first_attributes`.
    settings : Settings
    progress : callable

    Notes
    -----
    A step asks all values, pairs and changes by conditional score tests, takes the smallest adjusted p-value, and then
    asks each member of the model again given the others. So a region that another one explains leaves again, and the
    parts of an interaction do not stay once the interaction is in.
    """
    return _Searcher(cases, settings, progress).run()
