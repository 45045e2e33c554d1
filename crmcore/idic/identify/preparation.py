"""What happened to the data before linkage: filled shares, junk, regions, date orders, columns left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from crmcore._base import html_table
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.schema import Schema

__all__ = ["FieldReport", "Preparation"]


@attrs.frozen
class FieldReport:
    """One column of evidence.

    `filled_share` is of all records; `distinct_share` is distinct values per filled record (1 = each value once).
    """

    name: str
    kind: str
    origins: tuple[str, ...]
    filled_share: float
    distinct_share: float
    n: int


@attrs.frozen(repr=False)
class Preparation:
    """Report of `prepare`; prints as text, shows as HTML; people appear masked or not at all."""

    n_records: int
    fields: tuple[FieldReport, ...]
    junk: Mapping[str, int]  # source.column -> rows whose value was thrown away
    junk_samples: Mapping[str, tuple[str, ...]]  # masked
    blocked: Mapping[str, int]  # "kind masked value" -> rows
    regions: Mapping[str, str]  # source -> region of its phones, and why
    date_orders: Mapping[str, str]  # source.column -> order, and the counts it rests on
    left_out: Mapping[str, str]  # column -> why it is no evidence
    schema: Schema
    plan: PreparationPlan  # the decisions, as data: one more record is normalised by them as these were

    def __repr__(self) -> str:
        return f"Preparation({self.n_records} records, {len(self.fields)} fields, {sum(self.junk.values())} junk cells)"

    def __str__(self) -> str:
        lines = [f"{self.n_records} records, {len(self.fields)} fields of evidence"]
        for f in self.fields:
            filled, distinct = f"{f.filled_share:6.1%} filled", f"{f.distinct_share:6.1%} distinct"
            lines.append(f"  {f.name:<15} {filled}, {distinct}, from {', '.join(f.origins)}")
        lines += [
            f"  junk in {c}: {n} rows (such as {', '.join(self.junk_samples.get(c, ()))})" for c, n in self.junk.items()
        ]
        lines += [
            f"  blocked {v}: {n} rows (too common to be one person's, or blocked by you)"
            for v, n in self.blocked.items()
        ]
        lines += [f"  phones of {s}: region {r}" for s, r in self.regions.items()]
        lines += [f"  dates of {c}: {o}" for c, o in self.date_orders.items()]
        lines += [f"  not used: {c}: {why}" for c, why in self.left_out.items()]
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "field": f.name,
                "kind": f.kind,
                "filled": f.filled_share,
                "distinct": f.distinct_share,
                "n": f.n,
                "from": ", ".join(f.origins),
            }
            for f in self.fields
        ]

    def _repr_html_(self) -> str:
        from html import escape

        notes = str(self).split("\n")[1 + len(self.fields) :]
        return html_table(self._rows(), caption=f"{self.n_records} records") + "".join(
            f"<p>{escape(t.strip())}</p>" for t in notes[:30]
        )

    def to_frame(self, *, backend: Any) -> Any:
        """One row per field, in the flavour of `backend` ("polars", "pandas", "pyarrow")."""
        from crmcore._frames import write_frame

        rows = self._rows()
        return write_frame(
            {k: [r[k] for r in rows] for k in ("field", "kind", "filled", "distinct", "n", "from")}, backend=backend
        )
