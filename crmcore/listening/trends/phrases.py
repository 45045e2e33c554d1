"""How a slogan or phrase spreads: who repeats it, how often, and how long it lasts."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between, html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.listening.trends.reading import Holders
from crmcore.listening.voices.people import authors_of
from crmcore.metrics.columns import instant, moment
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.means import mean
from crmcore.metrics.proportions import Counts
from crmcore.tables import MentionTable
from crmcore.text import tokenize

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["PhraseSpread", "phrase_spread"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, repr=False)
class PhraseSpread(Document):
    """What became of a phrase.

    Parameters
    ----------
    phrase : text
    uses, people, undated : counts
        Posts with the phrase, their authors, and those of unknown time, which count here but not over time.
    repeats : Estimate
        Uses per person; 1 where nobody came back to it.
    repeaters : Estimate
        Share of the people who used it more than once.
    half_life_days : Estimate
        Time from the peak in which the number of uses falls by half; infinite where it does not fall, NaN where fewer
        than three periods were seen.
    first_at, peak_at : instants
        First use, and begin of the period of most uses.
    period_hours : duration
    counts : counts
        Uses by period from the first use on, the last one as far as it was seen.
    """

    phrase: str
    uses: int
    people: int
    undated: int
    repeats: Estimate
    repeaters: Estimate
    half_life_days: Estimate
    first_at: datetime
    peak_at: datetime
    period_hours: float
    counts: tuple[int, ...]

    def __repr__(self) -> str:
        return f"PhraseSpread({self.phrase!r}, {self.uses} uses by {self.people} people)"

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.phrase!r}: {self.uses} uses by {self.people} people since {self.first_at:%Y-%m-%d %H:%M}",
                f"  uses per person   {self.repeats}",
                f"  share who repeat  {self.repeaters}",
                f"  half-life, days   {self.half_life_days}",
            ]
        )

    def to_frame(self, backend: Any = None) -> Any:
        """One row a period: begin and uses."""
        step = np.timedelta64(round(self.period_hours * 3600e6), "us")
        begin = instant("first_at", self.first_at)
        rows = [{"begin": moment(begin + i * step), "uses": n} for i, n in enumerate(self.counts)]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"measure": name, "value": e.value, "low": e.low, "high": e.high, "n": e.n}
            for name, e in (
                ("uses per person", self.repeats), ("share who repeat", self.repeaters),
                ("half-life, days", self.half_life_days),
            )
        ]  # fmt: skip
        return html_table(rows, caption=f"{self.phrase[:80]}: {self.uses} uses by {self.people} people")

    def chart(self) -> Chart:
        """Uses over time."""
        from crmcore.charts import line

        step = np.timedelta64(round(self.period_hours * 3600e6), "us")
        begin = instant("first_at", self.first_at)
        at = [moment(begin + i * step) for i in range(len(self.counts))]
        return line(at, self.counts, title=f"Uses of {self.phrase[:60]!r}", description=str(self), axis="posts")


@attrs.frozen
class _Asked:
    period_hours: float = attrs.field(validator=between(1 / 60, 24 * 366, hint="24 counts by day"))
    level: float = attrs.field(validator=between(1e-6, 1 - 1e-6, hint="write 95 % as level=0.95"))


def phrase_spread(
    mentions: MentionTable,
    phrase: str,
    /,
    *,
    period_hours: float = 24.0,
    until: datetime | None = None,
    level: float = 0.95,
) -> PhraseSpread:
    """Measure how people repeat a phrase, and how fast it fades.

    The phrase is found in any spelling of case, apostrophes and drawn-out letters. From the period of most uses on,
    the number of uses is taken to fall as 2^(-t / half-life): a Poisson regression, whose errors are widened where
    counts stray more than that.

    Parameters
    ----------
    mentions
    phrase : text
        One word or several that follow each other.
    period_hours : duration
        Over which uses are counted.
    until : aware datetime, optional
        How far was listened; None: the last post of all.
    level : share
        Of intervals.

    Raises
    ------
    EmptyInput
        A phrase without words, or one that nobody used at a known time.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> start = datetime(2026, 3, 2, tzinfo=UTC)
    >>> days = [d for d, n in enumerate([160, 80, 40, 20, 10]) for _ in range(n)]
    >>> posts = MentionTable.from_frame({
    ...     "text": ["Just do it!"] * len(days), "author": [i // 2 for i in range(len(days))],
    ...     "time": [start + timedelta(days=d) for d in days],
    ... })
    >>> found = phrase_spread(posts, "just do it", until=start + timedelta(days=5))
    >>> round(found.half_life_days.value, 2), found.repeats.value
    (1.0, 2.0)
    """
    asked = _Asked(period_hours, level)
    words = tokenize([phrase]).normalised().forms(0) if isinstance(phrase, str) else []
    if not words:
        raise EmptyInput("the phrase", "write at least one word")
    held = Holders(mentions).of(" ".join(words))
    times = mentions.time[held & ~np.isnat(mentions.time)]
    if not len(times):
        raise EmptyInput("uses of the phrase at a known time", "nobody used it: look at the spelling, or at the times")
    end = mentions.time[~np.isnat(mentions.time)].max() if until is None else instant("until", until)
    _, uses = np.unique(authors_of(mentions)[held], return_counts=True)
    step = round(asked.period_hours * 3600e6)
    first = times.min()
    place = (times[times <= end] - first).astype(np.int64) // step
    seen = max(float((end - first).astype(np.int64)) / step, 1e-9)
    counts = np.bincount(place, minlength=max(math.ceil(seen), 1))
    peak = int(counts.argmax())
    return PhraseSpread(
        phrase=phrase,
        uses=int(held.sum()),
        people=len(uses),
        undated=int(held.sum()) - len(times),
        repeats=mean(uses, level=asked.level, rule="uses / people", small_sample_ok=True),
        repeaters=Counts(int((uses > 1).sum()), len(uses)).estimate(
            level=asked.level, rule="people who used it again / people", small_sample_ok=True
        ),
        half_life_days=_half_life(counts[peak:], seen - peak, asked),
        first_at=moment(first),
        peak_at=moment(first + np.timedelta64(peak * step, "us")),
        period_hours=asked.period_hours,
        counts=tuple(counts.tolist()),
    )


def _half_life(counts: NDArray[np.intp], seen: float, asked: _Asked) -> Estimate:
    """Half-life of counts that fall from the first on; the last period was seen in part."""
    from statistics import NormalDist

    lived = np.minimum(1.0, seen - np.arange(len(counts)))
    y, t = counts[lived > 0.1].astype(np.float64), np.arange(len(counts))[lived > 0.1].astype(np.float64)
    lived = lived[lived > 0.1]
    days = asked.period_hours / 24
    parts: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    if len(y) >= 3:
        fall, error = _decline(y, t, lived)
        z = NormalDist().inv_cdf((1 + asked.level) / 2)
        parts = tuple(_halves(f) * days for f in (fall, fall + z * error, fall - z * error))  # type: ignore[assignment]
    return Estimate(
        value=parts[0], low=parts[1], high=parts[2], level=asked.level, n=int(y.sum()),
        rule="days until uses from the peak on have halved", method="quasi-Poisson",
    )  # fmt: skip


def _halves(fall: float) -> float:
    return math.log(2) / fall if fall > 0 else math.inf


def _decline(y: Floats, t: Floats, lived: Floats, /) -> tuple[float, float]:
    """Fall of the logarithm of counts in a period, and its standard error; iteratively reweighed least squares."""
    x = np.column_stack([np.ones(len(t)), t])
    root = np.sqrt(y + 0.5)
    beta = np.linalg.lstsq(root[:, None] * x, root * np.log((y + 0.5) / lived), rcond=None)[0]
    mean_ = lived * np.exp(np.clip(x @ beta, -30, 30))
    for _ in range(100):
        step = np.linalg.lstsq(x.T @ (mean_[:, None] * x), x.T @ (y - mean_), rcond=None)[0]
        before, part = _fit(y, mean_), 1.0
        while part > 1e-6:  # halve a step that goes too far
            tried = lived * np.exp(np.clip(x @ (beta + part * step), -30, 30))
            if _fit(y, tried) >= before - 1e-12:
                beta, mean_ = beta + part * step, tried
                break
            part /= 2
        if float(np.abs(part * step).max()) < 1e-10:
            break
    spread = max(float(((y - mean_) ** 2 / np.maximum(mean_, 1e-9)).sum()) / max(len(y) - 2, 1), 1.0)
    covariance = np.linalg.pinv(x.T @ (mean_[:, None] * x)) * spread
    return -float(beta[1]), math.sqrt(max(float(covariance[1, 1]), 0.0))


def _fit(y: Floats, mean_: Floats) -> float:
    """Logarithm of the Poisson likelihood but for a constant."""
    return float(y @ np.log(np.maximum(mean_, 1e-300)) - mean_.sum())
