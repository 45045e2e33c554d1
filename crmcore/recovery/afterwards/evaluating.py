"""The same customers before and after a recovery."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import attrs
from numpy.typing import ArrayLike

from crmcore.documents import Document
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.means import paired_difference
from crmcore.metrics.scalars import above

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BeforeAfter", "before_after"]


@attrs.frozen(kw_only=True)
class BeforeAfter(Document):
    """What a recovery changed.

    Parameters
    ----------
    verdict : text
        `"improved"`, `"worsened"` or `"not shown"`.
    change : Comparison
        After minus before, of the same customers.
    smallest_gain : number
        Change that counts as one.
    """

    verdict: str
    change: Comparison
    smallest_gain: float = 0.0

    def __str__(self) -> str:
        return f"{self.verdict}: {self.change}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: after, before, difference."""
        return self.change.to_frame(backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure>{escape(str(self))}</figure>"

    def chart(self) -> Chart:
        """Both means with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(
            ["before", "after"], [self.change.second, self.change.first], title="Before and after the recovery",
            description=str(self),
        )  # fmt: skip


def before_after(
    before: ArrayLike,
    after: ArrayLike,
    *,
    smallest_gain: float = 0.0,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> BeforeAfter:
    """Test whether customers feel better after a recovery than before.

    Parameters
    ----------
    before, after : (n,) numbers
        Sentiment or satisfaction; row i of both is one customer, rows where either is missing are left out.
    smallest_gain : number
        Change that counts as one, 0 or more.
    level : share
        Of the interval that decides.

    Returns
    -------
    BeforeAfter
        Improved where the whole interval lies above `smallest_gain`, worsened where it lies below its negative. Scores
        taken right after a failure rise by themselves, too: compare with customers who were not recovered.

    Examples
    --------
    >>> print(before_after([2, 1, 3, 2, 2] * 4, [4, 3, 4, 5, 2] * 4, small_sample_ok=True))
    improved: difference 1.6 [1.11, 2.09] (95 %, n = 20, paired t), p < 0.0001 (paired t)
    """
    above("smallest_gain", smallest_gain, hint="in the unit of the score", allowed="0 or more", least=0)
    change = paired_difference(before, after, level=level, small_sample_ok=small_sample_ok)
    verdict = "not shown"
    if change.difference.low > smallest_gain:
        verdict = "improved"
    elif change.difference.high < -smallest_gain:
        verdict = "worsened"
    return BeforeAfter(verdict=verdict, change=change, smallest_gain=float(smallest_gain))
