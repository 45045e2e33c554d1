"""Which terms tell two groups of texts apart: log odds with an informative prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import columns_frame, numbers
from crmcore.metrics.exact import fisher_exact
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.scalars import above

__all__ = ["KeyTerms", "key_terms", "log_odds"]

Floats = NDArray[np.float64]


def log_odds(
    first: Floats, second: Floats, prior: Floats, /, *, n_first: float, n_second: float
) -> tuple[Floats, Floats]:
    """(m,) differences of the log odds of terms between two groups, and their z.

    Monroe, Colaresi and Quinn (2008), "Fightin' Words", equations 15, 16, 19 and 22, with a prior count a_w a term and
    a their sum::

        delta_w = ln((y1 + a_w) / (n1 + a - y1 - a_w)) - ln((y2 + a_w) / (n2 + a - y2 - a_w))
        z_w = delta_w / sqrt(1 / (y1 + a_w) + 1 / (y2 + a_w))

    Parameters
    ----------
    first, second : (m,) counts
    prior : (m,) counts above 0
        What is believed before: a background corpus, or both groups together, scaled.
    n_first, n_second : counts
        All that was counted in each group.

    Examples
    --------
    >>> delta, z = log_odds(np.array([9.0, 1.0]), np.array([1.0, 9.0]), np.array([1.0, 1.0]), n_first=10, n_second=10)
    >>> delta.round(3).tolist(), z.round(3).tolist()
    ([3.219, -3.219], [4.156, -4.156])
    """
    total = float(prior.sum())
    a, b = first + prior, second + prior
    delta = np.log(a / (n_first + total - a)) - np.log(b / (n_second + total - b))
    return np.asarray(delta, np.float64), np.asarray(delta / np.sqrt(1 / a + 1 / b), np.float64)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class KeyTerms:
    """Terms by how clearly they belong to one group; made by `key_terms`, strongest first.

    Parameters
    ----------
    term
    log_odds : (m,) numbers
        Above 0: said more in the first group.
    z : (m,) numbers
    p_adjusted : (m,) probabilities
        Benjamini-Hochberg over all terms that were looked at.
    first, second : (m,) counts
    looked_at : count
        Terms.
    """

    term: tuple[str, ...]
    log_odds: Floats
    z: Floats
    p_adjusted: Floats
    first: Floats
    second: Floats
    looked_at: int

    def __len__(self) -> int:
        return len(self.term)

    def __repr__(self) -> str:
        return f"KeyTerms({len(self)} of {self.looked_at} terms)"

    def __str__(self) -> str:
        sides = ((">", self.z > 0), ("<", self.z < 0))
        told = [f"{mark} {', '.join(np.array(self.term, object)[side][:8])}" for mark, side in sides if side.any()]
        return "\n".join(told) or f"none of {self.looked_at} terms tells the groups apart"

    def to_frame(self, backend: Any = None) -> Any:
        """One row a term."""
        names = ("term", "log_odds", "z", "p_adjusted", "first", "second")
        return columns_frame({name: getattr(self, name) for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"term": t, "z": round(z, 2)} for t, z in zip(self.term[:20], self.z[:20].tolist(), strict=True)]
        return html_table(rows, caption=repr(self))


def key_terms(
    terms: Sequence[str],
    first: ArrayLike,
    second: ArrayLike,
    /,
    *,
    n_first: float,
    n_second: float,
    prior_size: float = 20.0,
    false_share: float = 0.05,
    exact: bool = False,
) -> KeyTerms:
    """Find the terms that tell two groups apart.

    Count people, not tokens, where you can: one author who repeats himself is no sign of anything. The prior is both
    groups together, scaled to `prior_size`: rare terms are drawn towards no difference.

    Parameters
    ----------
    terms : (m,) words
    first, second : (m,) counts
        Authors (or texts) of each group that used the term.
    n_first, n_second : counts
        Authors of each group.
    prior_size : count
        Of the prior; larger believes differences less.
    false_share : share
        Of the terms that are reported and may be false.
    exact : truth
        Judge by Fisher's exact test in place of z: z is cautious about terms that one group never used, and so late to
        see a new one. The order stays that of z.

    Raises
    ------
    EmptyInput, OutOfRange
        A group without anybody; columns of different length.
    """
    from scipy.special import erfc

    above("prior_size", prior_size, hint="20 stands for twenty people who say what everybody says")
    a, b = numbers("first", first), numbers("second", second)
    if len(a) != len(terms) or len(b) != len(terms):
        raise OutOfRange(
            "length of the counts", f"{len(a)} and {len(b)}", f"{len(terms)}, one a term", "count all terms"
        )
    if not n_first > 0 or not n_second > 0:
        raise EmptyInput("one of the groups", "both need texts")
    both = a + b
    used = np.flatnonzero(both > 0)
    if not len(used):
        none = both[used]
        return KeyTerms(term=(), log_odds=none, z=none, p_adjusted=none, first=none, second=none, looked_at=0)
    share = both[used] / (n_first + n_second)
    delta, z = _each(a[used], b[used], share, n_first, n_second, prior_size)
    if exact:
        chance = fisher_exact(a[used], np.full(len(used), n_first), b[used], np.full(len(used), n_second))
    else:
        chance = erfc(np.abs(z) / np.sqrt(2))
    p = adjust(chance, method="benjamini-hochberg")
    kept = np.flatnonzero(p <= false_share)
    kept = kept[np.lexsort((used[kept], -np.abs(z[kept])))]
    return KeyTerms(
        term=tuple(terms[int(i)] for i in used[kept]),
        log_odds=delta[kept],
        z=z[kept],
        p_adjusted=p[kept],
        first=a[used[kept]],
        second=b[used[kept]],
        looked_at=len(used),
    )


def _each(a: Floats, b: Floats, share: Floats, n1: float, n2: float, size: float) -> tuple[Floats, Floats]:
    """Log odds of saying a term or not, each term by itself, with the prior split as both groups together."""
    yes, no = size * share, size * (1 - share) + 1e-9
    first, second = a + yes, b + yes
    rest_first, rest_second = n1 - a + no, n2 - b + no
    delta = np.log(first / rest_first) - np.log(second / rest_second)
    return delta, delta / np.sqrt(1 / first + 1 / second + 1 / rest_first + 1 / rest_second)
