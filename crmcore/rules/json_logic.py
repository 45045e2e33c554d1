"""Read conditions that were written in JsonLogic (jsonlogic.com)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from crmcore.errors import BadDocument, CrmError, UnknownName
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    AsNumber,
    Between,
    Choose,
    Closed,
    Compare,
    Condition,
    Default,
    Field,
    Has,
    IsIn,
    IsKnown,
    IsTrue,
    Literal,
    Not,
    Term,
    TextMatch,
    TextTest,
    condition,
)
from crmcore.rules.schema import Labels, Schema

__all__ = ["from_json_logic"]

_ORDER = ("<", "<=", ">", ">=")
_EQUAL = {"==": "==", "===": "==", "!=": "!=", "!==": "!="}
_CONDITIONS = (*_EQUAL, *_ORDER, "and", "or", "!", "!!", "in", "missing", "missing_some", "if", "?:")
_TERMS = ("var", "+", "-", "*", "/", "if", "?:")
_KNOWN = tuple(dict.fromkeys((*_CONDITIONS, *_TERMS)))


def from_json_logic(document: object, *, schema: Schema | None = None) -> Condition:
    """Condition of a JsonLogic rule.

    Known are var (with a default), ==, ===, !=, !==, <, <=, >, >= (< and <= with three arguments are an interval),
    and, or, !, !!, in, if, missing, missing_some, + - * /.

    Parameters
    ----------
    document
        The rule as plain JSON values. `{"var": "a.b"}` is the fact called "a.b".
    schema
        Tells which facts are `Labels`: `in` asks them for a label, and other facts for a part of their text. The
        condition is checked by the rule that it becomes part of.

    Raises
    ------
    BadDocument
        All operators that have no counterpart, and all other faults, by their path.

    Notes
    -----
    JsonLogic takes null for false and converts text to numbers; here unknown stays unknown and kinds do not mix. A fact
    used as a condition is a flag. A comparison with null asks whether a fact is known. Append `.if_unknown(False)` to
    have unknown count as no everywhere.

    Examples
    --------
    >>> print(from_json_logic({"and": [{"<=": [18, {"var": "age"}, 65]}, {"in": [{"var": "tier"}, ["gold", "VIP"]]}]}))
    age is from 18 to 65 and tier is one of "gold", "VIP"
    """
    reader = _Reader(schema)
    made = reader.condition(document, "$")
    if made is None or reader.problems:
        raise BadDocument("JsonLogic rule", tuple(reader.problems), f"known operators: {' '.join(_KNOWN)}")
    return made


class _Reader:
    def __init__(self, schema: Schema | None) -> None:
        self.schema = schema
        self.problems: list[str] = []

    def fault(self, path: str, reason: str) -> None:
        self.problems.append(f"{path}: {reason}")

    def _split(self, document: Mapping[str, Any], path: str) -> tuple[str, list[Any], str] | None:
        """Operator, arguments and path of an object."""
        if len(document) != 1:
            self.fault(path, f"expected one operator, not {sorted(map(str, document))}")
            return None
        op, args = next(iter(document.items()))
        if op not in _KNOWN:
            self.fault(path, " ".join(str(UnknownName("operator", str(op), _KNOWN)).split()))
            for i, inner in enumerate(args if isinstance(args, list) else [args]):  # name what is unknown inside, too
                if isinstance(inner, Mapping):
                    self._split(inner, f"{path}.{op}[{i}]")
            return None
        return str(op), args if isinstance(args, list) else [args], f"{path}.{op}"

    def condition(self, document: object, path: str) -> Condition | None:
        """Condition where one is expected; a fact is a flag."""
        if isinstance(document, bool):
            return IsTrue(Literal(document))
        if not isinstance(document, Mapping):
            self.fault(path, f"expected a condition, not {type(document).__name__}")
            return None
        split = self._split(document, path)
        if split is None:
            return None
        op, args, here = split
        if op == "var":
            made = self._var(args, here)
            return None if made is None else condition(made)
        if op not in _CONDITIONS:
            self.fault(path, f"{op!r} gives a value where a condition is expected")
            return None
        return self._guard(lambda: self._condition(op, args, here), here)

    def _guard(self, make: Callable[[], Condition | None], path: str) -> Condition | None:
        try:
            return make()
        except CrmError as error:
            self.fault(path, str(error).splitlines()[0])
            return None

    def _condition(self, op: str, args: list[Any], path: str) -> Condition | None:
        if op in ("and", "or"):
            parts = [self.condition(a, f"{path}[{i}]") for i, a in enumerate(args)]
            known = tuple(p for p in parts if p is not None)
            return AllOf(known) if op == "and" else AnyOf(known)
        if op in ("!", "!!"):
            part = self.condition(args[0], f"{path}[0]") if self._count(args, path, 1) else None
            return part if part is None or op == "!!" else Not(part)
        if op in ("if", "?:"):
            return self._if(args, path)
        if op in ("missing", "missing_some"):
            return self._missing(op, args, path)
        if op == "in":
            return self._in(args, path)
        return self._compare(op, args, path)

    def _count(self, args: list[Any], path: str, *allowed: int) -> bool:
        if len(args) not in allowed:
            self.fault(path, f"takes {' or '.join(map(str, allowed))} arguments, not {len(args)}")
        return len(args) in allowed

    def _compare(self, op: str, args: list[Any], path: str) -> Condition | None:
        if not self._count(args, path, 2, *((3,) if op in ("<", "<=") else ())):
            return None
        if None in args and op in _EQUAL:
            return self._null(_EQUAL[op], args, path)
        terms = [self.term(a, f"{path}[{i}]") for i, a in enumerate(args)]
        found = [t for t in terms if t is not None]
        if len(found) < len(args):
            return None
        if len(found) == 3:
            return Between(found[1], found[0], found[2], closed=Closed.BOTH if op == "<=" else Closed.NEITHER)
        return Compare(_EQUAL.get(op, op), found[0], found[1])

    def _null(self, op: str, args: list[Any], path: str) -> Condition | None:
        if args[0] is None and args[1] is None:
            return IsTrue(Literal(op == "=="))
        part = self.term(args[1] if args[0] is None else args[0], path)
        if part is None:
            return None
        return Not(IsKnown(part)) if op == "==" else IsKnown(part)

    def _in(self, args: list[Any], path: str) -> Condition | None:
        if not self._count(args, path, 2):
            return None
        needle, hay = args
        if isinstance(hay, list):
            part = self.term(needle, f"{path}[0]")
            if any(not isinstance(c, str | int | float | bool) for c in hay):
                self.fault(f"{path}[1]", "expected a list of constants")
                return None
            return None if part is None else IsIn(part, tuple(Literal(c) for c in hay))
        if isinstance(needle, str) and isinstance(hay, Mapping):
            whole = self.term(hay, f"{path}[1]")
            if whole is None:
                return None
            labels = isinstance(whole, Field) and self.schema is not None and self._labels(whole.name)
            return Has(whole, needle) if labels else TextMatch(whole, TextTest.CONTAINS, needle, case_sensitive=True)
        self.fault(path, "expected a fact in a list of constants, or a text in a fact")
        return None

    def _labels(self, name: str) -> bool:
        return self.schema is not None and isinstance(self.schema.fields.get(name), Labels)

    def _missing(self, op: str, args: list[Any], path: str) -> Condition | None:
        """Truth of "something is missing"; `missing_some` asks for at least so many known facts."""
        if op == "missing_some":
            if not self._count(args, path, 2) or not isinstance(args[0], int) or not isinstance(args[1], list):
                self.fault(path, "expected [number, [names]]")
                return None
            zero: Term = Literal(0)
            known: list[Term] = [Choose(IsKnown(Field(str(n))), Literal(1), Literal(0)) for n in args[1]]
            return Compare("<", reduce(_plus, known, zero), Literal(args[0]))
        names = args[0] if len(args) == 1 and isinstance(args[0], list) else args
        if not all(isinstance(n, str) for n in names):
            self.fault(path, "expected names of facts")
            return None
        return AnyOf(tuple(Not(IsKnown(Field(n))) for n in names))

    def _if(self, args: list[Any], path: str) -> Condition | None:
        """`if` between conditions: (c and a) or (not c and b)."""
        if not args or len(args) % 2 == 0:
            self.fault(path, "expected condition, result, ..., otherwise")
            return None
        parts = [self.condition(a, f"{path}[{i}]") for i, a in enumerate(args)]
        made = parts[-1]
        for when, then in reversed(list(zip(parts[:-1:2], parts[1::2], strict=True))):
            if when is None or then is None or made is None:
                return None
            made = (when & then) | (~when & made)
        return made

    def term(self, document: object, path: str) -> Term | None:
        """Value where one is expected."""
        if isinstance(document, bool | int | float | str):
            try:
                return Literal(document)
            except CrmError as error:
                self.fault(path, str(error).splitlines()[0])
                return None
        if not isinstance(document, Mapping):
            self.fault(path, f"expected a value, not {'null' if document is None else type(document).__name__}")
            return None
        split = self._split(document, path)
        if split is None:
            return None
        op, args, here = split
        if op not in _TERMS:
            self.fault(path, f"{op!r} gives a condition where a value is expected")
            return None
        if op == "var":
            return self._var(args, here)
        return self._choose(args, here) if op in ("if", "?:") else self._arithmetic(op, args, here)

    def _var(self, args: list[Any], path: str) -> Term | None:
        if not self._count(args, path, 1, 2):
            return None
        if not isinstance(args[0], str | int) or args[0] == "":
            self.fault(path, "expected the name of a fact")
            return None
        made: Term = Field(str(args[0]))
        if len(args) == 2 and args[1] is not None:
            fallback = self.term(args[1], f"{path}[1]")
            return None if fallback is None else Default(made, fallback)
        return made

    def _choose(self, args: list[Any], path: str) -> Term | None:
        if len(args) < 3 or len(args) % 2 == 0:
            self.fault(path, "expected condition, value, ..., otherwise")
            return None
        made = self.term(args[-1], f"{path}[{len(args) - 1}]")
        for i in range(len(args) - 3, -1, -2):
            when, then = self.condition(args[i], f"{path}[{i}]"), self.term(args[i + 1], f"{path}[{i + 1}]")
            made = None if when is None or then is None or made is None else Choose(when, then, made)
        return made

    def _arithmetic(self, op: str, args: list[Any], path: str) -> Term | None:
        if op in "-/" and not self._count(args, path, 2, *((1,) if op == "-" else ())):
            return None
        terms = [self.term(a, f"{path}[{i}]") for i, a in enumerate(args)]
        found = [t for t in terms if t is not None]
        if not found or len(found) < len(terms):
            return None
        if len(found) == 1 and op in "+-":
            return AsNumber(found[0]) if op == "+" else Arithmetic("*", found[0], Literal(-1))
        return reduce(lambda a, b: Arithmetic(op, a, b), found)


def _plus(left: Term, right: Term) -> Term:
    return Arithmetic("+", left, right)
