"""An explainable booster: a curve a feature, a few pairs of features, and nothing that cannot be drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, between, html_table, number_text, reporter
from crmcore.documents import Document
from crmcore.errors import UnknownName
from crmcore.idic.differentiate.propensity import stumps
from crmcore.idic.differentiate.propensity.binning import Bins, Levels, learn_bins
from crmcore.idic.differentiate.propensity.features import Features, check_signs, read_features, read_outcome
from crmcore.idic.differentiate.propensity.folds import fold_codes, row_keys
from crmcore.idic.differentiate.propensity.logistic import word_columns
from crmcore.idic.differentiate.propensity.newton import log_loss_of, probabilities
from crmcore.idic.differentiate.propensity.reasons import Reasons
from crmcore.metrics.columns import SAME, held_floats
from crmcore.metrics.estimates import frame_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Booster", "BoosterModel", "Pair"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
CROWD = 30  # features whose pairs are all looked at


@attrs.frozen(kw_only=True, hash=False)
class Pair:
    """What two features do together, beyond what each does alone.

    Attributes
    ----------
    first, second : positions of the features
    first_cells, second_cells : cell of each bin, -1 where nothing is known
    effect : (COARSE, COARSE) log odds
    """

    first: int
    second: int
    first_cells: tuple[int, ...]
    second_cells: tuple[int, ...]
    effect: Floats = attrs.field(converter=held_floats, eq=SAME)

    def logits(self, codes: Codes) -> Floats:
        """(n,) log odds of rows by their bins; 0 where a cell is unknown."""
        a = np.array(self.first_cells)[codes[self.first]]
        b = np.array(self.second_cells)[codes[self.second]]
        return np.where((a < 0) | (b < 0), 0.0, self.effect[a, b])


@attrs.frozen(kw_only=True)
class Booster:
    """Recipe of an additive booster on a mixed table.

    Log odds are a sum of one step function a feature and, where they help, of a few pairs: the "GA²M" of Lou, Caruana,
    Gehrke & Hooker (2013), KDD. Each of `bags` fits leaves another share of the rows out and stops where these are
    predicted best; the model is their mean.

    Parameters
    ----------
    pairs : count
        Most pairs of features that may act together; pairs that do not help the rows left out are not kept. Of more
        than 30 features those that move most on their own are paired.
    signs : by name, optional
        +1 or -1 for numbers that may only raise or only lower the probability; these join no pair.
    bins : count
        Most bins of a number.
    rate, rounds, patience, ridge
        Length of a step; most rounds; rounds without a gain before it stops; shrinkage of a step, in curvature.
    bags : count
        Fits that are averaged; each row is left out by exactly one.
    words, leave_out, least, seed
        As for `Logistic`.

    Examples
    --------
    >>> table = {"months": list(range(40)) * 5}
    >>> model = Booster(least=1, seed=1).fit(table, [m < 10 or m > 30 for m in table["months"]])
    >>> model.predict({"months": [5, 20, 35]}).round().tolist()
    [1.0, 0.0, 1.0]
    """

    pairs: int = attrs.field(default=6, validator=between(0, 1000, hint="0 keeps every feature apart"))
    signs: Mapping[str, int] = attrs.field(factory=dict)
    bins: int = attrs.field(default=32, validator=between(2, 1024, hint="32 suit most columns"))
    rate: float = attrs.field(default=0.06, validator=between(1e-4, 1.0, hint="0.06 suits most tables"))
    rounds: int = attrs.field(default=1500, validator=between(1, 1e6, hint="early stopping ends it long before"))
    patience: int = attrs.field(default=30, validator=between(1, 1e6, hint="30 suit a rate of 0.06"))
    ridge: float = attrs.field(default=1.0, validator=between(1e-6, 1e9, hint="1 suits most tables"))
    bags: int = attrs.field(default=5, validator=between(2, 1000, hint="5 suit most tables"))
    words: Collection[str] = ()
    leave_out: Collection[str] = ()
    least: int = attrs.field(default=10, validator=between(1, 1e9, hint="10 rows suit most tables"))
    seed: int = 0

    def fit(
        self,
        frame: Any,
        outcome: str | ArrayLike,
        *,
        weights: ArrayLike | None = None,
        progress: Progress | bool = False,
    ) -> BoosterModel:
        """Fit on rows whose outcome is known; arguments as for `Logistic.fit`."""
        features, happened, weight = read_outcome(
            frame, outcome, weights=weights, words=self.words, leave_out=self.leave_out
        )
        check_signs(self.signs, features)
        columns, dropped = learn_bins(features, bins=self.bins, least=self.least, signs=dict(self.signs))
        share = float(weight @ happened / weight.sum())
        base = float(np.log(share / (1 - share)))
        if not columns:
            return self._model((), dropped, base, [], [], happened, weight, np.full(len(happened), base), [])
        codes = np.stack([c.codes(features) for c in columns])
        return self._bagged(columns, dropped, codes, happened, weight, base, reporter(progress))

    def _bagged(
        self, columns: tuple[Bins | Levels, ...], dropped: tuple[str, ...], codes: Codes, y: Floats, w: Floats,
        base: float, report: Progress,
    ) -> BoosterModel:  # fmt: skip
        layout = stumps.Layout(
            np.array([len(c.labels) for c in columns]), np.array([isinstance(c, Bins) for c in columns]),
            np.array([c.sign if isinstance(c, Bins) else 0 for c in columns]),
        )  # fmt: skip
        fold = fold_codes(y, row_keys(np.column_stack([codes.T, w])), folds=min(self.bags, len(y)), seed=self.seed)
        masks = [fold == b for b in range(int(fold.max()) + 1)]
        masks = [m for m in masks if all(w[~m & (y == v)].sum() > 0 for v in (0, 1)) and w[m].sum() > 0]
        if not masks:  # one row of a kind: nothing can be left out
            masks = [np.ones(len(y), np.bool_)]
        options = {"rate": self.rate, "rounds": self.rounds, "patience": self.patience, "ridge": self.ridge}
        mains = []
        for i, test in enumerate(masks):
            train = ~test if not test.all() else test
            parts = (y[train], y[test]), (w[train], w[test])
            mains.append(
                stumps.boost_features(codes[:, train], codes[:, test], *parts, layout, base=base, **options)  # type: ignore[arg-type]
            )
            report("curves", i + 1, len(masks))
        table = np.mean([m.table for m in mains], axis=0).reshape(len(columns), layout.width)
        aside = np.zeros(len(y))
        for main, test in zip(mains, masks, strict=True):
            aside[test] = main.test
        pairs = self._pairs(columns, codes, y, w, masks, mains, table, aside, options, report)
        return self._model(columns, dropped, base, list(table), pairs, y, w, aside, [m.rounds for m in mains], codes)

    def _pairs(
        self, columns: tuple[Bins | Levels, ...], codes: Codes, y: Floats, w: Floats, masks: list[NDArray[np.bool_]],
        mains: list[stumps.Boosted], table: Floats, aside: Floats, options: dict[str, float], report: Progress,
    ) -> list[Pair]:  # fmt: skip
        """Pairs that explain most of what the curves leave, kept where they help rows left out; updates `aside`."""
        free = [i for i, c in enumerate(columns) if isinstance(c, Levels) or not c.sign]
        if len(free) < 2 or not self.pairs:
            return []
        cells = [_cells(c, table[i]) for i, c in enumerate(columns)]
        coarse = np.stack([np.maximum(cells[i], 0)[codes[i]] for i in range(len(columns))])
        then, summed, votes = aside.copy(), dict[tuple[int, int], Floats](), dict[tuple[int, int], int]()
        for i, (main, test) in enumerate(zip(mains, masks, strict=True)):
            train = ~test if not test.all() else test
            chance = probabilities(main.train)
            slope, bend = w[train] * (chance - y[train]), w[train] * chance * (1 - chance)
            every = _candidates(free, main.table.reshape(len(columns), -1), codes[:, train])
            score = stumps.pair_scores(coarse[:, train], every, slope, bend, ridge=self.ridge)
            score = (score / max(float(np.abs(score).max()), 1e-12)).round(9)  # what differs by rounding is a tie
            chosen = every[np.argsort(-score, kind="stable")[: self.pairs]]  # by rows of this bag alone
            both = coarse[chosen[:, 0]] * stumps.COARSE + coarse[chosen[:, 1]]
            found = stumps.boost_pairs(
                both[:, train], both[:, test], (y[train], y[test]), (w[train], w[test]), (main.train, main.test),
                **options,  # type: ignore[arg-type]
            )  # fmt: skip
            then[test] = found.test
            for (a, b), effect in zip(chosen.tolist(), np.split(found.table, len(chosen)), strict=True):
                summed[a, b] = summed.get((a, b), 0.0) + effect / len(masks)
                votes[a, b] = votes.get((a, b), 0) + 1
            report("pairs", i + 1, len(masks))
        kept = sorted((a, b) for a, b in summed if 2 * votes[a, b] >= len(masks))
        if not kept or not _clearly_better(aside, then, y, w):
            return []
        aside[:] = then
        return [
            Pair(first=a, second=b, first_cells=tuple(map(int, cells[a])), second_cells=tuple(map(int, cells[b])),
                 effect=summed[a, b].reshape(stumps.COARSE, stumps.COARSE))
            for a, b in kept
        ]  # fmt: skip

    def _model(
        self, columns: tuple[Bins | Levels, ...], dropped: tuple[str, ...], base: float, tables: list[Floats],
        pairs: list[Pair], y: Floats, w: Floats, aside: Floats, rounds: list[int], codes: Codes | None = None,
    ) -> BoosterModel:  # fmt: skip
        """Centre every part on the rows that were fitted, so that the base is the average customer."""
        centred = []
        for i, column in enumerate(columns):
            assert codes is not None
            row = tables[i][: len(column.labels)].copy()
            mean = float(w @ row[codes[i]] / w.sum())
            base += mean
            row -= mean
            if not (codes[i] == len(row) - 1).any():
                row[-1] = 0.0  # a new level, or a gap where none was seen, is the average customer
            centred.append(tuple(map(float, row)))
        whole = []
        for pair in pairs:
            assert codes is not None
            mean = float(w @ pair.logits(codes) / w.sum())
            base += mean
            whole.append(attrs.evolve(pair, effect=pair.effect - mean))
        total = float(w.sum())
        return BoosterModel(
            columns=columns, dropped=dropped, base=base, tables=tuple(centred), pairs=tuple(whole), n=len(y),
            happened=float(w @ y), weight=total, rounds=tuple(rounds), log_loss=log_loss_of(aside, y, w) / total,
            spreads=tuple(float(np.sqrt(w @ np.array(t)[codes[i]] ** 2 / total)) for i, t in enumerate(centred))
            if codes is not None else (),
        )  # fmt: skip


def _candidates(free: list[int], table: Floats, codes: Codes) -> Codes:
    """(p, 2) pairs that are looked at: of all free features, or of those that move most where there are many."""
    if len(free) > CROWD:
        moves = {i: float(np.std(table[i][codes[i]])) for i in free}
        free = sorted(sorted(free, key=lambda i: (-moves[i], i))[:CROWD])
    return np.array([(a, b) for a in free for b in free if a < b], np.int64)


def _clearly_better(before: Floats, after: Floats, y: Floats, w: Floats) -> bool:
    """Whether rows left out lose less by more than two standard errors: early stopping looked at these rows before."""
    gain = w * (np.logaddexp(0.0, before) - np.logaddexp(0.0, after) + y * (after - before))
    return bool(gain.sum() > 2 * np.sqrt(np.sum((gain - gain.mean()) ** 2)))


def _cells(column: Bins | Levels, effect: Floats) -> Codes:
    """Coarse cell of each bin: numbers by place with a cell for missing, words by their effect; -1 for what is new."""
    k = len(column.labels) - 1
    if isinstance(column, Bins):
        room = min(k, stumps.COARSE - 1)
        return np.array([*(np.arange(k) * room // k), stumps.COARSE - 1], np.int64)
    if k <= stumps.COARSE:
        return np.array([*range(k), -1], np.int64)
    rank = np.argsort(np.argsort(effect[:k], kind="stable"), kind="stable")
    return np.array([*(rank * stumps.COARSE // k), -1], np.int64)


@attrs.frozen(kw_only=True, repr=False, hash=False)
class BoosterModel(Document):
    """A fitted booster: log odds are `base` plus one entry of a table a feature, plus those of pairs.

    Attributes
    ----------
    columns, tables : by feature
        Bins, and the log odds of each, centred on the rows that were fitted.
    spreads : by feature
        Root mean square of its log odds over these rows: how much it tells customers apart.
    rounds : by bag
        Rounds that were kept.
    log_loss : number
        A row, of rows left out of the bag that predicts them.
    """

    columns: tuple[Bins | Levels, ...]
    dropped: tuple[str, ...]
    base: float
    tables: tuple[tuple[float, ...], ...]
    pairs: tuple[Pair, ...]
    n: int
    happened: float
    weight: float
    rounds: tuple[int, ...]
    log_loss: float
    spreads: tuple[float, ...]

    def __repr__(self) -> str:
        return f"BoosterModel({len(self.columns)} features, {len(self.pairs)} pairs, n = {self.n})"

    def __str__(self) -> str:
        rate = number_text(100 * self.happened / self.weight)
        rounds = f"{min(self.rounds)} to {max(self.rounds)} rounds" if self.rounds else "no feature differs"
        head = f"Additive booster: n = {self.n}, {rate} % happened, {rounds}, {len(self.pairs)} pairs"
        return "\n  ".join([head, *(f"{n}: {number_text(s)}" for n, s in list(self.importance().items())[:12])])

    @property
    def names(self) -> tuple[str, ...]:
        """Features, and pairs as "first & second"."""
        names = [c.name for c in self.columns]
        return (*names, *(f"{names[p.first]} & {names[p.second]}" for p in self.pairs))

    def importance(self) -> dict[str, float]:
        """Root mean square of the log odds of every feature alone, the largest first."""
        pairs = zip((c.name for c in self.columns), self.spreads, strict=True)
        return dict(sorted(pairs, key=lambda item: (-item[1], item[0])))

    def predict(self, frame: Any, /) -> Floats:
        """(n,) probabilities; a level never seen counts as the average customer.

        Raises
        ------
        MissingColumn
            A column that the model was fitted with is not there; others are ignored.
        """
        return probabilities(self.logits(frame))

    def logits(self, frame: Any, /) -> Floats:
        """(n,) log odds."""
        found: Floats = self.base + self._parts(self._read(frame)).sum(axis=1)
        return found

    def explain(self, frame: Any, /) -> Reasons:
        """What moves each row away from the average customer, by feature and pair; the parts add up."""
        features = self._read(frame)
        return Reasons.of(features, self.names, self._parts(features), base=self.base)

    def curve(self, name: str, /) -> dict[str, float]:
        """Log odds of every bin of one feature."""
        for column, table in zip(self.columns, self.tables, strict=True):
            if column.name == name:
                return dict(zip(column.labels, table, strict=True))
        raise UnknownName("feature", name, tuple(c.name for c in self.columns))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a bin: feature, bin, log_odds."""
        rows = [
            {"feature": c.name, "bin": label, "log_odds": value}
            for c, table in zip(self.columns, self.tables, strict=True)
            for label, value in zip(c.labels, table, strict=True)
        ]
        return frame_of(rows or [{"feature": "(none)", "bin": "any", "log_odds": 0.0}], backend=backend)

    def chart(self, name: str | None = None) -> Chart:
        """The curve of one feature, or how much each tells customers apart."""
        from crmcore.idic.differentiate.propensity.charts import curve_chart, importance_chart

        return importance_chart(self.importance()) if name is None else curve_chart(name, self.curve(name))

    def _repr_html_(self) -> str:
        rows = [{"feature": n, "moves log odds by (rms)": s} for n, s in self.importance().items()]
        return html_table(rows, caption=str(self).partition("\n")[0], limit=12)

    def _read(self, frame: Any) -> Features:
        words = word_columns(frame, [c.name for c in self.columns if isinstance(c, Levels)])
        return read_features(frame, words=words, empty_ok=True)

    def _parts(self, features: Features) -> Floats:
        codes = (
            np.stack([c.codes(features) for c in self.columns]) if self.columns else np.zeros((0, len(features)), int)
        )
        parts = np.zeros((len(features), len(self.names)))
        for i, table in enumerate(self.tables):
            parts[:, i] = np.array(table)[codes[i]]
        for j, pair in enumerate(self.pairs):
            parts[:, len(self.columns) + j] = pair.logits(codes)
        return parts
