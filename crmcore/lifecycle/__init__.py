"""Event-sourced state machines: what may happen to a complaint, a deal, a review or a task, and what did.

A `Workflow` is data: states, transitions with guards, timers. `decide` says what a command does (events, or reasons
why not), `evolve` folds events into a `Case`, `due` and `advance` let time pass without a scheduler, `Cases` keeps it
all in an event store, and `replay_log` holds a whole log of a foreign system against a workflow. `Permissions` is the
ledger of what may be reused of what people said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.lifecycle.audit import History, history, redact
    from crmcore.lifecycle.case import Case, as_of, evolve, replay
    from crmcore.lifecycle.commands import Command, Late, Why
    from crmcore.lifecycle.deciding import decide, migrate, open_case
    from crmcore.lifecycle.errors import BadHistory, BadWorkflow, IllegalCommand, UnmappedStates
    from crmcore.lifecycle.log import replay_frame, replay_log, replay_table
    from crmcore.lifecycle.outcomes import Accepted, Refused
    from crmcore.lifecycle.permissions import Permissions
    from crmcore.lifecycle.repository import Cases
    from crmcore.lifecycle.timing import advance, due, open_timers
    from crmcore.lifecycle.workflow import Timer, Transition, Workflow

_WHERE = {
    ".case": ("Case", "as_of", "evolve", "replay"),
    ".commands": ("Command", "Late", "Why"),
    ".deciding": ("decide", "migrate", "open_case"),
    ".errors": ("BadHistory", "BadWorkflow", "IllegalCommand", "UnmappedStates"),
    ".audit": ("History", "history", "redact"),
    ".log": ("replay_frame", "replay_log", "replay_table"),
    ".outcomes": ("Accepted", "Refused"),
    ".permissions": ("Permissions",),
    ".repository": ("Cases",),
    ".timing": ("advance", "due", "open_timers"),
    ".workflow": ("Timer", "Transition", "Workflow"),
}

__all__ = [
    "Accepted",
    "BadHistory",
    "BadWorkflow",
    "Case",
    "Cases",
    "Command",
    "History",
    "IllegalCommand",
    "Late",
    "Permissions",
    "Refused",
    "Timer",
    "Transition",
    "UnmappedStates",
    "Why",
    "Workflow",
    "advance",
    "as_of",
    "decide",
    "due",
    "evolve",
    "history",
    "migrate",
    "open_case",
    "open_timers",
    "redact",
    "replay",
    "replay_frame",
    "replay_log",
    "replay_table",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
