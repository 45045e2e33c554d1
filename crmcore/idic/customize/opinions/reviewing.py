"""Reviews from draft to published: who decides, by which rules, and why something was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs

from crmcore._base import check_aware, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.lifecycle import Case, Cases, Command, History, Transition, Workflow
from crmcore.rules import Facts, Rule, RuleSet, field
from crmcore.rules.truth import Truth
from crmcore.stores import EventStore

__all__ = ["REVIEWING", "Review", "ReviewDesk"]

AUTHOR, MODERATOR = "author", "moderator"
SOMEBODY_ELSE = Rule("somebody else than the author", field("moderator") != field("author"))

REVIEWING = Workflow(
    "review",
    1,
    ["draft", "submitted", "published", "refused", "withdrawn"],
    "draft",
    [
        Transition("edit", ["draft", "refused"], "draft", actors=AUTHOR, keeps=["stars", "text"], emits="edited"),
        Transition("submit", "draft", "submitted", actors=AUTHOR, keeps="concerns", emits="submitted"),
        Transition("publish", "submitted", "published", actors=MODERATOR, needs="moderator", guard=SOMEBODY_ELSE,
                   emits="published"),
        Transition("refuse", ["submitted", "published"], "refused", actors=MODERATOR, needs=["moderator", "reason"],
                   guard=SOMEBODY_ELSE, emits="refused"),
        Transition("withdraw", ["draft", "submitted", "published", "refused"], "withdrawn", actors=AUTHOR,
                   emits="withdrawn"),
    ],
    terminal=["withdrawn"],
)  # fmt: skip
"""What may happen to a review. A refused one can be mended and submitted again; nobody moderates their own."""


def _stars(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 1 <= value <= 5:
        raise OutOfRange(attribute.name, value, "a whole number from 1 to 5", "metrics.rescale maps other scales")


@attrs.frozen(kw_only=True)
class Review(Document):
    """What somebody says about a product.

    Parameters
    ----------
    id, product : texts
    author : text
        Never shown in a repr; nor is the text.
    stars : 1 to 5
    text : text
    bought : truth, optional
        Whether the author bought the product; None: nobody knows.
    """

    id: str
    product: str
    author: str = attrs.field(repr=mask)
    stars: int = attrs.field(validator=_stars)
    text: str = attrs.field(default="", repr=lambda text: f"<{len(text)} characters>")
    bought: bool | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("id", "product", "author"):
            if not getattr(self, name):
                raise EmptyInput(name, "a review has an id, a product and an author")


@attrs.frozen(repr=False)
class ReviewDesk:
    """Reviews over any event store.

    Parameters
    ----------
    store : EventStore
        Keeps what was written, each decision with its reason, and who took it.
    policy : RuleSet, optional
        What a moderator should look at: each rule that holds, or cannot tell, is a concern. It never decides alone.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> desk = ReviewDesk(MemoryStore(), RuleSet("house rules", [Rule("an insult", field("insults") > 0)]))
    >>> noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    >>> _ = desk.write(Review(id="r1", product="kettle", author="ann", stars=2, text="Leaks."), at=noon)
    >>> desk.submit("r1", at=noon, facts={"insults": 1}).data["concerns"]
    ['an insult: insults is more than 0 (1)']
    >>> desk.refuse("r1", moderator="mo", reason="names our staff", at=noon).state, desk.refusals("r1")
    ('refused', ('names our staff',))
    """

    store: EventStore
    policy: RuleSet | None = None
    cases: Cases = attrs.field(
        default=attrs.Factory(lambda self: Cases(self.store, [REVIEWING]), takes_self=True), init=False, eq=False
    )

    def __repr__(self) -> str:
        return f"ReviewDesk({self.store!r})"

    def write(self, review: Review, *, at: datetime) -> Case:
        """Begin a review: a draft that nobody else sees."""
        check_aware(at, "at")
        data = {"product": review.product, "author": review.author, "stars": review.stars, "text": review.text}
        if review.bought is not None:
            data["bought"] = review.bought
        return self.cases.open(REVIEWING.name, review.id, at=at, data=data).case

    def edit(self, review: str, *, at: datetime, stars: int | None = None, text: str | None = None) -> Case:
        """Change a draft or a refused review, which is a draft again."""
        given = {"stars": stars, "text": text}
        known = {name: value for name, value in given.items() if value is not None}
        if stars is not None:
            now = self.read(review)
            attrs.evolve(now, stars=stars)  # refuses what are no stars
        return self._do(review, "edit", AUTHOR, at, **known)

    def submit(self, review: str, *, at: datetime, facts: Facts | Mapping[str, object] | None = None) -> Case:
        """Ask for publication; concerns of the policy are kept for the moderator.

        Parameters
        ----------
        facts : facts, optional
            What the policy asks for; `stars`, `length` and `bought` are known.
        """
        return self._do(review, "submit", AUTHOR, at, concerns=list(self._concerns(review, facts or {}, at)))

    def publish(self, review: str, *, moderator: str, at: datetime) -> Case:
        """Let everybody see it."""
        return self._do(review, "publish", MODERATOR, at, moderator=moderator)

    def refuse(self, review: str, *, moderator: str, reason: str, at: datetime) -> Case:
        """Keep it from being seen, and say why; the author may mend it."""
        if not reason.strip():
            raise EmptyInput("reason", "a refusal tells the author why: reason='names a person'")
        return self._do(review, "refuse", MODERATOR, at, moderator=moderator, reason=reason)

    def withdraw(self, review: str, *, at: datetime) -> Case:
        """Take a review back, by its author."""
        return self._do(review, "withdraw", AUTHOR, at)

    def _do(self, review: str, name: str, role: str, at: datetime, **data: object) -> Case:
        case = self.cases.read(review)
        actor = str(data.get("moderator") or case.data["author"])
        why = str(data.get("reason", ""))
        told = Command(name, data, actor=actor, role=role, at=at, id=f"{review}/{case.version}/{name}", reason=why)
        return self.cases.handle(review, told).or_raise().case

    def _concerns(self, review: str, facts: Facts | Mapping[str, object], at: datetime) -> Iterator[str]:
        now = self.read(review)
        own: dict[str, object] = {"stars": now.stars, "length": len(now.text)}
        if now.bought is not None:
            own["bought"] = now.bought
        known = Facts(own) + (facts if isinstance(facts, Facts) else Facts(facts))
        for rule in self.policy.rules if self.policy is not None else ():
            said = rule.decide(known, now=at)
            if said.truth is Truth.FALSE:
                continue
            reasons = said.held if said.truth is Truth.TRUE else said.unknown
            yield f"{rule.name}: {'; '.join(map(str, reasons)) or 'always'}"

    # --- reading ---

    def read(self, review: str) -> Review:
        """The review as it stands."""
        data = self.cases.read(review).data
        known = {name: data[name] for name in ("product", "author", "stars", "text", "bought") if name in data}
        return Review(id=review, **known)  # type: ignore[arg-type]

    def state(self, review: str) -> str:
        """Where it is: draft, submitted, published, refused or withdrawn."""
        return self.cases.read(review).state

    def published(self, product: str | None = None) -> tuple[Review, ...]:
        """Reviews that everybody sees, by id; of one product, or all."""
        shown = (self.read(name) for name in self.cases.ids() if self.state(name) == "published")
        return tuple(review for review in shown if product is None or review.product == product)

    def waiting(self) -> tuple[str, ...]:
        """Ids of reviews that wait for a moderator, the longest first."""
        cases = [self.cases.read(name) for name in self.cases.ids()]
        return tuple(c.id for c in sorted(cases, key=lambda c: (c.since, c.id)) if c.state == "submitted")

    def refusals(self, review: str) -> tuple[str, ...]:
        """Reasons of all refusals, in order."""
        return tuple(step.reason for step in self.cases.history(review).steps if step.what == "refused")

    def history(self, review: str) -> History:
        """Who did what, when and why."""
        return self.cases.history(review)
