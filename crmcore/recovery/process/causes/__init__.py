"""Root causes of failures: which attributes, pairs and dated changes stand once all others are held fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.process.causes.case_columns import Attribute, CaseColumns, Periods
    from crmcore.recovery.process.causes.finding_causes import find_causes
    from crmcore.recovery.process.causes.findings import Causes, Change, Cleared, Finding
    from crmcore.recovery.process.causes.pareto_table import Pareto, ParetoRow, pareto
    from crmcore.recovery.process.causes.regions import Literal, Period, Region
    from crmcore.recovery.process.causes.strata import StratifiedOdds, mantel_haenszel

__all__ = [
    "Attribute",
    "CaseColumns",
    "Causes",
    "Change",
    "Cleared",
    "Finding",
    "Literal",
    "Pareto",
    "ParetoRow",
    "Period",
    "Periods",
    "Region",
    "StratifiedOdds",
    "find_causes",
    "mantel_haenszel",
    "pareto",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Attribute": ".case_columns",
        "CaseColumns": ".case_columns",
        "Causes": ".findings",
        "Change": ".findings",
        "Cleared": ".findings",
        "Finding": ".findings",
        "Literal": ".regions",
        "Pareto": ".pareto_table",
        "ParetoRow": ".pareto_table",
        "Period": ".regions",
        "Periods": ".case_columns",
        "Region": ".regions",
        "StratifiedOdds": ".strata",
        "find_causes": ".finding_causes",
        "mantel_haenszel": ".strata",
        "pareto": ".pareto_table",
    },
)
