"""The flow of linkage: plan keys, fit the mixture, compare, cluster; with a given model, compare and cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.linkage.agglomerate import Cuts
from crmcore.linkage.blocking import CAP, BlockingKey, KeySpace
from crmcore.linkage.care import Care, cuts_for
from crmcore.linkage.cluster import cluster
from crmcore.linkage.clustering import Clustering, Merges
from crmcore.linkage.compare import Comparer
from crmcore.linkage.comparing import compare_candidates
from crmcore.linkage.constraints import Constraints, crowded_values
from crmcore.linkage.encode import value_hashes
from crmcore.linkage.model import FLOOR, LinkageModel
from crmcore.linkage.nicknames import HIGH, Nicknames
from crmcore.linkage.plan import BlockingPlan, choose_keys, draw_sample, fit_weights
from crmcore.linkage.rarity import Shares
from crmcore.linkage.records import Column, Records
from crmcore.linkage.scoring import Scorer

__all__ = ["FEW", "Linkage", "canonical_order", "link", "plan_blocking"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

BUDGET = 10.0  # candidate pairs a record
SMALL = 2_000_000  # pairs that are always affordable
MOST_BUDGET = 60.0
FEW = 20  # records that may all say the same and still mean each other, not the place where they were written


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Linkage:
    """Which records are one entity, and what led there.

    Attributes
    ----------
    records : the records, as given, without values that too many entities shared
    labels : (n,) entity of each record
    model : what was fitted or used
    plan : blocking plan, None where a model was given
    n_pairs : candidate pairs compared
    lo, hi, log_odds : pairs at or above the floor, by row number, and their evidence
    clustering : sizes, weak bridges, blocked merges
    """

    records: Records
    labels: NDArray[np.int32]
    model: LinkageModel
    plan: BlockingPlan | None
    n_pairs: int
    lo: Rows
    hi: Rows
    log_odds: Floats
    clustering: Clustering

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        return f"{self.clustering}; {self.n_pairs} pairs compared"

    def __repr__(self) -> str:
        return f"Linkage({self})"


def canonical_order(ids: NDArray[np.object_]) -> Rows:
    """Order of records that depends on their ids alone, free of any meaning: by hash, then id.

    Sampling, ties and sums follow it, so the order of rows never matters.
    """
    hashes = value_hashes(ids.tolist())
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    if len(ids) > 1 and (ranked[1:] == ranked[:-1]).any():  # ids that differ after 64 signs
        return np.array(sorted(range(len(ids)), key=lambda i: (int(hashes[i]), ids[i])), np.int64)
    return order


def plan_blocking(
    records: Records, *, seed: int = 0, budget: float | None = None, cap: int = CAP, progress: Progress | bool = False
) -> BlockingPlan:
    """Tell which keys would be run, how many pairs they make and how many matches they should find, before the run.

    Parameters
    ----------
    records : what is to be linked
    seed : of the probe sample
    budget : candidate pairs a record; by default 10, more where records are few
    cap : largest block that is compared
    progress : callable or bool
    """
    usable = _usable(records)
    ranked = usable.take(canonical_order(usable.ids))
    report = reporter(progress)
    return _Fit.of(
        ranked, seed=seed, budget=budget, cap=cap, care=Care.BALANCED, keys=(), planned=True, progress=report
    ).plan


def link(
    records: Records,
    *,
    model: LinkageModel | None = None,
    constraints: Constraints | None = None,
    max_entities: Mapping[str, int] | None = None,
    care: Care | str = Care.BALANCED,
    budget: float | None = None,
    cap: int = CAP,
    keys: Sequence[BlockingKey | str] = (),
    planned: bool = True,
    seed: int = 0,
    progress: Progress | bool = False,
) -> Linkage:
    """Find which records are one entity, without labels.

    Parameters
    ----------
    records : normalised, encoded columns
    model : use this one; fitted from the records where None
    constraints : what people and rules decided (row numbers of `records`)
    max_entities : field -> m: a value shared by more than m entities identifies nobody and is taken out
    care : how much evidence a merge needs; a model brings its own
    budget : candidate pairs a record that blocking may make; by default 10, more where records are few
    cap : blocks with more records are not compared
    keys : own blocking keys ("surname/first 3 + postcode/whole"), run before the planned ones
    planned : whether keys are planned from the data; False runs the own keys alone
    seed : of the probe sample; it moves results by little
    progress : callable or bool

    Returns
    -------
    Linkage

    Raises
    ------
    EmptyInput
        No column says anything.
    ConflictingConstraints
        Must-link and must-not-link contradict each other.
    MissingColumn
        `max_entities` names a field that the records lack, or they lack a field of the model.
    UnknownName
        A key names a part that no field has; a field that says nothing (empty, or one value for all) has none.
    OutOfRange
        `budget` is not above 0, or `cap` below 2.

    Examples
    --------
    >>> people = Records.from_columns(
    ...     {"name": ["anna", "anna", "bert"], "email": ["a@x.org", "a@x.org", "b@x.org"]},
    ...     {"name": "given name", "email": "email"},
    ... )
    >>> link(people).labels[0] == link(people).labels[1]
    np.True_
    """
    report = reporter(progress)
    held_fields = tuple(c.name for c in records.columns)
    for name in max_entities or ():
        if name not in held_fields:
            raise MissingColumn(name, held_fields, "the records")
    usable = _usable(records) if model is None else model.select(records)
    order = canonical_order(usable.ids)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    ranked = usable.take(order)
    held = None if constraints is None else constraints.moved(order, place)
    plan = None
    if model is None:
        fit = _Fit.of(
            ranked, seed=seed, budget=budget, cap=cap, care=Care(care), keys=keys, planned=planned, progress=report
        )
        found, plan = fit.finish(held, report), fit.plan
    else:
        found = _apply(ranked, model, held, report)
    if max_entities:
        found = _without_crowded(found, max_entities, held, report)
    return _in_given_order(found, records, order, place, plan)


@attrs.frozen(eq=False)
class _Found:
    """A linkage of records in canonical order."""

    records: Records
    model: LinkageModel
    n_pairs: int
    lo: Rows
    hi: Rows
    log_odds: Floats
    clustering: Clustering


def _usable(records: Records) -> Records:
    """Columns that say anything; one value for all says nothing, unless all are a handful."""
    columns = tuple(c for c in records.columns if _tells_apart(c.codes))
    enough = min(len(records), 2)  # one record that says anything is one entity
    if not columns and not any((c.codes >= 0).sum() >= max(enough, 1) for c in records.columns):
        raise EmptyInput("every column", "give at least one column that tells records apart")
    return attrs.evolve(records, columns=columns or records.columns)


def _tells_apart(codes: NDArray[np.int32]) -> bool:
    said = codes[codes >= 0]
    return len(said) > 0 and (len(said) <= FEW or bool(said.min() != said.max()))


@attrs.frozen(eq=False)
class _Fit:
    """Weights and keys learned from records in canonical order; nicknames are still to come."""

    records: Records
    space: KeySpace
    scorer: Scorer
    plan: BlockingPlan
    keys: tuple[BlockingKey, ...]
    cuts: Cuts

    @classmethod
    def of(
        cls,
        records: Records,
        *,
        seed: int,
        budget: float | None,
        cap: int,
        care: Care,
        keys: Sequence[BlockingKey | str],
        planned: bool,
        progress: Progress,
    ) -> _Fit:
        if budget is not None and not budget > 0:
            raise OutOfRange("budget", budget, "more than 0 pairs a record", "10 suits most data")
        if cap < 2:
            raise OutOfRange("cap", cap, "2 and more records", "30 suits most data")
        if not planned and not keys:
            raise EmptyInput("keys", "name blocking keys, or let them be planned (planned=True)")
        n = len(records)
        rng = np.random.default_rng(seed)
        comparer, space = Comparer.of(records), KeySpace.of(records)
        own = tuple(k if isinstance(k, BlockingKey) else BlockingKey.parse(k) for k in keys)
        space.check(own)
        sample = draw_sample(space, comparer, cap=cap, rng=rng, progress=progress, only=() if planned else own)
        progress("fit weights", 0, 1)
        weights, rarity, odds = fit_weights(comparer, sample, n_records=n, rng=rng)
        progress("fit weights", 1, 1)
        matches = float(weights.pi[:2].sum()) * (n - 1) / 2  # a record
        a_record = budget if budget is not None else min(max(BUDGET, SMALL / max(n, 1)), MOST_BUDGET)
        plan = choose_keys(sample, odds, budget_pairs=max(a_record, 1.5 * matches) * n if planned else np.inf)
        chosen = own + tuple(k.key for k in plan.keys if k.key not in own)
        return cls(records, space, Scorer(comparer, weights, rarity), plan, chosen, cuts_for(care, matches))

    def finish(self, constraints: Constraints | None, progress: Progress) -> _Found:
        """Compare all candidates, cluster, learn nicknames, score again what they can change, cluster again."""
        floor = FLOOR
        n_pairs, lo, hi, odds = compare_candidates(
            self.scorer, self.space, self.keys, self.plan.cap, floor - HIGH, progress
        )
        first = _cluster(len(self.records), lo, hi, odds, self.scorer, self.cuts, floor, constraints, progress)
        weights = self.scorer.weights
        nicknames = Nicknames.learn(self.scorer.comparer, first.labels, weights)
        model = LinkageModel(
            fields={c.name: c.kind for c in self.records.columns},
            weights=weights,
            shares=tuple(Shares.of(e) for e in self.scorer.comparer.fields),
            nicknames=nicknames,
            keys=self.keys,
            cap=self.plan.cap,
            cuts=self.cuts,
            floor=floor,
            n_records=len(self.records),
        )
        scorer, result = self.scorer, first
        if nicknames is not None and len(nicknames):
            scorer = attrs.evolve(self.scorer, nicknames=nicknames.bind(self.scorer.comparer))
            odds = scorer.log_odds(lo, hi)
            result = _cluster(len(self.records), lo, hi, odds, scorer, self.cuts, floor, constraints, progress)
        keep = odds >= floor
        return _Found(self.records, model, n_pairs, lo[keep], hi[keep], odds[keep], result)


def _cluster(
    n: int,
    lo: Rows,
    hi: Rows,
    odds: Floats,
    scorer: Scorer,
    cuts: Cuts,
    floor: float,
    constraints: Constraints | None,
    progress: Progress,
) -> Clustering:
    keep = odds >= floor
    return cluster(
        n,
        lo[keep],
        hi[keep],
        odds[keep],
        rank=np.arange(n),
        score=scorer.log_odds,
        cuts=cuts,
        floor=floor,
        constraints=constraints,
        progress=progress,
    )


def _apply(records: Records, model: LinkageModel, constraints: Constraints | None, progress: Progress) -> _Found:
    """Link records in canonical order under a given model."""
    scorer = model.scorer(records)
    space = KeySpace.of(records)
    n_pairs, lo, hi, odds = compare_candidates(scorer, space, model.keys, model.cap, model.floor, progress)
    found = _cluster(len(records), lo, hi, odds, scorer, model.cuts, model.floor, constraints, progress)
    return _Found(records, model, n_pairs, lo, hi, odds, found)


def _without_crowded(
    found: _Found, most: Mapping[str, int], constraints: Constraints | None, progress: Progress
) -> _Found:
    """Take out values that too many entities share, and link again under the same model, until none is left."""
    columns, changed = [], False
    for c in found.records.columns:
        crowded = (
            crowded_values(found.clustering.labels, c.codes, most[c.name]) if c.name in most else np.empty(0, np.int64)
        )
        if len(crowded):
            changed = True
            codes = np.where(np.isin(c.codes, crowded), -1, c.codes).astype(np.int32)
            columns.append(Column(c.name, c.kind, attrs.evolve(c.text, codes=codes)))
        else:
            columns.append(c)
    if not changed:
        return found
    again = _apply(attrs.evolve(found.records, columns=tuple(columns)), found.model, constraints, progress)
    return _without_crowded(again, most, constraints, progress)


def _in_given_order(found: _Found, records: Records, order: Rows, place: Rows, plan: BlockingPlan | None) -> Linkage:
    """Carry row numbers from canonical order back to the order in which records were given."""

    def merges(m: Merges) -> Merges:
        return attrs.evolve(m, left=order[m.left], right=order[m.right])

    clustering = attrs.evolve(
        found.clustering,
        labels=found.clustering.labels[place],
        blocked=merges(found.clustering.blocked),
        bridges=merges(found.clustering.bridges),
    )
    a, b = order[found.lo], order[found.hi]
    used = {c.name: c for c in found.records.columns}
    columns = tuple(
        c if c.name not in used else attrs.evolve(c, text=attrs.evolve(c.text, codes=used[c.name].codes[place]))
        for c in records.columns
    )
    return Linkage(
        records=attrs.evolve(records, columns=columns),
        labels=clustering.labels,
        model=found.model,
        plan=plan,
        n_pairs=found.n_pairs,
        lo=np.minimum(a, b),
        hi=np.maximum(a, b),
        log_odds=found.log_odds,
        clustering=clustering,
    )
