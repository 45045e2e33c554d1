"""The words of remedies: kinds of failure, of justice and of fault, parts of a plan, fields that no rule may use."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from functools import lru_cache

import attrs

from crmcore._base import listed
from crmcore.errors import CrmError
from crmcore.values.words import Fault, word

__all__ = ["PROTECTED", "FailureKind", "Justice", "Part", "ProtectedField", "refuse_protected"]


class FailureKind(enum.StrEnum):
    """What went wrong: what was delivered, or how."""

    OUTCOME = "outcome"  # the product or the service itself
    PROCESS = "process"  # the way in which it was delivered: rude, slow to answer, uninformed


class Justice(enum.StrEnum):
    """What a remedy restores (Smith, Bolton & Wagner 1999)."""

    DISTRIBUTIVE = "distributive"  # what the customer gets: money, goods
    PROCEDURAL = "procedural"  # how: speed, ease, a way that is open
    INTERACTIONAL = "interactional"  # how people speak: apology, explanation, empathy


class Part(enum.StrEnum):
    """Which part of a plan a remedy is; of each part a plan has at most one."""

    ANSWER = "answer"  # words: owed in every case
    REPAIR = "repair"  # makes it whole: owed where something fits
    EXTRA = "extra"  # beyond: given where it is worth more than it costs


PROTECTED = (
    "age", "birth_date", "birthday", "caste", "citizenship", "colour", "color", "date_of_birth", "disability",
    "ethnic_group", "ethnicity", "gender", "marital_status", "nationality", "political_opinion", "pregnancy",
    "pregnant", "race", "religion", "sex", "sexual_orientation", "union_member",
)  # fmt: skip
"""Facts about a person that must not decide what the person gets; an application adds its own."""

_OWNER = re.compile(r"^(customer|client|person|user|member|guest|passenger)s?[_. -]+")


@attrs.define(eq=False)
class ProtectedField(CrmError, ValueError):
    """Rules or facts of remedies name what a person is, not what happened to the person."""

    where: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.where} uses {', '.join(map(repr, self.fields))}: expected facts about the failure, not about the "
            "person.\n  hint: leave them out; audit_equal_treatment takes them beside the decisions, never before"
        )


def part_of(value: Part | str) -> Part:
    """Part of a plan by its word."""
    return word(Part, value, "part of a plan")


def justice_of(value: Justice | str) -> Justice:
    """Kind of justice by its word."""
    return word(Justice, value, "kind of justice")


def fault_of(value: Fault | str) -> Fault:
    """Fault by its word."""
    return word(Fault, value, "fault")


def faults_of(value: Iterable[Fault | str]) -> tuple[Fault, ...]:
    """Faults, each once, in the order of the enumeration."""
    given = {fault_of(v) for v in listed(value, "faults", str, what="texts", hint="such as ['ours', 'partner']")}
    return tuple(f for f in Fault if f in given)


def kinds_of(value: Iterable[FailureKind | str]) -> tuple[FailureKind, ...]:
    """Kinds of failure, each once, in the order of the enumeration."""
    given = listed(value, "kinds", str, what="texts", hint="such as ['outcome']")
    chosen = {word(FailureKind, v, "kind of failure") for v in given}
    return tuple(k for k in FailureKind if k in chosen)


def refuse_protected(where: str, fields: Iterable[str], protected: Iterable[str]) -> None:
    """Refuse protected fields, also with the owner's name before them (`customer_gender`).

    Examples
    --------
    >>> refuse_protected("rule 'x'", ["loss", "Customer_Gender"], PROTECTED)
    Traceback (most recent call last):
        ...
    crmcore.recovery.remedies.words.ProtectedField: rule 'x' uses 'Customer_Gender': expected facts about the failure, \
not about the person.
      hint: leave them out; audit_equal_treatment takes them beside the decisions, never before
    """
    named = tuple(fields)
    closed = {_plain(name) for name in protected} if named else set[str]()
    found = tuple(name for name in named if _plain(name) in closed)
    if found:
        raise ProtectedField(where, found)


@lru_cache(maxsize=1_024)
def _plain(name: str) -> str:
    folded = re.sub(r"[\s.-]+", "_", name.strip().casefold())
    return _OWNER.sub("", folded)
