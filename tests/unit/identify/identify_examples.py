"""Small record tables written as rows, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from crmcore.tables import RecordTable, TextColumn


def records(rows: Sequence[Mapping[str, str | None]]) -> RecordTable:
    """Rows with the keys `id`, `source`, `time` (optional) and any cells."""
    names = list(dict.fromkeys(k for r in rows for k in r if k not in ("id", "source", "time")))
    sources = tuple(sorted({r.get("source") or "crm" for r in rows}))
    return RecordTable(
        np.array([r["id"] for r in rows], object),
        np.array([sources.index(r.get("source") or "crm") for r in rows], np.int32),
        sources,
        np.array([r.get("time") or "NaT" for r in rows], "datetime64[us]"),
        {n: TextColumn.of([r.get(n) for r in rows]) for n in names},
    )
