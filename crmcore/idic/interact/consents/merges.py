"""What a ledger knows beside statements: records of one person, and what was erased."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from crmcore._base import mask
from crmcore.idic.interact.consents.statements import ConsentRules, Statement
from crmcore.values.words import word
from crmcore.zones import to_us

__all__ = ["Erasure", "LedgerDocument", "Merge", "MergeRule"]


class MergeRule(enum.StrEnum):
    """How the statements of two records of one person become one answer."""

    STRICTEST = "strictest"  # a withdrawal in either record stands until the person says yes again
    LATEST = "latest"  # whatever was said last, in whichever record


def _rule(value: MergeRule | str) -> MergeRule:
    return word(MergeRule, value, "merge rule")


@attrs.frozen(kw_only=True)
class Merge:
    """Two records that are one person from an instant on; both keep their statements."""

    kept: str = attrs.field(repr=mask)
    other: str = attrs.field(repr=mask)
    at: datetime
    rule: MergeRule = attrs.field(converter=_rule)
    undone_at: datetime | None = None

    def active(self, us: int) -> bool:
        """Whether the records are one person at an instant."""
        return to_us(self.at) <= us and (self.undone_at is None or us < to_us(self.undone_at))


@attrs.frozen(kw_only=True)
class Erasure:
    """What the audit keeps of an erased person: when, by whom, why, how much; not who."""

    at: datetime
    by: str
    reason: str
    statements: int


@attrs.frozen(kw_only=True)
class LedgerDocument:
    """A ledger as JSON holds it."""

    format: str
    version: int
    rules: ConsentRules
    statements: tuple[Statement, ...]
    merges: tuple[Merge, ...]
    erasures: tuple[Erasure, ...]
    gone: tuple[tuple[str, str, str, str, int], ...]
