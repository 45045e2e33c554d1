"""What was read, and what preparation did to it."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.flows.page import Block, Heading, Note, Share, Table, Text
from crmcore.idic.identify.roles import Meaning

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People

__all__ = ["preparation_blocks", "sources_blocks"]

MOST_SOURCES = 8  # columns of the table of filled shares
MOST_ROWS = 15


def sources_blocks(people: People) -> list[Block]:
    """Records of each source, and how often each field is filled."""
    table = people.table
    blocks: list[Block] = [Heading("Sources")]
    rows = []
    for code, name in enumerate(table.sources):
        time = table.time[table.source == code]
        time = time[~np.isnat(time)]
        first, last = (str(time.min())[:10], str(time.max())[:10]) if len(time) else (None, None)
        used = people.schema.roles.get(name, {}).values()
        n_used = sum(r.kind not in (Meaning.IGNORE, Meaning.RECORD_ID, Meaning.UPDATED_AT) for r in used)
        rows.append((name, int((table.source == code).sum()), first, last, n_used, len(used)))
    headings = ("source", "records", "first", "last", "columns used", "columns")
    blocks.append(
        Table(headings, rows, "What was read; first and last are the days on which records were made or changed.")
    )
    blocks.append(_filled(people))
    return blocks


def _filled(people: People) -> Table:
    records = people.linkage.records
    shown = records.sources[:MOST_SOURCES]
    rows: list[tuple[object, ...]] = []
    for column in records.columns:
        filled = column.codes >= 0
        shares = [
            Share(float(filled[records.source == s].mean())) if (records.source == s).any() else None
            for s in range(len(shown))
        ]
        cells = [s if s is not None and s.value > 0 else None for s in shares]
        distinct = len(np.unique(column.codes[filled])) / max(int(filled.sum()), 1)
        rows.append((column.name, *cells, Share(float(filled.mean())), Share(distinct)))
    return Table(
        ("field", *shown, "all records", "distinct"),
        rows,
        "Share of records with a usable value, by source (– = the source does not have the field). Distinct: different values "
        "per filled record; 100% means that no value occurs twice.",
    )


def preparation_blocks(people: People) -> list[Block]:
    """What each column was taken for, and what was thrown away or left out."""
    p = people.preparation
    blocks: list[Block] = [
        Heading("Preparation"),
        Text(
            "Every value was brought to one normal form before any comparison: case, accents and scripts, titles, telephone "
            "numbers to their international form, dates to year-month-day, addresses to street and number. Values that "
            "belong to nobody, such as 000-000-0000 or noreply@, were taken out."
        ),
    ]
    rows: list[tuple[object, ...]] = [("telephone region", source, region) for source, region in p.regions.items()]
    rows += [("date order", column, order) for column, order in p.date_orders.items()]
    rows += [
        ("junk removed", column, _rows(n) + _such_as(p.junk_samples.get(column, ()))) for column, n in p.junk.items()
    ]
    rows += [
        ("too common", value, f"{_rows(n)}: shared by too many to be one person's, or blocked")
        for value, n in p.blocked.items()
    ]
    if rows:
        blocks.append(
            Table(
                ("what", "where", "found"),
                rows[: 3 * MOST_ROWS],
                "What normalisation decided and removed; samples are masked.",
            )
        )
    meanings = [
        (source, column, role.kind.value, Share(role.confidence), "; ".join(role.reasons))
        for source, roles in people.schema.roles.items()
        for column, role in roles.items()
    ]
    said = "What each column was taken for, and why"
    blocks.append(Table(("source", "column", "taken for", "confidence", "because"), meanings, said, folded=True))
    unsure = [f"`{s}.{c}`" for s, c, kind, share, _ in meanings if share.value < 0.6 and kind != "ignore"]
    if unsure:
        blocks.append(
            Note(
                f"Worth a look, because the meaning was a close call: {', '.join(unsure[:6])}. `Schema.override` corrects it."
            )
        )
    if p.left_out:
        left = [(column, why) for column, why in p.left_out.items()]
        blocks.append(
            Table(("column", "why it is no evidence"), left, f"{len(left)} columns that were not compared", folded=True)
        )
    return blocks


def _rows(n: int) -> str:
    return f"{n:,} row" + ("" if n == 1 else "s")


def _such_as(samples: tuple[str, ...]) -> str:
    return f", such as {', '.join(samples[:3])}" if samples else ""
