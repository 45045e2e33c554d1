"""Types of process recovery, as users see them."""

from __future__ import annotations

from typing import assert_type

from crmcore.lifecycle import Workflow
from crmcore.metrics import Counts, Estimate
from crmcore.recovery.process import (
    Causes,
    Change,
    ControlChart,
    Cusum,
    FaultTree,
    Finding,
    Fmea,
    Pareto,
    cusum,
    effectiveness,
    find_causes,
    mantel_haenszel,
    p_chart,
    pareto,
    xmr,
)
from crmcore.recovery.process.causes import Region, StratifiedOdds
from crmcore.recovery.process.control import Signal
from crmcore.recovery.process.registers import Effectiveness, FailureMode, Importance, Why, WhyTree, capa_workflow

causes = find_causes({"a": ["x", "y"], "failed": [True, False]})
assert_type(causes, Causes)
assert_type(causes.findings, tuple[Finding, ...])
assert_type(causes.changes, tuple[Change, ...])
assert_type(causes.findings[0].odds_ratio, Estimate)
assert_type(causes.findings[0].region, Region)
assert_type(causes.pareto(), Pareto)
assert_type(pareto({"late": 1}).vital(0.8), tuple[str, ...])
assert_type(mantel_haenszel([1], [2], [1], [2]), StratifiedOdds)

assert_type(xmr([1, 2, 3]), ControlChart)
assert_type(p_chart([1], [2]).signals, tuple[Signal, ...])
assert_type(cusum([1.0, 2.0]), Cusum)

assert_type(FaultTree("a", [], []).probability(), float)
assert_type(FaultTree("a", [], []).importance(), tuple[Importance, ...])
assert_type(Fmea("a", []).ranked(), tuple[FailureMode, ...])
assert_type(WhyTree("p", [Why("a")]).roots, tuple[Why, ...])
assert_type(WhyTree.from_dict({}), WhyTree)
assert_type(capa_workflow(), Workflow)
assert_type(effectiveness(Counts(1, 2), Counts(1, 2)), Effectiveness)
