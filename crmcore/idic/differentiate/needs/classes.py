"""Latent classes: groups of customers with the same needs, found in answers and behaviour together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, MissingColumn, OutOfRange
from crmcore.idic.differentiate.needs.em import Blocks, Parameters, climb_best, responsibilities

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ClassMembers", "LatentClassModel", "LatentClasses"]

Floats = NDArray[np.float64]
Answers = Mapping[str, Sequence[str | None]]
Measures = Mapping[str, ArrayLike]
CLEAR = 0.5
"""A measure names a class where its mean lies half a standard deviation from that of all (Cohen's medium effect)."""


@attrs.frozen(eq=False, repr=False)
class ClassMembers:
    """Posterior of each customer.

    Attributes
    ----------
    label : (n,) most probable class; the first one where classes tie
    probability : (n, K)
    unseen : column to rows whose answer the model has never met; they counted as missing
    """

    label: NDArray[np.intp]
    probability: Floats
    unseen: Mapping[str, tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        return f"ClassMembers({len(self)} customers, {self.probability.shape[1]} classes)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer, in the order given: label and its probability."""
        return write_frame({"label": self.label, "probability": self.probability.max(1)}, backend=backend)


@attrs.frozen(kw_only=True, repr=False)
class LatentClassModel(Document):
    """Fitted classes, the largest first.

    Attributes
    ----------
    shares : (K,) shares of customers
    levels, answers : of each question, its levels and their probabilities in each class
    means, deviations : of each measure in each class, in its own unit
    centre, scale : of each measure over all customers
    names : of the classes, in words
    at_floor : measures whose variance stands at the floor in some class: the class is a spike, not a group
    at_boundary : questions with a probability of 0 or 1 in some class
    """

    shares: tuple[float, ...]
    levels: dict[str, tuple[str, ...]]
    answers: dict[str, tuple[tuple[float, ...], ...]]
    means: dict[str, tuple[float, ...]]
    deviations: dict[str, tuple[float, ...]]
    centre: dict[str, float]
    scale: dict[str, float]
    names: tuple[str, ...]
    log_likelihood: float
    entropy: float
    n: int
    iterations: int
    converged: bool
    at_floor: tuple[str, ...]
    at_boundary: tuple[str, ...]

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        k = len(self.shares)
        return k - 1 + k * (sum(len(v) - 1 for v in self.levels.values()) + 2 * len(self.means))

    @property
    def bic(self) -> float:
        """Schwarz's criterion; lower is better."""
        return -2 * self.log_likelihood + self.n_parameters * math.log(self.n)

    @property
    def aic(self) -> float:
        """Akaike's criterion; lower is better."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    @property
    def icl(self) -> float:
        """BIC plus twice the entropy of the posteriors: prefers classes that stand apart."""
        return self.bic + 2 * self.entropy

    @property
    def entropy_r2(self) -> float:
        """1 where every customer is sure of a class, 0 where nobody is; 1 for one class."""
        k = len(self.shares)
        return 1.0 if k == 1 else 1 - self.entropy / (self.n * math.log(k))

    def __str__(self) -> str:
        head = f"{len(self.shares)} classes of {self.n} customers, log-likelihood {self.log_likelihood:.2f}"
        lines = [f"  {100 * s:.1f} %  {name}" for s, name in zip(self.shares, self.names, strict=True)]
        tail = [] if self.converged else [f"  not converged after {self.iterations} iterations"]
        tail += [f"  variance at its floor: {', '.join(self.at_floor)}"] if self.at_floor else []
        return "\n".join([head, *lines, *tail])

    def __repr__(self) -> str:
        return f"LatentClassModel({len(self.shares)} classes, {self.n} customers)"

    def _repr_html_(self) -> str:
        rows = [{"share": s, "class": name} for s, name in zip(self.shares, self.names, strict=True)]
        return html_table(rows, caption=f"{self.n} customers")

    def chart(self) -> Chart:
        """Answers of each class as shaded cells, one row a class.

        Raises
        ------
        EmptyInput
            The model has measures only: look at `means`.
        """
        from crmcore.charts import heat_map

        if not self.levels:
            raise EmptyInput("questions", "the model has measures only: look at `means`")
        columns = [f"{q}: {level}" for q, levels in self.levels.items() for level in levels]
        cells = [[p for q in self.levels for p in self.answers[q][k]] for k in range(len(self.shares))]
        rows = [f"{s:.0%} {name}"[:60] for s, name in zip(self.shares, self.names, strict=True)]
        return heat_map(rows, columns, cells, title="What each class answers", description=str(self), row_title="class")

    def members(self, *, answers: Answers | None = None, measures: Measures | None = None) -> ClassMembers:
        """Score customers, old or new; who answered nothing gets the class shares.

        Raises
        ------
        MissingColumn
            A question or measure of the model is not given; give it with None or NaN where it is not known.
        """
        data, unseen = self._read(answers, measures)
        posterior = responsibilities(data, self.parameters())[0]
        return ClassMembers(posterior.argmax(1), posterior, unseen)

    def blocks(self, *, answers: Answers | None = None, measures: Measures | None = None) -> Blocks:
        """Columns as the kernels read them: one-hot answers, standardised measures."""
        return self._read(answers, measures)[0]

    def _read(self, answers: Answers | None, measures: Measures | None) -> tuple[Blocks, dict[str, tuple[int, ...]]]:
        for name in (*self.levels, *self.means):
            given = (answers or {}) if name in self.levels else (measures or {})
            if name not in given:
                raise MissingColumn(name, tuple(given), "the columns to score")
        return _blocks(
            {k: (answers or {})[k] for k in self.levels}, {k: (measures or {})[k] for k in self.means},
            self.levels, self.centre, self.scale,
        )  # fmt: skip

    def parameters(self) -> Parameters:
        """Shares, answers, means and variances as the kernels read them, measures standardised."""
        k = len(self.shares)
        answer = np.hstack([np.zeros((k, 0)), *(np.array(v) for v in self.answers.values())])
        mean = [(np.array(v) - self.centre[c]) / self.scale[c] for c, v in self.means.items()]
        spread = [(np.array(v) / self.scale[c]) ** 2 for c, v in self.deviations.items()]
        shape = (len(mean), k)
        return Parameters(
            np.array(self.shares), answer, np.reshape(mean, shape).T, np.reshape(spread, shape).T
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class LatentClasses:
    """Recipe of a latent class analysis, answers and measures independent within a class.

    Parameters
    ----------
    classes : count
    starts : count of random starts; each climbs 100 steps, the best three go on, the best log-likelihood wins
    tolerance : gain in log-likelihood still to come (Aitken) at which EM stops
    iterations : most steps of one start
    variance_floor : share of a measure's variance below which no class may fall

    Examples
    --------
    >>> model = LatentClasses(classes=2).fit(answers={"wants": ["price"] * 6 + ["ease"] * 4}, seed=1)
    >>> round(model.log_likelihood, 3)
    -6.73
    """

    classes: int
    starts: int = 10
    tolerance: float = 1e-8
    iterations: int = 5000
    variance_floor: float = 1e-6

    def __attrs_post_init__(self) -> None:
        """Refuse counts below 1."""
        for name in ("classes", "starts", "iterations"):
            if getattr(self, name) < 1:
                raise OutOfRange(name, getattr(self, name), "1 or more", "leave it out for the default")

    def fit(
        self, *, answers: Answers | None = None, measures: Measures | None = None, seed: int | np.random.Generator,
        start: ArrayLike | None = None, progress: Progress | bool = False,
    ) -> LatentClassModel:  # fmt: skip
        """Fit by EM; cells that are None or NaN are left out of the likelihood (missing at random).

        Parameters
        ----------
        answers : question to (n,) texts or None
        measures : name to (n,) numbers or NaN
        seed : of the random starts
        start : (n, classes) responsibilities to start from instead
        """
        answers, measures = answers or {}, measures or {}
        _check_texts(answers)
        levels = {k: tuple(sorted({a for a in v if a is not None})) for k, v in answers.items()}
        columns = {k: np.asarray(v, float) for k, v in measures.items()}
        _check(answers, columns, levels)
        still = [k for k, v in columns.items() if np.nanstd(v) == 0]
        if still:
            raise OutOfRange(f"measure {still[0]!r}", "the same for all", "a measure that varies", "leave it out")
        centre = {k: float(np.nanmean(v)) for k, v in columns.items()}
        scale = {k: float(np.nanstd(v)) or 1.0 for k, v in columns.items()}
        whole, _ = _blocks(answers, columns, levels, centre, scale)
        n = len(whole.weight)
        table = np.hstack([whole.hot, whole.value, whole.seen])
        order, first, where = np.unique(table, axis=0, return_index=True, return_inverse=True)
        if len(order) < self.classes:
            hint = "ask for fewer classes: customers who look alike cannot be told apart"
            raise OutOfRange("classes", self.classes, f"at most {len(order)}, the distinct customers", hint)
        weight = np.bincount(where.ravel(), minlength=len(order)).astype(float)
        data = Blocks(whole.hot[first], whole.starts, whole.value[first], whole.seen[first], weight)
        if start is not None:
            given = np.asarray(start, float)
            if given.shape != (n, self.classes):
                raise OutOfRange(
                    "start", given.shape, f"({n}, {self.classes})", "one row a customer, one column a class"
                )
            sums = np.stack([np.bincount(where.ravel(), given[:, k], len(order)) for k in range(self.classes)], axis=1)
            begins = [sums / weight[:, None]]
        else:
            rngs = np.random.default_rng(seed).spawn(self.starts)
            begins = [rng.dirichlet(np.ones(self.classes), len(order)) for rng in rngs]
        report = reporter(progress)
        best = climb_best(
            data, begins, floor=self.variance_floor, tolerance=self.tolerance, most=self.iterations,
            told=lambda done: report("starts", done, len(begins)),
        )  # fmt: skip
        return self._model(data, best, levels, centre, scale)

    def _model(
        self, data: Blocks, run: tuple[Parameters, float, int, bool], levels: dict[str, tuple[str, ...]],
        centre: dict[str, float], scale: dict[str, float],
    ) -> LatentClassModel:  # fmt: skip
        p, ll, iterations, converged = run
        flat = np.hstack([p.answer, p.mean])
        rank = sorted(range(self.classes), key=lambda k: (-round(float(p.share[k]), 9), *flat[k].tolist()))
        p = Parameters(p.share[rank], p.answer[rank], p.mean[rank], p.variance[rank])
        r = responsibilities(data, p)[0]
        entropy = -float(data.weight @ (r * np.log(np.maximum(r, 1e-300))).sum(1))
        cuts = dict(zip(levels, zip(data.starts[:-1], data.starts[1:], strict=True), strict=True))
        jac = float(data.weight @ (data.seen @ np.log(np.array([scale[c] for c in centre]).reshape(-1))))
        blocks = {q: p.answer[:, a:b] for q, (a, b) in cuts.items()}
        return LatentClassModel(
            shares=tuple(p.share.tolist()), levels=levels,
            answers={q: tuple(map(tuple, v.tolist())) for q, v in blocks.items()},
            means={c: tuple((centre[c] + scale[c] * p.mean[:, d]).tolist()) for d, c in enumerate(centre)},
            deviations={c: tuple((scale[c] * np.sqrt(p.variance[:, d])).tolist()) for d, c in enumerate(centre)},
            centre=centre, scale=scale, names=_names(p, blocks, levels, list(centre)), log_likelihood=ll - jac,
            entropy=entropy, n=int(data.weight.sum()), iterations=iterations, converged=converged,
            at_floor=tuple(c for d, c in enumerate(centre) if (p.variance[:, d] <= self.variance_floor).any()),
            at_boundary=tuple(q for q, v in blocks.items() if ((v < 1e-6) | (v > 1 - 1e-6)).any()),
        )  # fmt: skip


def _names(
    p: Parameters, blocks: dict[str, Floats], levels: dict[str, tuple[str, ...]], measures: list[str]
) -> tuple[str, ...]:
    names = []
    for k in range(len(p.share)):
        found = [
            (abs(m), f"{c}: {'high' if m > 0 else 'low'}") for c, m in zip(measures, p.mean[k].tolist(), strict=True)
        ]
        strong = [f for f in found if f[0] >= CLEAR]
        for q, v in blocks.items():
            base = p.share @ v
            apart = (v[k] - base) / np.sqrt(np.maximum(base * (1 - base), 1e-12))
            best = int(apart.argmax())
            if apart[best] >= CLEAR:
                strong.append((float(apart[best]), f"{q}: {levels[q][best]}"))
        strong.sort(key=lambda f: (-f[0], f[1]))
        names.append(", ".join(text for _, text in strong[:3]) or "like all customers")
    return tuple(names)


def _blocks(
    answers: Answers, measures: Measures, levels: Mapping[str, tuple[str, ...]], centre: Mapping[str, float],
    scale: Mapping[str, float],
) -> tuple[Blocks, dict[str, tuple[int, ...]]]:  # fmt: skip
    sizes = {len(v) for v in answers.values()} | {len(np.asarray(v)) for v in measures.values()}
    if len(sizes) != 1:
        raise OutOfRange("columns", sorted(sizes), "one length", "row i of every column is the same customer")
    n = sizes.pop()
    starts, hot, unseen = [0], [np.zeros((n, 0))], {}
    for name, column in answers.items():
        known = {level: j for j, level in enumerate(levels[name])}
        code = np.array([-1 if a is None else known.get(a, -2) for a in column], int)
        hot.append((code[:, None] == np.arange(len(known))).astype(float))
        starts.append(starts[-1] + len(known))
        if (code == -2).any():
            unseen[name] = tuple(np.flatnonzero(code == -2).tolist())
    raw = np.array([(np.asarray(v, float) - centre[k]) / scale[k] for k, v in measures.items()]).reshape(-1, n).T
    seen = ~np.isnan(raw)
    data = Blocks(np.hstack(hot), tuple(starts), np.where(seen, raw, 0.0), seen.astype(float), np.ones(n))
    return data, unseen


def _check(answers: Answers, measures: Mapping[str, Floats], levels: Mapping[str, tuple[str, ...]]) -> None:
    if (not answers and not measures) or not all([*map(len, answers.values()), *map(len, measures.values())]):
        raise EmptyInput("customers", "pass answers, measures or both, one entry a customer")
    problems = [
        BadRow(k, "infinite", tuple(np.flatnonzero(np.isinf(v)).tolist()))
        for k, v in measures.items()
        if np.isinf(v).any()
    ]
    if problems:
        raise BadRows("the measures", tuple(problems), "use NaN where a number is not known")
    for name, size in {
        **{k: len(v) for k, v in levels.items()},
        **{k: int((~np.isnan(v)).sum()) for k, v in measures.items()},
    }.items():
        if not size:
            raise OutOfRange(name, "no known value", "at least one", "leave the column out")


def _check_texts(answers: Answers) -> None:
    odd = {k: tuple(i for i, a in enumerate(v) if a is not None and not isinstance(a, str)) for k, v in answers.items()}
    problems = tuple(BadRow(k, "no text", rows) for k, rows in odd.items() if rows)
    if problems:
        raise BadRows(
            "the answers", problems, "write answers as texts, None where one is missing; numbers are measures"
        )
