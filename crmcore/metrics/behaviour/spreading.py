"""What people pass on: repeats per person and the half-life of a phrase, a picture, a link."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.metrics.columns import codes_of, instants, some
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.means import mean
from crmcore.metrics.scalars import count_of, seeded

__all__ = ["Spread", "spread"]

Floats = NDArray[np.float64]
_DAY_US = 86_400e6


@attrs.frozen(kw_only=True)
class Spread:
    """How a phrase, picture or link is passed on.

    Attributes
    ----------
    people, uses : counts
        Who used it, and how often in all.
    repeats : Estimate
        Uses after the first, per person.
    half_life : Estimate
        Days from the first use of all until half of the uses had happened.
    """

    people: int
    uses: int
    repeats: Estimate
    half_life: Estimate

    def __str__(self) -> str:
        head = f"{self.uses:,} uses by {self.people:,} people"
        return f"{head}\nrepeats per person  {self.repeats}\nhalf-life in days   {self.half_life}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        counts = {"people": self.people, "uses": self.uses}
        return {**counts, "repeats": self.repeats.to_dict(), "half_life": self.half_life.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Spread:
        """Read what `to_dict` wrote."""
        parts = {name: Estimate.from_dict(fields[name]) for name in ("repeats", "half_life")}
        return cls(people=fields["people"], uses=fields["uses"], **parts)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: repeats, half-life."""
        rows = {"repeats per person": self.repeats, "half-life in days": self.half_life}
        return frame_of([{"measure": k, **attrs.asdict(e)} for k, e in rows.items()], backend=backend)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def spread(
    person: ArrayLike, time: ArrayLike, *, seed: int | np.random.Generator, level: float = 0.95, draws: int = 2000,
    small_sample_ok: bool = False,
) -> Spread:  # fmt: skip
    """Repeats per person and half-life of what people pass on.

    Parameters
    ----------
    person : (n,) ids or codes
        Who used it, one row a use.
    time : (n,) instants
        When.
    seed : seed or Generator
        Of the bootstrap over people that gives the half-life its interval.
    draws : count
        Bootstrap samples.

    Returns
    -------
    Spread
        The half-life is the median use after the first one (the age at which half of what happened so far had
        happened): for something that still spreads it grows. Its interval is the percentile bootstrap over people,
        whose uses come in bursts: Davison & Hinkley (1997), section 3.8.

    Examples
    --------
    >>> days = np.array(["2026-03-01"] * 3 + ["2026-03-03"] * 3 + ["2026-03-09"] * 2, "datetime64[us]")
    >>> got = spread(["a", "b", "c", "a", "d", "e", "a", "f"], days, seed=1, small_sample_ok=True)
    >>> got.people, got.uses, round(got.repeats.value, 3), got.half_life.value
    (6, 8, 0.333, 2.0)
    """
    check_level(level)
    at = instants("time", time)
    some("uses", len(at), "pass at least one use")
    codes, names = codes_of(person, len(at), "person")
    people = len(names)
    warn_if_small(people, "the spread", ok=small_sample_ok)
    uses = np.bincount(codes, minlength=people)
    repeats = mean(uses - 1, level=level, rule="uses after the first / people", small_sample_ok=True)
    age = (at - at.min()).astype(np.float64) / _DAY_US
    low, high = _median_over_people(codes, age, people, seeded(seed), draws=draws, level=level)
    half = estimate_of(
        _lower_median(np.sort(age)), low, high, level=level, n=len(at), rule="days until half of the uses",
        method="bootstrap by person",
    )  # fmt: skip
    return Spread(people=people, uses=len(at), repeats=repeats, half_life=half)


def _lower_median(ordered: Floats) -> float:
    return float(ordered[(len(ordered) - 1) // 2])


def _median_over_people(
    codes: NDArray[np.intp], age: Floats, people: int, rng: np.random.Generator, *, draws: int, level: float
) -> tuple[float, float]:
    """Percentile interval of the median age when people are drawn with replacement."""
    draws = count_of("draws", draws, least=100, hint="2000 is enough for two digits")
    if people < 2:
        return math.nan, math.nan
    order = np.argsort(age, kind="stable")
    owner, ordered = codes[order], age[order]
    medians = np.empty(draws)
    for i in range(draws):
        drawn = np.bincount(rng.integers(0, people, people), minlength=people)
        through = np.cumsum(drawn[owner])
        medians[i] = ordered[int(np.searchsorted(through, (through[-1] + 1) // 2))]
    tail = (1 - level) / 2
    low, high = np.quantile(medians, [tail, 1 - tail])
    return float(low), float(high)
