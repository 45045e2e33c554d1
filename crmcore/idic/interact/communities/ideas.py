"""An idea box: like ideas become one, people vote, the brand answers, and every supporter hears what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.idic.interact.communities.ballots import Notice
from crmcore.lifecycle import Accepted, Case, Cases, Command, Refused, Transition, Workflow
from crmcore.metrics.columns import columns_frame
from crmcore.stores import EventStore
from crmcore.text.nearness import closeness, stars, telling

__all__ = ["IDEA", "Idea", "IdeaBox"]

STAFF = "staff"
OPEN = ["new", "under review", "planned"]

IDEA = Workflow(
    "idea",
    1,
    ["new", "under review", "planned", "done", "declined", "merged"],
    "new",
    [
        Transition("vote", OPEN, emits="supported"),
        Transition("withdraw vote", [*OPEN, "merged"], emits="support withdrawn"),
        Transition("review", ["new", "declined"], "under review", actors=STAFF),
        Transition("plan", ["new", "under review"], "planned", actors=STAFF),
        Transition("finish", OPEN, "done", actors=STAFF, emits="done"),
        Transition("decline", OPEN, "declined", actors=STAFF, needs="reason"),
        Transition("merge", OPEN, "merged", actors=STAFF, needs=["into", "was"]),
        Transition("unmerge", "merged", "new", actors=STAFF, sets={"into": None}),
    ],
)
"""What may become of an idea; a merged one keeps its own supporters and may be taken out again."""


@attrs.frozen(kw_only=True)
class Idea(Document):
    """One idea with everything merged into it. `supporters` are people, so they stay out of the repr."""

    id: str
    text: str = attrs.field(repr=False)
    status: str
    supporters: tuple[str, ...] = attrs.field(repr=lambda s: f"<{len(s)}>")
    phrasings: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.id} ({self.status}): {len(self.supporters)} supporters, {len(self.phrasings)} phrasings"


@attrs.frozen
class IdeaBox:
    """Ideas of a community over any event store.

    Parameters
    ----------
    store : EventStore
    closeness : share
        From which two phrasings are one idea: mean of their BM25 scores for each other without function words, each
        over the score for itself.
    language : text, optional
        Whose endings are cut off; None compares words as they are.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> box, at = IdeaBox(MemoryStore()), datetime(2026, 5, 1, tzinfo=UTC)
    >>> _ = box.submit("i1", "Please offer oat milk", by="ann", at=at)
    >>> _ = box.submit("i2", "Oat milk should be offered", by="ben", at=at)
    >>> _ = box.submit("i3", "I wish you offered oat milk!", by="cyd", at=at)
    >>> box.gather(by="desk", at=at)
    (('i2', 'i1'), ('i3', 'i1'))
    >>> print(box.ideas()[0])
    i1 (new): 3 supporters, 3 phrasings
    >>> [notice.text for notice in box.move("i1", "finish", by="desk", at=at)][0]
    'Your idea is done: "Please offer oat milk"'
    """

    store: EventStore
    closeness: float = 0.5
    language: str | None = "english"
    cases: Cases = attrs.field(
        default=attrs.Factory(lambda self: Cases(self.store, [IDEA]), takes_self=True), init=False, eq=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        if not 0 < self.closeness <= 1:
            raise OutOfRange("closeness", self.closeness, "above 0, up to 1", "0.5 joins what shares its telling words")

    # --- members ------------------------------------------------------------------------------------------------

    def submit(self, idea: str, text: str, *, by: str, at: datetime) -> Case:
        """Put an idea into the box; its author is its first supporter."""
        if not text.strip() or not by:
            raise EmptyInput("text or by", "an idea needs words and an author")
        return self.cases.open(IDEA.name, idea, at=at, data={"text": text, "author": by}).case

    def vote(self, idea: str, *, by: str, at: datetime) -> Accepted | Refused:
        """Support an idea, or what it was merged into; supporting it again changes nothing."""
        return self._do(self.main(idea), "vote", by, "member", at)

    def withdraw(self, idea: str, *, by: str, at: datetime) -> Accepted | Refused:
        """Take one's support back wherever it was given, the author's own included."""
        main = self.main(idea)
        for other in self._phrasings(main):
            if other != main and by in self._own_supporters(other):
                self._do(other, "withdraw vote", by, "member", at)
        return self._do(main, "withdraw vote", by, "member", at)

    # --- staff --------------------------------------------------------------------------------------------------

    def move(self, idea: str, command: str, *, by: str, at: datetime, reason: str = "") -> tuple[Notice, ...]:
        """`"review"`, `"plan"`, `"finish"` or `"decline"` an idea; returns what each supporter is told.

        Raises
        ------
        IllegalCommand
            It is not possible in this state, or declining without a reason.
        """
        main = self.main(idea)
        self._do(main, command, by, STAFF, at, reason=reason).or_raise()
        text, state = str(self._case(main).data["text"]), self._case(main).state
        why = f" ({reason})" if reason else ""
        return tuple(Notice(who, f'Your idea is {state}{why}: "{text}"') for who in self.supporters(main))

    def merge(self, idea: str, *, into: str, by: str, at: datetime) -> Accepted | Refused:
        """Make an idea a phrasing of another; supporters of both count once."""
        target = self.main(into)
        if target == self.main(idea):
            raise OutOfRange("into", into, "another idea", "they are one already")
        if self._case(target).state not in OPEN:
            raise OutOfRange("into", target, f"an idea that is {', '.join(OPEN)}", "review it again first")
        return self._do(idea, "merge", by, STAFF, at, {"into": target, "was": self._case(idea).state})

    def unmerge(self, idea: str, *, by: str, at: datetime) -> Accepted | Refused:
        """Take a phrasing out again, with the supporters and the status that it had."""
        was = self._case(idea).data.get("was")
        out = self._do(idea, "unmerge", by, STAFF, at)
        step = {"under review": "review", "planned": "plan"}.get(str(was))
        return self._do(idea, step, by, STAFF, at) if out.accepted and step else out

    def gather(self, *, by: str, at: datetime) -> tuple[tuple[str, str], ...]:
        """Merge open ideas that say the same into the earliest of them; returns (idea, into)."""
        cases = [c for c in self._all() if c.state in OPEN]
        if len(cases) < 2:
            return ()
        texts = [telling(str(c.data["text"])) for c in cases]
        star = stars(closeness(texts, language=self.language), self.closeness).tolist()
        groups: dict[int, list[Case]] = {}
        for case, centre in zip(cases, star, strict=True):
            groups.setdefault(centre, []).append(case)
        done = list[tuple[str, str]]()
        for group in groups.values():
            first, *rest = sorted(group, key=lambda c: (c.opened_at, c.id))
            for case in rest:
                self.merge(case.id, into=first.id, by=by, at=at).or_raise()
                done.append((case.id, first.id))
        return tuple(sorted(done))

    # --- reading ------------------------------------------------------------------------------------------------

    def main(self, idea: str) -> str:
        """Idea that an idea was merged into, itself where it was not."""
        case = self._case(idea)
        while case.state == "merged":
            case = self._case(str(case.data["into"]))
        return case.id

    def supporters(self, idea: str) -> tuple[str, ...]:
        """Everybody behind an idea and what was merged into it, each once, by id."""
        return tuple(sorted({who for part in self._phrasings(self.main(idea)) for who in self._own_supporters(part)}))

    def ideas(self) -> tuple[Idea, ...]:
        """All ideas that stand for themselves, most supporters first (ties by id)."""
        found = [self._idea(self._case(top), tuple(parts)) for top, parts in self._groups().items()]
        return tuple(sorted(found, key=lambda i: (-len(i.supporters), i.id)))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an idea: idea, text, status, supporters, phrasings (counts)."""
        rows: Sequence[Mapping[str, object]] = [
            {"idea": i.id, "text": i.text, "status": i.status, "supporters": len(i.supporters),
             "phrasings": len(i.phrasings)}
            for i in self.ideas()
        ]  # fmt: skip
        names = ("idea", "text", "status", "supporters", "phrasings")
        return columns_frame({n: [r[n] for r in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"idea": i.text[:60], "status": i.status, "supporters": len(i.supporters)} for i in self.ideas()[:20]]
        return html_table(rows, caption="Ideas")

    def _idea(self, case: Case, parts: tuple[str, ...]) -> Idea:
        who = tuple(sorted({who for part in parts for who in self._own_supporters(part)}))
        return Idea(id=case.id, text=str(case.data["text"]), status=case.state, supporters=who, phrasings=parts)

    def _own_supporters(self, idea: str) -> set[str]:
        history = self.cases.history(idea)
        found = {str(history.case.data["author"])}
        for step in history.steps:
            if step.command == "vote" and not step.refused:
                found.add(step.actor)
            elif step.command == "withdraw vote" and not step.refused:
                found.discard(step.actor)
        return found

    def _groups(self) -> dict[str, list[str]]:
        """Ideas that stand for themselves, each with all that was merged into it."""
        cases = {c.id: c for c in self._all()}
        groups: dict[str, list[str]] = {}
        for name, top in cases.items():
            while top.state == "merged":
                top = cases[str(top.data["into"])]
            groups.setdefault(top.id, []).append(name)
        return groups

    def _phrasings(self, main: str) -> tuple[str, ...]:
        return tuple(self._groups()[main])

    def _all(self) -> list[Case]:
        names = sorted(s.removeprefix("case:") for s in self.store.streams("case:"))
        cases = [self.cases.read(n) for n in names]
        return [c for c in cases if c.workflow == IDEA.name]

    def _case(self, idea: str) -> Case:
        case = self.cases.read(idea)
        if case.workflow != IDEA.name:
            raise UnknownName("idea", idea, tuple(c.id for c in self._all()))
        return case

    def _do(
        self, idea: str, name: str, by: str, role: str, at: datetime, data: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> Accepted | Refused:  # fmt: skip
        number = self._case(idea).version
        sent = Command(name, data or {}, actor=by, role=role, at=at, reason=reason, id=f"{idea}/{name}/{by}/{number}")
        return self.cases.handle(idea, sent)
