"""Segments of RFM scores: boxes that are proven to cover every score once when the map is made."""

from __future__ import annotations

from itertools import product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed
from crmcore.documents import Document
from crmcore.errors import CrmError, EmptyInput, OutOfRange

__all__ = ["SEGMENTS", "NotAPartition", "Segment", "SegmentMap"]

Range = tuple[int, int]


@attrs.define(eq=False)
class NotAPartition(CrmError, ValueError):
    """Segments leave a score out, claim one twice, or can never hold anybody."""

    gaps: tuple[str, ...]
    overlaps: tuple[str, ...]
    dead: tuple[str, ...]

    def __str__(self) -> str:
        facts = (("in no segment", self.gaps), ("in two segments", self.overlaps), ("can hold nobody", self.dead))
        told = [
            f"{what}: {', '.join(x[:5])}{f' and {len(x) - 5} more' if len(x) > 5 else ''}" for what, x in facts if x
        ]
        lines = "\n  ".join(told)
        return (
            f"the segments are no partition of the scores:\n  {lines}\n  "
            "hint: give every combination of recency-frequency-money scores to exactly one segment"
        )


def _range(instance: Any, attribute: Any, value: Any) -> None:
    whole = isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value)
    if not whole or value[0] < 1:
        raise OutOfRange(f"{instance.name}.{attribute.name}", value, "two scores from 1", "(4, 5) means 4 or 5")


@attrs.frozen(kw_only=True)
class Segment:
    """A box of scores: lowest and highest recency, frequency and money score. None = every score."""

    name: str
    recency: Range | None = attrs.field(default=None, validator=attrs.validators.optional(_range))
    frequency: Range | None = attrs.field(default=None, validator=attrs.validators.optional(_range))
    monetary: Range | None = attrs.field(default=None, validator=attrs.validators.optional(_range))

    def holds(self, r: int, f: int, m: int, /) -> bool:
        """Whether a combination of scores belongs to it.

        Examples
        --------
        >>> Segment(name="new", recency=(4, 5), frequency=(1, 1)).holds(5, 1, 3)
        True
        """
        ranges = zip((r, f, m), (self.recency, self.frequency, self.monetary), strict=True)
        return all(limits is None or limits[0] <= s <= limits[1] for s, limits in ranges)


@attrs.frozen(kw_only=True)
class SegmentMap(Document):
    """Names of all combinations of scores; a map with a gap, an overlap or a dead segment cannot be made.

    Parameters
    ----------
    segments : tuple of Segment
        Their order is that of tables and charts.
    bins : three counts
        Number of recency, frequency and money scores.

    Raises
    ------
    NotAPartition
        Names every gap, overlap and dead segment.

    Examples
    --------
    >>> SegmentMap(segments=(Segment(name="new", frequency=(1, 1)), Segment(name="loyal", frequency=(2, 5))))
    SegmentMap(2 segments, 5 x 5 x 5 scores)
    """

    segments: tuple[Segment, ...]
    bins: tuple[int, int, int] = (5, 5, 5)

    def __attrs_post_init__(self) -> None:
        listed(self.segments, "segments", Segment, what="segments", hint="segments=(Segment(name='new'), ...)")
        if not self.segments:
            raise EmptyInput("segments", "name at least one")
        gaps, overlaps, live = [], [], set()
        for cell in product(*(range(1, b + 1) for b in self.bins)):
            owners = [s.name for s in self.segments if s.holds(*cell)]
            live.update(owners)
            text = "-".join(map(str, cell))
            if not owners:
                gaps.append(text)
            elif len(owners) > 1:
                overlaps.append(f"{text} ({' and '.join(owners)})")
        names = self.names
        dead = [n for n in names if n not in live]
        dead += [f"{n} (named twice)" for i, n in enumerate(names) if n in names[:i]]
        if gaps or overlaps or dead:
            raise NotAPartition(tuple(gaps), tuple(overlaps), tuple(dead))

    def __repr__(self) -> str:
        return f"SegmentMap({len(self.segments)} segments, {' x '.join(map(str, self.bins))} scores)"

    @property
    def names(self) -> tuple[str, ...]:
        """Names in their order."""
        return tuple(s.name for s in self.segments)

    def codes(self, r: NDArray[Any], f: NDArray[Any], m: NDArray[Any], /) -> NDArray[np.int16]:
        """(n,) position of each customer's segment in `names`; -1 = has not bought (score 0)."""
        table = np.full(tuple(b + 1 for b in self.bins), -1, np.int16)
        for cell in product(*(range(1, b + 1) for b in self.bins)):
            table[cell] = next(i for i, s in enumerate(self.segments) if s.holds(*cell))
        found: NDArray[np.int16] = table[r, f, m]
        return found

    def _repr_html_(self) -> str:
        rows = [{k: "all" if v is None else str(v) for k, v in attrs.asdict(s).items()} for s in self.segments]
        return html_table(rows, caption="RFM segments")


SEGMENTS = SegmentMap(
    segments=(
        Segment(name="champions", recency=(4, 5), frequency=(4, 5)),
        Segment(name="loyal", recency=(3, 3), frequency=(4, 5)),
        Segment(name="rising", recency=(4, 5), frequency=(2, 3)),
        Segment(name="new", recency=(4, 5), frequency=(1, 1)),
        Segment(name="needs attention", recency=(3, 3), frequency=(2, 3)),
        Segment(name="about to sleep", recency=(3, 3), frequency=(1, 1)),
        Segment(name="not to lose", recency=(1, 2), frequency=(5, 5)),
        Segment(name="at risk", recency=(1, 2), frequency=(3, 4)),
        Segment(name="sleeping", recency=(2, 2), frequency=(1, 2)),
        Segment(name="lost", recency=(1, 1), frequency=(1, 2)),
    )
)
"""Ten segments of recency and frequency for five scores each; money is left to value tiers."""
