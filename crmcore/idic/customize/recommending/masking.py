"""What may be recommended: items that are allowed, for all or for each customer; what is unknown is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange, WrongType

__all__ = ["Eligible", "allowed"]

Bools = NDArray[np.bool_]
Eligible = Mapping[str, Any] | Collection[str] | Callable[[str], Any] | NDArray[np.bool_]


def allowed(eligible: Any, items: tuple[str, ...], n_rows: int, /) -> Bools:
    """(items,) or (rows, items) whether each item may be recommended.

    Examples
    --------
    >>> allowed({"tea": True, "pot": None}, ("cup", "pot", "tea"), 1).tolist()
    [False, False, True]
    """
    true = getattr(eligible, "true", None)  # a TruthColumn of the rules, in the order of the items
    if true is not None:
        eligible = np.asarray(true)
    if isinstance(eligible, np.ndarray):
        if eligible.dtype.kind != "b":
            raise WrongType("eligible", f"an array of {eligible.dtype}", "an array of truths", "write stock > 0")
        if eligible.shape not in ((len(items),), (n_rows, len(items))):
            wanted = f"({len(items)},) or ({n_rows}, {len(items)}): (customers,) items"
            raise OutOfRange("shape of eligible", eligible.shape, wanted, "in the order of model.items")
        return eligible.copy()
    if isinstance(eligible, str):
        raise WrongType("eligible", "a str", "items, item to truth, a function, or an array", "pass ['TEA']")
    if isinstance(eligible, Mapping):
        return np.array([_truth(eligible.get(item), item) for item in items], np.bool_)
    if callable(eligible):
        return np.array([_truth(eligible(item), item) for item in items], np.bool_)
    if isinstance(eligible, Collection):
        kept = set(eligible)
        return np.array([item in kept for item in items], np.bool_)
    raise WrongType("eligible", f"a {type(eligible).__name__}", "items, item to truth, a function, or an array",
                    "pass ['TEA'], or {'TEA': True}")  # fmt: skip


def _truth(value: object, item: str) -> bool:
    from crmcore.rules.truth import Truth

    if value is None or isinstance(value, bool | np.bool_ | Truth):
        return bool(value)
    hint = "True, False, a Truth, or None, which is unknown and keeps it out"
    raise WrongType(f"eligible[{item!r}]", f"a {type(value).__name__}", "a truth", hint)
