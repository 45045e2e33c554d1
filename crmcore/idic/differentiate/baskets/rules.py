"""Basket rules: support, confidence, lift, leverage and conviction, and which of them are more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.idic.differentiate.baskets.itemsets import frequent_sets
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.proportions import proportion

__all__ = ["BasketRule", "BasketRules", "basket_rules"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class BasketRule:
    """Baskets with all items of `given` hold `then` with this confidence.

    Attributes
    ----------
    support, confidence : shares of baskets, with Wilson intervals
    lift : confidence over the share of `then`; 1 means no association
    leverage : support less what independence would give
    conviction : (1 - share of `then`) / (1 - confidence); inf where the rule never fails
    p_value, p_adjusted : one-sided Fisher test of positive association, alone and by Holm over all rules looked at
    """

    given: tuple[str, ...]
    then: str
    support: Estimate
    confidence: Estimate
    lift: float
    leverage: float
    conviction: float
    p_value: float
    p_adjusted: float

    def __str__(self) -> str:
        return f"{' + '.join(self.given)} -> {self.then}: confidence {self.confidence}, lift {self.lift:.3g}"


@attrs.frozen(kw_only=True, repr=False)
class BasketRules:
    """Rules, the strongest lift first, with what was looked at.

    Attributes
    ----------
    rules : best first; ties by names
    n_baskets : count
    n_tested : count of rules in the family that `p_adjusted` corrects for
    """

    rules: tuple[BasketRule, ...]
    n_baskets: int
    n_tested: int

    def __len__(self) -> int:
        return len(self.rules)

    def __str__(self) -> str:
        head = f"{len(self)} rules from {self.n_baskets} baskets, {self.n_tested} looked at"
        return "\n".join([head, *(f"  {rule}" for rule in self.rules[:10])])

    def __repr__(self) -> str:
        return f"BasketRules({len(self)} rules, {self.n_baskets} baskets)"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "given": " + ".join(r.given), "then": r.then, "support": r.support.value,
                "confidence": r.confidence.value, "confidence_low": r.confidence.low,
                "confidence_high": r.confidence.high, "lift": r.lift, "leverage": r.leverage,
                "conviction": r.conviction, "p_value": r.p_value, "p_adjusted": r.p_adjusted,
            }
            for r in self.rules
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a rule."""
        rows = self._rows()
        names = list(rows[0]) if rows else ["given", "then", "support", "confidence", "lift", "p_adjusted"]
        return write_frame({name: [row[name] for row in rows] for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.n_baskets} baskets", limit=10)


def basket_rules(
    basket: Sequence[str], item: Sequence[str], *, min_support: float = 0.01, min_confidence: float = 0.0,
    max_items: int = 3, alpha: float = 0.05, top: int | None = None, level: float = 0.95,
) -> BasketRules:  # fmt: skip
    """Find what is bought together more often than chance.

    Every rule has one item on its right side. The family of tests holds every pair of a frequent left side and a
    frequent right side, whether or not they met often enough to be listed, so that looking at many pairs creates no
    rules out of chance (Holm). Source of the measures: Agrawal, Imielinski, Swami (1993); Brin et al. (1997).

    Parameters
    ----------
    basket, item : (n,) texts
        Row i says that the basket holds the item; repeated rows count once.
    min_support, min_confidence : shares
        What a rule must reach; `min_support` is of all baskets.
    max_items : count of items in a rule, both sides together, from 2
    alpha : share
        Rules with a larger corrected p-value are left out; 1 keeps all.
    top : count of rules to keep, or None for all
    level : share, of the intervals

    Examples
    --------
    >>> found = basket_rules(["1", "1", "2", "2", "3"], ["tea", "milk", "tea", "milk", "rum"], alpha=1.0)
    >>> [(r.given, r.then, r.confidence.value, round(r.lift, 3)) for r in found.rules]
    [(('milk',), 'tea', 1.0, 1.5), (('tea',), 'milk', 1.0, 1.5)]
    """
    check_level(level)
    _check_options(min_support, min_confidence, max_items, alpha, top)
    baskets, basket_code = _coded("basket", basket)
    items, item_code = _coded("item", item)
    if len(basket) != len(item):
        raise OutOfRange("item", f"{len(item)} entries", f"{len(basket)}, as basket", "row i is one item of a basket")
    if not len(basket):
        raise EmptyInput("baskets", "pass one row for each item of each basket")
    n = len(baskets)
    least = max(1, math.ceil(min_support * n - 1e-9))
    sets = frequent_sets(basket_code, item_code, n_baskets=n, n_items=len(items), least=least, longest=max_items)
    singles = sum(len(s) == 1 for s in sets)
    tested = sum(singles - len(s) for s in sets if len(s) < max_items)
    found = [((*s[:k], *s[k + 1 :]), s[k], count) for s, count in sets.items() if len(s) > 1 for k in range(len(s))]
    p = np.array([_fisher(count, sets[left], sets[(right,)], n) for left, right, count in found], float)
    adjusted = _holm(p, tested)
    rules = [
        _rule([str(items[i]) for i in left], str(items[right]), (count, sets[left], sets[(right,)], n), a, b, level)
        for (left, right, count), a, b in zip(found, p.tolist(), adjusted.tolist(), strict=True)
        if b <= alpha and count >= min_confidence * sets[left]
    ]
    rules.sort(key=lambda r: (-r.lift, -r.support.value, r.given, r.then))
    return BasketRules(rules=tuple(rules[:top]), n_baskets=n, n_tested=tested)


def _rule(
    given: list[str], then: str, counts: tuple[int, int, int, int], p: float, adjusted: float, level: float
) -> BasketRule:
    both, left, right, n = counts
    miss = left - both
    return BasketRule(
        given=tuple(given), then=then, support=proportion(both, n, level=level, small_sample_ok=True),
        confidence=proportion(both, left, level=level, small_sample_ok=True), lift=both * n / (left * right),
        leverage=both / n - left * right / n**2, conviction=(n - right) * left / (n * miss) if miss else math.inf,
        p_value=p, p_adjusted=adjusted,
    )  # fmt: skip


def _fisher(both: int, left: int, right: int, n: int) -> float:
    """P(overlap >= both) where the sets are independent, margins given (hypergeometric tail)."""
    from scipy.special import gammaln

    def choose(a: Any, b: Any) -> Any:
        return gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)

    if both <= max(0, left + right - n):
        return 1.0
    x = np.arange(both, min(left, right) + 1)
    return min(1.0, float(np.exp(choose(right, x) + choose(n - right, left - x) - choose(n, left)).sum()))


def _holm(p: Floats, tested: int) -> Floats:
    """Holm over `tested` hypotheses of which all but these have p = 1."""
    order = np.argsort(p, kind="stable")
    out = np.empty(len(p))
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * (tested - np.arange(len(p)))))
    return out


def _coded(name: str, column: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    if isinstance(column, str):
        raise WrongType(name, "a str", "a column of texts", "pass one text a row")
    odd = tuple(i for i, cell in enumerate(column) if not isinstance(cell, str) or not cell)
    if odd:
        raise BadRows("the baskets", (BadRow(name, "missing or no text", odd),), "drop these rows or name them")
    names, code = np.unique(np.array(column, dtype=str), return_inverse=True)
    return names, code


def _check_options(support: float, confidence: float, longest: int, alpha: float, top: int | None) -> None:
    for name, value in {"min_support": support, "min_confidence": confidence, "alpha": alpha}.items():
        if not 0 <= value <= 1:
            raise OutOfRange(name, value, "0 to 1", "write a share, such as 0.01")
    if longest < 2:
        raise OutOfRange("max_items", longest, "2 or more", "a rule has an item on each side")
    if top is not None and top < 1:
        raise OutOfRange("top", top, "1 or more, or None", "None keeps every rule")
