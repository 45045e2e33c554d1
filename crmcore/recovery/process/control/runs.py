"""Rules that tell a signal from noise on a control chart: patterns of points that chance makes seldom."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import UnknownName

__all__ = ["NELSON", "NELSON_FOR_COUNTS", "WESTERN_ELECTRIC", "RunRule", "broken", "rules_named"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EDGE = 1e-9
"""Points nearer than this to a line, in units of sigma, lie on it: rounding does not break a rule."""


@attrs.frozen
class RunRule(Document):
    """A pattern of points.

    Parameters
    ----------
    name : text
        Short, for tables.
    words : text
        What the pattern is.
    kind : text
        `beyond`, `one side`, `trend`, `alternating`, `some beyond`, `all within`, `all beyond`.
    points, of : counts
        How many points make the pattern, out of how many in a row.
    sigma : number
        Distance from the centre that the pattern speaks of.
    """

    name: str
    words: str
    kind: str
    points: int
    of: int
    sigma: float = 0.0

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


NELSON: tuple[RunRule, ...] = (
    RunRule("beyond 3 sigma", "one point outside the limits", "beyond", 1, 1, 3.0),
    RunRule("9 on one side", "nine points in a row on one side of the centre", "one side", 9, 9),
    RunRule("6 trending", "six points in a row, each higher or each lower than the one before", "trend", 6, 6),
    RunRule("14 alternating", "fourteen points in a row, up and down in turn", "alternating", 14, 14),
    RunRule("2 of 3 beyond 2 sigma", "two of three points beyond 2 sigma on one side", "some beyond", 2, 3, 2.0),
    RunRule("4 of 5 beyond 1 sigma", "four of five points beyond 1 sigma on one side", "some beyond", 4, 5, 1.0),
    RunRule("15 within 1 sigma", "fifteen points in a row within 1 sigma of the centre", "all within", 15, 15, 1.0),
    RunRule("8 beyond 1 sigma", "eight points in a row beyond 1 sigma, on both sides", "all beyond", 8, 8, 1.0),
)
"""Nelson (1984), Journal of Quality Technology 16:237, in his order 1 to 8."""

NELSON_FOR_COUNTS = NELSON[:4]
"""The four that suit shares and counts, whose distribution is not symmetric enough for zones of 1 and 2 sigma."""

WESTERN_ELECTRIC: tuple[RunRule, ...] = (
    NELSON[0],
    NELSON[4],
    NELSON[5],
    RunRule("8 on one side", "eight points in a row on one side of the centre", "one side", 8, 8),
)
"""Western Electric (1956), Statistical Quality Control Handbook."""


def rules_named(rules: Iterable[RunRule | str], /) -> tuple[RunRule, ...]:
    """Rules, some of them given by the names of Nelson's and of Western Electric's.

    Raises
    ------
    UnknownName

    Examples
    --------
    >>> [rule.points for rule in rules_named(["8 on one side", NELSON[0]])]
    [8, 1]
    """
    known = {rule.name: rule for rule in (*NELSON, *WESTERN_ELECTRIC)}
    out: list[RunRule] = []
    for rule in (rules,) if isinstance(rules, str) else rules:
        if isinstance(rule, str) and rule not in known:
            raise UnknownName("rule of a control chart", rule, tuple(known))
        out.append(known[rule] if isinstance(rule, str) else rule)
    return tuple(out)


def broken(z: Floats, rule: RunRule, /) -> NDArray[np.int8]:
    """Points that complete a pattern.

    Parameters
    ----------
    z : (n,) numbers
        Distances from the centre in units of sigma, in order of time, none missing.
    rule : RunRule

    Returns
    -------
    (n,)
        1 and -1 where the pattern ends above and below the centre (rising and falling for a trend), 2 where it has no
        side, 0 where there is none.

    Examples
    --------
    >>> broken(np.array([0.0, 3.5, -3.0, -3.1]), NELSON[0]).tolist()
    [0, 1, 0, -1]
    """
    if rule.kind not in _KINDS:
        raise UnknownName("kind of a rule", rule.kind, tuple(_KINDS))
    return _KINDS[rule.kind](np.asarray(z, np.float64), rule)


def _in_a_row(hit: Bools, points: int, of: int) -> Bools:
    """Whether at least `points` of the last `of` points are hits, the last among them; a start may be shorter."""
    count = np.cumsum(hit)
    before = np.concatenate([np.zeros(of, count.dtype), count])[: len(hit)]
    return np.asarray(hit & (count - before >= points))


def _sided(above: Bools, below: Bools) -> NDArray[np.int8]:
    return above.astype(np.int8) - below.astype(np.int8)


def _some(z: Floats, rule: RunRule) -> NDArray[np.int8]:
    up, down = z > rule.sigma + EDGE, z < -rule.sigma - EDGE
    return _sided(_in_a_row(up, rule.points, rule.of), _in_a_row(down, rule.points, rule.of))


def _trend(z: Floats, rule: RunRule) -> NDArray[np.int8]:
    step = np.diff(z, prepend=z[:1])
    steps = rule.points - 1
    return _sided(_in_a_row(step > EDGE, steps, steps), _in_a_row(step < -EDGE, steps, steps))


def _alternating(z: Floats, rule: RunRule) -> NDArray[np.int8]:
    step = np.where(np.abs(np.diff(z, prepend=z[:1])) > EDGE, np.diff(z, prepend=z[:1]), 0.0)
    turn = np.concatenate([np.zeros(min(1, len(z)), bool), step[1:] * step[:-1] < 0])
    turns = rule.points - 2
    return 2 * _in_a_row(turn, turns, turns).astype(np.int8)


def _within(z: Floats, rule: RunRule) -> NDArray[np.int8]:
    return 2 * _in_a_row(np.abs(z) < rule.sigma - EDGE, rule.points, rule.of).astype(np.int8)


def _both(z: Floats, rule: RunRule) -> NDArray[np.int8]:
    far = _in_a_row(np.abs(z) > rule.sigma + EDGE, rule.points, rule.of)
    one = (_in_a_row(z > 0, rule.points, rule.of)) | (_in_a_row(z < 0, rule.points, rule.of))
    return 2 * (far & ~one).astype(np.int8)


_KINDS: dict[str, Callable[[Floats, RunRule], NDArray[np.int8]]] = {
    "beyond": _some,
    "one side": _some,
    "some beyond": _some,
    "trend": _trend,
    "alternating": _alternating,
    "all within": _within,
    "all beyond": _both,
}
