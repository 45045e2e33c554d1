"""Order of rows by visitor, time and position, at the speed of one numpy sort of packed keys a pass.

A key holds as many bits of (visitor, time) as fit above the row's position: sorting keys sorts rows, stably, without
an argsort. What does not fit waits for the next pass, low bits first (a radix sort whose digits are wide). A log that
is in time order already needs the bits of the visitor only. Keys are made block by block, because what fits in the
cache of a core costs a third of what does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "group_order", "in_time_order", "visitor_keys"]

Ints = NDArray[np.int64]
Codes = NDArray[np.integer]
Keys = NDArray[np.uint64]
BLOCK = 1 << 15
"""Rows that are handled at once."""
_WORD = 64


def in_time_order(time_us: Ints, /) -> bool:
    """Whether no time is earlier than the one before it.

    Examples
    --------
    >>> in_time_order(np.array([1, 1, 4])), in_time_order(np.array([2, 1]))
    (True, False)
    """
    for low in range(0, len(time_us) - 1, BLOCK):
        part = time_us[low : low + BLOCK + 1]
        if bool((part[1:] < part[:-1]).any()):
            return False
    return True


def visitor_keys(visitor: Codes, /) -> tuple[Keys, int] | None:
    """Keys of visitor above position, sorted, and the bits of the position; None where they do not fit in 64 bits.

    Examples
    --------
    >>> keys, bits = visitor_keys(np.array([1, 0, 1]))
    >>> bits, (keys >> np.uint64(bits)).tolist(), (keys & np.uint64(3)).tolist()
    (2, [0, 1, 1], [1, 0, 2])
    """
    n = len(visitor)
    bits = max(n - 1, 1).bit_length()
    if n and bits + int(visitor.max()).bit_length() > _WORD:
        return None
    keys = np.empty(n, np.uint64)
    place = np.arange(min(BLOCK, n), dtype=np.uint64)
    for low in range(0, n, BLOCK):
        part = keys[low : low + BLOCK]
        part[:] = visitor[low : low + BLOCK]
        part <<= np.uint64(bits)
        part |= place[: len(part)] + np.uint64(low)
    keys.sort()
    return keys, bits


def group_order(visitor: Codes, time_us: Ints, /) -> Ints:
    """Rows by visitor, then time, then position.

    Parameters
    ----------
    visitor : (n,) codes
        From 0.
    time_us : (n,) microseconds
        Any origin.

    Returns
    -------
    (n,) positions
        Equal to ``np.lexsort((time_us, visitor))``, several times as fast.

    Examples
    --------
    >>> group_order(np.array([1, 0, 1]), np.array([5, 9, 2])).tolist()
    [1, 2, 0]
    """
    n = len(visitor)
    if n < 2:
        return np.arange(n)
    time_bits, origin = 0, 0  # in time order the position says it all
    if not in_time_order(time_us):
        origin = int(time_us.min())
        time_bits = (int(time_us.max()) - origin).bit_length()
    width = _WORD - (n - 1).bit_length()
    total = time_bits + int(visitor.max()).bit_length()
    order: Ints | None = None
    for low in range(0, total, width):
        order = _pass(visitor, time_us, order, origin=origin, time_bits=time_bits, low=low, width=width)
    return np.arange(n) if order is None else order


def _pass(
    visitor: Codes, time_us: Ints, order: Ints | None, /, *, origin: int, time_bits: int, low: int, width: int
) -> Ints:
    """Stable sort of ordered rows by the bits [low, low + width) of visitor and time."""
    n = len(visitor)
    bits = np.uint64((n - 1).bit_length())
    keys = np.empty(n, np.uint64)
    place = np.arange(min(BLOCK, n), dtype=np.uint64)
    for start in range(0, n, BLOCK):
        part = keys[start : start + BLOCK]
        rows = slice(start, start + BLOCK) if order is None else order[start : start + BLOCK]
        part[:] = _digit(visitor, time_us, rows, origin=origin, time_bits=time_bits, low=low, width=width)
        part <<= bits
        part |= place[: len(part)] + np.uint64(start)
    keys.sort()
    keys &= np.uint64((1 << int(bits)) - 1)
    places = keys.view(np.int64)
    return places if order is None else order[places]


def _digit(
    visitor: Codes, time_us: Ints, rows: slice | Ints, /, *, origin: int, time_bits: int, low: int, width: int
) -> Keys:
    """Bits [low, low + width) of the word that has the visitor above the time."""
    word = np.uint64((1 << width) - 1)
    if low >= time_bits:
        above: Keys = visitor[rows].astype(np.uint64)
        above >>= np.uint64(low - time_bits)
        above &= word
        return above
    out: Keys = (time_us[rows] - origin).view(np.uint64)
    out >>= np.uint64(low)
    shift = time_bits - low
    if shift < width:
        above = visitor[rows].astype(np.uint64)
        above <<= np.uint64(shift)
        out |= above
    out &= word
    return out
