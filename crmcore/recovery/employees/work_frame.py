"""Work read from a frame, every bad row named at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame
from crmcore.errors import UnknownName
from crmcore.recovery.employees.work import Work, severity_of
from crmcore.tables._door import NO_AMOUNT, Door
from crmcore.values import Money, Severity
from crmcore.zones import from_us

__all__ = ["read_works"]

DEFAULTS = ("id", "at", "task", "severity", "distress", "units", "action", "amount", "due", "prefers")


def read_works(frame: Any, names: tuple[str, ...], /, *, zone: str | None, currency: str | None) -> tuple[Work, ...]:
    """Pieces of work of a frame; `names` are those of its columns, in the order of `DEFAULTS`."""
    named = dict(zip(DEFAULTS, names, strict=True))
    door = Door(read_frame(frame), "the work frame", zone=zone)
    ids, at = door.text(named["id"]), door.times(named["at"], required=True)
    door.required(named["id"], ids.codes < 0, "the number of each case")
    text = {name: door.optional_text(named[name], name).to_list() for name in ("task", "action", "prefers")}
    severities = _severities(door, named["severity"])
    distress = _numbers(door, named["distress"], "distress")
    units = _numbers(door, named["units"], "units")
    with np.errstate(invalid="ignore"):
        odd = np.flatnonzero((distress < 0) | (distress > 1))
        door.problem(named["distress"], "no share from 0 to 1", odd, "1 is the most distressed")
        door.problem(named["units"], "not above 0", np.flatnonzero((units <= 0) | np.isinf(units)), "1 is ordinary")
    amounts = door.amounts(named["amount"], None, currency)
    due = np.full(len(door), "NaT", "datetime64[us]")
    if door.has(named["due"], "due"):
        due = door.times(named["due"], required=False)
    alone = [i for i, a in enumerate(amounts.tolist()) if a != NO_AMOUNT and not text["action"][i]]
    door.problem(named["amount"], "without an action", alone, "say what is to be decided, such as 'refund'")
    door.close()
    return tuple(
        Work(
            id=str(key),
            at=from_us(int(at[i].astype(np.int64)), zone or "UTC"),
            task=text["task"][i] or "",
            severity=severities[i],
            distress=None if np.isnan(distress[i]) else float(distress[i]),
            units=1.0 if np.isnan(units[i]) else float(units[i]),
            action=text["action"][i] or "",
            amount=None if currency is None or amounts[i] == NO_AMOUNT else Money(int(amounts[i]), currency),
            due=None if np.isnat(due[i]) else from_us(int(due[i].astype(np.int64)), zone or "UTC"),
            prefers=text["prefers"][i] or "",
        )
        for i, key in enumerate(ids.to_list())
    )


def _numbers(door: Door, column: str, default: str) -> NDArray[np.float64]:
    return door.numbers(column) if door.has(column, default) else np.full(len(door), np.nan)


def _severities(door: Door, column: str) -> list[Severity]:
    if not door.has(column, "severity"):
        return [Severity.NORMAL] * len(door)
    out: list[Severity] = []
    odd: list[int] = []
    for i, cell in enumerate(door.frame.column(column)):
        try:
            known = int(cell) if isinstance(cell, float) and cell.is_integer() else cell
            out.append(Severity.NORMAL if known is None else severity_of(known))
        except UnknownName:
            out.append(Severity.NORMAL)
            odd.append(i)
    door.problem(column, "no severity", odd, "critical, high, normal, low, or 1 to 4")
    return out
