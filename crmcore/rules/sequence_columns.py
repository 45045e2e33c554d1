"""The order of events for every customer: kernels over sorted columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["has_neighbour", "switch_counts"]

Codes = NDArray[np.int64]
Micros = NDArray[np.int64]


def has_neighbour(
    customer: Codes, time_us: Micros, other_customer: Codes, other_us: Micros, /, *, within_us: float, after: bool
) -> NDArray[np.bool_]:
    """Whether each event has another one of the same customer strictly after it (or before it) and near enough.

    Parameters
    ----------
    customer, time_us : (n,) the events that are asked about
    other_customer, other_us : (m,) the events that are looked for
    within_us : microseconds, both ends included; infinite = any distance
    after : whether the other one comes later; else earlier

    Examples
    --------
    >>> me, them = np.array([0, 0, 1]), np.array([0])
    >>> has_neighbour(me, np.array([5, 9, 5]), them, np.array([8]), within_us=3, after=True).tolist()
    [True, False, False]
    """
    if not len(other_us) or not len(time_us):
        return np.zeros(len(time_us), np.bool_)
    rank = np.unique(np.concatenate([time_us, other_us]), return_inverse=True)[1]
    width = len(rank) + 1
    mine, theirs = customer * width + rank[: len(time_us)], other_customer * width + rank[len(time_us) :]
    order = np.argsort(theirs)
    theirs, whose, when = theirs[order], other_customer[order], other_us[order]
    # the nearest one decides: no other is nearer
    place = np.searchsorted(theirs, mine, side="right") if after else np.searchsorted(theirs, mine, side="left") - 1
    inside = (place >= 0) & (place < len(theirs))
    place = np.where(inside, place, 0)
    near: NDArray[np.bool_] = inside & (whose[place] == customer) & (np.abs(when[place] - time_us) <= within_us)
    return near


def switch_counts(
    customer: Codes, time_us: Micros, state: NDArray[np.str_], /, *, n_customers: int
) -> NDArray[np.float64]:
    """(n_customers,) how often the state changes from one event of a customer to the next.

    Parameters
    ----------
    customer, time_us, state : (n,) events in any order; at one instant by the letters of their states
    n_customers : count

    Examples
    --------
    >>> whose = np.array([0, 0, 0, 1])
    >>> switch_counts(whose, np.array([3, 1, 2, 1]), np.array(["a", "a", "b", "a"]), n_customers=2)
    array([2., 0.])
    """
    order = np.lexsort((state, time_us, customer))
    whose, what = customer[order], state[order]
    turns = (whose[1:] == whose[:-1]) & (what[1:] != what[:-1])
    return np.bincount(whose[1:][turns], minlength=n_customers).astype(np.float64)
