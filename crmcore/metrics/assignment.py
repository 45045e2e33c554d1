"""Whether customers were assigned to the arms of an experiment as planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.scalars import above, count_of, entries

__all__ = ["SampleRatio", "sample_ratio"]


@attrs.frozen(kw_only=True)
class SampleRatio:
    """Whether a split of customers came out as it was meant to.

    `p_value` is the chance of a split at least as far off if the assignment works; below `threshold` it does not.
    """

    counts: Mapping[str, int]
    expected: Mapping[str, float]
    p_value: float
    test: str
    threshold: float

    @property
    def mismatch(self) -> bool:
        """Whether the split is too far off to trust any comparison of the arms."""
        return self.p_value < self.threshold

    @property
    def verdict(self) -> str:
        """The answer in words."""
        total = sum(self.counts.values())
        if not self.mismatch:
            return f"the split of {total:,} customers is as planned (p = {self.p_value:.3g}, {self.test})"
        off = {k: self.counts[k] - total * share for k, share in self.expected.items()}
        worst = max(off, key=lambda k: (round(abs(off[k]), 6), off[k] < 0))  # of two arms: the one that lost customers
        few = "too many" if off[worst] > 0 else "too few"
        return (
            f"sample ratio mismatch: {worst} has {abs(off[worst]):,.0f} customers {few} (p = {self.p_value:.3g}, "
            f"{self.test}); find out who went missing before you compare the arms"
        )

    def __str__(self) -> str:
        return self.verdict

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an arm: arm, n, expected."""
        from crmcore.metrics.estimates import frame_of

        total = sum(self.counts.values())
        rows = [{"arm": k, "n": n, "expected": total * self.expected[k]} for k, n in self.counts.items()]
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**attrs.asdict(self), "counts": dict(self.counts), "expected": dict(self.expected)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SampleRatio:
        """Read what `to_dict` wrote."""
        return cls(**fields)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<figure><b>{escape(self.verdict)}</b></figure>"


def sample_ratio(
    counts: Mapping[str, int], *, expected: Mapping[str, float] | None = None, threshold: float = 0.001
) -> SampleRatio:
    """Sample-ratio check: whether the arms got the shares of customers that they should have.

    Parameters
    ----------
    counts : mapping
        Arm to number of customers, at least two arms.
    expected : mapping, optional
        Arm to its planned share or weight, above 0; equal shares where none is given.
    threshold : share
        p-value below which the split counts as broken. Small, because the check runs on every experiment.

    Returns
    -------
    SampleRatio
        Two arms with up to 10,000 customers: exact binomial; otherwise Pearson's χ², with the exact multinomial where
        an expected count is below 5 and there are few enough splits to list.

    Raises
    ------
    EmptyInput, OutOfRange
        Fewer than two arms, no customers, counts that are not whole, arms without a planned share.

    Notes
    -----
    Fabijan et al. (2019), Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD: p < 0.001 and beware.

    Examples
    --------
    >>> print(sample_ratio({"control": 5021, "new": 4979}))
    the split of 10,000 customers is as planned (p = 0.682, exact binomial)
    >>> sample_ratio({"control": 821_588, "new": 815_482}).mismatch
    True
    """
    counts = entries("counts", counts, hint="{'control': 500, 'new': 498}")
    if len(counts) < 2:
        raise EmptyInput("counts with fewer than two arms", "pass every arm: {'control': 500, 'new': 498}")
    for arm, n in counts.items():
        count_of(f"counts[{arm!r}]", n, hint="count customers")
    if not sum(counts.values()):
        raise EmptyInput("counts", "the arms have no customers yet")
    shares = _shares(counts, expected)
    p, test = _split_test(np.array(list(counts.values()), float), np.array(list(shares.values())))
    return SampleRatio(counts=dict(counts), expected=shares, p_value=p, test=test, threshold=threshold)


def _shares(counts: Mapping[str, int], expected: Mapping[str, float] | None) -> dict[str, float]:
    given = (
        dict.fromkeys(counts, 1.0)
        if expected is None
        else entries("expected", expected, hint="{'control': 1, 'new': 1}")
    )
    if set(given) != set(counts):
        odd = sorted(set(given) ^ set(counts))
        raise OutOfRange("arms of expected", odd, f"those of counts, {list(counts)}", "name every arm in both")
    for arm, share in given.items():
        above(f"expected[{arm!r}]", share, hint="leave out arms that were never assigned")
    whole = sum(given.values())
    return {arm: given[arm] / whole for arm in counts}


def _split_test(n: NDArray[np.float64], share: NDArray[np.float64]) -> tuple[float, str]:
    from scipy.special import chdtrc

    from crmcore.metrics.exact import binomial_exact, multinomial_exact, splits

    total = n.sum()
    if len(n) == 2 and total <= 10_000:
        return float(binomial_exact(n[0], total, share[0])), "exact binomial"
    if (total * share).min() < 5 and splits(int(total), len(n)) <= 200_000:
        return multinomial_exact(n, share), "exact multinomial"
    far = float(((n - total * share) ** 2 / (total * share)).sum())
    return float(chdtrc(len(n) - 1, far)), "chi-square"
