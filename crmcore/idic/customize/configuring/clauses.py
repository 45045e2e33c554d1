"""Rules as clauses over bit masks: every rule becomes sets of (attribute, values) of which at least one holds.

Boolean structure is multiplied out to conjunctive form; a condition over one attribute is asked once for each of its
values, one over several once for each combination. Nothing is approximated and no helper variables are introduced.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product

from crmcore.errors import OutOfRange
from crmcore.idic.customize.configuring.attributes import Attribute, Range
from crmcore.idic.customize.configuring.product_rules import ProductRule, Table
from crmcore.idic.customize.configuring.search import Clause
from crmcore.rules.nodes import AllOf, AnyOf, Arithmetic, Compare, Condition, Field, IsIn, IsTrue, Literal, Not, Term
from crmcore.rules.scalar import OPERATORS, Row, ask_of
from crmcore.rules.vocabulary import NO_WORDS
from crmcore.rules.walking import fields_of

__all__ = ["Compiler"]

MOST_COMBINATIONS = 100_000
MOST_CLAUSES = 20_000
Cnf = list[dict[int, int]]
ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


class Compiler:
    """Turns conditions, rules and tables over given attributes into clauses."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self.attributes = tuple(attributes)
        self.index = {a.name: i for i, a in enumerate(attributes)}
        self.full = tuple((1 << len(a.values)) - 1 for a in attributes)
        self.facts: list[tuple[object, ...]] = [
            tuple(float(v) if isinstance(v, Decimal) else v for v in a.values) for a in attributes
        ]

    def rule(self, rule: ProductRule | Table) -> list[Clause]:
        """Clauses of one rule."""
        if isinstance(rule, Table):
            return list(self._table(rule))
        return list(self.condition(rule.condition, name=rule.name))

    def condition(self, node: Condition, *, name: str, negated: bool = False) -> Cnf:
        """Clauses that say that a condition holds (or, negated, that it does not)."""
        if isinstance(node, Not):
            return self.condition(node.part, name=name, negated=not negated)
        if isinstance(node, AllOf | AnyOf):
            parts = [self.condition(p, name=name, negated=negated) for p in node.parts]
            if isinstance(node, AllOf) != negated:
                return _subsumed([c for part in parts for c in part])
            return self._any(parts, name)
        return self._leaf(node, name, negated)

    def _any(self, parts: list[Cnf], name: str) -> Cnf:
        made: Cnf = [{}]
        for part in sorted(parts, key=len):
            if len(made) * len(part) > MOST_CLAUSES:
                hint = "cut the rule into several, or write it as a table"
                raise OutOfRange(f"cases of rule {name!r}", len(made) * len(part), f"at most {MOST_CLAUSES}", hint)
            joined = (self._joined(a, b) for a in made for b in part)
            made = _subsumed([c for c in joined if c is not None])
        return made

    def _joined(self, a: dict[int, int], b: dict[int, int]) -> dict[int, int] | None:
        """Union of two clauses, None where it always holds."""
        made = dict(a)
        for v, mask in b.items():
            made[v] = made.get(v, 0) | mask
            if made[v] == self.full[v]:
                return None
        return made

    def _leaf(self, node: Condition, name: str, negated: bool) -> Cnf:
        places = [self.index[f] for f in fields_of(node)]
        if not places:
            holds = ask_of(node, NO_WORDS)(_row({}))
            return [] if bool(holds) != negated else [{}]
        if len(places) == 1:
            mask = self._mask(node, places[0])
            return self._clause({places[0]: self.full[places[0]] & ~mask if negated else mask})
        sizes = 1
        for i in places:
            sizes *= len(self.facts[i])
        if sizes > MOST_COMBINATIONS:
            hint = "compare fewer attributes at once, or take coarser steps"
            raise OutOfRange(f"combinations of rule {name!r}", sizes, f"at most {MOST_COMBINATIONS}", hint)
        names = [self.attributes[i].name for i in places]
        fields: dict[str, object] = {}
        row = _row(fields)
        numbers = all(isinstance(self.attributes[i], Range) for i in places)
        exact = _exact(node) if numbers else None
        ask = ask_of(node, NO_WORDS) if exact is None else lambda _: exact(fields)
        bad = set()
        for combination in product(*(range(len(self.facts[i])) for i in places)):
            for field, i, at in zip(names, places, combination, strict=True):
                fields[field] = self.facts[i][at] if exact is None else self.attributes[i].values[at]
            if bool(ask(row)) == negated:
                bad.add(combination)
        return [dict(c) for c in self._forbidden(places, bad)]

    def _clause(self, clause: dict[int, int]) -> Cnf:
        if any(mask == self.full[v] for v, mask in clause.items()):
            return []
        return [{v: mask for v, mask in clause.items() if mask}]

    def _mask(self, node: Condition, place: int) -> int:
        """Values of one attribute that fulfil a condition."""
        values = self.facts[place]
        quick = _quick(node)
        if quick is not None:
            return sum(1 << at for at, value in enumerate(values) if quick(value))
        ask, name = ask_of(node, NO_WORDS), self.attributes[place].name
        return sum(1 << at for at, value in enumerate(values) if ask(_row({name: value})))

    def _table(self, rule: Table) -> Cnf:
        places = [self.index[name] for name in rule.attributes]
        rows = [[self._cell(i, cell) for i, cell in zip(places, row, strict=True)] for row in rule.rows]
        if not rule.allowed:
            bad = [{i: self.full[i] & ~mask for i, mask in zip(places, row, strict=True)} for row in rows]
            return _subsumed([c for clause in bad for c in self._clause(clause)])
        return self._allowed(tuple(places), tuple(map(tuple, rows)), {})

    def _cell(self, place: int, cell: object) -> int:
        attribute = self.attributes[place]
        return self.full[place] if cell == "*" else 1 << attribute.position(cell)  # type: ignore[arg-type]

    def _allowed(
        self, places: tuple[int, ...], rows: tuple[tuple[int, ...], ...], seen: dict[object, Cnf]
    ) -> Cnf:  # fmt: skip
        """Clauses of the rows that are allowed, column by column: values with the same rest share their clauses."""
        if not rows:
            return [{}]
        if not places:
            return []
        key = (len(places), rows)
        if key in seen:
            return seen[key]
        groups: dict[tuple[tuple[int, ...], ...], int] = {}
        for at in range(self.full[places[0]].bit_length()):
            rest = tuple(sorted({row[1:] for row in rows if row[0] >> at & 1}))
            groups[rest] = groups.get(rest, 0) | 1 << at
        made: Cnf = []
        for rest, mask in groups.items():
            others = self.full[places[0]] & ~mask
            for clause in self._allowed(places[1:], rest, seen):
                made.append({places[0]: others, **clause} if others else clause)
        seen[key] = _subsumed(made)
        return seen[key]

    def _forbidden(self, places: Sequence[int], bad: set[tuple[int, ...]]) -> Cnf:
        """Clauses that forbid combinations, column by column: values with the same rest share their clauses."""
        if not bad:
            return []
        if not places:
            return [{}]
        rests: dict[int, set[tuple[int, ...]]] = {}
        for combination in bad:
            rests.setdefault(combination[0], set()).add(combination[1:])
        groups: dict[frozenset[tuple[int, ...]], int] = {}
        for at, rest in sorted(rests.items()):
            key = frozenset(rest)
            groups[key] = groups.get(key, 0) | 1 << at
        made: Cnf = []
        for group, mask in groups.items():
            others = self.full[places[0]] & ~mask
            for clause in self._forbidden(places[1:], set(group)):
                made.append({places[0]: others, **clause} if others else clause)
        return _subsumed(made)


def _row(fields: dict[str, object]) -> Row:
    return Row(fields, None, 0.0, None)


def _quick(node: Condition) -> Callable[[object], bool] | None:
    """Plain comparison of a field with constants of its own type, the commonest leaf."""
    if isinstance(node, IsTrue) and isinstance(node.part, Field):
        return lambda value: value is True
    if isinstance(node, IsIn) and isinstance(node.part, Field):
        known = [c.held for c in node.choices]
        return (lambda value: value in known) if all(isinstance(k, str) for k in known) else None
    if isinstance(node, Compare) and isinstance(node.left, Field) and isinstance(node.right, Literal):
        held = node.right.held
        if isinstance(held, str) and node.op in ("==", "!="):
            return lambda value: (value == held) == (node.op == "==")
    return None


def _exact(node: Condition) -> Callable[[dict[str, object]], bool] | None:
    """Comparison of sums and products of numbers in exact fractions: 0.1 + 0.2 is 0.3 for a shelf."""
    if not isinstance(node, Compare):
        return None
    left, right, op = _exact_term(node.left), _exact_term(node.right), OPERATORS[node.op]
    if left is None or right is None:
        return None
    one, two = left, right
    return lambda fields: op(one(fields), two(fields))


def _exact_term(node: Term) -> Callable[[dict[str, object]], Fraction] | None:
    """Reader of a number, None where the term is no plain arithmetic of ranges."""
    if isinstance(node, Literal):
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        number = Fraction(str(value))
        return lambda _: number
    if isinstance(node, Field):
        name = node.name
        return lambda fields: Fraction(str(fields[name]))
    if not isinstance(node, Arithmetic) or node.op == "/":
        return None
    left, right, op = _exact_term(node.left), _exact_term(node.right), ARITHMETIC[node.op]
    if left is None or right is None:
        return None
    one, two = left, right
    made: Callable[[dict[str, object]], Fraction] = lambda fields: op(one(fields), two(fields))  # noqa: E731
    return made


def _subsumed(clauses: Cnf) -> Cnf:
    """Clauses without repetitions, and without those that a stronger one covers (where there are few)."""
    distinct = list({tuple(sorted(c.items())): c for c in clauses}.values())
    if any(not c for c in distinct):
        return [{}]
    if len(distinct) > 200:
        return distinct
    kept: Cnf = []
    for clause in sorted(distinct, key=len):
        if not any(all(mask & ~clause.get(v, 0) == 0 for v, mask in k.items()) for k in kept):
            kept.append(clause)
    return kept
