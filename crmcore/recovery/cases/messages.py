"""Streams beside the cases, in which a message is looked up before it becomes one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from crmcore.lifecycle.workflow import instant_of
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.policies import Known
from crmcore.stores import Event

__all__ = ["digest", "keys_of", "known_of", "marks_of", "matters_of", "most_of"]


def digest(*parts: str) -> str:
    """Short name of several texts that names nobody."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def most_of(first: object, second: object) -> float | None:
    """Larger of two numbers; None where neither is known."""
    known = [float(cast("float", x)) for x in (first, second) if x is not None]
    return max(known, default=None)


def matters_of(customer: str) -> str:
    """Name of the stream of all messages of a customer."""
    return f"matters:{customer}"


def keys_of(said: Complaint) -> tuple[str, ...]:
    """Streams in which a message is looked up; the first is its own."""
    found = [f"said:{said.key}"]
    if said.thread:
        found.append(f"talk:{digest(said.channel, said.thread)}")
    if said.customer is not None:
        found.append(matters_of(said.customer))
    return tuple(found)


def marks_of(said: Complaint, case_id: str, seen: Iterable[str], at: datetime) -> list[Event]:
    """What each of these streams keeps of a message."""
    data: dict[str, object] = {
        "case": case_id, "kind": said.kind.value, "at": at.isoformat(), "customer": said.customer,
        "failure": said.failure, "reference": said.reference, "text": said.text or "",
        "thread": f"{said.channel}|{said.thread}" if said.thread else "",
    }  # fmt: skip
    return [
        Event(id=f"said/{said.key}@{key.partition(':')[0]}", type="said", time=at, data=data, stream=key)
        for key in seen
    ]  # fmt: skip


def known_of(seen: Mapping[str, tuple[Event, ...]]) -> tuple[Known, ...]:
    """Earlier messages in the order of their instants, each once."""
    found: dict[str, Known] = {}
    for events in seen.values():
        for event in events:
            d = event.data
            at = instant_of(d["at"]) or event.time
            customer = None if d["customer"] is None else str(d["customer"])
            found.setdefault(event.id.partition("@")[0], Known(
                str(d["case"]), str(d["kind"]), at, customer, str(d["failure"]), str(d["reference"]),
                str(d["thread"]), str(d["text"])))  # fmt: skip
    return tuple(sorted(found.values(), key=lambda k: (k.at, k.case)))
