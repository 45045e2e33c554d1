"""Order of rows by visitor, time and position, at the speed of one numpy sort of packed keys a pass.

A key holds as many bits of (visitor, time) as fit above the row's position: sorting keys sorts rows, stably, without
an argsort. What does not fit waits for the next pass, low bits first (a radix sort whose digits are wide). A log that
is in time order already needs the bits of the visitor only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["group_order"]

Ints = NDArray[np.int64]
Codes = NDArray[np.integer]
_WORD = 64


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
    if bool((time_us[1:] >= time_us[:-1]).all()):
        time_bits, origin = 0, 0  # file position carries the time order
    else:
        origin = int(time_us.min())
        time_bits = (int(time_us.max()) - origin).bit_length()
    width = _WORD - (n - 1).bit_length()
    total = time_bits + int(visitor.max()).bit_length()
    order: Ints | None = None
    low = 0
    while low < total:
        key = _digit(visitor, time_us, origin=origin, time_bits=time_bits, low=low, width=width)
        order = _pass(key, order)
        low += width
    return np.arange(n) if order is None else order


def _digit(visitor: Codes, time_us: Ints, *, origin: int, time_bits: int, low: int, width: int) -> NDArray[np.uint64]:
    """Bits [low, low + width) of visitor and time, the visitor above the time."""
    out: NDArray[np.uint64] | None = None
    if low < time_bits:
        out = (time_us - origin).view(np.uint64)
        out >>= np.uint64(low)
        if time_bits - low > width:
            out &= np.uint64((1 << width) - 1)
            return out
    above = visitor.astype(np.uint64)
    above >>= np.uint64(max(low - time_bits, 0))
    shift = max(time_bits - low, 0)
    if shift >= width:
        assert out is not None  # time fills the digit exactly
        return out
    above &= np.uint64((1 << (width - shift)) - 1)
    above <<= np.uint64(shift)
    if out is not None:
        above |= out
    return above


def _pass(digit: NDArray[np.uint64], order: Ints | None) -> Ints:
    """Stable sort of the rows by one digit."""
    n = len(digit)
    bits = np.uint64((n - 1).bit_length())
    key = digit if order is None else digit[order]
    key <<= bits
    key |= np.arange(n, dtype=np.uint64)
    key.sort()
    key &= np.uint64((1 << int(bits)) - 1)
    place = key.view(np.int64)
    return place if order is None else order[place]
