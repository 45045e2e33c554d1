"""One customer's configuration: immutable, always completable, explained at every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

import attrs

from crmcore._base import between, html_table
from crmcore._frames import write_frame
from crmcore.documents import from_dict
from crmcore.errors import BadDocument, OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.configuring.attributes import Range, decimal_of
from crmcore.idic.customize.configuring.conflicts import Given, bits, refuted, smallest
from crmcore.idic.customize.configuring.counting import count_variants
from crmcore.idic.customize.configuring.domains import NATIVE, is_solver, valid_values
from crmcore.idic.customize.configuring.explaining import Conflict, NotPossible, Reason, Repair, chain, said
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.offers import Product, best_product, lead_span, price_span
from crmcore.idic.customize.configuring.repairing import explained
from crmcore.idic.customize.configuring.search import Search
from crmcore.values import Money

__all__ = ["Chosen", "Configuration", "configure"]

Value = str | bool | Decimal
Written = str | bool | int | float | Decimal


@attrs.frozen
class Chosen:
    """One choice: an attribute and the values it leaves, as they are read.

    Attributes
    ----------
    importance : how much the customer minds changing it; repairs change the least important first
    """

    attribute: str
    values: tuple[str, ...]
    importance: float = attrs.field(default=1.0, validator=between(1e-6, 1e6, hint="1 is usual, 2 minds twice as much"))


@attrs.frozen(repr=False, slots=False)
class Configuration:
    """Choices about one product that can all be had together; every step returns a new one.

    Examples
    --------
    >>> from crmcore.idic.customize.configuring import Choice, ProductModel, configure, requires
    >>> from crmcore.rules import field
    >>> rule = requires("leather needs lux", field("seat") == "leather", then=field("trim") == "lux")
    >>> car = ProductModel("car", [Choice("trim", ["base", "lux"]), Choice("seat", ["cloth", "leather"])], rules=[rule])
    >>> base = configure(car).choose(trim="base")
    >>> base.domains["seat"]
    ('cloth',)
    >>> print(*base.why("seat"), sep="; ")
    you chose trim = base; seat = cloth, by rule leather needs lux: seat is "leather" requires trim is "lux"
    >>> print(base.conflict(seat="leather"))
    trim = base and seat = leather cannot be had together, because of
      rule leather needs lux: seat is "leather" requires trim is "lux"
      repair 1: trim: lux instead of base
    """

    model: ProductModel
    choices: tuple[Chosen, ...] = ()
    solver: str = attrs.field(default=NATIVE, validator=is_solver, kw_only=True)

    def __attrs_post_init__(self) -> None:
        search = Search(self.model.problem, self._given)
        if search.refuted is not None or not search.solve():
            raise NotPossible(self._conflict(self.choices, fixed=()))

    # --- choosing --------------------------------------------------------------------------------------------------

    def choose(
        self, values: Mapping[str, Written] | None = None, /, *, importance: float = 1.0, **named: Written
    ) -> Configuration:
        """Choose values, in place of what was chosen for these attributes before.

        Parameters
        ----------
        values
            Mapping, for names that are no Python words.
        importance
            How much the customer minds changing them.

        Raises
        ------
        NotPossible
            They contradict what is chosen; it carries the minimal conflict and its repairs.
        NotOnOffer, UnknownName
            There is no such value; the nearest is named.
        """
        fresh = self._read(_merged(values, named), importance)
        return self.with_choices(fresh)

    def limit(
        self, attribute: str, /, *, at_least: Written | None = None, at_most: Written | None = None,
        importance: float = 1.0,
    ) -> Configuration:  # fmt: skip
        """Limit a range without choosing its value, such as a width to the room that it must fit into.

        The limits need not be steps of the range.
        """
        its = self.model.attribute(attribute)
        if not isinstance(its, Range):
            raise WrongType("attribute", f"{attribute!r}, no range", "a range", "use among() for options")
        low = None if at_least is None else decimal_of(at_least, "at_least")
        high = None if at_most is None else decimal_of(at_most, "at_most")
        fits = [
            label
            for label, v in zip(its.labels, its.values, strict=True)
            if (low is None or v >= low) and (high is None or v <= high)
        ]
        if not fits:
            allowed = f"limits that leave some of {its.low} to {its.high} in steps of {its.step}"
            got = f"{at_least} to {at_most}"
            raise OutOfRange(
                attribute, got, allowed, f"the nearest on offer is {its.low if high is not None else its.high}"
            )
        return self.with_choices([Chosen(attribute, tuple(fits), importance)])

    def among(self, attribute: str, values: Iterable[Written], /, *, importance: float = 1.0) -> Configuration:
        """Limit a choice to some of its options."""
        its = self.model.attribute(attribute)
        labels = tuple(its.labels[at] for at in sorted({its.position(v) for v in values}))
        if not labels:
            raise OutOfRange("values", "()", "at least one option", f"name some of {', '.join(its.labels[:6])}")
        return self.with_choices([Chosen(attribute, labels, importance)])

    def without(self, *attributes: str) -> Configuration:
        """Take choices back."""
        for name in attributes:
            self.model.place(name)
        return attrs.evolve(self, choices=tuple(c for c in self.choices if c.attribute not in attributes))

    def apply(
        self, repair: Repair, values: Mapping[str, Written] | None = None, /, **named: Written
    ) -> Configuration:  # fmt: skip
        """The configuration after a repair, together with the values that were refused before it.

        Examples
        --------
        >>> from crmcore.idic.customize.configuring import Choice, ProductModel, configure, excludes
        >>> from crmcore.rules import field
        >>> rule = excludes("one heat", field("stove") == "gas", field("oven") == "wood")
        >>> kitchen = ProductModel("kitchen", [Choice("stove", ["gas", "induction"]), Choice("oven", ["wood", "air"])],
        ...                        rules=[rule])
        >>> gas = configure(kitchen).choose(stove="gas")
        >>> print(gas.apply(gas.conflict(oven="wood").repairs[0], oven="wood"))
        kitchen: oven = wood; stove = induction
        """
        fresh = {c.attribute: c for c in self._read(_merged(values, named), 1.0)}
        for change in repair.changes:
            fresh[change.attribute] = Chosen(change.attribute, (change.new,), self._importance(change.attribute))
        return self.with_choices(list(fresh.values()))

    def _importance(self, attribute: str) -> float:
        return next((c.importance for c in self.choices if c.attribute == attribute), 1.0)

    def _read(self, values: Mapping[str, Written], importance: float) -> list[Chosen]:
        made = []
        for name, value in values.items():
            its = self.model.attribute(name)
            made.append(Chosen(name, (its.labels[its.position(value)],), importance))
        return made

    def _joined(self, fresh: Iterable[Chosen]) -> tuple[Chosen, ...]:
        new = {c.attribute: c for c in fresh}
        return (*(c for c in self.choices if c.attribute not in new), *new.values())

    def with_choices(self, fresh: Iterable[Chosen], /) -> Configuration:
        """Choose values or sets of values at once, in place of what was chosen for these attributes before."""
        fresh = tuple(fresh)
        joined = self._joined(fresh)
        search = Search(self.model.problem, self._facts(joined))
        if search.refuted is not None or not search.solve():
            raise NotPossible(self._conflict(joined, fixed=[c.attribute for c in fresh]))
        return attrs.evolve(self, choices=joined)

    def _facts(self, choices: Iterable[Chosen]) -> list[Given]:
        first = len(self.model.rules)
        facts = []
        for i, c in enumerate(choices):
            place = self.model.place(c.attribute)
            labels = self.model.attributes[place].labels
            odd = [v for v in c.values if v not in labels]
            if odd:
                raise UnknownName(f"value of {c.attribute}", odd[0], labels)
            mask = sum(1 << at for at, label in enumerate(labels) if label in c.values)
            facts.append((place, mask, 1 << (first + i)))
        return facts

    @cached_property
    def _given(self) -> list[Given]:
        return self._facts(self.choices)

    # --- what is left ----------------------------------------------------------------------------------------------

    @cached_property
    def _valid(self) -> list[int]:
        found = valid_values(self.model.problem, self._given, solver=self.solver)
        assert found is not None, "a configuration always completes"
        return found

    @property
    def domains(self) -> dict[str, tuple[Value, ...]]:
        """Values of every attribute that still complete to a product: each of them does, and no other."""
        pairs = zip(self.model.attributes, self._valid, strict=True)
        return {a.name: tuple(a.values[at] for at in bits(mask)) for a, mask in pairs}

    def alternatives(self, attribute: str) -> tuple[Value, ...]:
        """Values that could be had in place of what is chosen for an attribute, all other choices kept."""
        return self.without(attribute).domains[attribute]

    @property
    def is_complete(self) -> bool:
        """Whether every attribute has one value left."""
        return all(mask.bit_count() == 1 for mask in self._valid)

    @property
    def implied(self) -> dict[str, Value]:
        """Values that were not chosen and follow from what was; `why` tells the reasons."""
        chosen = {c.attribute for c in self.choices if len(c.values) == 1}
        return {name: left[0] for name, left in self.domains.items() if len(left) == 1 and name not in chosen}

    @property
    def variants(self) -> int:
        """Number of products that are left, exact; `OutOfRange` where rules tie too much together to be counted."""
        return count_variants(self.model.problem, [(v, mask, 0) for v, mask in enumerate(self._valid)])

    # --- why -------------------------------------------------------------------------------------------------------

    def why(self, attribute: str) -> tuple[Reason, ...]:
        """Chain of reasons from choices to the values that are left of an attribute; empty where all are left."""
        v = self.model.place(attribute)
        mask = self._valid[v]
        gone = self.model.problem.full[v] & ~mask
        if not gone:
            return ()
        extra = 1 << (len(self.model.rules) + len(self.choices))
        facts = [*self._given, (v, gone, extra)]
        texts = {g[2]: said(self.model, g[0], g[1]) for g in self._given}
        core = smallest(self.model.problem, refuted(self.model.problem, facts), facts) & ~extra
        return chain(self.model, self._given, core, (v, mask), texts)

    def conflict(self, values: Mapping[str, Written] | None = None, /, **named: Written) -> Conflict | None:
        """Why values cannot be had beside what is chosen, with the repairs that keep them; None where they can."""
        fresh = self._read(_merged(values, named), 1.0)
        joined = self._joined(fresh)
        search = Search(self.model.problem, self._facts(joined))
        if search.refuted is None and search.solve():
            return None
        return self._conflict(joined, fixed=[c.attribute for c in fresh])

    def _conflict(self, choices: tuple[Chosen, ...], *, fixed: Iterable[str]) -> Conflict:
        facts, names = self._facts(choices), set(fixed)
        kept = sum(g[2] for g, c in zip(facts, choices, strict=True) if c.attribute in names)
        return explained(self.model, facts, [c.importance for c in choices], fixed=kept)

    # --- prices, times, the best -----------------------------------------------------------------------------------

    @cached_property
    def price_range(self) -> tuple[Money, Money] | None:
        """Least and greatest price of what is left; None where the model has no prices."""
        return price_span(self.model, self._given)

    @property
    def lead_days(self) -> tuple[float, float]:
        """Least and greatest lead time in days: parts are waited for side by side, then the work is done."""
        return lead_span(self.model, self._given, self._valid)

    def cheapest(self) -> Product:
        """The completion with the least price."""
        return best_product(self.model, self._given)

    def best(
        self, weights: Mapping[str, Mapping[str, float] | float], /, *, budget: Money | None = None
    ) -> Product:  # fmt: skip
        """The completion that a customer with these preferences likes most.

        Parameters
        ----------
        weights
            For each attribute the score of its values by label, or one number: per unit of a range, for the yes of a
            flag. What is not named scores 0; preferences add up.
        budget
            Most that it may cost.
        """
        return best_product(self.model, self._given, weights=weights, budget=budget)

    # --- ways out --------------------------------------------------------------------------------------------------

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an attribute: what is chosen, what is left."""
        chosen = {c.attribute: ", ".join(c.values) for c in self.choices if len(c.values) == 1}
        implied = {n: str(v) for n, v in self.implied.items()}
        names = [a.name for a in self.model.attributes]
        left = [
            ", ".join(a.labels[at] for at in bits(m)) for a, m in zip(self.model.attributes, self._valid, strict=True)
        ]
        columns: dict[str, list[Any]] = {
            "attribute": names,
            "chosen": [chosen.get(n) for n in names],
            "implied": [n in implied for n in names],
            "left": left,
            "values_left": [m.bit_count() for m in self._valid],
        }
        return write_frame(columns, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Choices as plain JSON; the model is saved by itself."""
        choices = [
            {"attribute": c.attribute, "values": list(c.values), "importance": c.importance} for c in self.choices
        ]
        return {"model": self.model.name, "choices": choices}

    @classmethod
    def from_dict(cls, document: object, /, *, model: ProductModel) -> Configuration:
        """Read what `to_dict` wrote, checked against the model of today.

        Raises
        ------
        BadDocument
            It is no configuration of this model.
        NotPossible
            The rules of today forbid what was chosen.
        """
        if not isinstance(document, Mapping) or document.get("model") != model.name:
            raise BadDocument(
                "configuration", (f"$.model: expected {model.name!r}",), "pass the model that it was made of"
            )
        return cls(model, from_dict(tuple[Chosen, ...], document.get("choices", [])))

    def __repr__(self) -> str:
        return f"Configuration({self})"

    def __str__(self) -> str:
        chosen = "; ".join(said(self.model, g[0], g[1]) for g in self._given) or "nothing chosen"
        return f"{self.model.name}: {chosen}"

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        rows = [
            {"attribute": n, "chosen": c, "left": left if len(left) < 80 else f"{k} values"}
            for n, c, left, k in zip(
                frame["attribute"], frame["chosen"], frame["left"], frame["values_left"], strict=True
            )
        ]
        return html_table(rows, caption=str(self)[:200])


def _merged(values: Mapping[str, Written] | None, named: Mapping[str, Written]) -> dict[str, Written]:
    given: object = values
    if given is not None and not isinstance(given, Mapping):
        raise WrongType("values", f"a {type(values).__name__}", "a mapping", "write choose({'seat colour': 'red'})")
    return {**(values or {}), **named}


def configure(model: ProductModel, /, *, solver: str = NATIVE) -> Configuration:
    """Begin a configuration of a product.

    Parameters
    ----------
    model
        What can be chosen.
    solver
        "native", or "python-sat" where that library is installed: the same answers by another search.
    """
    given: object = model
    if not isinstance(given, ProductModel):
        raise WrongType("model", f"a {type(model).__name__}", "a ProductModel", "ProductModel.from_dict reads JSON")
    return Configuration(model, solver=solver)
