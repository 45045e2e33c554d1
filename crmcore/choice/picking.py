"""Pick one of many: who may not, and why; who goes first, and what decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, OutOfRange, WrongType

__all__ = ["Pick", "Refused", "decided_by", "first_of", "pick"]

Bools = NDArray[np.bool_]


@attrs.frozen
class Refused:
    """A candidate that may not be picked, with every reason.

    Parameters
    ----------
    id : text
        Masked in the repr: candidates may be people.
    reasons : texts
        In the order of the tests.
    """

    id: str = attrs.field(repr=lambda name: repr(mask(name)))
    reasons: tuple[str, ...]


@attrs.frozen(kw_only=True, repr=False)
class Pick(Document):
    """One of many, or nobody.

    Parameters
    ----------
    chosen : id, optional
        None where every candidate is refused, or there is none.
    decided_by : text
        The key by which the first beat the second: `"id"` where all keys were equal, `"only one"`, or `"nobody"`.
    ranked : ids
        Who may be picked, best first.
    refused : tuple of Refused
        Who may not, by id.
    """

    chosen: str | None
    decided_by: str
    ranked: tuple[str, ...]
    refused: tuple[Refused, ...]

    def __repr__(self) -> str:
        found = "nobody" if self.chosen is None else f"one of {len(self.ranked)}"
        return f"Pick({found}, {len(self.refused)} refused, by {self.decided_by})"

    def __str__(self) -> str:
        lines = [f"{self.chosen or 'nobody'} of {len(self.ranked) + len(self.refused)}, by {self.decided_by}"]
        lines += [f"  not {r.id}: {'; '.join(r.reasons)}" for r in self.refused]
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [{"id": x, "rank": i + 1, "reasons": None} for i, x in enumerate(self.ranked)]
        return rows + [{"id": r.id, "rank": None, "reasons": "; ".join(r.reasons)} for r in self.refused]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a candidate: id, rank (from 1; missing for the refused), reasons."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in ("id", "rank", "reasons")}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def pick(
    ids: Sequence[str],
    *,
    refused: Mapping[str, ArrayLike] | None = None,
    keys: Mapping[str, ArrayLike] | None = None,
) -> Pick:
    """Pick the candidate that no test refuses and that comes first by the keys.

    Parameters
    ----------
    ids : (n,) texts
        Distinct. None at all is no error: nobody is picked.
    refused : mapping of reason to (n,) truths, optional
        True where a candidate may not be picked for this reason.
    keys : mapping of name to (n,) finite numbers, optional
        Smallest first; a later key counts only between candidates that are equal in all before it. What is equal in
        all goes by id, never by position.

    Raises
    ------
    DuplicateIds, OutOfRange, BadRows, WrongType
        Repeated ids, columns of another length, keys that are not finite.

    Examples
    --------
    >>> print(pick(["ann", "bob", "cho"], refused={"no key": [True, False, False]}, keys={"load": [0, 2, 1]}))
    cho of 3, by load
      not ann: no key
    """
    names = listed(ids, "ids", str, what="texts", hint="one text a candidate")
    if len(set(names)) < len(names):
        again = tuple(i for i, name in enumerate(names) if name in names[:i])
        raise DuplicateIds("ids", len(again), again, "give each candidate its own id")
    tests = {name: _column(name, truths, len(names)).astype(np.bool_) for name, truths in (refused or {}).items()}
    numbers = {name: _key(name, column, len(names)) for name, column in (keys or {}).items()}
    out = np.zeros(len(names), np.bool_)
    for failed in tests.values():
        out |= failed
    by_id = np.argsort(np.array(names, object), kind="stable")
    order = np.lexsort((np.argsort(by_id), *reversed(numbers.values())))
    ranked = order[~out[order]]
    told = tuple(
        Refused(names[i], tuple(name for name, failed in tests.items() if failed[i]))
        for i in by_id[out[by_id]].tolist()
    )
    return Pick(
        chosen=names[ranked[0]] if len(ranked) else None,
        decided_by=decided_by(numbers, ranked[:2]),
        ranked=tuple(names[i] for i in ranked.tolist()),
        refused=told,
    )


def first_of(able: Bools, keys: Sequence[NDArray[np.float64]], by_id: NDArray[np.intp], /) -> NDArray[np.intp]:
    """Positions of the best and the second best candidate; fewer where fewer are able.

    Parameters
    ----------
    able : (n,) truths
    keys : columns of (n,) numbers
        Smallest first, the most important key first.
    by_id : (n,) ranks of the ids
        The last word between equals.

    Examples
    --------
    >>> first_of(np.array([True, False, True]), [np.array([2.0, 0.0, 1.0])], np.arange(3)).tolist()
    [2, 0]
    """
    places = np.flatnonzero(able)
    if len(places) < 2:
        return places
    order = np.lexsort((by_id[places], *(key[places] for key in reversed(keys))))
    return np.asarray(places[order[:2]], np.intp)


def decided_by(keys: Mapping[str, NDArray[np.float64]], best: NDArray[np.intp], /) -> str:
    """Name of the first key in which the best two differ."""
    if len(best) < 2:
        return "only one" if len(best) else "nobody"
    return next((name for name, column in keys.items() if column[best[0]] != column[best[1]]), "id")


def _column(name: str, values: ArrayLike, n: int) -> NDArray[Any]:
    column = np.asarray(values)
    if column.shape != (n,):
        raise OutOfRange(f"shape of {name!r}", column.shape, f"({n},), as ids", "give one entry a candidate")
    if column.dtype.kind not in "biuf" and n:
        raise WrongType(repr(name), f"a column of {column.dtype}", "truths or numbers", "give one number a candidate")
    return column


def _key(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    column = _column(name, values, n).astype(np.float64)
    odd = np.flatnonzero(~np.isfinite(column))
    if len(odd):
        problem = BadRow(name, "not finite", tuple(odd.tolist()))
        raise BadRows("the candidates", (problem,), "refuse candidates whose key is unknown, or give them a number")
    return column
