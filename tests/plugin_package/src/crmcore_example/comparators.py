"""A comparator: two texts are alike when they begin with the same letter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class FirstLetter:
    """1 where both texts begin with the same letter, else 0."""

    def similarity(
        self, values: Sequence[str], left: NDArray[np.int32], right: NDArray[np.int32], /
    ) -> NDArray[np.float64]:
        first = np.array([value[:1].casefold() for value in values])
        return (first[left] == first[right]).astype(np.float64)


first_letter = FirstLetter()
