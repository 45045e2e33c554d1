"""Expressions as JSON: stable, readable, and every fault named by its path.

Constants stand as they are (10000, "gold", true); a fact is `{"field": "age"}`; amounts, instants and durations are
`{"amount_minor": 1250, "currency": "THB"}`, `{"instant": "2026-01-01T00:00:00+00:00"}`, `{"date": "2026-01-01"}` and
`{"days": 30}`. All else has an operator: `{"op": ">=", "args": [{"field": "age"}, 18]}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import singledispatch
from typing import Any

import attrs

from crmcore.errors import BadDocument, CrmError, UnknownName
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    AsNumber,
    Assumed,
    Between,
    Call,
    Choose,
    Compare,
    Condition,
    Default,
    EventMeasure,
    Field,
    Has,
    IsIn,
    IsKnown,
    IsTrue,
    Literal,
    Measure,
    Node,
    Not,
    Now,
    Term,
    TextMatch,
    TextTest,
    YearsSince,
)
from crmcore.rules.sequences import Follows, Side, Switches
from crmcore.values import Money

__all__ = ["Reader", "condition_from_dict", "node_to_dict"]


# --- out -------------------------------------------------------------------------------------------------------------


@singledispatch
def node_to_dict(node: Node, /) -> Any:
    """Plain JSON values of an expression.

    Examples
    --------
    >>> node_to_dict(Field("age") >= 18)
    {'op': '>=', 'args': [{'field': 'age'}, 18]}
    """
    raise TypeError(type(node).__name__)  # pragma: no cover - every node is written


def _op(op: str, *args: Node, **more: object) -> dict[str, Any]:
    return {"op": op, "args": [node_to_dict(a) for a in args], **more}


@node_to_dict.register
def _(node: Field) -> Any:
    return {"field": node.name}


@node_to_dict.register
def _(node: Literal) -> Any:
    value = node.value
    if isinstance(value, Money):
        return {"amount_minor": value.amount_minor, "currency": value.currency}
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"days": value / timedelta(days=1)} if value % timedelta(days=1) else {"days": value.days}
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return {"number": str(value)}
    return str(value) if isinstance(value, str) else value


@node_to_dict.register
def _(node: Now) -> Any:
    return {"op": "now"}


@node_to_dict.register
def _(node: Arithmetic) -> Any:
    return _op(node.op, node.left, node.right)


@node_to_dict.register
def _(node: EventMeasure) -> Any:
    made: dict[str, Any] = {"op": str(node.measure), "event": node.event}
    if node.of != "amount":
        made["of"] = node.of
    return made | _windowed(node.within_days, node.before_days, node.where)


@node_to_dict.register
def _(node: Switches) -> Any:
    made: dict[str, Any] = {"op": "switches", "events": list(node.events)}
    if node.of != "kind":
        made["of"] = node.of
    return made | _windowed(node.within_days, node.before_days, node.where)


@node_to_dict.register
def _(node: Follows) -> Any:
    return {"op": str(node.side), "event": node.event, **_windowed(node.within_days, 0, node.where)}


def _windowed(within_days: float | None, before_days: float, where: Condition | None) -> dict[str, Any]:
    made: dict[str, Any] = {} if within_days is None else {"within_days": within_days}
    if before_days:
        made["before_days"] = before_days
    if where is not None:
        made["where"] = node_to_dict(where)
    return made


@node_to_dict.register
def _(node: YearsSince) -> Any:
    return _op("years_since", node.part)


@node_to_dict.register
def _(node: Default) -> Any:
    return _op("default", node.part, node.fallback)


@node_to_dict.register
def _(node: Choose) -> Any:
    return _op("choose", node.when, node.then, node.otherwise)


@node_to_dict.register
def _(node: AsNumber) -> Any:
    return _op("as_number", node.part)


@node_to_dict.register
def _(node: Call) -> Any:
    return _op("call", *node.args, name=node.name)


@node_to_dict.register
def _(node: Compare) -> Any:
    return _op(node.op, node.left, node.right)


@node_to_dict.register
def _(node: Between) -> Any:
    return _op("between", node.part, node.low, node.high, closed=str(node.closed))


@node_to_dict.register
def _(node: IsIn) -> Any:
    return _op("in", node.part, choices=[node_to_dict(c) for c in node.choices])


@node_to_dict.register
def _(node: TextMatch) -> Any:
    case = {"case_sensitive": True} if node.case_sensitive else {}
    return _op(str(node.test), node.part, text=node.text, **case)


@node_to_dict.register
def _(node: Has) -> Any:
    return _op("has", node.part, label=node.label)


@node_to_dict.register
def _(node: IsKnown) -> Any:
    return _op("known", node.part)


@node_to_dict.register
def _(node: IsTrue) -> Any:
    return _op("is_true", node.part)


@node_to_dict.register
def _(node: AllOf) -> Any:
    return _op("all", *node.parts)


@node_to_dict.register
def _(node: AnyOf) -> Any:
    return _op("any", *node.parts)


@node_to_dict.register
def _(node: Not) -> Any:
    return _op("not", node.part)


@node_to_dict.register
def _(node: Assumed) -> Any:
    return _op("if_unknown", node.part, answer=node.answer)


# --- in --------------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Form:
    """How one operator is read: sorts of its arguments, further keys, and what is made."""

    args: tuple[type[Node], ...] | None  # None: any number of conditions or terms, see `of`
    make: Callable[..., Node]
    of: type[Node] = Term
    keys: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def _comparison(op: str) -> _Form:
    return _Form((Term, Term), lambda a, b: Compare(op, a, b))


def _sum(op: str) -> _Form:
    return _Form((Term, Term), lambda a, b: Arithmetic(op, a, b))


def _text(test: TextTest) -> _Form:
    return _Form(
        (Term,),
        lambda a, text, case_sensitive=False: TextMatch(a, test, text, case_sensitive=case_sensitive),
        keys=("text",),
        optional=("case_sensitive",),
    )


_WINDOW = ("of", "within_days", "before_days", "where")


def _measure(measure: Measure) -> _Form:
    return _Form(
        (),
        lambda event, of="amount", within_days=None, before_days=0, where=None: EventMeasure(
            measure, event, within_days, before_days, where, of
        ),
        keys=("event",),
        optional=_WINDOW,
    )


def _side(side: Side) -> _Form:
    return _Form(
        (),
        lambda event, within_days=None, where=None: Follows(side, event, within_days, where),
        keys=("event",),
        optional=("within_days", "where"),
    )


def _switches(events: object, **more: Any) -> Switches:
    return Switches(events, **more)  # type: ignore[arg-type]  # the converter refuses what is no list of texts


_FORMS: dict[str, _Form] = {
    **{op: _comparison(op) for op in ("==", "!=", "<", "<=", ">", ">=")},
    **{op: _sum(op) for op in "+-*/"},
    **{str(t): _text(t) for t in TextTest},
    **{str(m): _measure(m) for m in Measure},
    **{str(s): _side(s) for s in Side},
    "switches": _Form((), _switches, keys=("events",), optional=_WINDOW),
    "now": _Form((), Now),
    "years_since": _Form((Term,), YearsSince),
    "default": _Form((Term, Term), Default),
    "choose": _Form((Condition, Term, Term), Choose),
    "as_number": _Form((Term,), AsNumber),
    "call": _Form(None, lambda *args, name: Call(name, args), keys=("name",)),
    "between": _Form((Term, Term, Term), Between, optional=("closed",)),
    "in": _Form((Term,), lambda a, choices: IsIn(a, choices), keys=("choices",)),
    "has": _Form((Term,), Has, keys=("label",)),
    "known": _Form((Term,), IsKnown),
    "is_true": _Form((Term,), IsTrue),
    "all": _Form(None, lambda *parts: AllOf(parts), of=Condition),
    "any": _Form(None, lambda *parts: AnyOf(parts), of=Condition),
    "not": _Form((Condition,), Not),
    "if_unknown": _Form((Condition,), Assumed, keys=("answer",)),
}

_KINDS: dict[str, type] = {
    "text": str, "event": str, "of": str, "label": str, "name": str, "closed": str, "choices": list, "answer": bool,
    "case_sensitive": bool, "events": list,
}  # fmt: skip


DEEPEST = 100
"""Operators inside each other that a document may have; evaluation walks them one by one."""


class Reader:
    """One reading of one document: faults are collected, with the path at which they stand."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def fault(self, path: str, reason: str) -> None:
        """Keep one fault."""
        self.problems.append(f"{path}: {reason}")

    def condition(self, document: object, path: str) -> Condition | None:
        """Condition of a document, None where it has faults."""
        made = self._node(document, path)
        if isinstance(made, Condition) or made is None:
            return made
        if isinstance(made, Literal) and isinstance(made.value, bool):
            return IsTrue(made)
        self.fault(path, f"expected a condition, not a value ({type(made).__name__.lower()})")
        return None

    def term(self, document: object, path: str) -> Term | None:
        """Term of a document, None where it has faults."""
        made = self._node(document, path)
        if isinstance(made, Term) or made is None:
            return made
        self.fault(path, "expected a value, not a condition")
        return None

    def _node(self, document: object, path: str) -> Node | None:
        if path.count(".args[") > DEEPEST:
            self.fault(f"{path[:40]}...", f"nested more than {DEEPEST} operators deep")
            return None
        try:
            if isinstance(document, Mapping):
                return self._operator(document, path) if "op" in document else self._constant(document, path)
            if isinstance(document, bool | int | float | str):
                return Literal(document)
        except (CrmError, ValueError, TypeError, OverflowError) as error:
            self.fault(path, str(error).splitlines()[0])
            return None
        self.fault(path, f"expected a number, text, true, false or an object, not {type(document).__name__}")
        return None

    def _constant(self, document: Mapping[str, Any], path: str) -> Node | None:
        keys = frozenset(document)
        if keys == {"field"}:
            return Field(document["field"])
        if keys == {"amount_minor", "currency"}:
            return Literal(Money(document["amount_minor"], document["currency"]))
        if keys == {"instant"}:
            return Literal(datetime.fromisoformat(document["instant"]))
        if keys == {"date"}:
            return Literal(date.fromisoformat(document["date"]))
        if keys == {"days"}:
            return Literal(timedelta(days=document["days"]))
        if keys == {"number"}:
            return Literal(float(document["number"]))
        self.fault(path, f"no known form has the keys {sorted(map(str, keys))}; an operator is named by 'op'")
        return None

    def _operator(self, document: Mapping[str, Any], path: str) -> Node | None:
        op = str(document["op"])
        if op not in _FORMS:
            error = UnknownName("operator", op, tuple(_FORMS))
            self.fault(path, " ".join(str(error).replace("\n", " ").split()))
            return None
        form, here = _FORMS[op], len(self.problems)
        args = self._args(form, document, path)
        keys = self._keys(form, document, path)
        return None if len(self.problems) > here else form.make(*args, **keys)

    def _args(self, form: _Form, document: Mapping[str, Any], path: str) -> list[Node | None]:
        listed = document.get("args", [])
        if not isinstance(listed, list):
            self.fault(f"{path}.args", "expected a list")
            return []
        if form.args is not None and len(listed) != len(form.args):
            self.fault(f"{path}.args", f"{document['op']!r} takes {len(form.args)}, not {len(listed)}")
            return []
        sorts = form.args if form.args is not None else (form.of,) * len(listed)
        read = {Condition: self.condition, Term: self.term}
        return [read[s](d, f"{path}.args[{i}]") for i, (d, s) in enumerate(zip(listed, sorts, strict=True))]

    def _keys(self, form: _Form, document: Mapping[str, Any], path: str) -> dict[str, Any]:
        known = (*form.keys, *form.optional)
        for key in document:
            if key not in ("op", "args", *known):
                error = UnknownName("key", str(key), ("op", "args", *known))
                self.fault(path, " ".join(str(error).replace("\n", " ").split()))
        for key in form.keys:
            if key not in document:
                self.fault(path, f"{document['op']!r} needs {key!r}")
        made: dict[str, Any] = {}
        for key in known:
            if key in document:
                made[key] = self._keyed(key, document[key], f"{path}.{key}")
        return made

    def _keyed(self, key: str, value: object, path: str) -> object:
        if key == "where":
            return self.condition(value, path)
        kind = _KINDS.get(key)
        if kind is not None and not isinstance(value, kind):
            self.fault(path, f"expected {kind.__name__}, not {type(value).__name__}")
            return None
        if key == "choices" and isinstance(value, list):
            found = [self.term(v, f"{path}[{i}]") for i, v in enumerate(value)]
            for i, choice in enumerate(found):
                if choice is not None and not isinstance(choice, Literal):
                    self.fault(f"{path}[{i}]", "expected a constant")
            return tuple(found)
        return value


def condition_from_dict(document: object) -> Condition:
    """Read a condition that `node_to_dict` wrote.

    Raises
    ------
    BadDocument
        All faults by their path, unknown operators with the nearest one.

    Examples
    --------
    >>> print(condition_from_dict({"op": ">=", "args": [{"field": "age"}, 18]}))
    age is at least 18
    """
    reader = Reader()
    made = reader.condition(document, "$")
    if made is None or reader.problems:
        raise BadDocument("condition", tuple(reader.problems), "repair these places")
    return made
