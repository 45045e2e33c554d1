"""The catalogue of a product that is customised: attributes, rules, prices, times; checked whole when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import attrs

from crmcore._base import between, html_table, listed
from crmcore.errors import BadDocument, ConflictingConstraints, CrmError, EmptyInput, UnknownName
from crmcore.idic.customize.configuring.attributes import Attribute, Choice, Flag, Range
from crmcore.idic.customize.configuring.clauses import Compiler
from crmcore.idic.customize.configuring.product_rules import PriceRule, ProductRule, Table
from crmcore.idic.customize.configuring.search import Clause, Problem, Search
from crmcore.rules.nodes import Condition
from crmcore.rules.schema import Flag as YesNo
from crmcore.rules.schema import Number, Schema, Text
from crmcore.values import Money

__all__ = ["ProductModel"]


def _attributes(value: Iterable[Attribute]) -> tuple[Attribute, ...]:
    hint = "write [Choice(...), Flag(...), Range(...)]"
    return listed(value, "attributes", (Choice, Flag, Range), what="attributes", hint=hint)


def _rules(value: Iterable[ProductRule | Table]) -> tuple[ProductRule | Table, ...]:
    return listed(value, "rules", (ProductRule, Table), what="rules", hint="write [requires(...), table(...)]")


def _prices(value: Iterable[PriceRule]) -> tuple[PriceRule, ...]:
    return listed(value, "prices", PriceRule, what="price rules", hint="write [surcharge(...), bundle(...)]")


@attrs.frozen(repr=False, slots=False)
class ProductModel:
    """What can be chosen about a product, and what goes together.

    Parameters
    ----------
    name
        What it is called.
    attributes
        What can be chosen.
    rules
        What must hold, each with a name of its own.
    prices
        Amounts that depend on several choices.
    base_price
        Price before any choice; its currency (or that of the first price) is the currency of the model.
    work_days
        Days of making it once every part is there.

    Raises
    ------
    BadDocument
        Names that are unknown or used twice and currencies that are mixed, all at once.
    ConflictingConstraints
        No product fulfils the rules; a minimal set of contradicting rules is named.

    Examples
    --------
    >>> from crmcore.idic.customize.configuring import Choice, requires
    >>> from crmcore.rules import field
    >>> car = ProductModel(
    ...     "car",
    ...     [Choice("trim", ["base", "lux"]), Choice("seat", ["cloth", "leather"])],
    ...     rules=[requires("leather needs lux", field("seat") == "leather", then=field("trim") == "lux")],
    ... )
    >>> print(car)
    car: 2 attributes with 4 values, 1 rule
    """

    name: str
    attributes: tuple[Attribute, ...] = attrs.field(converter=_attributes)
    rules: tuple[ProductRule | Table, ...] = attrs.field(default=(), converter=_rules, kw_only=True)
    prices: tuple[PriceRule, ...] = attrs.field(default=(), converter=_prices, kw_only=True)
    base_price: Money | None = attrs.field(default=None, kw_only=True)
    work_days: float = attrs.field(
        default=0.0, kw_only=True, validator=between(0, 36_500, hint="days of making it once every part is there")
    )

    def __attrs_post_init__(self) -> None:
        if not self.attributes:
            raise EmptyInput(f"the list of attributes of {self.name!r}", "name at least one thing to choose")
        problems = [*self._repeated(), *self._unknown(), *self._mixed()]
        if problems:
            hint = "repair these places: names in rules are those of attributes and options"
            raise BadDocument("product model", tuple(problems), hint)
        refuted = Search(self.problem)
        if refuted.refuted is not None or not refuted.solve():
            from crmcore.idic.customize.configuring.conflicts import smallest

            core = smallest(self.problem, refuted.refuted or 0, ())
            names = tuple(f"{self.rules[i].name!r}" for i in range(len(self.rules)) if core >> i & 1)
            hint = "no product fulfils all of them; drop or relax one of these (each is needed for the contradiction)"
            raise ConflictingConstraints(f"rules of {self.name!r}", names, hint)

    def _repeated(self) -> list[str]:
        found = []
        for what, names in (
            ("attributes", [a.name for a in self.attributes]),
            ("rules", [r.name for r in self.rules]),
            ("prices", [p.name for p in self.prices]),
        ):
            again = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
            found += [f"$.{what}: the name {n!r} stands {names.count(n)} times, expected once" for n in again]
        return found

    def _unknown(self) -> list[str]:
        found = []
        for i, rule in enumerate(self.rules):
            where = f"$.rules[{i}] {rule.name!r}"
            if isinstance(rule, Table):
                found += self._bad_cells(rule, where)
            else:
                for part in rule.parts:
                    found += [f"{where}: {fault}" for fault in self.schema.problems(part)]
        for i, price in enumerate(self.prices):
            found += [f"$.prices[{i}] {price.name!r}: {fault}" for fault in self.schema.problems(price.when)]
        return found

    def _bad_cells(self, rule: Table, where: str) -> list[str]:
        known = {a.name: a for a in self.attributes}
        found = []
        for column, name in enumerate(rule.attributes):
            if name not in known:
                found.append(f"{where}: {UnknownName('attribute', name, tuple(known))}")
                continue
            for cell in dict.fromkeys(row[column] for row in rule.rows):
                try:
                    if cell != "*":
                        known[name].position(cell)
                except CrmError as error:
                    found.append(f"{where}: {error}")
        return found

    def _mixed(self) -> list[str]:
        return [
            f"{where}: {money.currency} in a model whose currency is {self.currency}"
            for where, money in self._amounts()
            if money.currency != self.currency
        ]

    def _amounts(self) -> Iterable[tuple[str, Money]]:
        if self.base_price is not None:
            yield "$.base_price", self.base_price
        for i, attribute in enumerate(self.attributes):
            for part in attribute.parts:
                if part.price is not None:
                    yield f"$.attributes[{i}] {attribute.name!r}, {part.name!r}", part.price
        for i, price in enumerate(self.prices):
            yield f"$.prices[{i}] {price.name!r}", price.price

    # --- what others read ------------------------------------------------------------------------------------------

    @cached_property
    def currency(self) -> str | None:
        """Currency of all its prices, None where nothing has a price."""
        return next((money.currency for _, money in self._amounts()), None)

    @cached_property
    def schema(self) -> Schema:
        """Its attributes as facts, so that rules are checked by name, kind and unit."""
        kinds: dict[str, Text | Number | YesNo] = {}
        for a in self.attributes:
            if isinstance(a, Choice):
                kinds[a.name] = Text(allowed=a.values)
            else:
                kinds[a.name] = YesNo() if isinstance(a, Flag) else Number(a.unit or None)
        return Schema(kinds)

    @cached_property
    def compiler(self) -> Compiler:
        """Turns conditions over its attributes into clauses."""
        return Compiler(self.attributes)

    @cached_property
    def problem(self) -> Problem:
        """Its rules as clauses; rule i is bit i of the sources."""
        clauses: list[Clause] = []
        sources: list[int] = []
        for i, rule in enumerate(self.rules):
            made = self.compiler.rule(rule)
            clauses += made
            sources += [1 << i] * len(made)
        return Problem(self.compiler.full, tuple(clauses), tuple(sources))

    @property
    def index(self) -> dict[str, int]:
        """Place of each attribute."""
        return self.compiler.index

    def attribute(self, name: str) -> Attribute:
        """Attribute by its name; the error proposes the nearest."""
        return self.attributes[self.place(name)]

    def place(self, name: str) -> int:
        """Place of an attribute by its name; the error proposes the nearest."""
        if name not in self.index:
            raise UnknownName(f"attribute of {self.name}", str(name), tuple(self.index))
        return self.index[name]

    def check(self, condition: Condition) -> None:
        """Refuse a condition that asks for what the model does not have."""
        problems = self.schema.problems(condition)
        if problems:
            raise BadDocument(f"condition over {self.name}", problems, "use the names of its attributes and options")

    # --- ways out --------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; conditions in the form of `crmcore.rules`."""
        from crmcore.idic.customize.configuring.writing import model_to_dict

        return model_to_dict(self)

    @classmethod
    def from_dict(cls, document: object, /) -> ProductModel:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Every fault by its path.
        ConflictingConstraints
            The rules contradict each other.
        """
        from crmcore.idic.customize.configuring.writing import model_from_dict

        return model_from_dict(document)

    def __repr__(self) -> str:
        return f"ProductModel({self})"

    def __str__(self) -> str:
        n = sum(len(a.values) for a in self.attributes)
        counted = ((len(self.attributes), "attribute"), (len(self.rules), "rule"))
        attributes, rules = (f"{k} {word}{'s' * (k != 1)}" for k, word in counted)
        return f"{self.name}: {attributes} with {n} values, {rules}"

    def _repr_html_(self) -> str:
        rows = [{"attribute": a.name, "values": ", ".join(_some(a.labels))} for a in self.attributes]
        return html_table(rows, caption=str(self))


def _some(labels: tuple[str, ...]) -> tuple[str, ...]:
    return labels if len(labels) <= 6 else (*labels[:2], "...", labels[-1])
