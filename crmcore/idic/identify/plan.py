"""What a batch decided about its data, kept as data: one more record is then normalised exactly as the others were."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from crmcore.errors import WrongType
from crmcore.idic.identify.dates import Order
from crmcore.idic.identify.phone_reading import PhoneReading
from crmcore.idic.identify.schema import Schema
from crmcore.linkage.fields import Kind
from crmcore.linkage.scalar import value_hash

__all__ = ["PreparationPlan"]


@attrs.frozen(kw_only=True, repr=False)
class PreparationPlan:
    """Decisions of `prepare` that rest on all records and not on one.

    Attributes
    ----------
    schema : what each column of each source means
    regions : source -> region of its local telephone numbers, None where unknown
    date_orders : "source.column" -> whether the day or the month comes first
    padded : "source.column" of postcodes that lost leading zeros
    into_first_column : "source.kind" -> for each further column of the kind, whether it is folded into the first
    blocked : field -> hashes of values that stand on too many records to be one person's
    blocked_kinds : kind -> hashes of values that the caller blocked
    fields : field -> kind, the columns of evidence
    readings : source -> how its telephone numbers without "+" are read
    code_names : "source.column" of codes -> field that it goes to
    """

    schema: Schema
    regions: Mapping[str, str | None] = attrs.field(factory=dict)
    date_orders: Mapping[str, Order] = attrs.field(factory=dict)
    padded: frozenset[str] = frozenset()
    into_first_column: Mapping[str, tuple[bool, ...]] = attrs.field(factory=dict)
    blocked: Mapping[str, frozenset[int]] = attrs.field(factory=dict)
    blocked_kinds: Mapping[Kind, frozenset[int]] = attrs.field(factory=dict)
    fields: Mapping[str, Kind] = attrs.field(factory=dict)
    readings: Mapping[str, PhoneReading] = attrs.field(factory=dict)
    code_names: Mapping[str, str] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        return f"PreparationPlan({len(self.schema.roles)} sources, fields {list(self.fields)})"

    @property
    def region(self) -> str | None:
        """Region of most sources, for a source that is new."""
        known = sorted(r for r in self.regions.values() if r)
        return max(known, key=known.count) if known else None

    def into_first(self, key: str, parts: int) -> tuple[bool, ...]:
        """Whether each further column of "source.kind" is folded into the first."""
        held = self.into_first_column.get(key, ())
        return (*held, *(False,) * parts)[: max(parts - 1, 0)]

    def is_blocked(self, field: str, value: str) -> bool:
        """Whether a normalised value of a field belongs to nobody."""
        listed, common = self.blocked_kinds.get(self.fields[field]), self.blocked.get(field)
        if not listed and not common:
            return False
        h = value_hash(value)
        return bool((listed and h in listed) or (common and h in common))

    def with_values_blocked(self, field: str, values: Collection[str]) -> PreparationPlan:
        """The same plan with further normalised values of one field that belong to nobody."""
        more = self.blocked.get(field, frozenset()) | frozenset(map(value_hash, values))
        return attrs.evolve(self, blocked={**self.blocked, field: more})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it back.

        Examples
        --------
        >>> plan = PreparationPlan(schema=Schema.infer([{"email": "a@example.org"}]), fields={"email": Kind.EMAIL})
        >>> PreparationPlan.from_dict(plan.to_dict()) == plan
        True
        """
        return {
            "schema": self.schema.to_dict(),
            "regions": dict(self.regions),
            "date_orders": dict(self.date_orders),
            "padded": sorted(self.padded),
            "into_first_column": {k: list(v) for k, v in self.into_first_column.items()},
            "blocked": {k: [f"{h:016x}" for h in sorted(v)] for k, v in self.blocked.items()},
            "blocked_kinds": {k.value: [f"{h:016x}" for h in sorted(v)] for k, v in self.blocked_kinds.items()},
            "fields": {name: kind.value for name, kind in self.fields.items()},
            "readings": {source: reading.to_dict() for source, reading in self.readings.items()},
            "code_names": dict(self.code_names),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PreparationPlan:
        """Read what `to_dict` wrote.

        Errors
        ------
        WrongType
            The data are no plan.
        """
        if not isinstance(data, Mapping) or "schema" not in data:
            hint = "pass what PreparationPlan.to_dict() returned"
            raise WrongType("data", type(data).__name__, "a mapping with a schema", hint)

        def hashes(listed: Collection[str]) -> frozenset[int]:
            return frozenset(int(h, 16) for h in listed)

        return cls(
            schema=Schema.from_dict(data["schema"]),
            regions=dict(data["regions"]),
            date_orders=dict(data["date_orders"]),
            padded=frozenset(data["padded"]),
            into_first_column={k: tuple(v) for k, v in data["into_first_column"].items()},
            blocked={k: hashes(v) for k, v in data["blocked"].items()},
            blocked_kinds={Kind(k): hashes(v) for k, v in data["blocked_kinds"].items()},
            fields={name: Kind(kind) for name, kind in data["fields"].items()},
            readings={source: PhoneReading.from_dict(r) for source, r in data["readings"].items()},
            code_names=dict(data["code_names"]),
        )
