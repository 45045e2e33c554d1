"""Raw records at the resolver's door: cells as JSON has them, kinds that a schema can fill."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from crmcore.idic.identify.readers import read_columns
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records, text_of
from crmcore.linkage.fields import Kind

__all__ = ["as_dicts", "kinds_of", "plain"]

_USUAL = (
    Kind.GIVEN_NAME, Kind.SURNAME, Kind.BIRTH_DATE, Kind.EMAIL, Kind.PHONE, Kind.STREET, Kind.STREET_NUMBER,
    Kind.POSTCODE, Kind.CITY, Kind.IDENTIFIER, Kind.HANDLE,
)  # fmt: skip


def plain(record: Mapping[str, object]) -> dict[str, object]:
    """Cells as JSON has them; what JSON does not know becomes the text that matching sees."""
    out: dict[str, object] = {}
    for name, cell in record.items():
        if isinstance(cell, np.generic):
            cell = cell.item()
        if isinstance(cell, float) and not math.isfinite(cell):
            cell = None
        out[str(name)] = cell if cell is None or type(cell) in (str, int, float, bool) else text_of(cell)
    return out


def as_dicts(records: Any) -> list[Mapping[str, object]]:
    """Records of a list, or of any frame."""
    if isinstance(records, list | tuple):
        return list(records)
    return list(export_records(read_columns(records)))


def kinds_of(schema: Schema) -> tuple[Kind, ...]:
    """Kinds that the columns of a schema can fill; the usual ones where it knows no column yet."""
    found: set[Kind] = set()
    for roles in schema.roles.values():
        for role in roles.values():
            if role.kind.kind is not None and (role.kind is not Meaning.TEXT or role.chosen):
                found.add(role.kind.kind)
                if role.kind is Meaning.FULL_NAME:
                    found.add(Kind.SURNAME)
                if role.kind in (Meaning.STREET, Meaning.ADDRESS):
                    found.add(Kind.STREET_NUMBER)
    return tuple(k for k in Kind if k in found) or _USUAL
