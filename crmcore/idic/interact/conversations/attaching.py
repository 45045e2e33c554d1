"""Posts of customers attached to what they are about: a trip, a booking, a leg, an order, anything with a reference."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import ConflictingConstraints, DuplicateIds, UnknownName
from crmcore.idic.interact.conversations.messages import Message, same_reference

__all__ = ["Attached", "Attachments", "Subject", "attach"]


def _references(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "references", str, what="texts", hint="write ['B-7781']")


@attrs.frozen(kw_only=True)
class Subject(Document):
    """What posts may be about, and what it is a part of.

    Parameters
    ----------
    id : text
    kind : text
        Such as "trip", "booking", "leg".
    part_of : text, optional
        Id of the subject that it belongs to.
    contact : text, optional
        Whose it is: others' posts are not attached. None takes it from what it is a part of.
    references : texts
        Under which it is named, beside its id: "WN 1380". Small and large letters are alike.
    """

    id: str
    kind: str
    part_of: str | None = None
    contact: str | None = attrs.field(default=None, repr=mask)
    references: tuple[str, ...] = attrs.field(default=(), converter=_references)


class Outcome(enum.StrEnum):
    """What became of a post."""

    ATTACHED = "attached"
    AMBIGUOUS = "names several"
    FOREIGN = "belongs to somebody else"
    NOTHING = "names nothing known"


@attrs.frozen(kw_only=True)
class Attached(Document):
    """One post: what it is attached to (the most specific subject that it names), what that is a part of, and why."""

    message: str
    subject: str | None
    within: tuple[str, ...]
    outcome: Outcome
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        to = f" to {self.subject}" if self.subject else ""
        inside = f" in {', '.join(self.within)}" if self.within else ""
        return f"{self.message}: {self.outcome}{to}{inside} ({', '.join(self.evidence) or 'no reference'})"


@attrs.frozen(repr=False)
class Attachments(Document):
    """Posts and what they are attached to, by the time of the post."""

    posts: tuple[Attached, ...]

    def __len__(self) -> int:
        return len(self.posts)

    def __repr__(self) -> str:
        n = sum(p.subject is not None for p in self.posts)
        return f"Attachments({n} of {len(self)} posts attached)"

    def __str__(self) -> str:
        return "\n".join(map(str, self.posts)) or repr(self)

    def of(self, subject: str, /, *, with_parts: bool = True) -> tuple[Attached, ...]:
        """Posts of a subject, those of its parts included unless `with_parts` is false."""
        return tuple(p for p in self.posts if p.subject == subject or (with_parts and subject in p.within))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a post: message, subject, within, outcome, evidence."""
        rows = self._rows()
        names = ("message", "subject", "within", "outcome", "evidence")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"message": p.message, "subject": p.subject, "within": ", ".join(p.within), "outcome": str(p.outcome),
             "evidence": ", ".join(p.evidence)}
            for p in self.posts
        ]  # fmt: skip

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def _key(reference: str) -> str:
    return "".join(c for c in same_reference(reference) if c.isalnum())


def attach(posts: Iterable[Message], subjects: Iterable[Subject]) -> Attachments:
    """Attach each post to the most specific subject that its references or its text name.

    A post that names a booking and a leg of it goes to the leg. Two legs, or things apart, are ambiguous: then it goes
    to what both are a part of, where there is such, and the outcome says so.

    Raises
    ------
    DuplicateIds, UnknownName, ConflictingConstraints
        Repeated ids; a part of what is not there; parts in a circle.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> post = Message(id="p1", contact="c7", at=datetime(2026, 6, 1, tzinfo=UTC), channel="community",
    ...                direction="inbound", text="Great crew on WN 1380!")
    >>> print(attach([post], [Subject(id="B-7781", kind="booking", contact="c7"),
    ...                       Subject(id="leg 1", kind="leg", part_of="B-7781", references=["WN1380"])]))
    p1: attached to leg 1 in B-7781 (WN1380)
    """
    things = {s.id: s for s in listed(subjects, "subjects", Subject, what="subjects", hint="pass Subject(...) values")}
    chains = _chains(subjects if isinstance(subjects, list | tuple) else things.values(), things)
    names = {(s.id, name): _key(name) for s in things.values() for name in (s.id, *s.references) if _key(name)}
    found = [_one(p, things, chains, names) for p in sorted(posts, key=lambda p: p.place)]
    return Attachments(tuple(found))


def _chains(given: Iterable[Subject], things: Mapping[str, Subject]) -> dict[str, tuple[str, ...]]:
    """What each subject is a part of, nearest first."""
    ids = [s.id for s in given]
    if len(ids) > len(things):
        again = tuple(i for i, x in enumerate(ids) if x in ids[:i])
        raise DuplicateIds("subjects", len(again), again, "give each subject its own id")
    chains: dict[str, tuple[str, ...]] = {}
    for s in things.values():
        chain: list[str] = []
        above = s.part_of
        while above is not None:
            if above not in things:
                raise UnknownName("subject", above, tuple(things))
            if above in chain or above == s.id:
                raise ConflictingConstraints("parts of subjects", (s.id, *chain), "a part cannot hold its whole")
            chain.append(above)
            above = things[above].part_of
        chains[s.id] = tuple(chain)
    return chains


def _one(
    post: Message,
    things: Mapping[str, Subject],
    chains: Mapping[str, tuple[str, ...]],
    names: Mapping[tuple[str, str], str],
) -> Attached:
    said = {_key(r) for r in post.named} | _runs(post.text)
    hits = {sid: name for (sid, name), key in names.items() if key in said}
    ours = {sid: name for sid, name in hits.items() if _owner(sid, things, chains) in (None, post.contact)}
    deepest = sorted(sid for sid in ours if not any(sid in chains[other] for other in ours))
    evidence = tuple(ours[sid] for sid in deepest)
    if len(deepest) == 1:
        return Attached(
            message=post.id, subject=deepest[0], within=chains[deepest[0]], outcome=Outcome.ATTACHED, evidence=evidence
        )
    if not deepest:
        outcome = Outcome.FOREIGN if hits else Outcome.NOTHING
        return Attached(
            message=post.id, subject=None, within=(), outcome=outcome, evidence=tuple(sorted(hits.values()))
        )
    shared = [x for x in chains[deepest[0]] if all(x in chains[other] for other in deepest)]
    subject = shared[0] if shared else None
    within = chains[subject] if subject else ()
    return Attached(message=post.id, subject=subject, within=within, outcome=Outcome.AMBIGUOUS, evidence=evidence)


def _owner(sid: str, things: Mapping[str, Subject], chains: Mapping[str, tuple[str, ...]]) -> str | None:
    return next((o for x in (sid, *chains[sid]) if (o := things[x].contact) is not None), None)


def _runs(text: str) -> set[str]:
    """One, two and three words in a row, without spaces and signs: "WN 1380" is "wn1380"."""
    words = ["".join(c for c in w if c.isalnum()) for w in text.casefold().split()]
    return {"".join(words[i : i + k]) for k in (1, 2, 3) for i in range(len(words) - k + 1)} - {""}
