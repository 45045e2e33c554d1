"""Workflows as JSON documents: short, every fault by its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmcore.documents import placed
from crmcore.errors import BadDocument, CrmError, nearest
from crmcore.lifecycle.workflow import ENTRY, Timer, Transition, Workflow

__all__ = ["workflow_in", "workflow_out"]

HINT = "write it with Workflow.to_dict of the same version of crmcore, or repair these fields"


def workflow_out(flow: Workflow) -> dict[str, object]:
    """Plain JSON values of a workflow; what stands at its default is left out."""
    return {
        "name": flow.name,
        "version": flow.version,
        "states": list(flow.states),
        "initial": flow.initial,
        "terminal": list(flow.terminal),
        "transitions": [_transition_out(t) for t in flow.transitions],
        "timers": [_timer_out(t) for t in flow.timers],
    }


def _transition_out(t: Transition) -> dict[str, object]:
    made: dict[str, object] = {"command": t.command, "source": list(t.source)}
    if t.target is not None:
        made["target"] = t.target
    if t.guard is not None:
        made["guard"] = t.guard.to_dict()
    if t.actors is not None:
        made["actors"] = list(t.actors)
    for name, fields in (("needs", t.needs), ("keeps", t.keeps)):
        if fields:
            made[name] = list(fields)
    if t.sets:
        made["sets"] = dict(t.sets)
    if t.emits != t.command:
        made["emits"] = t.emits
    return made


def _timer_out(t: Timer) -> dict[str, object]:
    made: dict[str, object] = {"name": t.name, "states": list(t.states), "command": t.command}
    for name in ("after_minutes", "after_days", "calendar", "repeats"):
        if getattr(t, name):
            made[name] = getattr(t, name)
    if t.start != ENTRY:
        made["start"] = t.start
    return made


class _Reader:
    """One reading of one document: faults are collected, `close` raises them together."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fields(self, document: object, path: str, known: Mapping[str, Callable[[object], bool]]) -> dict[str, Any]:
        """Fields of an object, those that are known and of the right type."""
        if not isinstance(document, Mapping):
            self.faults.append(f"{type(document).__name__} where an object is expected @ {path}")
            return {}
        for name in document:
            if name not in known:
                near = nearest(str(name), tuple(known))
                self.faults.append(f"unknown field {name!r}{f', did you mean {near!r}?' if near else ''} @ {path}")
        for name, right in known.items():
            if name in document and not right(document[name]):
                self.faults.append(f"not valid here: {type(document[name]).__name__} @ {path}.{name}")
        return {k: v for k, v in document.items() if k in known and known[k](v)}

    def required(self, fields: Mapping[str, Any], path: str, *names: str) -> bool:
        """Whether all of these fields are there; those that are not are faults."""
        missing = [name for name in names if name not in fields]
        self.faults.extend(f"required field is missing @ {path}.{name}" for name in missing)
        return not missing


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list(value: object) -> bool:
    return isinstance(value, list)


def _object(value: object) -> bool:
    return isinstance(value, Mapping)


WORKFLOW = {
    "name": _text, "version": _whole, "states": _texts, "initial": _text, "terminal": _texts, "transitions": _list,
    "timers": _list,
}  # fmt: skip
TRANSITION = {
    "command": _text, "source": _texts, "target": _text, "guard": _object, "actors": _texts, "needs": _texts,
    "keeps": _texts, "sets": _object, "emits": _text,
}  # fmt: skip
TIMER = {
    "name": _text, "states": _texts, "command": _text, "after_minutes": _whole, "after_days": _whole,
    "calendar": _text, "repeats": _whole, "start": _text,
}  # fmt: skip


def workflow_in(document: Mapping[str, object]) -> Workflow:
    """Workflow of a document; see `Workflow.from_dict`."""
    reader = _Reader()
    fields = reader.fields(document, "$", WORKFLOW)
    reader.required(fields, "$", "name", "version", "states", "initial", "transitions")
    transitions = [
        _transition_in(reader, item, f"$.transitions[{i}]") for i, item in enumerate(fields.get("transitions", ()))
    ]
    timers = [_timer_in(reader, item, f"$.timers[{i}]") for i, item in enumerate(fields.get("timers", ()))]
    if reader.faults:
        raise BadDocument("Workflow", tuple(reader.faults), HINT)
    return Workflow(
        fields["name"],
        fields["version"],
        fields["states"],
        fields["initial"],
        [t for t in transitions if t is not None],
        [t for t in timers if t is not None],
        fields.get("terminal", ()),
    )


def _transition_in(reader: _Reader, item: object, path: str) -> Transition | None:
    before = len(reader.faults)
    fields = reader.fields(item, path, TRANSITION)
    reader.required(fields, path, "command", "source")
    if "guard" in fields:
        from crmcore.rules import Rule

        try:
            fields["guard"] = Rule.from_dict(fields["guard"])
        except CrmError as error:
            reader.faults.append(placed(error, f"{path}.guard"))
    return Transition(**fields) if len(reader.faults) == before else None


def _timer_in(reader: _Reader, item: object, path: str) -> Timer | None:
    before = len(reader.faults)
    fields = reader.fields(item, path, TIMER)
    reader.required(fields, path, "name", "states", "command")
    return Timer(**fields) if len(reader.faults) == before else None
