"""One case, two faces: customers act through a portal, staff through a CRM screen, and both drive the same commands.

What may happen to a case is `SERVICE_CASE`, a workflow. A `Screen` says how one surface names things, a view what it
shows; neither decides anything. Who may see which case at all is for the application that signs people in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore.documents import placed
from crmcore.errors import BadDocument, MissingColumn, UnknownName
from crmcore.lifecycle import Cases, Command, History, Late, Transition, Workflow
from crmcore.lifecycle.commands import INSTANT
from crmcore.lifecycle.workflow import instant_of
from crmcore.stores import EventStore

__all__ = [
    "CRM",
    "PORTAL",
    "SERVICE_CASE",
    "CaseCommand",
    "CaseDesk",
    "Message",
    "Screen",
    "conversation",
    "crm_command",
    "crm_view",
    "portal_command",
    "portal_view",
]

CUSTOMER, STAFF = "customer", "staff"  # roles
OPEN = "open"  # what begins a case; every other command is one of the workflow

SERVICE_CASE = Workflow(
    "service case",
    1,
    ["open", "resolved", "closed"],
    "open",
    [
        Transition("message", ["open", "resolved"], needs="message", emits="message written"),
        Transition("resolve", "open", "resolved", actors=STAFF, keeps="message", emits="resolved"),
        Transition("reopen", ["resolved", "closed"], "open", keeps="message", emits="reopened"),
        Transition("close", ["open", "resolved"], "closed", keeps="message", emits="closed"),
        Transition("note", "*", actors=STAFF, needs="note", emits="note written"),
    ],
)
"""What may happen to a case that customers and staff work on together; notes are for staff."""


@attrs.frozen(hash=False)
class CaseCommand:
    """What somebody wants done to a case, whichever screen it came from; `open` begins one."""

    case_id: str
    command: Command


@attrs.frozen
class CaseDesk:
    """The presentation-neutral door: commands in, the history of the case out, over any event store.

    Screens have clocks of their own, so a command that is dated before the last event counts as given at that event.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> desk = CaseDesk(MemoryStore())
    >>> sent = {"ticket": "k1", "action": "create", "sent_at": "2026-05-01T09:00:00+00:00", "request": "r1", "me": "c7",
    ...         "title": "Broken lamp", "message": "It does not light."}
    >>> shown = portal_view(desk.handle(portal_command(sent)))
    >>> shown["status"], shown["actions"]
    ('We are on it', ['reply', 'solved'])
    """

    store: EventStore
    cases: Cases = attrs.field(
        default=attrs.Factory(lambda self: Cases(self.store, [SERVICE_CASE], late=Late.FOLLOW), takes_self=True),
        init=False,
        eq=False,
        repr=False,
    )

    def handle(self, sent: CaseCommand) -> History:
        """Do what the command says and return the case as it stands then; doing it again changes nothing.

        Raises
        ------
        IllegalCommand
            It is not possible in this state or for this role, or something is missing; the error says what is.
        UnknownName
            There is no such case.
        """
        command = sent.command
        if command.name == OPEN:
            self.cases.open(
                SERVICE_CASE.name,
                sent.case_id,
                at=command.at,
                data=command.data,
                actor=command.actor,
                role=command.role,
                id=command.id,
            )
        else:
            self.cases.handle(sent.case_id, command).or_raise()
        return self.read(sent.case_id)

    def read(self, case_id: str) -> History:
        """Everything that happened to a case, and the case after it.

        Raises
        ------
        UnknownName
            There is no such case.
        """
        return self.cases.history(case_id)


@attrs.frozen
class Message:
    """One line of the conversation; `internal` lines are for staff."""

    actor: str
    role: str
    at: datetime
    text: str = attrs.field(repr=False)
    internal: bool


def conversation(history: History) -> tuple[Message, ...]:
    """Lines of a case in their order; what was erased is left out.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> sent = {"ticket": "k1", "action": "create", "sent_at": "2026-05-01T09:00:00+00:00", "request": "r1", "me": "c7",
    ...         "title": "Broken lamp", "message": "It does not light."}
    >>> [line.text for line in conversation(CaseDesk(MemoryStore()).handle(portal_command(sent)))]
    ['It does not light.']
    """
    return tuple(
        Message(step.actor, step.role, step.at, str(step.brought[part]), part == "note")
        for step in history.steps
        for part in ("message", "note")
        if step.brought.get(part)
    )


NEEDED = ("case", "action", "at", "id")  # fields that every screen has
OPTIONAL = ("actor", "customer", "subject", "text")


def _at(sent: object, path: str) -> object:
    for key in path.split("."):
        sent = sent.get(key) if isinstance(sent, Mapping) else None
    return sent


@attrs.frozen(hash=False)
class Screen:
    """How one surface names things; another surface is another value of this class.

    Parameters
    ----------
    name : text
        What faults call it.
    fields : field -> path
        Where `case`, `action`, `at` and `id` (all needed) and `customer`, `subject` and `text` stand in what it sends:
        `"Case.Id"`. A path for `actor` makes that one needed too; without it the customer acts.
    actions : word -> command
        Its words for `open` and for the commands of `SERVICE_CASE`.

    Examples
    --------
    >>> chat = Screen("chat", {"case": "thread", "action": "intent", "at": "ts", "id": "mid", "text": "body.text"},
    ...               {"say": "message", "bye": "close"})
    >>> chat.command({"thread": "k1", "intent": "say", "ts": "2026-05-01T09:00+07:00", "mid": "m1",
    ...               "body": {"text": "Hi"}})
    CaseCommand(case_id='k1', command=Command(name='message', data={message}, actor='customer', role='customer', \
at=2026-05-01T02:00:00+00:00, id='m1'))
    >>> chat.offers("open", "customer"), chat.offers("closed", "customer")
    (['say', 'bye'], [])
    """

    name: str
    fields: Mapping[str, str]
    actions: Mapping[str, str]

    def __attrs_post_init__(self) -> None:
        for what, given, known in (
            ("field of a screen", self.fields, (*NEEDED, *OPTIONAL)),
            ("command", self.actions.values(), (OPEN, *SERVICE_CASE.known_commands)),
        ):
            for name in given:
                if name not in known:
                    raise UnknownName(what, name, known)
        for name in NEEDED:
            if name not in self.fields:
                raise MissingColumn(name, tuple(self.fields), f"the fields of the {self.name}")

    def command(self, sent: Mapping[str, object]) -> CaseCommand:
        """Command of what the screen sent; what else it sends is not looked at.

        Raises
        ------
        BadDocument
            Fields that are missing or wrong, all of them by their place on the screen.
        """
        faults: list[str] = []
        found = {name: self._text(sent, name, faults) for name in self.fields}
        at, word, actor = instant_of(found["at"]), found["action"], found.get("actor", CUSTOMER)
        if found["at"] and at is None:
            faults.append(f"expected {INSTANT} @ {self._place('at')}")
        if word and word not in self.actions:
            faults.append(placed(UnknownName("action", word, tuple(self.actions)), self._place("action")))
        if faults or at is None:
            raise BadDocument(f"command of the {self.name}", tuple(faults), "repair these fields and send it again")
        name = self.actions[word]
        parts = {"note" if name == "note" else "message": "text"}
        if name == OPEN:
            parts |= {"customer": "customer", "subject": "subject"}
        data = {part: found[field] for part, field in parts.items() if found.get(field)}
        role = CUSTOMER if actor == CUSTOMER else STAFF
        return CaseCommand(found["case"], Command(name, data, actor=actor, role=role, at=at, id=found["id"]))

    def offers(self, state: str, role: str) -> list[str]:
        """Words of the actions that are possible in a state for a role: the buttons to show."""
        able = SERVICE_CASE.commands(state, role=role)
        return [word for word, name in self.actions.items() if name in able]

    def _place(self, name: str) -> str:
        return f"$.{self.fields[name]}"

    def _text(self, sent: Mapping[str, object], name: str, faults: list[str]) -> str:
        """Text of a field, empty where there is none or it is a fault."""
        value = _at(sent, self.fields[name])
        if isinstance(value, str) and value:
            return value
        if value is not None and value != "":
            faults.append(f"expected text, not {type(value).__name__} @ {self._place(name)}")
        elif name in (*NEEDED, "actor"):
            faults.append(f"required field is missing @ {self._place(name)}")
        return ""


PORTAL = Screen(
    "portal",
    {
        "case": "ticket",
        "action": "action",
        "at": "sent_at",
        "id": "request",
        "customer": "me",
        "subject": "title",
        "text": "message",
    },
    {"create": OPEN, "reply": "message", "reopen": "reopen", "solved": "close"},
)
"""The customer's portal: a flat form."""

CRM = Screen(
    "CRM screen",
    {
        "case": "Case.Id",
        "action": "Activity.Type",
        "at": "Activity.At",
        "id": "Activity.Id",
        "actor": "Activity.By",
        "customer": "Case.ContactId",
        "subject": "Case.Subject",
        "text": "Activity.Body",
    },
    {
        "new": OPEN,
        "comment": "message",
        "private_note": "note",
        "resolve": "resolve",
        "reopen": "reopen",
        "close": "close",
    },
)
"""The screen of staff: sections. A rep who writes down what the customer said on the phone puts "customer" as `By`."""


def portal_command(sent: Mapping[str, object]) -> CaseCommand:
    """Command from the portal's form: ticket, action, sent_at, request, me, title, message; the customer acts."""
    return PORTAL.command(sent)


def crm_command(sent: Mapping[str, object]) -> CaseCommand:
    """Command from the CRM screen: sections `Case` (Id, ContactId, Subject) and `Activity` (Type, Body, At, Id, By)."""
    return CRM.command(sent)


STATUS = {"open": "We are on it", "resolved": "Solved - is it right?", "closed": "Closed"}


def portal_view(history: History) -> dict[str, object]:
    """Show a case to the customer: plain words, no internal notes, what can be done now."""
    case = history.case
    lines = [
        {"from": "you" if m.role == CUSTOMER else "us", "at": m.at.isoformat(), "message": m.text}
        for m in conversation(history)
        if not m.internal
    ]
    return {
        "ticket": case.id,
        "title": case.data.get("subject"),
        "status": STATUS.get(case.state, case.state),
        "conversation": lines,
        "actions": PORTAL.offers(case.state, CUSTOMER),
    }


def crm_view(history: History) -> dict[str, object]:
    """Show a case to staff: everything, in the screen's own shape.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> activity = {"Type": "new", "At": "2026-05-01T09:00+00:00", "Id": "a1", "By": "rep-4",
    ...             "Body": "Called: the lamp is dark."}
    >>> opened = crm_command({"Case": {"Id": "k1", "ContactId": "c7", "Subject": "Lamp"}, "Activity": activity})
    >>> crm_view(CaseDesk(MemoryStore()).handle(opened))["Actions"]
    ['comment', 'private_note', 'resolve', 'close']
    """
    case = history.case
    head = {
        "Id": case.id,
        "ContactId": case.data.get("customer"),
        "Subject": case.data.get("subject"),
        "Status": case.state.title(),
        "Opened": case.opened_at.isoformat(),
    }
    lines = [
        {"By": m.actor, "At": m.at.isoformat(), "Body": m.text, "Private": m.internal} for m in conversation(history)
    ]
    return {"Case": head, "Activities": lines, "Actions": CRM.offers(case.state, STAFF)}
