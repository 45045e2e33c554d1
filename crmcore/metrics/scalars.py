"""What a single number handed to a metric must be: read once, refused with the way out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from crmcore.errors import OutOfRange, UnknownName, WrongType

__all__ = [
    "LARGEST_COUNT",
    "above",
    "count_of",
    "entries",
    "hold_counts",
    "hold_reals",
    "named",
    "nan_alike",
    "real",
    "seeded",
    "share_of",
    "text_of",
]

LARGEST_COUNT = 2**63 - 1
"""Counts above do not fit the columns that hold them."""

T = TypeVar("T")


def real(name: str, value: object, /, *, hint: str = "pass one number, not text and not a column") -> float:
    """One number as a float, NaN and infinity included: whether they mean anything is for the caller to say.

    Raises
    ------
    WrongType
        Text, a date, a column, None or anything else that is no number.

    Examples
    --------
    >>> real("spend", Decimal("12.5"))
    12.5
    """
    plain = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(plain, np.timedelta64) or not isinstance(plain, Real | Decimal | np.bool_):
        raise WrongType(name, _kind(value), "a number", hint)
    try:
        return float(plain)
    except OverflowError:
        raise OutOfRange(name, f"{str(plain)[:12]}...", "a number below 1.8e308", "check the unit") from None


def count_of(name: str, value: object, /, *, least: int = 0, hint: str = "pass a count, not a share") -> int:
    """One count as a whole number.

    Raises
    ------
    WrongType
        No number.
    OutOfRange
        Not whole, below `least`, NaN, infinite, or too large to be held.

    Examples
    --------
    >>> count_of("visits", 1000.0)
    1000
    """
    if type(value) is int and least <= value <= LARGEST_COUNT:
        return value
    number = real(name, value, hint=hint)
    if not (least <= number <= LARGEST_COUNT and number == int(number)):
        allowed = f"a whole number from {least}" if number <= LARGEST_COUNT or number != number else "below 2**63"
        raise OutOfRange(name, value, allowed, hint)
    whole: int = int(value)  # type: ignore[call-overload]  # `real` has read it, and as a float it lost digits
    return whole


def above(name: str, value: object, /, *, hint: str, allowed: str = "more than 0", least: float | None = None) -> float:
    """One finite number above 0, or from `least` where that is given.

    Examples
    --------
    >>> above("within_hours", 24, hint="such as 24")
    24.0
    """
    number = real(name, value, hint=hint)
    if not ((number > 0 if least is None else number >= least) and math.isfinite(number)):
        raise OutOfRange(name, value, allowed, hint)
    return number


def share_of(name: str, value: object, /, *, hint: str, allowed: str = "a share between 0 and 1") -> float:
    """One share between 0 and 1, both left out.

    Examples
    --------
    >>> share_of("target", 0.7, hint="write 70 % as target=0.7")
    0.7
    """
    number = real(name, value, hint=hint)
    if not 0 < number < 1:
        raise OutOfRange(name, value, allowed, hint)
    return number


def text_of(name: str, value: object, /, *, hint: str) -> str:
    """One text that is not empty.

    Examples
    --------
    >>> text_of("per", "reach", hint="such as 'reach'")
    'reach'
    """
    if not isinstance(value, str):
        raise WrongType(name, _kind(value), "text", hint)
    if not value:
        raise OutOfRange(name, value, "a text", hint)
    return value


def named(what: str, given: object, known: Collection[str], /) -> str:
    """The name among `known` that was meant: small and capital letters, blanks, "-" and "_" are alike.

    Raises
    ------
    UnknownName
        None of them, with the nearest.

    Examples
    --------
    >>> named("interval method", "Clopper_Pearson", ("wilson", "clopper-pearson"))
    'clopper-pearson'
    """
    for name in known:
        if isinstance(given, str) and _folded(name) == _folded(given):
            return name
    raise UnknownName(what, given if isinstance(given, str) else str(given), tuple(known))


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-").replace(" ", "-")


def seeded(seed: int | np.random.Generator | None, /) -> np.random.Generator:
    """Random numbers of a seed, or those of a generator as it stands; None is refused, for nothing here is unseeded.

    Examples
    --------
    >>> int(seeded(1).integers(1000))
    473
    """
    if isinstance(seed, np.random.Generator):
        return seed
    hint = "method='bootstrap', seed=1"
    if seed is None:
        raise OutOfRange("seed", None, "a whole number or a numpy Generator", hint)
    return np.random.default_rng(count_of("seed", seed, hint=hint))


def hold_counts(owner: object, /, *names: str, hint: str) -> None:
    """Check counts in the fields of a frozen value that is being made, and hold them as plain whole numbers."""
    for name in names:
        object.__setattr__(owner, name, count_of(name, getattr(owner, name), hint=hint))


def hold_reals(owner: object, /, *names: str, hint: str) -> None:
    """Check numbers in the fields of a frozen value that is being made, and hold them as plain numbers."""
    for name in names:
        given = getattr(owner, name)
        read = real(name, given, hint=hint)
        object.__setattr__(owner, name, given if type(given) in (int, float) else read)


def entries(name: str, given: Mapping[str, T], /, *, hint: str) -> Mapping[str, T]:
    """Values by name: a mapping as it came, the columns of a frame, or a pandas series such as `value_counts` makes.

    Raises
    ------
    WrongType
        Something else.

    Examples
    --------
    >>> entries("counts", {"north": 3}, hint="name each shop")
    {'north': 3}
    """
    frame: Any = given
    if isinstance(frame, Mapping):
        return frame if all(isinstance(key, str) for key in frame) else {str(key): v for key, v in frame.items()}
    names = getattr(frame, "column_names", getattr(frame, "columns", None))  # pyarrow; polars and pandas
    if names is not None and hasattr(frame, "__getitem__"):
        return {str(column): frame[column] for column in names}
    if hasattr(frame, "index") and hasattr(frame, "to_dict"):
        return {str(label): value for label, value in frame.to_dict().items()}
    raise WrongType(name, _kind(given), "a mapping of names to values", hint)


def nan_alike(value: float, /) -> float | None:
    """Key by which results compare numbers: NaN equals NaN, or a result read back would differ from what was written.

    Examples
    --------
    >>> nan_alike(math.nan) == nan_alike(float("nan")), nan_alike(2.0)
    (True, 2.0)
    """
    return None if value != value else value


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
