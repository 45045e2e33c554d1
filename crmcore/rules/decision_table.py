"""The answers of a rule set for all subjects of a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.rules.columnar import Evaluation, TruthColumn
from crmcore.rules.fact_table import FactTable
from crmcore.rules.truth import Truth
from crmcore.rules.verdict import Verdict

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.rules.rule_set import RuleSet

__all__ = ["DecisionTable"]

NOBODY, OPEN = -1, -2


@attrs.frozen(eq=False, repr=False)
class DecisionTable:
    """What a rule set says about every subject; row i is subject i of the table.

    Attributes
    ----------
    rule_set : who decided
    table, now : about whom, and when
    truths : truth of every rule, in their order
    """

    rule_set: RuleSet
    table: FactTable
    now: datetime
    truths: tuple[TruthColumn, ...]

    @classmethod
    def of(cls, rule_set: RuleSet, table: FactTable, *, now: datetime) -> DecisionTable:
        """Decide: rules share what they have in common, such as the count of one window."""
        readers: dict[int, Evaluation] = {}
        truths = []
        for rule in rule_set.rules:
            reader = readers.setdefault(id(rule.vocabulary), Evaluation(table, now, rule.vocabulary))
            truths.append(reader.truth(rule.when))
        return cls(rule_set, table, now, tuple(truths))

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"DecisionTable({self.rule_set.name!r}, {len(self)} subjects, {len(self.truths)} rules)"

    def __getitem__(self, row: int) -> Verdict:
        """The same answer with its reasons, for one subject by row."""
        return self.rule_set.decide(self.table[row], now=self.now)

    def explain(self, customer: str) -> Verdict:
        """The same answer with its reasons, for one subject by id."""
        return self.rule_set.decide(self.table.of(customer), now=self.now)

    def fires(self, rule: int) -> NDArray[np.bool_]:
        """(n,) whether a rule by position counts: it holds, or is unknown where that counts as yes."""
        truth = self.truths[rule]
        return ~truth.false if self.rule_set.unknown == "yes" else truth.true

    @property
    def settled(self) -> NDArray[np.bool_]:
        """(n,) whether no fact has to be found out first."""
        if self.rule_set.policy == "first match":
            return np.asarray(self.chosen != OPEN)
        done = np.ones(len(self), np.bool_)
        if self.rule_set.unknown == "ask":
            for truth in self.truths:
                done &= truth.known
        return done

    @property
    def chosen(self) -> NDArray[np.int32]:
        """(n,) position of the first rule that holds, -1 = none, -2 = open until facts are found out."""
        found = np.full(len(self), NOBODY, np.int32)
        for i in reversed(range(len(self.truths))):
            if self.rule_set.unknown == "ask":
                found[self.truths[i].unknown] = OPEN
            found[self.fires(i)] = i
        return found

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n,) sum of the weights of the rules that fire."""
        found = np.zeros(len(self))
        for i, rule in enumerate(self.rule_set.rules):
            found += np.where(self.fires(i), rule.weight, 0.0)
        return found

    def outcomes(self) -> list[Any]:
        """Outcome of every subject, as `Verdict.outcome`."""
        rule_set = self.rule_set
        if rule_set.policy == "first match":
            known = [rule.then for rule in rule_set.rules]
            return [rule_set.default if c == NOBODY else None if c == OPEN else known[c] for c in self.chosen.tolist()]
        if rule_set.policy == "scored":
            return self._banded()
        nothing = [] if rule_set.default is None else [rule_set.default]
        made: list[Any] = [[] for _ in range(len(self))]
        for i, rule in enumerate(rule_set.rules):
            for row in np.flatnonzero(self.fires(i)).tolist():
                made[row].append(rule.then)
        return [found or list(nothing) for found in made]

    def _banded(self) -> list[Any]:
        rule_set, scores = self.rule_set, self.scores
        if not rule_set.bands:
            return list(scores.tolist())
        lows = np.array([band.at_least for band in reversed(rule_set.bands)])
        outcomes = [rule_set.default, *(band.then for band in reversed(rule_set.bands))]
        return [outcomes[i] for i in np.searchsorted(lows, scores, side="right").tolist()]

    def counts(self) -> dict[str, int]:
        """How many subjects each rule fires for; in a first-match set the first rule alone, and who got none."""
        names = [rule.name for rule in self.rule_set.rules]
        if self.rule_set.policy != "first match":
            return {name: int(self.fires(i).sum()) for i, name in enumerate(names)}
        shares = np.bincount(self.chosen + 2, minlength=len(names) + 2).tolist()
        made = dict(zip(names, shares[2:], strict=True)) | {"(no rule)": shares[1]}
        return made | ({"(open)": shares[0]} if shares[0] else {})

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {n:,}" for name, n in self.counts().items())
        return f'Rule set "{self.rule_set.name}" on {len(self):,} subjects: {shown}'

    def _repr_html_(self) -> str:
        rows = [{"rule": name, "subjects": n} for name, n in self.counts().items()]
        return html_table(rows, caption=f"{self.rule_set.name} ({self.rule_set.policy})", limit=50)

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per subject: its outcome as text, whether it is settled, the truth of every rule."""
        from crmcore.rules.rule import outcome_text

        words = np.array([str(Truth.UNKNOWN), str(Truth.TRUE), str(Truth.FALSE)], object)
        columns: dict[str, Any] = {
            "customer": list(self.table.customers.ids),
            "outcome": [None if o is None else outcome_text(o) for o in self.outcomes()],
            "settled": self.settled,
        }
        if self.rule_set.policy == "scored":
            columns["score"] = self.scores
        for rule, truth in zip(self.rule_set.rules, self.truths, strict=True):
            columns.setdefault(f"rule: {rule.name}", list(words[truth.true + 2 * truth.false]))
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """Bars: how many subjects each rule fires for."""
        from crmcore.charts import bar

        counts = self.counts()
        said = f"How many of {len(self):,} subjects each rule fires for"
        return bar(list(counts), list(counts.values()), title=self.rule_set.name, description=said, axis="subjects")
