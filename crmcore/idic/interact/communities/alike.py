"""People with a common experience: the same model with the same fault, with the reason, and nothing private."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from crmcore._base import html_table, listed, mask
from crmcore.documents import Document
from crmcore.errors import MissingColumn, OutOfRange
from crmcore.metrics.columns import columns_frame

__all__ = ["Alike", "AlikeMember", "find_alike"]

Cell = str | Collection[str] | None


@attrs.frozen(kw_only=True)
class AlikeMember(Document):
    """Somebody with common experiences.

    Parameters
    ----------
    member : id
        Masked in the repr.
    shared : (field, value) pairs
        What both have, the rarest first: the reason.
    score : nats
        Sum over the shared pairs of ln(members / members who have it): what everybody has weighs nothing.
    """

    member: str = attrs.field(repr=mask)
    shared: tuple[tuple[str, str], ...]
    score: float

    @property
    def reason(self) -> str:
        """What both have, in words."""
        return " and ".join(f"{field}: {value}" for field, value in self.shared)


@attrs.frozen(kw_only=True, repr=False)
class Alike(Document):
    """Members with common experiences, the most telling first, and the fields that were compared."""

    members: tuple[AlikeMember, ...]
    fields: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, i: int) -> AlikeMember:
        return self.members[i]

    def __repr__(self) -> str:
        return f"Alike({len(self)} members by {', '.join(self.fields)})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a member: member, score, reason."""
        cells: dict[str, list[Any]] = {
            "member": [m.member for m in self.members],
            "score": [m.score for m in self.members],
        }
        return columns_frame({**cells, "reason": [m.reason for m in self.members]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"score": m.score, "both": m.reason} for m in self.members[:20]]
        return html_table(rows, caption=repr(self))


def find_alike(
    people: Mapping[str, Mapping[str, Cell]], member: str, /, *, fields: Collection[str],
    private: Mapping[str, Collection[str]] | None = None, least_shared: int = 2, limit: int = 10,
) -> Alike:  # fmt: skip
    """Find members who share experiences with one member.

    Parameters
    ----------
    people : id -> field -> value, or values
        What is known of each member; None and empty text are unknown, and match nobody. Values are compared without
        regard to case and outer blanks.
    member : id
    fields : names
        Which may be compared and shown; every other field is never looked at.
    private : id -> names, optional
        Fields that a member keeps to themselves: neither compared nor counted nor shown, on either side.
    least_shared : count
        Pairs of field and value that two people must have in common.
    limit : count

    Examples
    --------
    >>> people = {"ann": {"model": "X1", "fault": "leak", "income": "high"}, "ben": {"model": "x1", "fault": "leak"},
    ...           "cyd": {"model": "X2", "fault": "noise", "income": "high"}}
    >>> found = find_alike(people, "ann", fields=["model", "fault"])
    >>> len(found), found[0].reason
    (1, 'fault: leak and model: X1')
    """
    names = listed(fields, "fields", str, what="names", hint="fields=['model', 'fault']")
    if member not in people:
        raise OutOfRange("member", mask(member), "an id of people", "take one of list(people)")
    if least_shared < 1 or limit < 1:
        raise OutOfRange("least_shared, limit", (least_shared, limit), "1 or more", "least_shared=2, limit=10")
    known = tuple(dict.fromkeys(f for facts in people.values() for f in facts))
    for name in names:
        if name not in known:
            raise MissingColumn(name, known, "the facts of people")
    hidden = private or {}
    facts = {who: _pairs(mine, [f for f in names if f not in hidden.get(who, ())]) for who, mine in people.items()}
    having: dict[tuple[str, str], int] = {}
    for mine in facts.values():
        for pair in mine:
            having[pair] = having.get(pair, 0) + 1
    own, n = facts[member], len(people)
    found = list[AlikeMember]()
    for who, theirs in facts.items():
        both = sorted(own.keys() & theirs.keys(), key=lambda pair: (having[pair], pair))
        if who != member and len(both) >= least_shared:
            score = math.fsum(math.log(n / having[pair]) for pair in both)
            found.append(AlikeMember(member=who, shared=tuple((f, own[f, v]) for f, v in both), score=score))
    found.sort(key=lambda m: (-m.score, -len(m.shared), m.member))
    return Alike(members=tuple(found[:limit]), fields=tuple(dict.fromkeys(names)))


def _pairs(facts: Mapping[str, Cell], fields: Collection[str]) -> dict[tuple[str, str], str]:
    """(field, value without case) -> value as it was written."""
    found: dict[tuple[str, str], str] = {}
    for name in dict.fromkeys(fields):
        cell = facts.get(name)
        values = [cell] if isinstance(cell, str) or not isinstance(cell, Collection) else sorted(map(str, cell))
        for value in values:
            if value is not None and str(value).strip():
                found.setdefault((name, str(value).strip().casefold()), str(value).strip())
    return found
