"""Call ahead of an appointment: a structured answer becomes parts to reserve, a skill to plan, and a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import numpy as np

from crmcore._base import aware, check_aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.choice import pick
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.text.nearness import NEGATIONS

__all__ = ["Preparation", "ReservedPart", "Symptom", "prepare_visit"]


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "words", str, what="texts", hint="write ['brake noise']")


def _parts(value: Mapping[str, int]) -> dict[str, int]:
    odd = {k: n for k, n in value.items() if type(n) is not int or n < 1}
    if odd:
        raise OutOfRange("parts", odd, "whole numbers from 1", "{'brake pads': 2}")
    return dict(value)


@attrs.frozen(hash=False)
class Symptom(Document):
    """What customers may say, and what the workshop needs then.

    Parameters
    ----------
    name : text
    words : texts
        Any of these, whatever the endings and with up to two words between: "brake noise" is in "brakes make noises".
    parts : mapping of part to pieces
    skills : texts
    """

    name: str
    words: tuple[str, ...] = attrs.field(converter=_texts)
    parts: Mapping[str, int] = attrs.field(factory=dict, converter=_parts)
    skills: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def __attrs_post_init__(self) -> None:
        if not any(map(str.strip, self.words)):
            raise EmptyInput("words of a Symptom", "Symptom('brakes', ['brake noise'], {'brake pads': 2}, ['brakes'])")


@attrs.frozen(kw_only=True)
class ReservedPart(Document):
    """Pieces of one part: needed, taken from stock, and short (to order)."""

    part: str
    needed: int
    reserved: int
    short: int


@attrs.frozen(kw_only=True, repr=False)
class Preparation(Document):
    """What to have ready before an appointment.

    `staff` None where nobody has all skills and is free; `understood` False where the answer names no known symptom:
    then somebody should read it.
    """

    appointment: str
    at: datetime = attrs.field(validator=aware)
    due_at: datetime = attrs.field(validator=aware)
    symptoms: tuple[str, ...]
    parts: tuple[ReservedPart, ...]
    skills: tuple[str, ...]
    staff: str | None
    why_staff: str
    late: bool

    @property
    def understood(self) -> bool:
        """Whether the answer names a known symptom."""
        return bool(self.symptoms)

    @property
    def task(self) -> str:
        """What staff is asked to do."""
        if not self.understood:
            return f"read the answer for {self.appointment} and plan by hand"
        parts = ", ".join(f"{p.needed} {p.part}" for p in self.parts) or "no parts"
        return f"prepare {self.appointment}: {parts}; skills {', '.join(self.skills) or 'any'}"

    def __repr__(self) -> str:
        return f"Preparation({self.appointment!r}, {list(self.symptoms)}, {len(self.parts)} parts)"

    def __str__(self) -> str:
        lines = [f"{self.task}, by {self.due_at:%Y-%m-%d %H:%M}{' (late)' if self.late else ''}"]
        lines += [f"  order {p.short} {p.part}" for p in self.parts if p.short]
        return "\n".join([*lines, f"  staff: {self.staff or 'nobody'} ({self.why_staff})"])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a part: part, needed, reserved, short."""
        names = ("part", "needed", "reserved", "short")
        return write_frame({n: [getattr(p, n) for p in self.parts] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([attrs.asdict(p) for p in self.parts], caption=self.task)


def _stems(text: str) -> list[str]:
    from crmcore.text import stems, tokenize

    return stems(tokenize([text])).forms(0)


def _says(said: list[str], phrase: list[str]) -> bool:
    """Whether the words of a phrase stand in this order, at most two others between, and not right after a negation."""
    for start, word in enumerate(said):
        if not phrase or word != phrase[0] or not NEGATIONS.isdisjoint(said[max(0, start - 2) : start]):
            continue
        at = start
        for wanted in phrase[1:]:
            near = [i for i in range(at + 1, min(at + 4, len(said))) if said[i] == wanted]
            if not near or not NEGATIONS.isdisjoint(said[at + 1 : near[0]]):
                break
            at = near[0]
        else:
            return True
    return False


def prepare_visit(
    appointment: str,
    answer: str,
    symptoms: Iterable[Symptom],
    *,
    at: datetime,
    now: datetime,
    stock: Mapping[str, int] | None = None,
    staff: Mapping[str, Iterable[str]] | None = None,
    load: Mapping[str, float] | None = None,
    lead_hours: float = 24,
) -> Preparation:
    """Turn what a customer said on the phone into parts, a skill and a task before the appointment.

    Parameters
    ----------
    appointment, answer : text
        Which visit, and what the customer answered (English).
    symptoms : iterable of Symptom
    at, now : aware datetimes
        Time of the visit, and of the call.
    stock : mapping of part to pieces, optional
        What is there; what is missing is short. None: nothing is known to be there.
    staff : mapping of name to skills, optional
        Who is free at that time.
    load : mapping of name to number, optional
        Less loaded staff first.
    lead_hours : hours
        How long before the visit the preparation is due.

    Examples
    --------
    >>> from datetime import UTC
    >>> brakes = Symptom("brakes", ["brake noise", "squeaking brakes"], {"brake pads": 2}, ["brakes"])
    >>> print(prepare_visit("visit 9", "There is a brake noise", [brakes], at=datetime(2026, 6, 5, 9, tzinfo=UTC),
    ...                     now=datetime(2026, 6, 2, 9, tzinfo=UTC), stock={"brake pads": 4},
    ...                     staff={"bob": ["brakes"]}))
    prepare visit 9: 2 brake pads; skills brakes, by 2026-06-04 09:00
      staff: bob (only one)
    """
    check_aware(at, "at")
    check_aware(now, "now")
    if not now < at:
        raise OutOfRange("at", at.isoformat(), f"later than now, {now.isoformat()}", "prepare before the visit")
    if not lead_hours >= 0:
        raise OutOfRange("lead_hours", lead_hours, "0 or more", "a day is 24")
    said = _stems(answer)
    known = listed(symptoms, "symptoms", Symptom, what="Symptom", hint="Symptom('brakes', ['brake noise'])")
    found = [s for s in known if any(_says(said, _stems(words)) for words in s.words)]
    needed: dict[str, int] = {}
    for s in found:
        for part, pieces in s.parts.items():
            needed[part] = max(needed.get(part, 0), pieces)  # two symptoms of one fault need its part once
    there = stock or {}
    parts = tuple(
        ReservedPart(part=p, needed=n, reserved=min(n, there.get(p, 0)), short=n - min(n, there.get(p, 0)))
        for p, n in sorted(needed.items())
    )
    skills = tuple(sorted({skill for s in found for skill in s.skills}))
    crew = {name: set(can) for name, can in (staff or {}).items()}
    names = sorted(crew)
    able = {f"lacks {skill}": [skill not in crew[name] for name in names] for skill in skills}
    chosen = pick(names, refused=able, keys={"load": np.array([(load or {}).get(name, 0.0) for name in names])})
    due = at - timedelta(hours=lead_hours)
    return Preparation(
        appointment=appointment,
        at=at,
        due_at=max(due, now),
        symptoms=tuple(s.name for s in found),
        parts=parts,
        skills=skills,
        staff=chosen.chosen,
        why_staff=chosen.decided_by,
        late=due < now,
    )
