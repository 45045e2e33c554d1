"""Findings with their evidence, from the model that a search ends with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from crmcore.metrics.estimates import Estimate
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.proportions import proportion
from crmcore.metrics.two_by_two import odds_ratio_interval
from crmcore.recovery.process.causes.case_columns import CaseColumns
from crmcore.recovery.process.causes.findings import Causes, Change, Cleared, Finding
from crmcore.recovery.process.causes.fitting import Fit, totals
from crmcore.recovery.process.causes.regions import Literal, Region
from crmcore.recovery.process.causes.searching import Candidate, Found, Settings, Term, retested
from crmcore.recovery.process.causes.strata import StratifiedOdds, mantel_haenszel

__all__ = ["described"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def described(
    cases: CaseColumns, found: Found, settings: Settings, level: float, bound: str, out: tuple[str, ...]
) -> Causes:
    """Say what a search found: every region tested again given the others, suspects cleared by them."""
    terms, again = retested(cases, found)
    q = _q_values(found, terms, again)
    said = [
        _finding(cases, found.fit, terms, i, log_p, log_adjusted, float(q[i]), level)
        for i, (log_p, log_adjusted) in enumerate(again)
    ]
    order = sorted(range(len(terms)), key=lambda i: (again[i][1], str(terms[i].region)))
    n, k = float(cases.trials.sum()), float(cases.failures.sum())
    plain = ~found.fit.patterns.member.any(axis=1)
    return Causes(
        findings=tuple(said[i] for i in order if terms[i].shift is None),
        changes=tuple(_change(cases, terms[i], said[i], level) for i in order if terms[i].shift is not None),
        cleared=_cleared(cases, found, terms, level),
        cases=int(n),
        failures=int(k),
        unknown=cases.unknown,
        baseline=proportion(
            int(found.fit.patterns.failures[plain].sum()), int(found.fit.patterns.trials[plain].sum()), level=level,
            small_sample_ok=True,
        ),
        tried=found.tried,
        left_out=out,
        alpha=settings.alpha,
        adjustment=bound,
        depth=settings.depth,
        min_cases=settings.min_cases,
        stopped=found.stopped,
    )  # fmt: skip


def _q_values(found: Found, terms: Sequence[Term], again: Sequence[tuple[float, float]]) -> Floats:
    """Weighted Benjamini-Hochberg over findings and all that was tried beside them."""
    p = [math.exp(log_p) for log_p, _ in again]
    kinds = [t.kind for t in terms]
    everything = sum(found.tried.values())
    scale = {kind: n * len(found.tried) / everything for kind, n in found.tried.items()}
    mine = np.array([x * scale[kind] for x, kind in zip(p, kinds, strict=True)])
    asked = [found.rest[kind] * scale[kind] for kind in found.rest]
    others = np.sort(np.concatenate([*asked, np.ones(everything)]))[: max(everything - len(mine), 0)]
    every = np.minimum(np.concatenate([mine, others]), 1.0)
    return adjust(every, method="benjamini-hochberg")[: len(mine)]


def _finding(
    cases: CaseColumns,
    fit: Fit,
    terms: Sequence[Term],
    i: int,
    log_p: float,
    log_adjusted: float,
    q: float,
    level: float,
) -> Finding:
    term = terms[i]
    n, k = float(cases.trials[term.rows].sum()), float(cases.failures[term.rows].sum())
    total, failed = float(cases.trials.sum()), float(cases.failures.sum())
    coefficient, error = float(fit.coefficients[i + 1]), math.sqrt(float(fit.covariance[i + 1, i + 1]))
    half = normal_quantile(level) * error
    value, low, high = (float(x) for x in odds_ratio_interval(k, n, failed - k, total - n, level=level))
    logits = (coefficient, coefficient - half, coefficient + half)
    odds = Estimate(
        value=math.exp(logits[0]), low=math.exp(logits[1]), high=math.exp(logits[2]), level=level, n=int(n),
        rule="odds inside / odds of like cases", method="conditional logistic",
    )  # fmt: skip
    more = [_excess(fit, i, b) for b in logits]
    return Finding(
        region=term.region,
        odds_ratio=odds,
        crude=Estimate(
            value=value, low=low, high=high, level=level, n=int(n), rule="odds inside / outside", method="gart"
        ),
        excess=Estimate(
            value=more[0],
            low=more[1],
            high=more[2],
            rule="failures above like cases",
            method="from the odds ratio",
            level=level,
            n=int(n),
        ),
        cases=int(n),
        failures=int(k),
        p_value=math.exp(log_p),
        p_adjusted=math.exp(min(log_adjusted, 0.0)),
        q_value=q,
        same_as=_same(cases, term),
    )


def _excess(fit: Fit, i: int, logit: float) -> float:
    """Failures that a region's effect adds to what the model says without it."""
    inside = fit.patterns.member[:, i]
    p, n = fit.p[inside], fit.patterns.trials[inside]
    return float(np.sum(n * (p - expit(np.log(p) - np.log1p(-p) - logit))))


def _same(cases: CaseColumns, term: Term) -> tuple[Region, ...]:
    """Single values that hold exactly the cases of a finding."""
    if term.shift is not None:
        return ()
    size = float(cases.trials[term.rows].sum())
    out: list[Region] = []
    for column in cases.attributes:
        inside = totals(column.codes[term.rows], cases.trials[term.rows], len(column.values))
        everywhere = totals(column.codes, cases.trials, len(column.values))
        for code in np.flatnonzero((inside == size) & (everywhere == size)):
            region = Region((Literal(column.name, column.values[code]),))
            if region != term.region and column.values[code]:
                out.append(region)
    return tuple(out)


def _change(cases: CaseColumns, term: Term, said: Finding, level: float) -> Change:
    shift, periods = term.shift, cases.periods
    if shift is None or periods is None:
        raise AssertionError("only terms with a shift come here")  # pragma: no cover
    first, last = shift.profile.ends(level)
    earlier = shift.base & ~shift.rows

    def share(rows: Bools) -> Estimate:
        k, n = int(cases.failures[rows].sum()), int(cases.trials[rows].sum())
        return proportion(k, n, level=level, small_sample_ok=True)

    return Change(
        finding=said,
        since=periods.period(shift.profile.centre),
        earliest=periods.period(first),
        latest=periods.period(last),
        before=share(earlier),
        after=share(shift.rows),
        level=level,
    )


def _cleared(cases: CaseColumns, found: Found, terms: Sequence[Term], level: float) -> tuple[Cleared, ...]:
    """Values that stand out alone but are not in the model, with the finding that explains them."""
    inside = {str(t.region) for t in terms}
    out = [_clear(cases, found.fit, terms, c, level) for c in found.alone if str(c.region) not in inside and terms]
    found_out = [c for c in out if c is not None]
    return tuple(sorted(found_out, key=lambda c: (-abs(math.log(c.crude.value)), str(c.region))))


def _clear(cases: CaseColumns, fit: Fit, terms: Sequence[Term], suspect: Candidate, level: float) -> Cleared | None:
    rows = suspect.region.rows(cases)
    if any(np.array_equal(rows, t.rows) for t in terms) or any(np.array_equal(~rows, t.rows) for t in terms):
        return None  # another name of a finding, or its other side
    all_strata = _stratified(cases, rows, fit.patterns.code, len(fit.p), level)
    if math.isnan(all_strata.odds_ratio.value):
        return None
    by_term = [_stratified(cases, rows, t.rows.astype(np.int32), 2, level) for t in terms]
    crude = all_strata.crude
    moved = [abs(math.log(s.odds_ratio.value / crude.value)) if s.odds_ratio.value > 0 else 0.0 for s in by_term]
    moved = [m if math.isfinite(m) else 0.0 for m in moved]
    strongest = terms[int(np.argmax(moved))]
    return Cleared(region=suspect.region, crude=crude, adjusted=all_strata.odds_ratio, explained_by=strongest.region)


def _stratified(cases: CaseColumns, rows: Bools, code: NDArray[np.int32], g: int, level: float) -> StratifiedOdds:
    trials = totals(code, cases.trials, g)
    failures = totals(code, cases.failures, g)
    n = totals(code[rows], cases.trials[rows], g)
    k = totals(code[rows], cases.failures[rows], g)
    return mantel_haenszel(k, n, failures - k, trials - n, level=level)
