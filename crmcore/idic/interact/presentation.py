"""One case, two faces: customers act through a portal, staff through a CRM screen, and both drive the same commands.

An adapter turns what its screen sends into a `CaseCommand` and a state into what its screen shows; it decides nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore.errors import EmptyInput, MissingColumn, NaiveDatetime, UnknownName, WrongType
from crmcore.stores import Event, EventStore

__all__ = [
    "Act",
    "CaseCommand",
    "CaseDesk",
    "CaseFile",
    "Message",
    "crm_command",
    "crm_view",
    "evolve",
    "portal_command",
    "portal_view",
]


class Act(enum.StrEnum):
    """What can be done to a case."""

    OPEN = "opened"
    MESSAGE = "message written"
    NOTE = "note written"  # among staff
    RESOLVE = "resolved"
    REOPEN = "reopened"
    CLOSE = "closed"


# what may follow what; a message may be written in every state but closed
ALLOWED: Mapping[str, tuple[Act, ...]] = {
    "": (Act.OPEN,),
    "open": (Act.MESSAGE, Act.NOTE, Act.RESOLVE, Act.CLOSE),
    "resolved": (Act.MESSAGE, Act.NOTE, Act.REOPEN, Act.CLOSE),
    "closed": (Act.NOTE, Act.REOPEN),
}
BECOMES = {Act.OPEN: "open", Act.RESOLVE: "resolved", Act.REOPEN: "open", Act.CLOSE: "closed"}


@attrs.frozen
class CaseCommand:
    """What somebody wants done to a case, whichever screen it came from."""

    case_id: str
    act: Act
    at: datetime
    command_id: str  # unique; sending it twice does it once
    customer: str | None = None
    subject: str | None = attrs.field(default=None, repr=False)
    text: str | None = attrs.field(default=None, repr=False)
    actor: str = "customer"

    def __attrs_post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise NaiveDatetime("at")
        if self.act in (Act.MESSAGE, Act.NOTE) and not self.text:
            raise EmptyInput("text", "a message or note needs words")


@attrs.frozen
class Message:
    """One line of the conversation; `internal` lines are for staff."""

    actor: str
    at: datetime
    text: str = attrs.field(repr=False)
    internal: bool


@attrs.frozen
class CaseFile:
    """State of a case: a fold of its events."""

    case_id: str
    state: str = ""
    customer: str | None = None
    subject: str | None = attrs.field(default=None, repr=False)
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    messages: tuple[Message, ...] = ()


def evolve(case: CaseFile, event: Event) -> CaseFile:
    """State after one more event."""
    act, data = Act(event.type), event.data
    text = data.get("text")
    lines = case.messages
    if text:
        lines = (*lines, Message(event.actor, event.time, str(text), act is Act.NOTE))
    moved = attrs.evolve(case, state=BECOMES.get(act, case.state), changed_at=event.time, messages=lines)
    if act is Act.OPEN:
        moved = attrs.evolve(
            moved, opened_at=event.time, customer=_text(data.get("customer")), subject=_text(data.get("subject"))
        )
    return moved


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@attrs.frozen
class CaseDesk:
    """The presentation-neutral door: commands in, states out, over any event store.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> desk = CaseDesk(MemoryStore())
    >>> sent = {"ticket": "k1", "action": "create", "sent_at": "2026-05-01T09:00:00+00:00", "request": "r1", "me": "c7",
    ...         "title": "Broken lamp", "message": "It does not light."}
    >>> portal_view(desk.handle(portal_command(sent)))["status"]
    'We are on it'
    """

    store: EventStore

    def handle(self, command: CaseCommand) -> CaseFile:
        """Do what the command says; doing it again changes nothing.

        Raises
        ------
        UnknownName
            The case is in a state in which this cannot be done; the message lists what can.
        """
        stream = f"case:{command.case_id}"
        known = self.store.read(stream)
        case = fold(command.case_id, known)
        if any(e.id == command.command_id for e in known):
            return case
        if command.act not in ALLOWED[case.state]:
            where = case.state or "not opened"
            raise UnknownName(
                f"act for a case that is {where}:", command.act.value, tuple(a.value for a in ALLOWED[case.state])
            )
        given = {"customer": command.customer, "subject": command.subject, "text": command.text}
        data: dict[str, object] = {k: v for k, v in given.items() if v is not None}
        event = Event(id=command.command_id, type=command.act.value, time=command.at, data=data, actor=command.actor)
        return evolve(case, self.store.append(stream, [event], expected=len(known))[0])

    def read(self, case_id: str) -> CaseFile:
        """State of a case; an unknown case has the state ""."""
        return fold(case_id, self.store.read(f"case:{case_id}"))


def fold(case_id: str, events: Iterable[Event]) -> CaseFile:
    """State after all events of a case."""
    case = CaseFile(case_id)
    for event in events:
        case = evolve(case, event)
    return case


PORTAL_ACTS = {"create": Act.OPEN, "reply": Act.MESSAGE, "reopen": Act.REOPEN, "solved": Act.CLOSE}
CRM_ACTS = {
    "new": Act.OPEN,
    "comment": Act.MESSAGE,
    "private_note": Act.NOTE,
    "resolve": Act.RESOLVE,
    "reopen": Act.REOPEN,
    "close": Act.CLOSE,
}


def portal_command(sent: Mapping[str, str]) -> CaseCommand:
    """Command from the portal's form: ticket, action, sent_at, request, me, title, message; the customer acts."""
    return CaseCommand(
        case_id=_needed(sent, "ticket"),
        act=_act(sent, "action", PORTAL_ACTS),
        at=_when(_needed(sent, "sent_at")),
        command_id=_needed(sent, "request"),
        customer=sent.get("me"),
        subject=sent.get("title"),
        text=sent.get("message"),
    )


def crm_command(sent: Mapping[str, object]) -> CaseCommand:
    """Command from the CRM screen: sections `Case` (Id, ContactId, Subject) and `Activity` (Type, Body, At, Id, By).

    `By` names who spoke; a rep who writes down what the customer said on the phone puts "customer" there.
    """
    case, activity = _section(sent, "Case"), _section(sent, "Activity")
    return CaseCommand(
        case_id=_needed(case, "Id"),
        act=_act(activity, "Type", CRM_ACTS),
        at=_when(_needed(activity, "At")),
        command_id=_needed(activity, "Id"),
        customer=case.get("ContactId"),
        subject=case.get("Subject"),
        text=activity.get("Body"),
        actor=_needed(activity, "By"),
    )


def portal_view(case: CaseFile) -> dict[str, object]:
    """Show a case to the customer: plain words, no internal notes."""
    words = {"": "Unknown", "open": "We are on it", "resolved": "Solved - is it right?", "closed": "Closed"}
    lines = [
        {"from": "you" if m.actor == "customer" else "us", "at": m.at.isoformat(), "message": m.text}
        for m in case.messages
        if not m.internal
    ]
    return {"ticket": case.case_id, "title": case.subject, "status": words[case.state], "conversation": lines}


def crm_view(case: CaseFile) -> dict[str, object]:
    """Show a case to staff: everything, in the screen's own shape."""
    lines = [{"By": m.actor, "At": m.at.isoformat(), "Body": m.text, "Private": m.internal} for m in case.messages]
    head = {"Id": case.case_id, "ContactId": case.customer, "Subject": case.subject, "Status": case.state.title()}
    opened = case.opened_at.isoformat() if case.opened_at else None
    return {"Case": {**head, "Opened": opened}, "Activities": lines}


def _needed(sent: Mapping[str, str], key: str) -> str:
    if not sent.get(key):
        raise MissingColumn(key, tuple(sent), "what the screen sent")
    return sent[key]


def _section(sent: Mapping[str, object], key: str) -> Mapping[str, str]:
    part = sent.get(key)
    if not isinstance(part, Mapping):
        raise MissingColumn(key, tuple(sent), "what the screen sent")
    return part


def _act(sent: Mapping[str, str], key: str, known: Mapping[str, Act]) -> Act:
    word = _needed(sent, key)
    if word not in known:
        raise UnknownName("act", word, tuple(known))
    return known[word]


def _when(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise WrongType(
            "time", "text that is no instant", "ISO 8601 with offset", "2026-05-01T09:00:00+07:00"
        ) from None
