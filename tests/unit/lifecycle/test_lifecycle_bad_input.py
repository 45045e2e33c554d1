"""Wrong calls of workflows and cases end in house errors that say what to do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crmcore.errors import CrmError, WrongType
from crmcore.lifecycle import BadWorkflow, Cases, Command, Timer, Transition, Workflow, due
from crmcore.stores import MemoryStore

AT = datetime(2026, 6, 1, tzinfo=UTC)
GO = Transition("go", "new", "done")
FLOW: Any = Workflow
MOVE: Any = Transition
CASES: Any = Cases
DUE: Any = due


def _flow(**more: Any) -> Workflow:
    parts: dict[str, Any] = {"states": ["new", "done"], "initial": "new", "transitions": [GO], **more}
    return FLOW("task", 1, **parts)  # type: ignore[no-any-return]


def _cases() -> Any:
    cases = Cases(MemoryStore(), [_flow()])
    cases.open("task", "t1", at=AT)
    return cases


def _go() -> Command:
    return Command("go", actor="anna", at=AT, id="c1")


WRONG: dict[str, tuple[Callable[[], object], type[CrmError], str]] = {
    "no states": (lambda: _flow(states=None), WrongType, "expected a list of names"),
    "no first state": (lambda: _flow(initial=None), BadWorkflow, "unknown state None"),
    "no transitions": (lambda: _flow(transitions=None), WrongType, "transitions is a NoneType"),
    "one transition": (lambda: _flow(transitions=GO), WrongType, "transitions is a Transition"),
    "names of transitions": (lambda: _flow(transitions=["go"]), WrongType, "a list with a str"),
    "one timer": (lambda: _flow(timers=Timer("t", "new", "go", after_days=1)), WrongType, "timers is a Timer"),
    "a number as actors": (lambda: MOVE("go", "new", "done", actors=5), WrongType, "names is a int"),
    "no source": (lambda: MOVE("go", None, "done"), WrongType, "names is a NoneType"),
    "no workflows": (lambda: CASES(MemoryStore(), None), WrongType, "workflows is a NoneType"),
    "one workflow": (lambda: CASES(MemoryStore(), _flow()), WrongType, "workflows is a Workflow"),
    "no command": (lambda: _cases().handle("t1", None), WrongType, "command is a NoneType: expected a Command"),
    "no case": (lambda: _cases().handle(None, _go()), WrongType, "case_id is a NoneType: expected text"),
    "reading no case": (lambda: _cases().read(None), WrongType, "case_id is a NoneType"),
    "facts as a list": (lambda: _cases().handle("t1", _go(), facts=[1]), WrongType, "facts is a list"),
    "data as a list": (lambda: _cases().open("task", "t2", at=AT, data=[1]), WrongType, "data is a list"),
    "no time": (lambda: _cases().open("task", "t2", at=None), WrongType, "time is NoneType: expected an aware"),
    "no now": (lambda: _cases().fire(None), WrongType, "now is a NoneType: expected an aware datetime"),
    "now as text": (lambda: DUE([], "2026-06-01", workflows=[]), WrongType, "now is a str"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_of_workflows_says_what_to_do(what: str) -> None:
    call, error, says = WRONG[what]
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)
    assert "\n  hint: " in str(caught.value)


def test_a_refused_call_keeps_nothing() -> None:
    cases = _cases()
    for wrong in ({"data": [1]}, {"at": None}):
        with pytest.raises(WrongType):
            cases.open("task", "t2", **{"at": AT, **wrong})
    assert cases.ids() == ("t1",)
