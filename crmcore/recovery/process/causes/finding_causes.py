"""The door of the search: read cases, search, and say what was found with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from crmcore._base import Progress, reporter
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.estimates import check_level
from crmcore.recovery.process.causes.case_columns import CaseColumns
from crmcore.recovery.process.causes.counting import first_attributes
from crmcore.recovery.process.causes.describing import described
from crmcore.recovery.process.causes.findings import Causes
from crmcore.recovery.process.causes.searching import Settings, search

__all__ = ["ADJUSTMENTS", "find_causes"]

ADJUSTMENTS = ("any false finding", "share of false findings")
"""What `alpha` bounds: the chance of even one false finding, or their expected share among the findings."""


def find_causes(
    cases: Any,
    /,
    *,
    failed: str = "failed",
    trials: str | None = None,
    time: str | None = None,
    attributes: Iterable[str] | None = None,
    zone: str | ZoneInfo | None = None,
    depth: int = 2,
    min_cases: int = 30,
    alpha: float = 0.01,
    bound: str = "any false finding",
    level: float = 0.95,
    max_findings: int = 25,
    progress: Progress | bool = False,
) -> Causes:
    """Find the attributes that make cases fail, the few that stand once all others are held fixed.

    Parameters
    ----------
    cases : frame or CaseColumns
        One row a case, or with `trials` a row for many alike.
    failed, trials, time, attributes, zone
        As in `CaseColumns.from_frame`; not used where `cases` is one. With `time`, dated changes are asked too.
    depth : count
        1 asks single values; 2 also asks pairs of values of two attributes.
    min_cases : count
        Fewest cases inside and outside a region that is asked.
    alpha : share
        Error over everything that was tried: by default one search in a hundred blames what is innocent. Few cases
        may deserve 0.05.
    bound : text
        `"any false finding"` (the chance of even one) or `"share of false findings"` (finds more, some of them wrong).
    level : share
        Of the intervals. They are those of the final model: chosen regions look a little stronger than they are.
    max_findings : count
    progress : callable or truth

    Returns
    -------
    Causes

    Raises
    ------
    MissingColumn, BadRows, EmptyInput, OutOfRange, UnknownName

    Notes
    -----
    A step asks every value, every pair and every dated change by a score test given all that was found before, its
    tail by saddle point. Values, pairs and changes get an equal part of `alpha` each, and share it equally among
    themselves; a further part asks since when what was found is a cause, which are few questions.
    The strongest joins a logistic model; then every member is asked again given the others, and leaves where they
    explain it. So a region that only travels with a cause is cleared, and of an interaction neither part alone stays.

    Examples
    --------
    >>> rows = [(c, t, int(i < (12 if c == "C7" else 2))) for c in ("C1", "C7") for t in "AB" for i in range(60)]
    >>> frame = {"carrier": [r[0] for r in rows], "team": [r[1] for r in rows], "late": [r[2] for r in rows]}
    >>> print(find_causes(frame, failed="late", depth=1))
    28 of 240 cases failed (11.7 %); asked: 4 values
    carrier = C7: odds of failure 6.57 times those of like cases [2.31, 18.7] (crude 6.57)
      24 of 120 cases failed (20 %), 20 more than like cases; adjusted p = 0.000435
    """
    _check(depth, min_cases, alpha, bound, level, max_findings)
    table = (
        cases
        if isinstance(cases, CaseColumns)
        else CaseColumns.from_frame(cases, failed=failed, trials=trials, time=time, attributes=attributes, zone=zone)
    )
    if not table.attributes:
        raise EmptyInput("the list of attributes", "keep columns that tell the cases apart: carrier, product, team")
    kept, out = first_attributes(table, min_cases=min_cases)
    settings = Settings(depth, min_cases, alpha, bound == ADJUSTMENTS[1], max_findings)
    found = search(kept, settings, progress=reporter(progress))
    return described(kept, found, settings, level, bound, out)


def _check(depth: int, min_cases: int, alpha: float, bound: str, level: float, most: int) -> None:
    check_level(level)
    if depth not in (1, 2):
        raise OutOfRange("depth", depth, "1 or 2", "pairs are the deepest that is asked")
    if min_cases < 5:
        raise OutOfRange("min_cases", min_cases, "5 or more", "fewer cases than that prove nothing")
    if not 0 < alpha < 1:
        raise OutOfRange("alpha", alpha, "above 0, below 1", "write 1 % as alpha=0.01")
    if most < 1:
        raise OutOfRange("max_findings", most, "1 or more", "ask for at least one finding")
    if bound not in ADJUSTMENTS:
        raise UnknownName("bound", str(bound), ADJUSTMENTS)
