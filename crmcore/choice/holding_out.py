"""Draws that belong to a person: who is held out stays held out, whoever else is there and in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between
from crmcore.documents import Document

__all__ = ["HoldOut", "draws_of", "hold_out"]


@attrs.frozen
class HoldOut(Document):
    """A share of those who would be concerned that is left alone, to compare with.

    Parameters
    ----------
    share : share
        By a hash of seed, name and id: the same people whatever the order and the rest of the audience.
    seed : whole number
    name : text
        Of the campaign: one name keeps its group over several plans, another name draws another one.
    """

    share: float = attrs.field(validator=between(0, 1, hint="0.1 holds out one of ten"))
    seed: int = attrs.field(kw_only=True)
    name: str = attrs.field(default="", kw_only=True)


def draws_of(ids: Sequence[str], *, seed: int, name: str = "") -> NDArray[np.float64]:
    """(n,) numbers in [0, 1), one of each id, uniform over ids and independent between names.

    Examples
    --------
    >>> one, both = draws_of(["ann"], seed=7), draws_of(["bob", "ann"], seed=7)
    >>> bool(one[0] == both[1])
    True
    """
    started = blake2b(f"{seed}/{name}/".encode(), digest_size=8)
    words = bytearray()
    for id in ids:
        own = started.copy()
        own.update(id.encode())
        words += own.digest()
    found: NDArray[np.float64] = np.frombuffer(bytes(words), "<u8") / 2.0**64
    return found


def hold_out(ids: Sequence[str], group: HoldOut) -> NDArray[np.bool_]:
    """(n,) whether each id belongs to the group that is left alone.

    Examples
    --------
    >>> int(hold_out([f"c{i}" for i in range(10_000)], HoldOut(0.1, seed=7)).sum())
    1006
    """
    return np.asarray(draws_of(ids, seed=group.seed, name=group.name) < group.share, np.bool_)
