"""What customers made and the brand would like to share: found, asked, permitted, reshared, credited, revoked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import check_aware, listed
from crmcore.errors import EmptyInput
from crmcore.lifecycle import Accepted, Case, Cases, Command, History, Refused, Transition, Workflow
from crmcore.rules import Rule, field
from crmcore.stores import EventStore

__all__ = ["SHARING", "SharedContent"]

MAKER, BRAND = "maker", "brand"
COVERED = Rule("permission covers it", field("channel_permitted") & field("in_time"), because="asked and answered")

SHARING = Workflow(
    "shared content",
    1,
    ["found", "asked", "permitted", "reshared", "credited", "declined", "revoked"],
    "found",
    [
        Transition("ask", ["found", "declined", "revoked"], "asked", actors=BRAND, needs="channels"),
        Transition("permit", ["found", "asked"], "permitted", actors=MAKER, needs="channels", keeps="until"),
        Transition("decline", ["found", "asked"], "declined", actors=MAKER),
        Transition(
            "reshare",
            ["permitted", "reshared", "credited"],
            "reshared",
            actors=BRAND,
            guard=COVERED,
            needs=["channel", "link"],
        ),
        Transition("credit", "reshared", "credited", actors=BRAND, needs="credit"),
        Transition(
            "revoke", ["permitted", "reshared", "credited"], "revoked", actors=MAKER, emits="permission revoked"
        ),
    ],
)
"""Life of one piece of content; only its maker permits, declines and revokes, and nothing is reshared without."""


@attrs.frozen
class SharedContent:
    """Content of customers over any event store.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> shared, at = SharedContent(MemoryStore()), datetime(2026, 5, 1, tzinfo=UTC)
    >>> _ = shared.found("u1", maker="ann", link="https://example.org/1", at=at)
    >>> print(shared.reshare("u1", channel="instagram", link="https://example.org/ours", at=at))
    refused: reshare on u1, not possible in this state: it is not possible in state 'found'
    >>> _ = shared.permit("u1", by="ann", channels=["instagram"], at=at)
    >>> shared.reshare("u1", channel="tv", link="https://example.org/ours", at=at).accepted
    False
    >>> shared.reshare("u1", channel="instagram", link="https://example.org/ours", at=at).case.state
    'reshared'
    """

    store: EventStore
    cases: Cases = attrs.field(
        default=attrs.Factory(lambda self: Cases(self.store, [SHARING]), takes_self=True),
        init=False,
        eq=False,
        repr=False,
    )

    def found(self, content: str, *, maker: str, link: str, at: datetime) -> Case:
        """Note a piece of content and who made it; noting it again changes nothing."""
        if not maker:
            raise EmptyInput("maker", "name who made it: permission is theirs to give")
        return self.cases.open(SHARING.name, content, at=at, data={"maker": maker, "source": link}).case

    def ask(self, content: str, *, channels: Iterable[str], at: datetime, actor: str = BRAND) -> Accepted | Refused:
        """The brand asks for permission on some channels."""
        return self._do("ask", content, {"channels": _channels(channels)}, actor, BRAND, at)

    def permit(
        self, content: str, *, by: str, channels: Iterable[str], at: datetime, until: datetime | None = None
    ) -> Accepted | Refused:
        """The maker permits use on these channels, up to `until` (exclusive) or until revoked."""
        if until is not None:
            check_aware(until, "until")
        data = {"channels": _channels(channels), "until": until.isoformat() if until else None}
        return self._do("permit", content, data, by, self._role(content, by), at)

    def decline(self, content: str, *, by: str, at: datetime) -> Accepted | Refused:
        """The maker says no."""
        return self._do("decline", content, {}, by, self._role(content, by), at)

    def revoke(self, content: str, *, by: str, at: datetime) -> Accepted | Refused:
        """The maker takes the permission back: later use is refused, `uses` lists what to take down."""
        return self._do("revoke", content, {}, by, self._role(content, by), at)

    def reshare(self, content: str, *, channel: str, link: str, at: datetime, actor: str = BRAND) -> Accepted | Refused:
        """Share it on a channel, if the permission covers that channel at that time."""
        known = self.cases.read(content).data
        until = known.get("until")
        facts = {
            "channel_permitted": channel in (known.get("channels") or ()),  # type: ignore[operator]
            "in_time": until is None or at < datetime.fromisoformat(str(until)),
        }
        return self._do("reshare", content, {"channel": channel, "link": link}, actor, BRAND, at, facts)

    def credit(self, content: str, *, credit: str, at: datetime, actor: str = BRAND) -> Accepted | Refused:
        """Name the maker beside what was reshared."""
        return self._do("credit", content, {"credit": credit}, actor, BRAND, at)

    def uses(self, content: str) -> tuple[tuple[datetime, str, str], ...]:
        """When, on which channel and where it was reshared."""
        steps = self.history(content).steps
        return tuple((s.at, str(s.brought["channel"]), str(s.brought["link"])) for s in steps if s.command == "reshare" and not s.refused)  # fmt: skip  # noqa: E501

    def history(self, content: str) -> History:
        """Everything that happened to a piece of content."""
        return self.cases.history(content)

    def _role(self, content: str, who: str) -> str:
        return MAKER if self.cases.read(content).data.get("maker") == who else "somebody else"

    def _do(
        self, name: str, content: str, data: Mapping[str, object], actor: str, role: str, at: datetime,
        facts: Mapping[str, object] | None = None,
    ) -> Accepted | Refused:  # fmt: skip
        more = f"/{data['channel']}" if "channel" in data else ""
        sent = Command(name, data, actor=actor, role=role, at=at, id=f"{content}/{name}/{at.isoformat()}{more}")
        return self.cases.handle(content, sent, facts=facts)


def _channels(channels: Iterable[str]) -> list[str]:
    found = listed(channels, "channels", str, what="names", hint="channels=['instagram']")
    if not found:
        raise EmptyInput("channels", "name at least one: channels=['instagram']")
    return sorted(set(found))
