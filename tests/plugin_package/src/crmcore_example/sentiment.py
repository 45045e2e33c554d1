"""A sentiment analyzer: a text is positive where it holds an exclamation mark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Exclaims:
    """0.8 positive with a mark, else 0.8 neutral; NaN for a missing text."""

    def probabilities(self, texts: Sequence[str | None], /) -> NDArray[np.float64]:
        rows = {None: (np.nan,) * 3, True: (0.1, 0.1, 0.8), False: (0.1, 0.8, 0.1)}
        return np.array([rows[None if t is None else "!" in t] for t in texts], np.float64).reshape(-1, 3)


exclaims = Exclaims()
