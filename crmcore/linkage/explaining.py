"""Why two records were taken for one entity, or not: evidence field by field, in bars that add up to the verdict.

The log-odds come from a mixture of classes of pairs, so no field has a weight of its own: an e-mail address adds less
once the names agree. A field's bar is its Shapley value (Shapley 1953): its mean effect on the log-odds over all orders
in which the fields could have become known. Bars therefore add up to the log-odds, do not depend on the order of fields
and are the same from either record's side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import mask
from crmcore.errors import OutOfRange
from crmcore.linkage.agglomerate import probability
from crmcore.linkage.compare import SWAPPED
from crmcore.linkage.explanation import NATS_PER_BIT, Bar, Explanation, Verdict
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.linking import Linkage, canonical_order
from crmcore.linkage.mixture import CLASSES, SAME_PERSON, class_scores, log_odds
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Column, Records
from crmcore.linkage.scoring import Scorer

__all__ = ["NATS_PER_BIT", "Bar", "Explanation", "Verdict", "explain", "explain_pair", "some_records"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EXACT = 12  # fields known on both sides up to which all subsets are visited
ORDERS = 512  # beyond: random orders of the fields, each with its reverse
SEED = 20_260_101
MOST_PAIRS = 20_000  # between two entities, for their mean probability


def explain(linkage: Linkage, i: int, j: int, /, *, show_values: bool = False) -> Explanation:
    """Explain what a linkage says about two of its records.

    Parameters
    ----------
    linkage : Linkage
    i, j : row numbers
    show_values : truth
        Show what stands in the records; masked by default.

    Returns
    -------
    Explanation

    Raises
    ------
    OutOfRange
        A row that is not there, or the same row twice.

    Examples
    --------
    >>> from crmcore.linkage.linking import link
    >>> people = Records.from_columns(
    ...     {"name": ["anna", "anna", "bert"], "email": ["a@x.org", "a@x.org", "b@x.org"]},
    ...     {"name": "given name", "email": "email"},
    ... )
    >>> why = explain(link(people), 0, 1)
    >>> why.verdict.together, [bar.field for bar in why.bars]
    (True, ['name', 'email'])
    """
    said = explain_pair(linkage.model, linkage.records, i, j, show_values=show_values)
    return attrs.evolve(said, verdict=_grouped(linkage, said.verdict, i, j))


def explain_pair(model: LinkageModel, records: Records, i: int, j: int, /, *, show_values: bool = False) -> Explanation:
    """Explain the log-odds of two records under a model; nothing is known about groups.

    Parameters
    ----------
    model, records : what to apply to what
    i, j : row numbers
    show_values : truth
        Show what stands in the records; masked by default.

    Notes
    -----
    With F the fields that both records fill and v(S) the log-odds if only the fields in S were known, the bar of f is
    the mean of v(S + f) - v(S) over all orders, S being what comes before f. Within a bar each step goes from the level
    of agreement to the rarity of the value to what was learned of these given names, so the parts add up to the bar.
    All subsets are visited up to 12 fields; beyond, 512 random orders and their reverses from a fixed seed: each order
    adds up by itself, so the mean does.
    """
    for name, row in (("i", i), ("j", j)):
        if not 0 <= row < len(records):
            raise OutOfRange(name, row, f"0 to {len(records) - 1}", "pass the row of a record")
    if i == j:
        raise OutOfRange("j", j, "another record than i", "a record needs no explanation beside itself")
    # a linkage compares the record first in canonical order with the other: the same here, whoever asks
    turned = bool(canonical_order(records.ids[np.array([i, j])])[0])
    pair = model.select(some_records(records, np.array([j, i] if turned else [i, j])))
    scorer = model.bind_records(pair)
    game = _Game.of(scorer)
    parts = game.bars()
    start = game.value(np.zeros((1, game.size), np.bool_), game.all_on, game.all_on)[0]
    total = float(scorer.log_odds(np.array([0]), np.array([1]))[0])
    raw = game.value(np.ones((1, game.size), np.bool_), game.all_on, game.all_on)[0]
    bars = [
        _bar(scorer, game, f, parts[at], pair, turned=turned, show_values=show_values)
        for at, f in enumerate(game.known.tolist())
    ]
    swapped = scorer.comparer.given is not None and game.levels[scorer.comparer.given] == SWAPPED
    silent = [
        c.name
        for f, c in enumerate(pair.columns)
        if game.levels[f] == 0 and not (swapped and f == scorer.comparer.surname)
    ]
    judged = model.calibration
    return Explanation(
        left=str(records.ids[i]),
        right=str(records.ids[j]),
        start=float(start),
        bars=tuple(bars),
        judgements=0.0 if judged is None else total - float(raw),
        n_judgements=0 if judged is None else judged.labels,
        log_odds=total,
        classes=_classes(scorer, game, total),
        missing=tuple(silent),
        verdict=Verdict(probability=float(probability(np.array([total]))[0]), cut=model.cuts.at(2)),
    )


def some_records(records: Records, rows: Ints) -> Records:
    """A few records alone, with only their own values: what is cheap to encode."""
    few = records.take(rows)
    return attrs.evolve(few, columns=tuple(Column.of(c.name, c.kind, c.text.to_list()) for c in few.columns))


@attrs.frozen(eq=False)
class _Game:
    """The log-odds of one pair as a function of which fields are known, and how much of each."""

    scorer: Scorer
    levels: NDArray[np.int8]  # (f,)
    terms: Floats  # (f,) rarity
    learned: float  # nats of learned given names
    known: Ints  # (k,) fields that both records fill

    @classmethod
    def of(cls, scorer: Scorer) -> _Game:
        levels, terms, learned = scorer.parts(np.array([0]), np.array([1]))
        return cls(scorer, levels[0], terms[0], float(learned[0]), np.flatnonzero(levels[0] > 0))

    @property
    def size(self) -> int:
        return len(self.known)

    @property
    def all_on(self) -> Bools:
        return np.ones((1, self.size), np.bool_)

    def value(self, fields: Bools, rare: Bools, names: Bools) -> Floats:
        """(s,) log-odds when only some of the known fields count, some of them with rarity and learned names."""
        n = len(self.levels)
        here = np.zeros((len(fields), n), np.bool_)
        here[:, self.known] = fields
        levels = np.where(here, self.levels, 0).astype(np.int8)
        feels = np.zeros((len(fields), n))
        feels[:, self.known] = (fields & rare) * self.terms[self.known]
        learned: Floats = np.zeros(len(fields))
        if self.learned:
            at = int(np.flatnonzero(self.known == self.scorer.comparer.given)[0])
            learned = np.asarray((fields & names)[:, at] * self.learned, np.float64)
        return log_odds(self.scorer.weights, levels, self.scorer.by_class(feels, learned))

    def bars(self) -> Floats:
        """(k, 3) nats of each known field: level, rarity, learned names."""
        return self._by_subsets() if self.size <= EXACT else self._by_orders()

    def _by_subsets(self) -> Floats:
        k = self.size
        subset = np.arange(1 << k)
        held = (subset[:, None] >> np.arange(k)) & 1 == 1
        whole = self.value(held, self.all_on, self.all_on)
        count = held.sum(axis=1)
        weight = np.array([math.factorial(s) * math.factorial(k - s - 1) / math.factorial(k) for s in range(k)])
        out = np.zeros((k, 3))
        for f in range(k):
            before = subset[~held[:, f]]
            after = before | (1 << f)
            share = weight[count[before]]
            out[f] = share @ self._steps(held[after], f, whole[before], whole[after])
        return out

    def _by_orders(self) -> Floats:
        k = self.size
        rng = np.random.default_rng(SEED)
        place = np.argsort(rng.random((ORDERS, k)), axis=1)
        place = np.concatenate([place, k - 1 - place])  # (orders, k) when each field becomes known
        out = np.zeros((k, 3))
        for f in range(k):
            before = place < place[:, [f]]
            after = place <= place[:, [f]]
            begin, end = (self.value(s, self.all_on, self.all_on) for s in (before, after))
            out[f] = np.asarray(self._steps(after, f, begin, end).mean(axis=0), np.float64)
        return out

    def _steps(self, after: Bools, f: int, begin: Floats, end: Floats) -> Floats:
        """(s, 3) what the field adds: its level, then the rarity of its value, then the learned names."""
        out = np.zeros((len(after), 3))
        field = int(self.known[f])
        has_rare = self.terms[field] != 0
        has_names = bool(self.learned) and field == self.scorer.comparer.given
        others = np.arange(self.size) != f
        plain = self.value(after, others[None], others[None]) if has_rare or has_names else end
        rare = end if not has_names else plain if not has_rare else self.value(after, self.all_on, others[None])
        out[:, 0] = plain - begin
        out[:, 1] = rare - plain
        out[:, 2] = end - rare
        return out


def _bar(scorer: Scorer, game: _Game, f: int, parts: Floats, pair: Records, *, turned: bool, show_values: bool) -> Bar:
    column = pair.columns[f]
    level = int(game.levels[f])
    names = DEFINITIONS[column.kind].levels
    show = (lambda text: "" if text is None else str(text)) if show_values else mask
    values = column.text.to_list()
    label, left, right = column.name, show(values[0]), show(values[1])
    if level == SWAPPED and scorer.comparer.surname is not None and column.kind is Kind.GIVEN_NAME:
        family = pair.columns[scorer.comparer.surname]
        others = family.text.to_list()
        label = f"{column.name} and {family.name}"
        left, right = (f"{a} {show(b)}" for a, b in zip((left, right), others, strict=True))
    if turned:
        left, right = right, left
    return Bar(
        field=label,
        kind=column.kind.value,
        level=level,
        agreement=names[level - 1] if level <= len(names) else "swapped",
        left=left,
        right=right,
        level_nats=float(parts[0]),
        rarity_nats=float(parts[1]),
        names_nats=float(parts[2]),
        value_nats=float(game.terms[f]),
    )


def _classes(scorer: Scorer, game: _Game, total: float) -> dict[str, float]:
    """Probability of each reason, likeliest first; judgements move one person against all others, no further."""
    rarity = scorer.by_class(game.terms[None], np.array([game.learned]))
    scores = np.append(class_scores(scorer.weights, game.levels[None], rarity)[0], np.log1p(-scorer.weights.pi.sum()))
    share = np.exp(scores - scores.max())
    same = np.append(SAME_PERSON, False)
    p = 1 / (1 + math.exp(-min(max(total, -700.0), 700.0)))
    share = np.where(same, p * share / share[same].sum(), (1 - p) * share / share[~same].sum())
    named = dict(zip([*(c.value for c in CLASSES), "unrelated"], share.tolist(), strict=True))
    return dict(sorted(named.items(), key=lambda item: -item[1]))


def _grouped(linkage: Linkage, verdict: Verdict, i: int, j: int) -> Verdict:
    """What became of the pair: one entity or two, and the mean evidence between the two entities."""
    labels = linkage.labels
    a, b = (np.flatnonzero(labels == labels[row]) for row in (i, j))
    if labels[i] == labels[j]:
        return attrs.evolve(verdict, together=True, sizes=(len(a),))
    mean = _mean_between(linkage, a, b) if len(a) * len(b) <= MOST_PAIRS else None
    return attrs.evolve(
        verdict,
        together=False,
        sizes=(len(a), len(b)),
        group_mean=mean,
        group_cut=linkage.model.cuts.at(len(a) + len(b)),
        stopped_by=_stopped(linkage, a, b),
    )


def _mean_between(linkage: Linkage, a: Ints, b: Ints) -> float:
    """Mean match probability over all pairs between two groups of rows."""
    rows = np.concatenate([a, b])
    scorer = linkage.model.scorer(some_records(linkage.records, rows))
    left, right = np.divmod(np.arange(len(a) * len(b)), len(b))
    return float(probability(scorer.log_odds(left, right + len(a))).mean())


def _stopped(linkage: Linkage, a: Ints, b: Ints) -> str:
    """What forbade a merge that touched both groups, if anything did."""
    blocked = linkage.clustering.blocked
    ends: Sequence[tuple[Ints, Ints]] = ((a, b), (b, a))
    for x, y in ends:
        hit = np.flatnonzero(np.isin(blocked.left, x) & np.isin(blocked.right, y))
        if len(hit):
            return str(blocked.reason[hit[0]])
    return ""
