"""Reliability of a scale: whether its items agree, and which of them do not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import CrmError, EmptyInput, OutOfRange, WrongType
from crmcore.metrics.columns import SAME, held, numbers
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ScaleReliability", "alpha_interval", "cronbach_alpha", "item_columns"]

Floats = NDArray[np.float64]


def item_columns(
    items: Mapping[str, ArrayLike] | ArrayLike, /, *, names: Sequence[str] | None = None
) -> tuple[Floats, tuple[str, ...]]:
    """Matrix of answers (n respondents, k items) and the names of its items; None and NaN are not answered.

    Parameters
    ----------
    items : mapping of name to (n,) numbers, or (n, k) numbers
    names : k texts, optional
        For a matrix; None numbers the items from 1.

    Raises
    ------
    WrongType, OutOfRange, EmptyInput
        Cells that are no numbers or infinite; columns of different lengths; no items.

    Examples
    --------
    >>> matrix, names = item_columns({"honest": [5, 4], "reliable": [4, None]})
    >>> matrix.shape, names
    ((2, 2), ('honest', 'reliable'))
    """
    hint = "turn words into numbers first"
    try:
        if isinstance(items, Mapping):
            columns = {name: numbers(str(name), column) for name, column in items.items()}
            if len({c.shape for c in columns.values()}) > 1:
                sizes = {name: c.shape for name, c in columns.items()}
                raise OutOfRange("items", sizes, "columns of one length", "row i of every item is one respondent")
            matrix = np.stack(list(columns.values()), axis=1) if columns else np.empty((0, 0))
            names = tuple(columns)
        else:
            matrix = np.asarray(items, np.float64)
            columns_of: Iterable[object] | None = getattr(items, "columns", None)  # of a pandas or polars frame
            if names is None and columns_of is not None:
                names = [str(name) for name in columns_of]
    except (TypeError, ValueError) as error:
        if isinstance(error, CrmError):
            raise
        raise WrongType("items", "not numeric", "one number an answer", hint) from None
    if matrix.ndim != 2:
        raise OutOfRange("items", f"{matrix.ndim} dimensions", "(respondents, items)", "one column an item")
    if matrix.shape[1] == 0:
        raise EmptyInput("items", "pass one column for each question of the scale")
    if np.isinf(matrix).any():
        raise OutOfRange("items", "an infinite answer", "finite numbers, or NaN for not answered", hint)
    known = tuple(str(i) for i in range(1, matrix.shape[1] + 1)) if names is None else tuple(names)
    if len(known) != matrix.shape[1]:
        raise OutOfRange("names", len(known), f"{matrix.shape[1]}, one an item", "name every item once")
    return matrix, known


def alpha_interval(alpha: ArrayLike, n: ArrayLike, k: ArrayLike, /, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Exact interval of coefficient alpha, elementwise.

    Parameters
    ----------
    alpha : (m,) numbers
        At most 1.
    n, k : (m,) counts
        Respondents, at least 2, and items, at least 2.
    level : share
        Coverage aimed at.

    Returns
    -------
    low, high : (m,) numbers
        1 − (1 − α) F at the upper and lower tail of F with n − 1 and (n − 1)(k − 1) degrees of freedom: exact for
        normal answers whose items are equally good (compound symmetry), close otherwise. Feldt (1965), Psychometrika
        30:357; Feldt, Woodruff & Salih (1987), Applied Psychological Measurement 11:93.

    Examples
    --------
    >>> low, high = alpha_interval(0.74, 100, 4)
    >>> float(low.round(2)), float(high.round(2))
    (0.65, 0.81)
    """
    from scipy.special import fdtri

    check_level(level)
    df = np.asarray(n, np.float64) - 1
    rest = df * (np.asarray(k, np.float64) - 1)
    gap = 1 - np.asarray(alpha, np.float64)
    low = 1 - gap * fdtri(df, rest, (1 + level) / 2)
    high = 1 - gap * fdtri(df, rest, (1 - level) / 2)
    return low, high


def _alpha(covariance: Floats) -> float:
    k, total = len(covariance), float(covariance.sum())
    return k / (k - 1) * (1 - float(np.trace(covariance)) / total) if k > 1 and total > 0 else math.nan


@attrs.frozen(hash=False, repr=False, kw_only=True)
class ScaleReliability(Document):
    """Cronbach's alpha of a scale, and what each item does to it.

    Parameters
    ----------
    alpha : Estimate
        With Feldt's interval; its n counts the respondents who answered every item.
    items : k texts
    means, deviations : (k,) numbers
        Of each item, over the same respondents; standard deviations have n − 1 below.
    item_total : (k,) correlations
        Of each item with the sum of the others; NaN where an item does not vary.
    alpha_if_deleted : (k,) numbers
        Alpha of the scale without the item; NaN for a scale of two.
    reversed : texts
        Items that run against the others (their loading on the first principal component has the other sign than those
        of most): most often worded the other way round.
    left_out : count
        Respondents who left an item unanswered.
    """

    alpha: Estimate
    items: tuple[str, ...]
    means: Floats = attrs.field(converter=held, eq=SAME)
    deviations: Floats = attrs.field(converter=held, eq=SAME)
    item_total: Floats = attrs.field(converter=held, eq=SAME)
    alpha_if_deleted: Floats = attrs.field(converter=held, eq=SAME)
    reversed: tuple[str, ...]
    left_out: int

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"ScaleReliability({len(self)} items, alpha {self.alpha})"

    def __str__(self) -> str:
        out = f"; {self.left_out} respondents left an item out" if self.left_out else ""
        lines = [f"alpha {self.alpha}, {len(self)} items{out}", *self._lines()]
        return "\n".join([*lines, *(f"reverse or drop {name!r}: it runs against the scale" for name in self.reversed)])

    def _lines(self) -> list[str]:
        wide = max(map(len, self.items))
        return [
            f"{name:{wide}}  item-total {number_text(r)}, alpha without it {number_text(a)}"
            for name, r, a in zip(self.items, self.item_total.tolist(), self.alpha_if_deleted.tolist(), strict=True)
        ]

    def _rows(self) -> list[dict[str, Any]]:
        columns = {
            "item": self.items,
            "mean": self.means.tolist(),
            "deviation": self.deviations.tolist(),
            "item_total": self.item_total.tolist(),
            "alpha_if_deleted": self.alpha_if_deleted.tolist(),
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an item: item, mean, deviation, item_total, alpha_if_deleted."""
        return frame_of(self._rows(), backend=backend)

    def chart(self, *, title: str = "How well each item fits the scale") -> Chart:
        """Item-total correlations as bars; items that do not vary are left out."""
        from crmcore.charts import bar

        drawn = [(x, r) for x, r in zip(self.items, self.item_total.tolist(), strict=True) if math.isfinite(r)]
        if not drawn:
            raise EmptyInput("the scale without a varying item", "ask items that people answer differently")
        labels, values = zip(*drawn, strict=True)
        return bar(labels, values, title=title, description=str(self.alpha), axis="correlation with the other items")

    def _repr_html_(self) -> str:
        rows = [{k: v if isinstance(v, str) else number_text(v) for k, v in row.items()} for row in self._rows()]
        return html_table(rows, caption=f"Cronbach's alpha {self.alpha}")


def cronbach_alpha(
    items: Mapping[str, ArrayLike] | ArrayLike,
    *,
    names: Sequence[str] | None = None,
    level: float = 0.95,
    rule: str = "Cronbach's alpha, respondents who answered every item",
    small_sample_ok: bool = False,
) -> ScaleReliability:
    """Internal consistency of a scale: how far its items agree.

    Parameters
    ----------
    items : mapping of name to (n,) numbers, or (n, k) numbers
        Answers, all worded in one direction, k at least 2. Respondents with an unanswered item (None, NaN) are left out
        as a whole ("listwise") and counted.
    names : k texts, optional
        Of the columns of a matrix.
    level : share
        Coverage aimed at.
    rule : text
        What the scale is and who answered, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 complete respondents.

    Returns
    -------
    ScaleReliability
        α = k/(k − 1) (1 − Σsᵢ²/s²) for item variances sᵢ² and the variance s² of the sum: Cronbach (1951),
        Psychometrika 16:297. Interval: `alpha_interval`. NaN where nobody differs; below 0 where items work against
        each other. Alpha grows with the number of items and is no proof that they measure one thing.

    Raises
    ------
    OutOfRange
        Fewer than two items.
    EmptyInput
        Fewer than two respondents answered every item.

    Examples
    --------
    >>> answers = {"honest": [5, 4, 2, 1, 4], "reliable": [5, 3, 2, 2, 4], "fair": [4, 4, 1, 2, 5]}
    >>> print(cronbach_alpha(answers, small_sample_ok=True))
    alpha 0.934 [0.664, 0.993] (95 %, n = 5, feldt), 3 items
    honest    item-total 0.904, alpha without it 0.872
    reliable  item-total 0.894, alpha without it 0.898
    fair      item-total 0.824, alpha without it 0.94
    """
    check_level(level)
    matrix, known = item_columns(items, names=names)
    k = len(known)
    if k < 2:
        raise OutOfRange("items", k, "at least 2", "one item has no internal consistency; report its mean")
    whole = matrix[~np.isnan(matrix).any(axis=1)]
    n = len(whole)
    if n < 2:
        raise EmptyInput("respondents who answered every item", "drop the item that most people left out")
    warn_if_small(n, "Cronbach's alpha", ok=small_sample_ok)
    covariance = np.cov(whole, rowvar=False)
    value = _alpha(covariance)
    low, high = alpha_interval(value, n, k, level=level)
    ends = {"low": float(low), "high": float(high)}
    return ScaleReliability(
        alpha=Estimate(value=value, **ends, level=level, n=n, rule=rule, method="feldt"),
        items=known,
        means=whole.mean(axis=0),
        deviations=np.sqrt(np.diag(covariance)),
        item_total=_item_total(covariance),
        alpha_if_deleted=np.array([_alpha(np.delete(np.delete(covariance, i, 0), i, 1)) for i in range(k)]),
        reversed=tuple(known[i] for i in _against(covariance)),
        left_out=len(matrix) - n,
    )


def _against(covariance: Floats) -> list[int]:
    """Positions of items whose loading on the first principal component has the sign of the minority."""
    spread = np.sqrt(np.diag(covariance))
    if not (spread > 0).all():
        return []
    first = np.linalg.eigh(covariance / np.outer(spread, spread))[1][:, -1]
    signs = np.where(np.abs(first) > 1e-9, np.sign(first), 0.0)
    # Of two equal camps the one of the first item is called the scale.
    side = np.sign(signs.sum()) or signs[np.flatnonzero(signs)[0]]
    return np.flatnonzero(signs == -side).tolist()


def _item_total(covariance: Floats) -> Floats:
    """Correlation of each item with the sum of the others, from the covariances."""
    own = np.diag(covariance)
    with_rest = covariance.sum(axis=1) - own
    rest = covariance.sum() - 2 * covariance.sum(axis=1) + own
    # Rounding leaves a trace of variance in columns that do not vary.
    varies = (own > 1e-12 * own.max(initial=0)) & (rest > 1e-12 * own.max(initial=0)) & (own > 0)
    safe = np.where(varies, own * rest, 1.0)
    return np.where(varies, with_rest / np.sqrt(safe), np.nan)
