"""Faults of promises as a set: cases that nobody promised anything, and promises that never get their turn."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod

import attrs

from crmcore.errors import OutOfRange
from crmcore.recovery.service.policies import FIELDS, Promise
from crmcore.values.words import word

__all__ = ["ScopeFault", "ScopeFinding", "lint_scopes"]

MOST_CELLS = 2_000_000
OTHER = "any other"


class ScopeFault(enum.StrEnum):
    """What is wrong."""

    GAP = "gap"
    SHADOWED = "shadowed"


def _fault(value: ScopeFault | str) -> ScopeFault:
    return word(ScopeFault, value, "fault")


@attrs.frozen(kw_only=True)
class ScopeFinding:
    """One fault.

    Parameters
    ----------
    fault : ScopeFault
    promise : text
        That never gets its turn; "" for a gap.
    others : texts
        Earlier promises that take all of its cases.
    cases : mapping of fact to words
        Cases that nobody promised anything; a fact that is not there may be anything.
    """

    fault: ScopeFault = attrs.field(converter=_fault)
    promise: str = ""
    others: tuple[str, ...] = ()
    cases: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, hash=False)

    def __str__(self) -> str:
        if self.fault is ScopeFault.SHADOWED:
            by = ", ".join(map(repr, self.others)) or "facts that do not occur"
            return f"shadowed: {self.promise!r} never gets its turn: {by} before it"
        said = " and ".join(f"{name} {' or '.join(words)}" for name, words in self.cases.items())
        return f"gap: no promise for {said or 'any case'}"


def _classes(promises: Sequence[Promise], name: str, known: Iterable[str] | None) -> list[tuple[str, ...]]:
    """Words of a fact, those together that no scope tells apart; `OTHER` is every word that nobody names."""
    named = [w for p in promises for w in p.scope.asked.get(name, ())]
    words = list(dict.fromkeys(named if known is None else known)) + ([OTHER] if known is None else [])
    groups: dict[tuple[bool, ...], list[str]] = {}
    for w in words:
        groups.setdefault(tuple(w in p.scope.asked.get(name, (w,)) for p in promises), []).append(w)
    return [tuple(g) for g in groups.values()]


def lint_scopes(promises: Sequence[Promise], known: Mapping[str, Iterable[str]]) -> tuple[ScopeFinding, ...]:
    """Look at every kind of case that scopes tell apart: exact, because scopes are lists.

    Examples
    --------
    >>> from crmcore.recovery.service import Promise, Scope
    >>> made = [Promise("a", Scope(priorities=["high", "low"]), {}), Promise("b", Scope(priorities=["low"]), {})]
    >>> for finding in lint_scopes(made, {}):
    ...     print(finding)
    shadowed: 'b' never gets its turn: 'a' before it
    gap: no promise for priority any other
    """
    for name in known:
        if name not in FIELDS:
            raise OutOfRange("known", name, f"one of {list(FIELDS)}", "these are the facts that scopes ask for")
    asked = [name for name in FIELDS if any(name in p.scope.asked for p in promises)]
    classes = [_classes(promises, name, known.get(name)) for name in asked]
    if prod(map(len, classes)) > MOST_CELLS:
        hint = "look at the promises of one account at a time"
        raise OutOfRange("promises", f"{prod(map(len, classes)):,} kinds of cases", f"at most {MOST_CELLS:,}", hint)
    took: dict[int, set[int]] = {i: set() for i in range(len(promises))}  # promise -> who takes the cases that fit it
    gaps: list[tuple[tuple[str, ...], ...]] = []
    for cell in product(*classes):
        fits = [i for i, p in enumerate(promises) if _fits(p, asked, cell)]
        if not fits:
            gaps.append(cell)
        for i in fits:
            took[i].add(fits[0])
    shadowed = [
        ScopeFinding(fault=ScopeFault.SHADOWED, promise=promises[i].name,
                     others=tuple(promises[j].name for j in sorted(by)))
        for i, by in took.items() if i not in by
    ]  # fmt: skip
    return (*shadowed, *(_gap(asked, classes, cell) for cell in _joined(gaps)))


def _fits(promise: Promise, asked: Sequence[str], cell: Sequence[tuple[str, ...]]) -> bool:
    return all(words[0] in promise.scope.asked.get(name, words) for name, words in zip(asked, cell, strict=True))


def _joined(cells: list[tuple[tuple[str, ...], ...]]) -> list[tuple[tuple[str, ...], ...]]:
    """Cells that differ in one fact alone, written as one."""
    for axis in range(len(cells[0]) if cells else 0):
        rows: dict[tuple[tuple[str, ...], ...], list[str]] = {}
        for cell in cells:
            rows.setdefault((*cell[:axis], *cell[axis + 1 :]), []).extend(cell[axis])
        cells = [(*key[:axis], tuple(words), *key[axis:]) for key, words in rows.items()]
    return cells


def _gap(
    asked: Sequence[str], classes: Sequence[Sequence[tuple[str, ...]]], cell: tuple[tuple[str, ...], ...]
) -> ScopeFinding:
    whole = [{w for group in groups for w in group} for groups in classes]
    said = {n: words for n, words, every in zip(asked, cell, whole, strict=True) if set(words) != every}
    return ScopeFinding(fault=ScopeFault.GAP, cases=said)
