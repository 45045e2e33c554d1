"""What a model holds that nobody can ever buy, and rules that say nothing: found before a customer meets it."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from crmcore._base import Progress, html_table, reporter
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.idic.customize.configuring.attributes import NONE, Choice
from crmcore.idic.customize.configuring.conflicts import bits, smallest
from crmcore.idic.customize.configuring.domains import valid_values
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.search import Problem, Search

__all__ = ["Fault", "Finding", "LintReport", "lint"]


class Fault(enum.StrEnum):
    """Kinds of findings."""

    DEAD = "dead option"
    FALSE_OPTIONAL = "false optional"
    NO_CHOICE = "no choice"
    REDUNDANT = "redundant rule"
    PRICE_NEVER = "price never applies"


@attrs.frozen
class Finding(Document):
    """One finding: what, where, and the minimal set of rules that causes it."""

    fault: Fault
    where: str
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        cause = f", by {' and '.join(self.rules)}" if self.rules else ""
        return f"{self.fault}: {self.where}{cause}"


@attrs.frozen
class LintReport(Document):
    """Findings of one model, in its own order."""

    model: str
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or f"{self.model}: nothing found"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a finding."""
        columns = {
            "fault": [str(f.fault) for f in self.findings],
            "where": [f.where for f in self.findings],
            "rules": ["; ".join(f.rules) for f in self.findings],
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"fault": str(f.fault), "where": f.where, "rules": "; ".join(f.rules)} for f in self.findings]
        return html_table(rows, caption=f"{self.model}: {len(rows)} findings")


def lint(model: ProductModel, /, *, progress: Progress | bool = False) -> LintReport:
    """Find dead options, options that are no options, rules that follow from others, prices that never apply.

    Dead
        An option that no product has.
    False optional
        A choice that may be left out, or a flag, by its looks, and never can be.
    No choice
        An attribute of which only one value is left in all products.
    Redundant
        A rule that forbids nothing which the other rules allow.

    Examples
    --------
    >>> from crmcore.idic.customize.configuring import Choice, ProductModel, must
    >>> from crmcore.rules import field
    >>> model = ProductModel("lamp", [Choice("shade", ["paper", "glass", "silk"])],
    ...                      rules=[must("no silk", field("shade") != "silk")])
    >>> print(lint(model))
    dead option: shade = silk, by no silk
    """
    report = reporter(progress)
    valid = valid_values(model.problem, ())
    assert valid is not None, "a model always has a product"
    found: list[Finding] = []
    for v, attribute in enumerate(model.attributes):
        report("options", v + 1, len(model.attributes))
        found += _options(model, v, valid[v])
        if valid[v].bit_count() == 1 and len(attribute.values) > 1:
            only = attribute.labels[valid[v].bit_length() - 1]
            found.append(Finding(Fault.NO_CHOICE, f"{attribute.name} is always {only}"))
    for i, rule in enumerate(model.rules):
        report("rules", i + 1, len(model.rules))
        if _redundant(model.problem, i):
            found.append(Finding(Fault.REDUNDANT, rule.name))
    for price in model.prices:
        clauses = tuple(model.compiler.condition(price.when, name=price.name))
        extra = 1 << len(model.rules)
        both = Problem(
            model.problem.full,
            (*model.problem.clauses, *clauses),
            (*model.problem.sources, *(extra for _ in clauses)),
        )
        search = Search(both)
        if search.refuted is not None or not search.solve():
            found.append(Finding(Fault.PRICE_NEVER, price.name, _names(model, smallest(both, search.refuted or 0, ()))))
    return LintReport(model.name, tuple(found))


def _options(model: ProductModel, v: int, valid: int) -> list[Finding]:
    attribute, found = model.attributes[v], []
    extra = 1 << len(model.rules)
    for at in bits(model.problem.full[v] & ~valid):
        given = [(v, 1 << at, extra)]
        search = Search(model.problem, given)
        if search.refuted is None:
            search.solve()
        core = smallest(model.problem, search.refuted or 0, given)
        optional = isinstance(attribute, Choice) and attribute.values[at] == NONE
        left_out = optional or (attribute.values == (False, True) and at == 0)
        fault = Fault.FALSE_OPTIONAL if left_out else Fault.DEAD
        found.append(Finding(fault, f"{attribute.name} = {attribute.labels[at]}", _names(model, core)))
    return found


def _names(model: ProductModel, core: int) -> tuple[str, ...]:
    return tuple(rule.name for i, rule in enumerate(model.rules) if core >> i & 1)


def _redundant(problem: Problem, rule: int) -> bool:
    """Whether no product of the other rules breaks this one."""
    own = [c for c, s in zip(problem.clauses, problem.sources, strict=True) if s == 1 << rule]
    everything = 0
    for source in problem.sources:
        everything |= source
    others = problem.only(everything & ~(1 << rule))
    for clause in own:
        search = Search(others, [(v, problem.full[v] & ~mask, 0) for v, mask in clause.items()])
        if search.refuted is None and search.solve():
            return False
    return True
