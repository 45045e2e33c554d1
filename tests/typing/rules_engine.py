"""What a type checker must infer about rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from crmcore.rules import Decision, Facts, FactTable, Rule, RuleSet, Tier, Tiers, Truth, count, field
from crmcore.rules.changes import Change
from crmcore.rules.columnar import TruthColumn
from crmcore.rules.decision_table import DecisionTable
from crmcore.rules.nodes import Condition, Term
from crmcore.rules.standings import AssignmentTable, Standing
from crmcore.rules.tiers import Assignment
from crmcore.rules.verdict import Verdict

NOW = datetime(2026, 6, 1, tzinfo=UTC)
table = FactTable.of_facts([Facts({"age": 3})])

assert_type(field("age"), Term)
assert_type(field("age") >= 18, Condition)
assert_type(field("age") == 18, Condition)
assert_type((field("age") >= 18) & ~(count("order") >= 1), Condition)
assert_type(field("age") * 2 + 1, Term)

rule = Rule("adult", field("age") >= 18)
decision = rule.decide({"age": 3}, now=NOW)
assert_type(decision, Decision)
assert_type(decision.truth, Truth)
assert_type(decision.holds, bool)
assert_type(decision.needed, tuple[Change, ...] | None)
assert_type(rule.mask(table, now=NOW), TruthColumn)

rules = RuleSet("set", [rule], policy="scored", unknown="ask")
assert_type(rules.decide({"age": 3}, now=NOW), Verdict)
assert_type(rules.decide_all(table, now=NOW), DecisionTable)

tiers = Tiers("tiers", [Tier("adult", field("age") >= 18)])
assigned = tiers.assign(None, {"age": 3}, now=NOW)
assert_type(assigned, Assignment)
assert_type(assigned.standing, Standing)
assert_type(tiers.assign_all(None, table, now=NOW), AssignmentTable)
