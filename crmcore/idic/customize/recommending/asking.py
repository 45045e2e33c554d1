"""Whose items are asked for: histories of known customers, or one history that is just known now (folded in)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.model import RecommenderModel

__all__ = ["Asked", "asked_for", "folded_in"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
NOW = "this history"


@attrs.frozen(eq=False, kw_only=True)
class Asked:
    """Histories in rows: `item[starts[r]:starts[r + 1]]` is what row r holds, in codes of the model."""

    names: tuple[str, ...] = attrs.field(repr=False)
    starts: Codes
    item: Codes
    baskets: NDArray[np.int64]
    age_days: Floats
    first_age_days: Floats
    segments: tuple[str | None, ...]
    unknown: Mapping[int, tuple[str, ...]] = attrs.Factory(dict)  # items of a row that the model does not know

    def __len__(self) -> int:
        return len(self.names)

    def row(self, r: int) -> slice:
        """Pairs of a row."""
        return slice(int(self.starts[r]), int(self.starts[r + 1]))

    def take(self, r: int, stop: int) -> tuple[Codes, Codes, slice]:
        """Starts (from 0), items and place of the pairs of rows r to stop."""
        here = slice(int(self.starts[r]), int(self.starts[stop]))
        return self.starts[r : stop + 1] - self.starts[r], self.item[here], here


def asked_for(
    model: RecommenderModel, found: Histories, customers: Sequence[str] | None, segments: Mapping[str, str]
) -> Asked:
    """Histories of customers; whom nobody knows has none, and gets what sells now."""
    names = found.customers.ids if customers is None else listed(
        customers, "customers", str, what="ids", hint="pass ['c7']")  # fmt: skip
    code = np.array([found.customers.code(name) for name in names], np.intp)
    known = code >= 0
    sizes = np.where(known, found.starts[code + 1] - found.starts[code], 0) if len(code) else np.zeros(0, np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    within = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    rows = np.repeat(np.where(known, found.starts[code], 0), sizes) + within
    item = found.item[rows] if model.items == found.items else model.codes(found.items)[found.item[rows]]
    return Asked(
        names=tuple(names), starts=starts, item=item, baskets=found.baskets[rows], age_days=found.age_days[rows],
        first_age_days=found.first_age_days[rows], segments=tuple(_segment(model, segments.get(n)) for n in names),
    )  # fmt: skip


def _segment(model: RecommenderModel, name: str | None) -> str | None:
    return name if name in model.segments else None


def folded_in(
    model: RecommenderModel, history: Sequence[str] | Mapping[str, float], *, segment: str | None = None,
    name: str = NOW,
) -> Asked:  # fmt: skip
    """One history, as items or as item to age in days."""
    if isinstance(history, Mapping):
        ages = dict(history)
    else:
        ages = dict.fromkeys(listed(history, "history", str, what="item ids", hint="pass ['TEA', 'POT']"), 0.0)
    for item, age in ages.items():
        if isinstance(age, bool) or not isinstance(age, int | float):
            raise WrongType(f"age of {item!r}", f"a {type(age).__name__}", "days", "pass {'TEA': 12.0}")
        if not 0 <= age < np.inf:
            raise OutOfRange(f"age of {item!r}", age, "days from 0", "pass {'TEA': 12.0}")
    if segment is not None:
        model.filler(segment)
    names = sorted(ages)
    codes = model.codes(names)
    known = codes >= 0
    order = np.argsort(codes[known], kind="stable")
    days = np.array([ages[n] for n in names], np.float64)[known][order]
    lost = tuple(n for n, k in zip(names, known.tolist(), strict=True) if not k)
    return Asked(
        names=(name,), starts=np.array([0, len(order)], np.intp), item=codes[known][order],
        baskets=np.ones(len(order), np.int64), age_days=days, first_age_days=days, segments=(segment,),
        unknown={0: lost} if lost else {},
    )  # fmt: skip


def check_k(k: int, n_items: int) -> int:
    """Count of items to recommend."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise OutOfRange("k", k, "a whole number from 1", "10 is usual")
    if not n_items:
        raise EmptyInput("the catalogue", "fit on orders with products")
    return min(int(k), n_items)
