"""Pictures of aspects: rows and specs only, nothing is computed here."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from crmcore.charts import Chart, dot_interval, line

if TYPE_CHECKING:
    from crmcore.listening.aspects.tables import AspectCell, AspectTable

__all__ = ["aspect_chart"]

MOST = 40  # rows that can be read in one picture


def aspect_chart(table: AspectTable, *, title: str) -> Chart:
    """Dots with intervals, worst first; with several periods one line an aspect and brand."""
    single = len({c.brand for c in table.cells}) == 1
    note = "net sentiment" + ("" if table.corrected else ", uncorrected: compare, do not quote")

    def name(cell: AspectCell) -> str:
        return cell.aspect if single else f"{cell.aspect}, {cell.brand}"

    if len({c.period for c in table.cells}) > 1:
        cells = sorted(table.cells, key=lambda c: (name(c), c.period))
        return line(
            [date.fromisoformat(c.period) for c in cells], [c.net.value for c in cells], title=title,
            series=[name(c) for c in cells], low=[c.net.low for c in cells], high=[c.net.high for c in cells],
            axis=note, description=f"{note} of {len(table)} cells",
        )  # fmt: skip
    worst = table.worst()[:MOST]
    return dot_interval(
        [name(c) for c in worst], [c.net for c in worst], title=title, axis=note, reference=0.0,
        description=f"{note}, {len(worst)} of {len(table)} cells, worst first",
    )  # fmt: skip
