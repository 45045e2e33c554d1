"""A survivorship rule: the longest text wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class Longest:
    """The longest value; of two equally long ones the first in the alphabet."""

    def choose(self, values: Sequence[str], sources: Sequence[str], times: Sequence[datetime | None], /) -> int:
        return min(range(len(values)), key=lambda i: (-len(values[i]), values[i]))


longest = Longest()
