"""Durations, events and entries as hazard models read them: all bad rows at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._frames import read_frame
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, WrongType
from crmcore.idic.differentiate.propensity.features import Features, names_of, read_features
from crmcore.metrics.columns import codes_of, numbers, refuse, same_length, truths

__all__ = ["Lives", "read_lives"]

Floats = NDArray[np.float64]


@attrs.frozen(eq=False)
class Lives:
    """Rows that were followed: features, from when to when, and whether the event ended it.

    Attributes
    ----------
    features : Features or None where there are none
    duration, event, entry, weight, stratum : (n,)
    strata : names of strata
    """

    features: Features | None
    duration: Floats
    event: NDArray[np.bool_]
    entry: Floats
    weight: Floats
    stratum: NDArray[np.int64]
    strata: tuple[str, ...]


def read_lives(
    frame: Any,
    /,
    *,
    duration: str | ArrayLike,
    event: str | ArrayLike,
    entry: str | ArrayLike | None = None,
    weights: str | ArrayLike | None = None,
    strata: str | ArrayLike | None = None,
    words: Collection[str] = (),
    leave_out: Collection[str] = (),
) -> Lives:
    """Read what a hazard model is fitted on; a text names a column of the frame, which is then no feature.

    Raises
    ------
    BadRows
        Durations that are missing, negative or infinite; entries that are not before the end; weights below 0.
    OutOfRange
        Columns of two lengths; nobody who left.
    """
    read = None if isinstance(frame, Features) else read_frame(frame)
    given = {"duration": duration, "event": event, "entry": entry, "weights": weights, "strata": strata}
    taken: list[str] = []
    columns: dict[str, Any] = {}
    for name, column in given.items():
        if isinstance(column, str):
            if read is None:
                raise WrongType(name, "a name", "a column", "pass columns beside features that were read")
            if column not in read.columns:
                raise MissingColumn(column, read.columns)
            taken.append(column)
            columns[name] = read.column(column)
        else:
            columns[name] = column
    left = tuple(dict.fromkeys([*names_of(leave_out), *taken]))
    some_left = read is None or any(name not in left for name in read.columns)
    features = read_features(frame, words=words, leave_out=left) if some_left else None
    end = numbers("duration", columns["duration"])
    if not len(end):
        raise EmptyInput("the lives", "pass at least one row")
    out = truths("event", columns["event"])
    n = same_length("the model", duration=end, event=out)
    if features is not None and len(features) != n:
        raise OutOfRange("len(duration)", n, f"{len(features)}, as the features", "one duration a row")
    begin = np.full(n, -np.inf) if entry is None else numbers("entry", columns["entry"])
    weight = np.ones(n) if weights is None else numbers("weights", columns["weights"])
    same_length("the model", duration=end, entry=begin, weights=weight)
    bad_end = ~(np.isfinite(end) & (end >= 0))
    refuse(
        "the lives",
        "durations count from each customer's own start; who came under observation late has an entry before its end",
        duration=(bad_end, "not a finite number from 0"),
        entry=(~bad_end & ~(begin < end) & np.full(n, entry is not None), "not before the end"),
        weights=(~(np.isfinite(weight) & (weight >= 0)), "not a finite number from 0"),
    )
    if not (weight[out] > 0).any():
        raise OutOfRange("event", "nobody who left", "at least one event", "follow customers for longer")
    stratum, names = (np.zeros(n, np.int64), ("all",)) if strata is None else codes_of(columns["strata"], n, "strata")
    return Lives(features, end, out, begin, weight, np.asarray(stratum, np.int64), names)
