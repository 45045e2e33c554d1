"""What would have to change: the smallest set of changes of facts that makes a condition true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import attrs

from crmcore.rules.kinds import FLAG, Kind, Scalar
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Assumed,
    Between,
    Compare,
    Condition,
    Has,
    IsIn,
    IsKnown,
    IsTrue,
    Literal,
    Not,
    Now,
    Term,
    TextMatch,
)
from crmcore.rules.truth import Truth
from crmcore.rules.walking import parts_of
from crmcore.rules.wording import OPPOSITE

__all__ = ["Atom", "Branch", "Demand", "Limits", "branches", "demands", "fewest"]

Value = tuple[Scalar | None, Kind | None]
MAX_BRANCHES = 500

_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@attrs.frozen(eq=False)
class Atom:
    """A condition without parts, as it stands or negated."""

    condition: Condition
    holds: bool  # False: it must be false

    def written(self) -> Condition:
        """The condition that must be true."""
        return self.condition if self.holds else Not(self.condition)


Branch = tuple[Atom, ...]


def branches(node: Condition, want: Truth = Truth.TRUE) -> Iterator[Branch]:
    """Ways in which a condition can be true (false, unknown): disjunctive normal form, one branch after the other.

    `not` moves inward by De Morgan's laws, which hold in Kleene's logic.
    """
    if isinstance(node, Not):
        yield from branches(node.part, ~want)
    elif isinstance(node, Assumed):
        if want is not Truth.UNKNOWN:
            wants = (want, Truth.UNKNOWN) if Truth.of(node.answer) is want else (want,)
            yield from _either(node.part, wants)
    elif isinstance(node, Between):
        yield from branches(AllOf(node.halves()), want)
    elif isinstance(node, AllOf | AnyOf):
        sure = Truth.TRUE if isinstance(node, AllOf) else Truth.FALSE  # what all parts must be for this truth
        if want is Truth.UNKNOWN:
            yield from _one_unknown(node.parts, sure)
        elif want is sure:
            yield from _product([(part, (want,)) for part in node.parts])
        else:
            for part in node.parts:
                yield from branches(part, want)
    elif want is Truth.UNKNOWN:
        if not isinstance(node, IsKnown):
            for term in parts_of(node):
                if isinstance(term, Term) and not isinstance(term, Literal | Now):
                    yield (Atom(IsKnown(term), False),)
    else:
        yield (Atom(node, want is Truth.TRUE),)


def _either(node: Condition, wants: tuple[Truth, ...]) -> Iterator[Branch]:
    for want in wants:
        yield from branches(node, want)


def _one_unknown(parts: tuple[Condition, ...], sure: Truth) -> Iterator[Branch]:
    """One part is unknown, those before it are sure, those after it are either."""
    for i, part in enumerate(parts):
        before = [(p, (sure,)) for p in parts[:i]]
        yield from _product([*before, (part, (Truth.UNKNOWN,)), *((p, (sure, Truth.UNKNOWN)) for p in parts[i + 1 :])])


def _product(parts: list[tuple[Condition, tuple[Truth, ...]]]) -> Iterator[Branch]:
    """Every way of each part with every way of the others; atoms have one, so a long list of them stays flat."""
    fixed = [_single(node, wants) for node, wants in parts]
    sure = tuple(atom for atom in fixed if atom is not None)
    rest = [part for part, atom in zip(parts, fixed, strict=True) if atom is None]
    if not rest:
        yield sure
        return
    (first, wants), others = rest[0], rest[1:]
    for way in _either(first, wants):
        for more in _product(others):
            yield (*sure, *way, *more)


def _single(node: Condition, wants: tuple[Truth, ...]) -> Atom | None:
    """The one atom that a part comes to, None where it has several ways."""
    holds, want = True, wants[0]
    while isinstance(node, Not):
        node, holds = node.part, not holds
    if isinstance(node, AllOf | AnyOf | Assumed | Between) or len(wants) > 1 or want is Truth.UNKNOWN:
        return None
    return Atom(node, holds is (want is Truth.TRUE))


@attrs.define
class Limits:
    """What the atoms of a branch together ask of one term."""

    low: float = float("-inf")
    low_open: bool = False
    high: float = float("inf")
    high_open: bool = False
    allowed: frozenset[Scalar] | None = None
    forbidden: frozenset[Scalar] = frozenset()
    known: bool | None = None
    other: tuple[Atom, ...] = ()
    broken: bool = False
    kind: Kind | None = None  # of the constants that it is compared with

    def ask_known(self, *, known: bool) -> None:
        """Ask that the value be known, or not be."""
        self.broken |= self.known is (not known)
        self.known = known

    def narrow(self, op: str, value: Scalar) -> None:
        """Add a comparison with a constant."""
        self.ask_known(known=True)
        if op == "==":
            self.allow(frozenset({value}))
        elif op == "!=":
            self.forbidden |= {value}
        elif isinstance(value, float):
            if op in (">", ">=") and (value, op == ">") > (self.low, self.low_open):
                self.low, self.low_open = value, op == ">"
            elif op in ("<", "<=") and (-value, op == "<") > (-self.high, self.high_open):
                self.high, self.high_open = value, op == "<"

    def allow(self, values: frozenset[Scalar]) -> None:
        """Add a list of allowed values."""
        self.allowed = values if self.allowed is None else self.allowed & values

    def inside(self, value: Scalar) -> bool:
        """Whether a value keeps interval and lists."""
        if value in self.forbidden or (self.allowed is not None and value not in self.allowed):
            return False
        if not isinstance(value, float):
            return True
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    @property
    def possible(self) -> bool:
        """Whether some value keeps all of it, as far as intervals and lists tell."""
        if self.broken:
            return False
        if self.allowed is not None:
            return any(self.inside(v) for v in self.allowed)
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            return False
        return not (self.low == self.high and self.low in self.forbidden)


@attrs.frozen(eq=False)
class Demand:
    """One term and what a branch asks of it."""

    term: Term
    limits: Limits


def demands(branch: Branch, value: Callable[[Term], Value]) -> list[Demand] | None:
    """Demands of a branch by term; None where they contradict each other.

    The right side of a comparison of two terms stands for its value now.
    """
    found: dict[object, Demand] = {}

    def limits(term: Term) -> Limits:
        return found.setdefault(term.key(), Demand(term, Limits())).limits

    for atom in branch:
        if not _add(atom, limits, value):
            return None
    return list(found.values()) if all(d.limits.possible for d in found.values()) else None


def _add(atom: Atom, limits: Callable[[Term], Limits], value: Callable[[Term], Value]) -> bool:
    """Add one atom; False where it can never hold."""
    node = atom.condition
    if isinstance(node, Compare):
        return _compare(node, limits, value, holds=atom.holds)
    if isinstance(node, IsTrue) and isinstance(node.part, Literal):
        return (node.part.held == 1) == atom.holds
    if isinstance(node, IsTrue):
        asked = limits(node.part)
        asked.kind = FLAG
        asked.narrow("==", float(atom.holds))
    elif isinstance(node, IsIn):
        held = frozenset(c.held for c in node.choices)
        asked = limits(node.part)
        asked.ask_known(known=True)
        if node.choices:
            asked.kind = node.choices[0].kind
        if atom.holds:
            asked.allow(held)
        else:
            asked.forbidden |= held
    elif isinstance(node, IsKnown):
        limits(node.part).ask_known(known=atom.holds)
    elif isinstance(node, TextMatch | Has):
        asked = limits(node.part)
        asked.ask_known(known=True)
        asked.other = (*asked.other, atom)
    return True


def _compare(node: Compare, limits: Callable[[Term], Limits], value: Callable[[Term], Value], *, holds: bool) -> bool:
    op, left, right = node.op if holds else OPPOSITE[node.op], node.left, node.right
    if isinstance(left, Literal):
        left, right, op = right, left, _TURNED[op]
    held, kind = (right.held, right.kind) if isinstance(right, Literal) else value(right)
    asked = limits(left)
    asked.kind = kind if asked.kind is None else asked.kind
    if held is None:  # the other side must become known first
        limits(right).ask_known(known=True)
        asked.ask_known(known=True)
        asked.other = (*asked.other, Atom(node, holds))
        return True
    asked.narrow(op, held)
    return True


def fewest(
    node: Condition, *, value: Callable[[Term], Value], answer: Callable[[Condition], bool | None]
) -> list[Demand] | None:
    """Demands that do not hold now, of the branch that has the fewest; None where no branch can hold.

    At most `MAX_BRANCHES` branches are looked at, in the order in which the condition names them; ties go to the first.
    """
    best: list[Demand] | None = None
    for branch in islice(branches(node), MAX_BRANCHES):
        asked = demands(branch, value)
        if asked is None:
            continue
        open_ = [d for d in asked if not _met(d, value(d.term), answer)]
        if best is None or len(open_) < len(best):
            best = open_
            if len(best) <= 1:
                break
    return best


def _met(demand: Demand, now: Value, answer: Callable[[Condition], bool | None]) -> bool:
    held, _ = now
    asked = demand.limits
    if held is None or asked.known is False:
        return (held is None) == (asked.known is False)
    return asked.inside(held) and all(answer(a.written()) is True for a in asked.other)
