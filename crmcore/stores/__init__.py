"""Where events are kept: one contract, `MemoryStore` and `SqliteStore` built in, any other proved by `crmcore.testing`.

An application folds events (`state = evolve(state, event)`) and keeps them wherever it likes; whatever fulfils
`EventStore` will do. `crmcore.testing.check_event_store` says whether something does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.stores.contract import Event, EventStore, Snapshot
    from crmcore.stores.memory import MemoryStore
    from crmcore.stores.sqlite import Durability, SqliteStore

__all__ = ["Durability", "Event", "EventStore", "MemoryStore", "Snapshot", "SqliteStore"]

__getattr__ = lazy_names(
    __name__,
    {
        "Durability": ".sqlite",
        "Event": ".contract",
        "EventStore": ".contract",
        "MemoryStore": ".memory",
        "Snapshot": ".contract",
        "SqliteStore": ".sqlite",
    },
)
