"""The one shape of every number that is estimated: value, interval, level, n, rule, method."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, SupportsFloat

import attrs

from crmcore._base import number_text
from crmcore.errors import SmallSample, UnknownName
from crmcore.metrics.scalars import nan_alike, share_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SMALL_N", "Estimate", "check_level", "estimate_of", "frame_of", "warn_if_small"]

SMALL_N = 30
"""Estimates from fewer observations are flagged: at n = 30 a 95 % Wilson interval around 0.5 is 0.34 wide."""


@attrs.frozen(kw_only=True)
class Estimate:
    """A number with its interval and where it comes from.

    Parameters
    ----------
    value, low, high : number
        The estimate and its interval, in the unit that `rule` names; NaN where nothing can be said.
    level : share
        Coverage that the interval aims at, in (0, 1).
    n : count
        Observations behind the value.
    rule : text
        What was counted over what: `"linked visits / visits"`.
    method : text
        How the interval was made: `"wilson"`.

    Examples
    --------
    >>> print(Estimate(value=0.43, low=0.3824, high=0.479, level=0.95, n=400, rule="yes / asked", method="wilson"))
    0.43 [0.382, 0.479] (95 %, n = 400, wilson)
    """

    value: float = attrs.field(eq=nan_alike)
    low: float = attrs.field(eq=nan_alike)
    high: float = attrs.field(eq=nan_alike)
    level: float
    n: int
    rule: str = ""
    method: str

    def __str__(self) -> str:
        span = f"[{number_text(self.low)}, {number_text(self.high)}]"
        return f"{number_text(self.value)} {span} ({100 * self.level:g} %, n = {self.n}, {self.method})"

    @property
    def small(self) -> bool:
        """Whether fewer than 30 observations stand behind the value."""
        return self.n < SMALL_N

    @property
    def width(self) -> float:
        """Length of the interval."""
        return self.high - self.low

    def excludes(self, value: float, /) -> bool:
        """Whether the interval leaves a value out; NaN ends leave nothing out.

        Examples
        --------
        >>> from crmcore.metrics import proportion
        >>> proportion(30, 1000).excludes(0.05), proportion(30, 1000).excludes(0.04)
        (True, False)
        """
        return value < self.low or value > self.high

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Plain JSON values; NaN becomes None, an open end "inf" or "-inf"."""
        return {
            k: v if not isinstance(v, float) or math.isfinite(v) else _out(v) for k, v in attrs.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Estimate:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> e = Estimate(value=float("nan"), low=0.0, high=1.0, level=0.95, n=0, method="wilson")
        >>> Estimate.from_dict(e.to_dict()).to_dict() == e.to_dict()
        True
        """
        known: dict[str, Any] = {k: math.nan if v is None else v for k, v in fields.items()}
        for end in ("value", "low", "high"):
            known[end] = float(known[end])
        return cls(**known)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row with the columns value, low, high, level, n, rule, method; see `frame_of` for `backend`."""
        return frame_of([attrs.asdict(self)], backend=backend)

    def chart(self) -> Chart:
        """A dot with its interval."""
        from crmcore.charts import dot_interval

        return dot_interval([self.rule or "estimate"], [self], title=self.rule or "Estimate", description=str(self))

    def _repr_html_(self) -> str:
        few = " <em>few observations</em>" if self.small else ""
        caption = f"<figcaption>{escape(self.rule)}</figcaption>" if self.rule else ""
        value, _, rest = str(self).partition(" ")
        return f"<figure><b>{escape(value)}</b> {escape(rest)}{few}{caption}</figure>"


def estimate_of(
    value: SupportsFloat, low: SupportsFloat, high: SupportsFloat, /, *, level: float, n: float, rule: str, method: str
) -> Estimate:
    """Estimate from what kernels return: arrays of one number become plain numbers.

    Examples
    --------
    >>> import numpy as np
    >>> print(estimate_of(np.float64(2.0), np.array(1.0), 3, level=0.95, n=40, rule="mean", method="t"))
    2 [1, 3] (95 %, n = 40, t)
    """
    return Estimate(
        value=float(value), low=float(low), high=float(high), level=level, n=int(n), rule=rule, method=method
    )


def _out(value: float) -> str | None:
    return None if math.isnan(value) else str(value)


def check_level(level: float) -> None:
    """Refuse a level outside (0, 1)."""
    share_of("level", level, hint="write 95 % as level=0.95")


def warn_if_small(n: int, what: str, *, ok: bool, stacklevel: int = 3) -> None:
    """Warn that an estimate stands on fewer than 30 observations, unless the caller said it knows."""
    if n < SMALL_N and not ok:
        risk = f"{what} stands on n = {n} (< {SMALL_N}): expect a wide interval."
        warnings.warn(f"{risk}\n  hint: collect more, or say small_sample_ok=True", SmallSample, stacklevel=stacklevel)


def frame_of(rows: Sequence[Mapping[str, object]], *, backend: Any = None) -> Any:
    """Frame of rows that share their keys, in the caller's own library.

    Parameters
    ----------
    rows : sequence of mappings
        At least one.
    backend : name or module, optional
        What narwhals accepts (`"polars"`, `"pandas"`, `"pyarrow"`); None takes the first of these that is installed.

    Raises
    ------
    UnknownName
        None of the three is installed and none was named.
    """
    from importlib.util import find_spec

    import narwhals.stable.v2 as nw

    if backend is None:
        backend = next((name for name in ("polars", "pandas", "pyarrow") if find_spec(name)), None)
        if backend is None:
            raise UnknownName("installed frame library", "none", ("polars", "pandas", "pyarrow"))
    return nw.from_dict({key: [row[key] for row in rows] for key in rows[0]}, backend=backend).to_native()
