"""Weights that make respondents stand for a known population, and estimates that use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.metrics.columns import SAME, cells_of, held
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.scalars import entries, real
from crmcore.metrics.survey.answers import score_column, segment_codes
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = [
    "Cells",
    "Margin",
    "SurveyWeights",
    "design_effect",
    "margin_of",
    "positive_weights",
    "post_stratified",
    "post_stratify",
]

Floats = NDArray[np.float64]
Cells = TextColumn | ArrayLike


def design_effect(weights: ArrayLike, /) -> float:
    """How much unequal weights inflate the variance of a mean: 1 for equal weights.

    Parameters
    ----------
    weights : (n,) numbers
        Above 0.

    Returns
    -------
    number
        n Σw² / (Σw)², that is 1 + the squared coefficient of variation: Kish (1965), Survey Sampling, section 11.7.

    Examples
    --------
    >>> design_effect([1, 1, 1, 3])
    1.3333333333333333
    """
    w = positive_weights(weights)
    return float(len(w) * (w @ w) / w.sum() ** 2)


def positive_weights(weights: ArrayLike, /) -> Floats:
    """Column of weights, all finite and above 0; the error names all others at once.

    Examples
    --------
    >>> positive_weights([1, 2])
    array([1., 2.])
    """
    w = score_column(weights, what="weights")
    if len(w) == 0:
        raise EmptyInput("weights", "pass one weight a respondent")
    bad = np.flatnonzero(~(np.isfinite(w) & (w > 0)))
    if bad.size:
        row = BadRow("weights", "not a number above 0", tuple(bad.tolist()), tuple(number_text(v) for v in w[bad[:5]]))
        raise BadRows("weights", (row,), "leave respondents out instead of weighing them 0")
    return w


@attrs.frozen(hash=False, repr=False, kw_only=True)
class SurveyWeights(Document):
    """One weight a respondent, with mean 1, and what they cost.

    Parameters
    ----------
    weights : (n,) numbers
        Above 0; pass them as `weights=` to `nps`, `csat`, `mean` and `proportion_of`.
    method : text
        How they were made.
    iterations : count
        Rounds of raking; 1 for post-stratification.
    off : share
        Largest distance of a weighted share from its target that is left; above 0 after trimming.
    trimmed : count
        Weights that were cut.
    """

    weights: Floats = attrs.field(converter=held, eq=SAME)
    method: str
    iterations: int = 1
    off: float = 0.0
    trimmed: int = 0

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def design_effect(self) -> float:
        """Variance over that of as many equal weights; see `design_effect`."""
        return design_effect(self.weights)

    @property
    def effective_n(self) -> float:
        """Respondents with equal weights that would tell as much."""
        return len(self.weights) / self.design_effect

    def __repr__(self) -> str:
        return f"SurveyWeights({self})"

    def __str__(self) -> str:
        span = f"{number_text(float(self.weights.min()))} to {number_text(float(self.weights.max()))}"
        worth = f"design effect {number_text(self.design_effect)}, worth {number_text(self.effective_n)} of {len(self)}"
        far = f", shares up to {100 * self.off:.1f} points off" if self.off >= 0.0005 else ""
        cut = f", {self.trimmed} trimmed{far}" if self.trimmed else ""
        return f"{self.method}: weights {span}, {worth} respondents{cut}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a respondent: weight."""
        return frame_of([{"weight": w} for w in self.weights.tolist()], backend=backend)

    def chart(self) -> Chart:
        """How the weights spread."""
        from crmcore.charts import histogram

        return histogram(self.weights, title="Survey weights", description=str(self), axis="weight of a respondent")

    def _repr_html_(self) -> str:
        return f"<figure><b>Survey weights</b> {escape(str(self))}</figure>"


@attrs.frozen
class Margin:
    """Cell of each respondent in one trait, and the share each cell should have."""

    trait: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]
    target: Floats

    def shares(self, weights: Floats, /) -> Floats:
        """(c,) weighted share of each cell among the respondents."""
        sums: Floats = np.bincount(self.codes, weights=weights, minlength=len(self.names)) / weights.sum()
        return sums


def margin_of(trait: str, cells: Cells, population: Mapping[str, float], /, *, n: int) -> Margin:
    """Cells of n respondents against their shares in the population; see `post_stratify` for what is refused."""
    population = entries(f"population of {trait!r}", population, hint="name each cell: {'north': 0.4}")
    names = tuple(map(str, population))
    if not names:
        raise EmptyInput(f"population of {trait!r}", "name each cell with its share or its count of people")
    wrong = [name for name, size in population.items() if not 0 < real(f"population of {trait!r}", size) < np.inf]
    if wrong:
        got = {name: population[name] for name in wrong}
        raise OutOfRange(f"population of {trait!r}", got, "shares or counts above 0", "leave empty cells out")
    codes, found = segment_codes(cells, n=n)
    _known(trait, codes, found, names)
    place = np.array([names.index(name) for name in found], np.int64)
    codes = place[codes]
    target = np.array(list(population.values()), np.float64)
    _nobody(trait, names, np.bincount(codes, minlength=len(names)))
    return Margin(trait, codes, names, target / target.sum())


def _known(trait: str, codes: NDArray[np.int64], found: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Refuse respondents whose cell is missing or not in the population, all at once."""
    problems = []
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        problems.append(BadRow(trait, "missing", tuple(missing.tolist())))
    strange = [i for i, name in enumerate(found) if name not in names]
    if strange:
        rows = np.flatnonzero(np.isin(codes, strange))
        problems.append(BadRow(trait, "not in the population", tuple(rows.tolist()), tuple(found[i] for i in strange)))
    if problems:
        hint = f"cells of the population are {list(names)}; give unknown ones a cell of their own with its share"
        raise BadRows("respondents", tuple(problems), hint)


def _nobody(trait: str, names: tuple[str, ...], counts: NDArray[np.int64]) -> None:
    """Refuse cells of the population without respondents: nobody can stand for them."""
    empty = [i for i, count in enumerate(counts.tolist()) if count == 0]
    if not empty:
        return
    advice = []
    for i in empty:
        there = [j for j in range(len(names)) if counts[j] > 0]
        near = min(there, key=lambda j: (abs(j - i), counts[j], j)) if there else None
        if near is not None:
            advice.append(f"{names[i]!r} with {names[near]!r}")
    what = f"cells of {trait!r} without respondents ({', '.join(repr(names[i]) for i in empty)})"
    hint = f"merge {', '.join(advice)} (next in your order) or with the cell most like it, in sample and population"
    raise EmptyInput(what, hint if advice else "ask somebody first")


def post_stratify(cells: Cells, population: Mapping[str, float], /, *, n: int | None = None) -> SurveyWeights:
    """Weights that give every cell of one trait (or of crossed traits) the share that it has in the population.

    Parameters
    ----------
    cells : (n,) words or codes, or a TextColumn
        Cell of each respondent, such as an age band, or "woman, 18-29".
    population : mapping
        Cell to its share, or its number of people, above 0; scaled to add up to 1.
    n : count, optional
        Respondents; only checked.

    Returns
    -------
    SurveyWeights
        Share in the population over share among the respondents.

    Raises
    ------
    BadRows
        Respondents whose cell is missing or not in the population.
    EmptyInput
        Cells of the population without respondents; the hint says which to merge.

    Examples
    --------
    >>> print(post_stratify(["young"] * 80 + ["old"] * 20, {"young": 0.5, "old": 0.5}))
    post-stratified, 2 cells: weights 0.625 to 2.5, design effect 1.56, worth 64 of 100 respondents
    """
    size = len(cells_of("cells", cells))
    if n is not None and n != size:
        raise OutOfRange("len(cells)", size, f"{n}, one a respondent", "pass the cell of every respondent")
    if size == 0:
        raise EmptyInput("respondents", "pass the cell of at least one respondent in every cell of the population")
    margin = margin_of("cells", cells, population, n=size)
    weights = (margin.target / margin.shares(np.ones(size)))[margin.codes]
    return SurveyWeights(weights=weights, method=f"post-stratified, {len(margin.names)} cells")


def post_stratified(
    values: ArrayLike,
    cells: Cells,
    population: Mapping[str, float],
    /,
    *,
    level: float = 0.95,
    rule: str = "",
    small_sample_ok: bool = False,
) -> Estimate:
    """Mean, or share, in the population from respondents whose mix differs from it.

    Parameters
    ----------
    values : (n,) numbers or truths
        None and NaN did not answer, and are left out before the weights are made. Values that are all 0 or 1 give a
        share.
    cells, population
        As in `post_stratify`.
    level : share
        Coverage aimed at.
    rule : text
        What was averaged, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 answers.

    Returns
    -------
    Estimate
        Σ Wₕ ȳₕ for population shares Wₕ, with the variance Σ Wₕ² sₕ²/nₕ given the numbers nₕ that answered: Holt &
        Smith (1979), JRSS A 142:33. Student's interval with n − H degrees of freedom; Wilson's with the effective n for
        a share. It corrects for the traits in the cells and for nothing else.

    Raises
    ------
    BadRows, EmptyInput
        As `post_stratify`.
    OutOfRange
        A cell with a single answer: its spread is not known.

    Examples
    --------
    >>> happy, age = [1] * 60 + [0] * 20 + [1] * 5 + [0] * 15, ["young"] * 80 + ["old"] * 20
    >>> print(post_stratified(happy, age, {"young": 0.5, "old": 0.5}))
    0.5 [0.393, 0.607] (95 %, n = 100, wilson, effective n = 80.5, post-stratified)
    """
    from crmcore.metrics.design import proportion_of
    from crmcore.metrics.means import mean

    check_level(level)
    column = score_column(values, what="values")
    there = ~np.isnan(column)
    codes, names = segment_codes(cells, n=len(column))
    labels = np.array([*names, ""], dtype=object)[codes]
    kept = labels[there].tolist()
    made = post_stratify(kept, population)
    alone = sorted(name for name, count in Counter(kept).items() if count == 1)
    if alone:
        hint = "merge it with the cell most like it, in sample and population"
        raise OutOfRange(f"answers in {', '.join(map(repr, alone))}", 1, "2 or more in every cell", hint)
    share = bool(np.isin(column[there], (0, 1)).all())
    what = rule or ("share in the population" if share else "mean in the population")
    warn_if_small(len(kept), "the post-stratified estimate", ok=small_sample_ok)
    estimate = (proportion_of if share else mean)(
        column[there],
        weights=made.weights,
        strata=kept,
        level=level,
        rule=what,
        small_sample_ok=True,
    )
    return attrs.evolve(estimate, method=f"{estimate.method}, post-stratified")
