"""What can go wrong: a definition with faults, a command that is not possible, a history that is none."""

from __future__ import annotations

import attrs

from crmcore.errors import CrmError, nearest

__all__ = ["BadHistory", "BadWorkflow", "IllegalCommand", "UnmappedStates"]


@attrs.define(eq=False)
class BadWorkflow(CrmError, ValueError):
    """A definition contradicts itself; every fault is named at once."""

    name: str
    faults: tuple[str, ...]
    hint: str = "a workflow is checked as a whole when it is made: repair these and make it again"

    def __str__(self) -> str:
        lines = "\n  ".join(self.faults[:20])
        more = f"\n  ... {len(self.faults) - 20} more" if len(self.faults) > 20 else ""
        return f"workflow {self.name!r} has faults:\n  {lines}{more}\n  hint: {self.hint}"


@attrs.define(eq=False)
class IllegalCommand(CrmError, ValueError):
    """A command was refused: not possible here and now, for this actor, with what is known."""

    command: str
    case: str
    state: str
    actor: str
    reasons: tuple[str, ...]
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        who = f" for {self.actor!r}" if self.actor else ""
        why = "; ".join(self.reasons)
        near = nearest(self.command, self.allowed) if self.command not in self.allowed else None
        hint = f"did you mean {near!r}?" if near else "send one that is allowed, or what is missing with this one"
        head = f"command {self.command!r} was refused{who} on {self.case!r}, which is {self.state!r}: {why}"
        return f"{head}.\n  allowed here: {list(self.allowed)}\n  hint: {hint}"


@attrs.define(eq=False)
class UnmappedStates(CrmError, LookupError):
    """States of running cases are gone in the version that they should move to."""

    workflow: str
    states: tuple[str, ...]
    known: tuple[str, ...]

    def __str__(self) -> str:
        lost = self.states[0]
        near = nearest(lost, self.known) or self.known[0]
        return (
            f"{self.workflow} has no states {list(self.states)} any more: expected one of {list(self.known)}.\n"
            f"  hint: say where they go: mapping={{{lost!r}: {near!r}, ...}}"
        )


@attrs.define(eq=False)
class BadHistory(CrmError, ValueError):
    """Events that are no history of a case, or not one that its workflow allows; positions count from 0."""

    case: str
    problems: tuple[str, ...]
    hint: str = "read the events of one stream in the order of their versions"

    def __str__(self) -> str:
        lines = "\n  ".join(self.problems[:20])
        return f"the events of {self.case!r} are no history of one case:\n  {lines}\n  hint: {self.hint}"
