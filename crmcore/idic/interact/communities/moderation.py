"""Safe spaces: posts are held by rules with their reasons, people decide, and authors may appeal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.lifecycle import Accepted, Case, Cases, Command, History, Refused, Transition, Workflow
from crmcore.rules import Facts, Rule, RuleSet, Tier, Tiers, field
from crmcore.stores import EventStore

__all__ = ["MODERATION", "TRUST", "ModerationQueue", "Screening", "screen"]

AUTHOR, MODERATOR, RULES = "author", "moderator", "rules"
SECOND_LOOK = Rule("another moderator", field("actor") != field("moderator"), because="nobody judges an appeal twice")

MODERATION = Workflow(
    "moderated post",
    1,
    ["submitted", "held", "published", "removed", "appealed", "removed for good"],
    "submitted",
    [
        Transition("publish", "submitted", "published", actors=RULES),
        Transition("hold", "submitted", "held", actors=RULES, needs=["rules", "why"], emits="held by rules"),
        Transition("report", "published", "held", needs="why", emits="reported"),
        Transition("approve", "held", "published", actors=MODERATOR, keeps="moderator"),
        Transition("remove", ["held", "published"], "removed", actors=MODERATOR, needs=["reason", "moderator"]),
        Transition("appeal", ["held", "removed"], "appealed", actors=AUTHOR, needs="appeal"),
        Transition("restore", "appealed", "published", actors=MODERATOR, guard=SECOND_LOOK, needs="reason"),
        Transition("uphold", "appealed", "removed for good", actors=MODERATOR, guard=SECOND_LOOK, needs="reason"),
    ],
    terminal=["removed for good"],
)
"""What may happen to a post: rules hold, people decide, the author may appeal once to another moderator."""

TRUST = Tiers(
    "trust",
    [
        Tier("basic", (field("days_visited") >= 2) & (field("posts_read") >= 30)),
        Tier(
            "member",
            (field("days_visited") >= 15) & (field("replies") >= 10) & (field("flags_upheld") <= 2),
            leave=(field("days_visited") < 8) | (field("flags_upheld") > 4),
            grace_days=14,
            gives=["post links", "edit wiki"],
        ),
        Tier(
            "regular",
            (field("days_visited") >= 50) & (field("replies") >= 50) & (field("flags_upheld") <= 0),
            leave=(field("days_visited") < 40) | (field("flags_upheld") > 1),
            grace_days=14,
            gives=["retitle threads", "flags hide at once"],
        ),
    ],
    base="new",
)
"""Trust from what a member did in the last 100 days; left below a lower line than entered, so that nobody flaps."""


@attrs.frozen
class Screening(Document):
    """What rules said about one post: hold or not, which rules, and why in sentences."""

    hold: bool
    rules: tuple[str, ...]
    why: tuple[str, ...]

    def __str__(self) -> str:
        return f"held: {'; '.join(self.why)}" if self.hold else "published"


def screen(rules: RuleSet, facts: Facts | Mapping[str, object], /, *, now: datetime) -> Screening:
    """Hold a post if any rule holds; a rule that cannot tell holds it too and names what is unknown.

    Examples
    --------
    >>> from datetime import UTC
    >>> rules = RuleSet("safe", [Rule("toxic", field("toxicity") >= 0.8)])
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> print(screen(rules, {"toxicity": 0.93}, now=at))
    held: toxic: toxicity is at least 0.8 (0.93)
    >>> print(screen(rules, {"toxicity": 0.1}, now=at))
    published
    """
    names, why = list[str](), list[str]()
    for rule in rules.rules:
        said = rule.decide(facts, now=now)
        if said.holds:
            reasons = said.held
        elif said.asks:
            reasons = said.unknown
        else:
            continue
        names.append(rule.name)
        why.append(f"{rule.name}: {'; '.join(map(str, reasons)) or 'always'}")
    return Screening(bool(names), tuple(names), tuple(why))


@attrs.frozen
class ModerationQueue:
    """Posts on their way through moderation, over any event store. It keeps reasons, never the text of a post.

    Parameters
    ----------
    store : EventStore
    rules : RuleSet
        Each rule that holds, holds the post.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> queue = ModerationQueue(MemoryStore(), RuleSet("safe", [Rule("toxic", field("toxicity") >= 0.8)]))
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> queue.submit("p1", {"toxicity": 0.9}, author="ann", at=at).state
    'held'
    >>> print(queue.appeal("p1", "It was a joke", author="ann", at=at))
    accepted: appeal, p1 is 'appealed'
    >>> queue.waiting()
    (('p1', 'appealed', ('toxic: toxicity is at least 0.8 (0.9)',)),)
    """

    store: EventStore
    rules: RuleSet
    cases: Cases = attrs.field(
        default=attrs.Factory(lambda self: Cases(self.store, [MODERATION]), takes_self=True), init=False, eq=False,
        repr=False,
    )  # fmt: skip

    def submit(self, post: str, facts: Facts | Mapping[str, object], *, author: str, at: datetime) -> Case:
        """Screen a post and publish or hold it; doing it again changes nothing."""
        self.cases.open(MODERATION.name, post, at=at, data={"author": author})
        case = self.cases.read(post)
        if case.state != "submitted":
            return case
        said = screen(self.rules, facts, now=at)
        data: dict[str, object] = {"rules": list(said.rules), "why": list(said.why)} if said.hold else {}
        name = "hold" if said.hold else "publish"
        return self.cases.handle(post, Command(name, data, actor=RULES, at=at, id=f"{post}/screened")).case

    def report(self, post: str, why: str, *, reporter: str, at: datetime) -> Accepted | Refused:
        """Somebody finds a published post wrong: it waits for a moderator."""
        return self._do(post, Command("report", {"why": [f"reported: {why}"]}, actor=reporter, role="member", at=at, id=f"{post}/report/{reporter}/{at.isoformat()}"))  # fmt: skip  # noqa: E501

    def decide(self, post: str, command: str, *, moderator: str, at: datetime, reason: str = "") -> Accepted | Refused:
        """`"approve"`, `"remove"`, and after an appeal `"restore"` or `"uphold"`, which another moderator must do."""
        sent = Command(command, {"moderator": moderator} if command in ("approve", "remove") else {}, actor=moderator, role=MODERATOR, at=at, reason=reason, id=f"{post}/{command}/{at.isoformat()}")  # fmt: skip  # noqa: E501
        return self._do(post, sent)

    def appeal(self, post: str, words: str, *, author: str, at: datetime) -> Accepted | Refused:
        """The author asks for another look."""
        mine = self.cases.read(post).data.get("author") == author
        role = AUTHOR if mine else "member"
        return self._do(post, Command("appeal", {"appeal": words}, actor=author, role=role, at=at, id=f"{post}/appeal/{at.isoformat()}"))  # fmt: skip  # noqa: E501

    def _do(self, post: str, command: Command) -> Accepted | Refused:
        known = self.cases.read(post).data
        facts = {} if known.get("moderator") else {"moderator": ""}
        return self.cases.handle(post, command, facts=facts)

    def history(self, post: str) -> History:
        """Everything that happened to a post."""
        return self.cases.history(post)

    def waiting(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Posts that wait for a moderator, longest first: id, state, reasons."""
        found = [case for case in map(self.cases.read, self._ids()) if case.state in ("held", "appealed")]
        found.sort(key=lambda case: (case.since, case.id))
        return tuple((c.id, c.state, tuple(map(str, c.data.get("why", ())))) for c in found)  # type: ignore[call-overload]

    def _ids(self) -> list[str]:
        names = [s.removeprefix("case:") for s in self.store.streams("case:")]
        return [n for n in names if self.cases.read(n).workflow == MODERATION.name]

    def _repr_html_(self) -> str:
        rows = [{"post": p, "state": s, "why": "; ".join(why)} for p, s, why in self.waiting()]
        return html_table(rows, caption=f"{len(rows)} posts wait")
