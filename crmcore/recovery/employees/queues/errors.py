"""What can go wrong when staff is planned or work is handed out, with the way out."""

from __future__ import annotations

import attrs

from crmcore.errors import CrmError

__all__ = ["UnstableQueue"]


@attrs.define(eq=False)
class UnstableQueue(CrmError, ValueError):
    """More work arrives than the agents can do, and nobody gives up: the queue grows without end."""

    agents: int
    load: float
    where: str = ""

    def __str__(self) -> str:
        least = int(self.load) + 1
        at = f"{self.where}: " if self.where else ""
        return (
            f"{at}{self.agents} agents cannot carry {self.load:.6g} erlangs: expected more agents than erlangs, "
            "or the queue grows without end.\n"
            f"  hint: take at least {least:,} agents, or say how long people wait with patience_s=... (Erlang A)"
        )
