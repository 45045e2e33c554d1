"""Permission to reuse what somebody said or made: scope, channels, purposes, expiry, and a way back.

A permission is a case on the workflow `reuse_permission`; compliments, reviews and pictures of communities alike.
Every use is an event, so after a revocation the uses that were made stay listed: they are what must be taken down.
This is not consent to be contacted; that is `values.ConsentRecord`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from crmcore._base import aware, check_aware, html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.lifecycle.case import Case
from crmcore.lifecycle.commands import Command, Why, stream
from crmcore.lifecycle.outcomes import Accepted, Refused
from crmcore.lifecycle.repository import Cases
from crmcore.lifecycle.timing import advance, workflow_of
from crmcore.lifecycle.workflow import CLOCK, Timer, Transition, Workflow
from crmcore.rules import Rule, field
from crmcore.stores import EventStore

__all__ = ["Permission", "Permissions", "ReuseList", "Revoked", "Use", "reuse_permission"]

NAME = "reuse permission"
_COVERED = "covered by the permission"


def reuse_permission() -> Workflow:
    """Permission to reuse: found, asked, granted for a scope, used and credited, then revoked, expired, or renewed.

    Examples
    --------
    >>> print(reuse_permission())
    reuse permission 1: found (first), asked, granted, declined, revoked, expired
      ask: found -> asked
      grant: found, asked, granted -> granted, needs scope, channels, purposes
      decline: found, asked -> declined
      use: granted -> same, needs channel, purpose, parts, place, if covered by the permission
      credit: granted, revoked, expired -> same, needs place, credit
      revoke: asked, granted -> revoked
      expire: granted -> expired, by clock
      ask again: declined, revoked, expired -> asked, needs reason
      end: expire after expires_at 0 min in granted
    """
    return Workflow(
        NAME,
        1,
        ["found", "asked", "granted", "declined", "revoked", "expired"],
        "found",
        [
            Transition("ask", "found", "asked", emits="asked"),
            Transition(
                "grant",
                ["found", "asked", "granted"],
                "granted",
                needs=("scope", "channels", "purposes"),
                keeps="expires_at",
                emits="granted",
            ),
            Transition("decline", ["found", "asked"], "declined", emits="declined"),
            Transition(
                "use",
                "granted",
                guard=Rule(_COVERED, field("channel_covered") & field("purpose_covered") & field("parts_covered")),
                needs=("channel", "purpose", "parts", "place"),
                emits="used",
            ),
            Transition("credit", ["granted", "revoked", "expired"], needs=("place", "credit"), emits="credited"),
            Transition("revoke", ["asked", "granted"], "revoked", emits="revoked"),
            Transition("expire", "granted", "expired", actors=CLOCK, emits="expired"),
            Transition(
                "ask again",
                ["declined", "revoked", "expired"],
                "asked",
                needs="reason",
                sets={"expires_at": None},
                emits="asked again",
            ),
        ],
        [Timer("end", "granted", "expire", start="expires_at")],
    )


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(listed(value, "names", str, what="texts", hint="['words', 'first name']"))))


@attrs.frozen(kw_only=True)
class Permission(Document):
    """A permission as it stands at an instant.

    Parameters
    ----------
    id : text
    content : text
        What may be reused: the id of a compliment, a review, a picture.
    author : text
        Whose it is; masked in the repr.
    state : text
        found, asked, granted, declined, revoked or expired.
    scope : texts
        Parts that may be shown: "words", "first name", "picture".
    channels, purposes : texts
        Where and what for.
    expires_at : aware datetime, optional
        From when it no longer holds; None is until revoked.
    """

    id: str
    content: str
    author: str = attrs.field(repr=mask)
    state: str
    scope: tuple[str, ...] = attrs.field(default=(), converter=_names)
    channels: tuple[str, ...] = attrs.field(default=(), converter=_names)
    purposes: tuple[str, ...] = attrs.field(default=(), converter=_names)
    expires_at: datetime | None = attrs.field(default=None, validator=aware)

    def refusals(self, *, channel: str, purpose: str, parts: Iterable[str]) -> tuple[str, ...]:
        """Why a use is not permitted; none if it is.

        Examples
        --------
        >>> given = Permission(id="p1", content="c1", author="u7", state="granted", scope=["words"],
        ...                    channels=["web"], purposes=["praise wall"])
        >>> given.refusals(channel="tv", purpose="praise wall", parts=["words", "first name"])
        ("channel 'tv' is not among web", "'first name' is not in its scope: words")
        """
        if self.state != "granted":
            return (f"the permission is {self.state}",)
        found = []
        for what, asked, given in (("channel", channel, self.channels), ("purpose", purpose, self.purposes)):
            if asked not in given:
                found.append(f"{what} {asked!r} is not among {', '.join(given)}")
        more = [repr(part) for part in _names(parts) if part not in self.scope]
        if more:
            found.append(f"{', '.join(more)} is not in its scope: {', '.join(self.scope)}")
        return tuple(found)


@attrs.frozen(kw_only=True)
class Use(Document):
    """One use of something under a permission: when, where, what for, which parts, by whom."""

    permission: str
    at: datetime
    channel: str
    purpose: str
    parts: tuple[str, ...]
    place: str
    actor: str


@attrs.frozen
class Revoked:
    """A permission that ended, and the uses to take down."""

    permission: Permission
    uses: tuple[Use, ...]

    def __str__(self) -> str:
        places = ", ".join(f"{u.place} ({u.channel}, {u.at:%Y-%m-%d})" for u in self.uses)
        return f"{self.permission.id} {self.permission.state}; used before: {places or 'nowhere'}"


@attrs.frozen(kw_only=True)
class ReuseList:
    """What may be reused at an instant, by id."""

    at: datetime
    permissions: tuple[Permission, ...]

    def __len__(self) -> int:
        return len(self.permissions)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{len(self)} may be reused",
                *(f"  {p.content}: {', '.join(p.scope)} on {', '.join(p.channels)}" for p in self.permissions),
            ]
        )

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "permission": p.id,
                "content": p.content,
                "scope": ", ".join(p.scope),
                "channels": ", ".join(p.channels),
                "purposes": ", ".join(p.purposes),
                "expires_at": p.expires_at,
            }
            for p in self.permissions
        ]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{len(self)} may be reused")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a permission: permission, content, scope, channels, purposes, expires_at."""
        rows = self._rows()
        names = ("permission", "content", "scope", "channels", "purposes", "expires_at")
        return write_frame({n: [r[n] for r in rows] for n in names}, backend=backend)


def _permission(case: Case) -> Permission:
    data = case.data
    ends = data.get("expires_at")
    return Permission(
        id=case.id,
        content=str(data.get("content", "")),
        author=str(data.get("author", "")),
        state=case.state,
        scope=data.get("scope") or (),  # type: ignore[arg-type]
        channels=data.get("channels") or (),  # type: ignore[arg-type]
        purposes=data.get("purposes") or (),  # type: ignore[arg-type]
        expires_at=None if ends is None else datetime.fromisoformat(str(ends)),
    )


def _use(permission: str, at: datetime, actor: str, data: Mapping[str, object]) -> Use:
    said: Any = data.get("set", {})
    return Use(
        permission=permission,
        at=at,
        channel=str(said["channel"]),
        purpose=str(said["purpose"]),
        parts=tuple(said["parts"]),
        place=str(said["place"]),
        actor=actor,
    )


@attrs.frozen(eq=False)
class Permissions:
    """The ledger of permissions over any event store; refused uses are kept too.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> ledger = Permissions(MemoryStore())
    >>> day = datetime(2026, 6, 1, tzinfo=UTC)
    >>> asked = ledger.ask("p1", content="compliment-9", author="u7", at=day)
    >>> given = ledger.grant("p1", scope=["words"], channels=["web"], purposes=["praise wall"], at=day)
    >>> wall = {"channel": "web", "purpose": "praise wall", "parts": ["words"]}
    >>> ledger.use("p1", **wall, place="home page", at=day, actor="ann", id="u1").accepted
    True
    >>> print(ledger.revoke("p1", at=datetime(2026, 6, 5, tzinfo=UTC)))
    p1 revoked; used before: home page (web, 2026-06-01)
    >>> later = datetime(2026, 6, 6, tzinfo=UTC)
    >>> ledger.may_use("p1", **wall, at=later), ledger.may_use("p1", **wall, at=day)
    (('the permission is revoked',), ())
    """

    store: EventStore

    @property
    def cases(self) -> Cases:
        """The cases beneath, for histories and timers."""
        return Cases(self.store, [reuse_permission()], record_refusals=True)

    def find(
        self, id: str, *, content: str, author: str, at: datetime, source: str = "", actor: str = ""
    ) -> Permission:
        """Note something that one would like to reuse, whose it is and where it stands; nobody is asked yet."""
        if not content or not author:
            raise EmptyInput("content and author", "say what is to be reused, and whose it is")
        data = {"content": content, "author": author, "source": source}
        return _permission(self.cases.open(NAME, id, at=at, data=data, actor=actor).case)

    def ask(self, id: str, *, content: str, author: str, at: datetime, source: str = "", actor: str = "") -> Permission:
        """Note that somebody was asked; nothing may be used yet. Asking again with the same id changes nothing."""
        known = self.find(id, content=content, author=author, at=at, source=source, actor=actor)
        return self._do("ask", id, at=at, actor=actor) if known.state == "found" else known

    def grant(
        self,
        id: str,
        *,
        scope: Iterable[str],
        channels: Iterable[str],
        purposes: Iterable[str],
        at: datetime,
        expires_at: datetime | None = None,
        by: str | None = None,
        actor: str = "author",
    ) -> Permission:
        """Note what the author permits; a second grant replaces the first, wider or narrower.

        Parameters
        ----------
        by : id, optional
            Who says so, checked against the author; None where staff note it down. So in `decline` and `revoke`.

        Raises
        ------
        EmptyInput, OutOfRange
            A scope, channel or purpose is lacking, it would expire before it begins, or somebody else permits it.
        IllegalCommand
            It was declined, revoked or has expired: ask again first.
        """
        said = {"scope": _names(scope), "channels": _names(channels), "purposes": _names(purposes)}
        for name, given in said.items():
            if not given:
                raise EmptyInput(name, "a permission names at least one: nothing is permitted by silence")
        if expires_at is not None:
            check_aware(expires_at, "expires_at")
            if expires_at <= at:
                raise OutOfRange("expires_at", expires_at.isoformat(), f"later than {at.isoformat()}", "swap them")
        data: dict[str, object] = {name: list(given) for name, given in said.items()}
        data["expires_at"] = None if expires_at is None else expires_at.isoformat()
        return self._do("grant", id, at=at, actor=actor, data=data, by=by)

    def decline(self, id: str, *, at: datetime, by: str | None = None, actor: str = "author") -> Permission:
        """Note that the author said no."""
        return self._do("decline", id, at=at, actor=actor, by=by)

    def ask_again(self, id: str, *, at: datetime, reason: str, actor: str = "") -> Permission:
        """Ask anew after a no, a revocation or an expiry, with a reason that the audit keeps."""
        return self._do("ask again", id, at=at, actor=actor, reason=reason)

    def revoke(
        self, id: str, *, at: datetime, reason: str = "", by: str | None = None, actor: str = "author"
    ) -> Revoked:
        """End a permission: later uses are refused, earlier ones are listed to be taken down."""
        return Revoked(self._do("revoke", id, at=at, actor=actor, reason=reason, by=by), self.uses(id))

    def credit(self, id: str, *, place: str, credit: str, at: datetime, actor: str = "") -> tuple[Use, ...]:
        """Name the author at a place where it is used; returns the uses that are not credited yet.

        Raises
        ------
        OutOfRange
            Nothing is used at this place.
        """
        if place not in {use.place for use in self.uses(id)}:
            raise OutOfRange("place", place, "a place where it is used", "Permissions.uses(id) lists them")
        self._do("credit", id, at=at, actor=actor, data={"place": place, "credit": credit})
        done = {str(e.data["set"]["place"]) for e in self.store.read(stream(id)) if e.type == "credited"}  # type: ignore[index]
        return tuple(use for use in self.uses(id) if use.place not in done)

    def use(
        self,
        permission: str,
        *,
        channel: str,
        purpose: str,
        parts: Iterable[str],
        place: str,
        at: datetime,
        actor: str,
        id: str,
    ) -> Accepted | Refused:
        """Use something under its permission, or be refused with the reasons; both stay in the history.

        Parameters
        ----------
        permission : text
            Its id.
        channel, purpose, parts
            Where, what for, and which parts are shown: all must be covered.
        place : text
            Where exactly, so that it can be found again: a page, a post, an issue.
        at, actor
            When, and who.
        id : text
            Of this use: the same id again is the same use.
        """
        shown = _names(parts)
        if not shown:
            raise EmptyInput("parts", "name what is shown: ['words']")
        data: dict[str, object] = {"channel": channel, "purpose": purpose, "parts": list(shown), "place": place}

        def given(case: Case) -> Permission:
            return attrs.evolve(_permission(case), state="granted")

        def facts(case: Case) -> dict[str, object]:
            p = given(case)
            return {
                "channel_covered": channel in p.channels,
                "purpose_covered": purpose in p.purposes,
                "parts_covered": set(shown) <= set(p.scope),
            }

        sent = Command("use", data, actor=actor, at=at, id=id)
        done = self.cases.handle(permission, sent, facts=facts)
        if isinstance(done, Refused) and done.why is Why.GUARD:
            told = given(done.case).refusals(channel=channel, purpose=purpose, parts=shown)
            return attrs.evolve(done, reasons=told)
        return done

    def _do(
        self,
        command: str,
        id: str,
        *,
        at: datetime,
        actor: str,
        data: dict[str, object] | None = None,
        reason: str = "",
        by: str | None = None,
    ) -> Permission:
        if by is not None and by != (author := self.cases.read(id).data.get("author")):
            raise OutOfRange("by", mask(by), f"the author, {mask(author)}", "permission is theirs to give and to take")
        mark = f"{id}/{command}/{at.astimezone(UTC).isoformat()}"
        sent = Command(command, data or {}, actor=actor, at=at, id=mark, reason=reason)
        return _permission(self.cases.handle(id, sent).or_raise().case)

    def at(self, id: str, at: datetime, /) -> Permission:
        """A permission as it stood by an instant, expiry included.

        Raises
        ------
        UnknownName
            There is none of this id, or there was none yet.
        """
        cases = self.cases
        case = cases.read(id, at=at)
        return _permission(advance(workflow_of(case, cases.workflows), case, at).case)

    def may_use(self, id: str, *, channel: str, purpose: str, parts: Iterable[str], at: datetime) -> tuple[str, ...]:
        """Why a use would be refused at an instant, past or present; empty if it may be made."""
        return self.at(id, at).refusals(channel=channel, purpose=purpose, parts=parts)

    def uses(self, id: str, *, until: datetime | None = None) -> tuple[Use, ...]:
        """Uses that were made, in their order; those that were refused are in the history alone."""
        self.cases.read(id)
        events = self.store.read(stream(id), until=until)
        return tuple(_use(id, e.time, e.actor, e.data) for e in events if e.type == "used")

    def reusable(self, at: datetime, *, channel: str | None = None, purpose: str | None = None) -> ReuseList:
        """What may be reused at an instant, on a channel and for a purpose if named."""
        check_aware(at, "at")
        found = []
        for id in self.cases.ids():
            if not any(e.time <= at for e in self.store.read(stream(id), until=at)[:1]):
                continue
            p = self.at(id, at)
            if p.state == "granted" and channel in (None, *p.channels) and purpose in (None, *p.purposes):
                found.append(p)
        return ReuseList(at=at, permissions=tuple(found))
