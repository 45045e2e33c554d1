"""The answer of a rule set for one subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.rules.decision import Decision
from crmcore.rules.truth import Truth

if TYPE_CHECKING:
    from crmcore.rules.rule import Rule
    from crmcore.rules.rule_set import RuleSet

__all__ = ["Verdict"]


@attrs.frozen(eq=False, repr=False)
class Verdict:
    """What a rule set says about one subject at one instant.

    Attributes
    ----------
    rule_set : who decided
    decisions : of every rule, in their order
    fired : rules that count: the first, all that hold, or all that add points
    asks : facts to find out before the answer is settled; only where unknown counts as "ask"
    """

    rule_set: RuleSet
    decisions: tuple[Decision, ...]
    fired: tuple[Rule, ...]
    asks: tuple[str, ...]

    @classmethod
    def of(cls, rule_set: RuleSet, decisions: tuple[Decision, ...]) -> Verdict:
        """Join the decisions of the rules by the policy of their set."""
        yes = {Truth.TRUE, Truth.UNKNOWN} if rule_set.unknown == "yes" else {Truth.TRUE}
        first = rule_set.policy == "first match"
        fired: list[Rule] = []
        asks: dict[str, None] = {}
        for decision in decisions:
            if decision.truth in yes:
                fired.append(decision.rule)
                if first:
                    break
            elif decision.truth is Truth.UNKNOWN and rule_set.unknown == "ask":
                asks |= dict.fromkeys(decision.asks)
        if first and asks:
            fired = []
        return cls(rule_set, decisions, tuple(fired), tuple(asks))

    @property
    def settled(self) -> bool:
        """Whether no fact has to be found out first."""
        return not self.asks

    @property
    def outcome(self) -> Any:
        """Outcome by the policy.

        First match: of the rule that fired, the default where none did, None while facts must be found out. All
        matches: the list of outcomes, or of the default alone. Scored: of the highest band reached, else the default;
        without bands the score.
        """
        rule_set = self.rule_set
        if rule_set.policy == "scored":
            reached = [band.then for band in rule_set.bands if self.score >= band.at_least]
            return (reached[0] if reached else rule_set.default) if rule_set.bands else self.score
        if rule_set.policy == "all matches":
            nothing = [] if rule_set.default is None else [rule_set.default]
            return [rule.then for rule in self.fired] or nothing
        if not self.settled:
            return None
        return self.fired[0].then if self.fired else rule_set.default

    @property
    def score(self) -> float:
        """Sum of the weights of the rules that fired."""
        return sum(rule.weight for rule in self.fired)

    @property
    def score_range(self) -> tuple[float, float]:
        """Lowest and highest score that the unknown facts leave possible."""
        sure = sum(d.rule.weight for d in self.decisions if d.holds)
        open_ = [d.rule.weight for d in self.decisions if d.truth is Truth.UNKNOWN]
        return sure + sum(w for w in open_ if w < 0), sure + sum(w for w in open_ if w > 0)

    def __repr__(self) -> str:
        return f"Verdict({self.rule_set.name!r}, {self.outcome!r})"

    def __str__(self) -> str:
        from crmcore.rules.rule import outcome_text

        given = "open" if not self.settled and self.outcome is None else outcome_text(self.outcome)
        lines = [f'Rule set "{self.rule_set.name}" ({self.rule_set.policy}): {given}.']
        if self.rule_set.policy == "scored":
            low, high = self.score_range
            wide = "" if low == high else f" (between {number_text(low)} and {number_text(high)})"
            lines.append(f"Score {number_text(self.score)}{wide}.")
        if self.asks:
            lines.append(f"Find out first: {', '.join(self.asks)}.")
        return "\n".join([*lines, *(f"- {d}" for d in self.decisions)])

    def _repr_html_(self) -> str:
        counted = {id(rule) for rule in self.fired}
        rows = [
            {
                "rule": d.rule.name,
                "answer": str(d.truth),
                "fired": "yes" if id(d.rule) in counted else "",
                "reasons": "; ".join(map(str, d.reasons)),
            }
            for d in self.decisions
        ]
        return html_table(rows, caption=f"{self.rule_set.name}: {self.outcome}", limit=50)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: outcome, rules that fired, asks, score, and the decision of every rule."""
        made: dict[str, Any] = {
            "rule_set": self.rule_set.name,
            "policy": str(self.rule_set.policy),
            "outcome": self.outcome,
            "settled": self.settled,
            "fired": [rule.name for rule in self.fired],
            "asks": list(self.asks),
            "decisions": [d.to_dict() for d in self.decisions],
        }
        if self.rule_set.policy == "scored":
            made |= {"score": self.score, "score_range": list(self.score_range)}
        return made
