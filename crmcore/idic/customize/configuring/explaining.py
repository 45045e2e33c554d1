"""Explanations that people read: conflicts, chains of reasons, repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import CrmError
from crmcore.idic.customize.configuring.conflicts import Given, bits
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.search import Search
from crmcore.values import Money

__all__ = ["Change", "Conflict", "NotPossible", "Reason", "Repair", "chain", "said"]


@attrs.frozen
class Change(Document):
    """One attribute of a repair: what was chosen, and what to take instead."""

    attribute: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.attribute}: {self.new} instead of {self.old}"


@attrs.frozen(kw_only=True)
class Repair(Document):
    """The least that has to change; every change is needed.

    Attributes
    ----------
    changes : what to choose instead
    importance : summed importance of the choices that change
    price : price of the cheapest product after it, None where the model has no prices
    """

    changes: tuple[Change, ...]
    importance: float
    price: Money | None = None

    def __str__(self) -> str:
        cost = "" if self.price is None else f" (from {self.price})"
        return "; ".join(map(str, self.changes)) + cost


@attrs.frozen(kw_only=True)
class Conflict(Document):
    """Choices that do not go together under rules; without any one of them the rest would.

    Attributes
    ----------
    choices : the choices that take part, as read
    rules : the rules that take part, as read
    repairs : what would resolve the whole configuration, the least change first
    """

    choices: tuple[str, ...]
    rules: tuple[str, ...]
    repairs: tuple[Repair, ...] = ()

    def __str__(self) -> str:
        lines = [f"{' and '.join(self.choices) or 'nothing'} cannot be had together, because of"]
        lines += [f"  rule {rule}" for rule in self.rules]
        lines += [f"  repair {i}: {repair}" for i, repair in enumerate(self.repairs, 1)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [{"what": "choice", "says": c} for c in self.choices]
        rows += [{"what": "rule", "says": r} for r in self.rules]
        rows += [{"what": "repair", "says": str(r)} for r in self.repairs]
        return html_table(rows, caption="cannot be had together")


@attrs.define(eq=False)
class NotPossible(CrmError, ValueError):
    """A choice contradicts earlier choices; the minimal conflict and its repairs travel with the error."""

    conflict: Conflict

    def __str__(self) -> str:
        shown = attrs.evolve(self.conflict, repairs=())
        first = next(iter(self.conflict.repairs), None)
        hint = "take back one of these choices" if first is None else f"choose {first}"
        return f"{shown}\n  hint: {hint}"


@attrs.frozen
class Reason(Document):
    """One step of a chain: what is known, from which rule, or as a choice where `rule` is empty."""

    fact: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.fact}, by rule {self.rule}" if self.rule else f"you chose {self.fact}"


def said(model: ProductModel, variable: int, mask: int) -> str:
    """A fact about one attribute for eyes."""
    attribute = model.attributes[variable]
    labels = [attribute.labels[at] for at in bits(mask)]
    if len(labels) == 1:
        return f"{attribute.name} = {labels[0]}"
    full = len(attribute.labels)
    if len(labels) * 2 > full and full - len(labels) <= 3:
        gone = [label for at, label in enumerate(attribute.labels) if not mask >> at & 1]
        return f"{attribute.name} is not {' or '.join(gone)}"
    shown = labels if len(labels) <= 5 else [*labels[:2], "...", labels[-1]]
    return f"{attribute.name} is {', '.join(shown)}"


def chain(
    model: ProductModel, given: Sequence[Given], core: int, target: tuple[int, int], texts: Mapping[int, str]
) -> tuple[Reason, ...]:
    """Steps from choices to a fact, using the rules and choices of a minimal core only.

    Where propagation alone does not reach the fact, the last step says that every other value leads to a
    contradiction of the rules that are left.
    """
    search = Search(model.problem.only(core), [g for g in given if g[2] & core])
    variable, mask = target
    steps: list[Reason] = []
    used = 0
    needed = {variable: model.problem.full[variable] & ~mask}  # values whose removal is to be explained
    closed = not search.domains[variable] & ~mask
    for v, now, old, clause, source in search.history() if closed else ():
        gone = needed.get(v, 0) & old & ~now
        if not gone:
            continue
        needed[v] &= ~gone
        for other, its in clause.items():
            if other != v:
                needed[other] = needed.get(other, 0) | its
        used |= source
        steps.append(_step(model, v, now, source, texts))
    steps.reverse()
    if not closed:
        steps = [_step(model, g[0], g[1], g[2], texts) for g in given if g[2] & core]
    rest = core & ~used & ((1 << len(model.rules)) - 1)
    if not closed:
        names = "; ".join(str(model.rules[i]) for i in bits(rest))
        steps.append(Reason(f"{said(model, variable, mask)} as every other value contradicts", names))
    return tuple(steps)


def _step(model: ProductModel, variable: int, mask: int, source: int, texts: Mapping[int, str]) -> Reason:
    place = source.bit_length() - 1
    if source in texts:
        return Reason(texts[source])
    return Reason(said(model, variable, mask), str(model.rules[place]))
