"""Minimal conflicts: rules and choices of which every one is needed for the contradiction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmcore.idic.customize.configuring.search import Problem, Search

__all__ = ["Given", "bits", "contradicts", "refuted", "smallest"]

Given = tuple[int, int, int]
"""A fact: variable, mask of the values it leaves, bit of its own above those of the rules."""


def bits(number: int) -> Iterator[int]:
    """Places of the bits that are set, lowest first.

    Examples
    --------
    >>> list(bits(0b1010))
    [1, 3]
    """
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def refuted(problem: Problem, given: Sequence[Given]) -> int:
    """Sources of a contradiction of a problem and facts, not minimal; 0 where they go together."""
    search = Search(problem, given)
    if search.refuted is None:
        search.solve()
    return search.refuted or 0


def contradicts(problem: Problem, given: Sequence[Given], sources: int) -> int | None:
    """Sources that contradict each other among the rules and facts named; None where they go together."""
    search = Search(problem.only(sources), [g for g in given if g[2] & sources])
    if search.refuted is None and search.solve():
        return None
    return search.refuted


def smallest(problem: Problem, core: int, given: Sequence[Given]) -> int:
    """Minimal conflict inside a known one: a member is left out, and stays out where the rest still contradicts.

    Each test also returns the sources that it used, so members fall in groups, not one by one. Rules go first, so the
    conflict keeps the choices it can be explained with.
    """
    needed = 0
    while True:
        open_ = core & ~needed
        if not open_:
            return core
        member = open_ & -open_
        left = contradicts(problem, given, core & ~member)
        if left is None:
            needed |= member
        else:
            core = left
