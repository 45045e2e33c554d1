"""The kernel of survivorship: which cells of each entity survive, for all entities at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName, WrongType
from crmcore.idic.identify.survivorship import Cells, Chooser, Codes, FieldRule, Strategy, load_strategy
from crmcore.protocols import Survivorship
from crmcore.tables._cells import when

__all__ = ["cell_scores", "choose", "record_order", "source_ranks"]


def source_ranks(sources: Sequence[str], priority: Sequence[str], /) -> NDArray[np.int64]:
    """Rank of each source, 0 = most trusted; those not listed follow in the order of their names.

    Examples
    --------
    >>> source_ranks(["web", "members", "app"], ["members"]).tolist()
    [2, 0, 1]
    """
    for name in priority:
        if name not in sources:
            raise UnknownName("source", name, tuple(sources))
    listed = {s: i for i, s in enumerate((*priority, *sorted(set(sources) - set(priority))))}
    return np.array([listed[s] for s in sources], np.int64)


def record_order(time: NDArray[np.datetime64], source: Codes, /, *, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) rank of each record by recency, then source; equal ranks are ties, unknown time is oldest.

    Examples
    --------
    >>> days = np.array(["2024-01-02", "NaT", "2024-01-03"], "datetime64[us]")
    >>> record_order(days, np.zeros(3, np.int32), ranks=np.zeros(1, np.int64)).tolist()
    [1, 2, 0]
    """
    age = -time.astype("datetime64[us]").astype(np.int64)  # -min stays min: NaT would come first
    age[np.isnat(time)] = np.iinfo(np.int64).max
    trust = ranks[source] if len(ranks) else np.zeros(len(time), np.int64)
    order = np.lexsort((trust, age))
    step = (np.diff(age[order]) != 0) | (np.diff(trust[order]) != 0)
    out = np.empty(len(time), np.int64)
    out[order] = np.concatenate([[0], np.cumsum(step)]) if len(time) else order
    return out


def cell_scores(
    cells: Cells, strategy: Strategy | str | Chooser | Survivorship, /, *, ranks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(m,) badness of each cell under one strategy: the smallest of each entity wins, equal ones are ties."""
    badness = _badness(cells, strategy, ranks)
    if isinstance(strategy, Strategy) and strategy is not Strategy.MOST_COMPLETE and not cells.leads.all():
        # a record without the first field of a group loses to one that has it
        badness = badness - badness.min() + np.where(cells.leads, 0, np.ptp(badness) + 1)
    return badness - badness.min() if len(badness) else badness


def _badness(
    cells: Cells, strategy: Strategy | str | Chooser | Survivorship, ranks: NDArray[np.int64]
) -> NDArray[np.int64]:
    if strategy in (Strategy.MOST_RECENT, Strategy.UNION):
        return np.zeros(len(cells), np.int64)  # ties go to recency anyway
    if strategy is Strategy.SOURCE_PRIORITY:
        by_source: NDArray[np.int64] = ranks[cells.source]
        return by_source
    if strategy is Strategy.FIRST:
        age = cells.time.astype("datetime64[us]").astype(np.int64)
        age[np.isnat(cells.time)] = np.iinfo(np.int64).max
        return np.unique(age, return_inverse=True)[1].astype(np.int64)
    if strategy is Strategy.MOST_COMPLETE:
        length = np.fromiter(map(len, cells.text), np.int64, len(cells.text))[cells.code]
        complete: NDArray[np.int64] = -(cells.filled * (length.max(initial=0) + 1) + length)
        return complete
    if strategy is Strategy.VOTE:
        key = cells.entity.astype(np.int64) * max(len(cells.text), 1) + cells.code
        _, inverse, votes = np.unique(key, return_inverse=True, return_counts=True)
        against: NDArray[np.int64] = -votes[inverse].astype(np.int64)
        return against
    own = load_strategy(strategy) if isinstance(strategy, str) else strategy
    if isinstance(own, Survivorship):
        return _person_by_person(cells, own)
    score = np.asarray(own(cells), np.float64)
    if score.shape != (len(cells),):
        raise WrongType(
            "strategy", f"a callable that returns shape {score.shape}", f"({len(cells)},)", "return one score per cell"
        )
    return np.unique(-score, return_inverse=True)[1].astype(np.int64)  # NaN sorts last: it loses to any number


def _person_by_person(cells: Cells, rule: Survivorship) -> NDArray[np.int64]:
    """Ask a rule that sees one person at a time: 0 for cells of the value it chose, 1 for the others."""
    age = -cells.time.astype("datetime64[us]").astype(np.int64)
    age[np.isnat(cells.time)] = np.iinfo(np.int64).max
    order = np.lexsort((cells.source, age, cells.code, cells.entity))
    entity, code = cells.entity[order], cells.code[order]
    front = order[np.concatenate([[True], (entity[1:] != entity[:-1]) | (code[1:] != code[:-1])])]
    starts = np.flatnonzero(np.concatenate([[True], cells.entity[front][1:] != cells.entity[front][:-1]]))
    chosen = np.full(int(cells.entity.max()) + 1, -1, np.int64)
    for one in np.split(front, starts[1:]):
        listed = sorted(one.tolist(), key=lambda i: cells.text[int(cells.code[i])])
        values = [cells.text[int(cells.code[i])] for i in listed]
        at = rule.choose(
            values, [cells.sources[cells.source[i]] for i in listed], [when(cells.time, i) for i in listed]
        )
        chosen[cells.entity[listed[0]]] = cells.code[listed[at]]
    lost: NDArray[np.int64] = (cells.code != chosen[cells.entity]).astype(np.int64)
    return lost


def choose(
    cells: Cells,
    rule: FieldRule,
    /,
    *,
    recency: NDArray[np.int64],
    ranks: NDArray[np.int64],
    record_id: NDArray[np.object_],
) -> NDArray[np.intp]:
    """Cells that survive, best first within each entity, entities in order: one cell per distinct value.

    Parameters
    ----------
    cells : Cells
        Sorted by entity.
    rule : FieldRule
        A single-valued strategy uses the first cell of each entity, a union uses all.
    recency : (n,) ranks
        Of each record, from `record_order`.
    ranks : (k,) ranks
        Of each source, 0 = most trusted.
    record_id : (n,) text
        Decides the last ties, so that row order never matters.

    Returns
    -------
    (u,) positions in `cells`
    """
    strategy = rule.order if rule.strategy is Strategy.UNION else rule.strategy
    if not len(cells):
        return np.zeros(0, np.intp)
    width = np.int64(recency.max(initial=0) + 1)
    key = cell_scores(cells, strategy, ranks=ranks) * width + recency[cells.record]
    first = np.concatenate([[True], cells.entity[1:] != cells.entity[:-1]])
    last = np.concatenate([first[1:], [True]])
    alone = np.flatnonzero(first & last)
    several = np.flatnonzero(~(first & last))
    if not len(several):
        return alone
    order = several[np.lexsort((key[several], cells.entity[several]))]
    order = _break_ties(order, cells, key, record_id)
    entity, code = cells.entity[order].astype(np.int64), cells.code[order]
    # the first cell of each (entity, value) in the order just made: a stable sort keeps it in front
    by_value = np.argsort(entity * len(cells.text) + code, kind="stable")
    same = entity[by_value] * len(cells.text) + code[by_value]
    front = np.sort(by_value[np.concatenate([[True], same[1:] != same[:-1]])])
    kept = np.concatenate([alone, order[front]])
    return kept[np.argsort(cells.entity[kept], kind="stable")]


def _break_ties(
    order: NDArray[np.intp], cells: Cells, key: NDArray[np.int64], record_id: NDArray[np.object_]
) -> NDArray[np.intp]:
    """Order cells of equal entity and key by text, then record id; only those: sorting text is slow."""
    entity, sort = cells.entity[order], key[order]
    equal = (entity[1:] == entity[:-1]) & (sort[1:] == sort[:-1])
    tied = np.concatenate([[False], equal]) | np.concatenate([equal, [False]])
    where = np.flatnonzero(tied)
    if not len(where):
        return order
    at = order[where]
    codes, inverse = np.unique(cells.code[at], return_inverse=True)
    text = _ranks([cells.text[int(c)] for c in codes])[inverse]
    ids = _ranks(record_id[cells.record[at]].tolist())
    out = order.copy()
    out[where] = at[np.lexsort((ids, text, sort[where], entity[where]))]
    return out


def _ranks(words: list[str]) -> NDArray[np.int64]:
    """Rank of each word; equal words may differ in rank (callers pass distinct ones)."""
    order = sorted(range(len(words)), key=words.__getitem__)
    out = np.empty(len(words), np.int64)
    out[order] = np.arange(len(words))
    return out
