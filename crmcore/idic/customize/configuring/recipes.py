"""From tastes to a recipe; an allergen is a wall, never a weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

import attrs

from crmcore._base import listed
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.configuring.configuration import Chosen, Configuration
from crmcore.idic.customize.configuring.explaining import Conflict, NotPossible
from crmcore.idic.customize.configuring.offers import Product
from crmcore.values import Money

__all__ = ["LeftOut", "Recipe", "recipe"]


@attrs.frozen
class LeftOut(Document):
    """An option that is out, and why."""

    option: str
    reason: str


@attrs.frozen(kw_only=True)
class Recipe(Document):
    """A product for a taste.

    Attributes
    ----------
    product : its values, price and score
    tastes : how much of each taste the recipe brings
    left_out : options that allergens removed, whatever their score
    """

    product: Product
    tastes: Mapping[str, float] = attrs.field(hash=False)
    left_out: tuple[LeftOut, ...] = ()

    def __str__(self) -> str:
        out = "".join(f"\n  without {o.option}: {o.reason}" for o in self.left_out)
        return f"{self.product}{out}"


def recipe(
    configuration: Configuration,
    tastes: Mapping[str, float],
    /,
    *,
    allergens: Iterable[str] = (),
    budget: Money | None = None,
) -> Recipe:
    """The product that a customer with these tastes likes most, and that holds none of these allergens.

    Parameters
    ----------
    configuration
        What is already chosen; allergens apply to it too.
    tastes
        How much the customer likes each taste; negative for what is disliked. The score is the sum over options of
        taste times liking.
    allergens
        What must not be inside. An option that declares nothing (`contains=None`) is left out too: what nobody
        declared is not safe; write `contains=[]` for sizes and whatever else is free of allergens.
    budget
        Most that it may cost.

    Raises
    ------
    UnknownName
        An allergen or taste that no option declares: a spelling that differs must not pass as safe.
    NotPossible
        No product is left without them.

    Examples
    --------
    >>> from crmcore.idic.customize.configuring import Choice, Option, ProductModel, configure
    >>> bowl = ProductModel("bowl", [Choice("sauce", [
    ...     Option("satay", contains=["nuts"], tastes={"rich": 1.0}),
    ...     Option("lime", contains=[], tastes={"fresh": 0.8})])])
    >>> print(recipe(configure(bowl), {"rich": 1.0}, allergens=["nuts"]))
    sauce lime, 0 days
      without sauce = satay: contains nuts
    """
    model = configuration.model
    liked = _likes(configuration, tastes)
    avoided = tuple(listed(allergens, "allergens", str, what="allergens", hint="write ['nuts']"))
    declared = sorted({c for a in model.attributes for p in a.parts for c in p.contains or ()})
    for allergen in avoided:
        if allergen not in declared:
            raise UnknownName("allergen", allergen, tuple(declared))
    walls, out = _walls(configuration, avoided)
    weights = {
        a.name: {
            label: sum(liked.get(t, 0.0) * x for t, x in p.tastes.items())
            for label, p in zip(a.labels, a.parts, strict=True)
        }
        for a in model.attributes
    }
    product = _behind_walls(configuration, walls, out).best(weights, budget=budget)
    brought: dict[str, float] = {}
    for a in model.attributes:
        part = a.parts[a.labels.index(product.values[a.name])]
        for taste, x in part.tastes.items():
            brought[taste] = brought.get(taste, 0.0) + x
    return Recipe(product=product, tastes=brought, left_out=tuple(o for found in out.values() for o in found))


def _behind_walls(
    configuration: Configuration, walls: Mapping[str, list[str]], out: Mapping[str, list[LeftOut]]
) -> Configuration:  # fmt: skip
    """The configuration with safe options only; a refusal never proposes one that is not."""
    safe = []
    for attribute, labels in walls.items():
        before = next((c.values for c in configuration.choices if c.attribute == attribute), tuple(labels))
        both = tuple(label for label in labels if label in before)
        if not both:
            raise NotPossible(_nothing_left(attribute, out))
        safe.append(Chosen(attribute, both, 1e6))
    try:
        return configuration.with_choices(safe)
    except NotPossible as error:
        repairs = tuple(
            repair
            for repair in error.conflict.repairs
            if all(c.new in walls.get(c.attribute, (c.new,)) for c in repair.changes)
        )
        raise NotPossible(attrs.evolve(error.conflict, repairs=repairs)) from None


def _nothing_left(attribute: str, out: Mapping[str, list[LeftOut]]) -> Conflict:
    return Conflict(
        choices=(f"what is chosen or left of {attribute}", "the allergens to avoid"),
        rules=tuple(f"{o.option}: {o.reason}" for o in out[attribute]),
    )


def _walls(
    configuration: Configuration, avoided: tuple[str, ...]
) -> tuple[dict[str, list[str]], dict[str, list[LeftOut]]]:  # fmt: skip
    """Labels that are safe, of each attribute that loses some, and what is lost."""
    walls: dict[str, list[str]] = {}
    out: dict[str, list[LeftOut]] = {}
    for a in configuration.model.attributes if avoided else ():
        for label, part in zip(a.labels, a.parts, strict=True):
            inside = [x for x in avoided if part.contains is None or x in part.contains]
            if not inside:
                continue
            why = "nobody declared what it contains" if part.contains is None else f"contains {', '.join(inside)}"
            out.setdefault(a.name, []).append(LeftOut(f"{a.name} = {label}", why))
        if a.name in out:
            lost = {o.option for o in out[a.name]}
            walls[a.name] = [label for label in a.labels if f"{a.name} = {label}" not in lost]
    return walls, out


def _likes(configuration: Configuration, tastes: Mapping[str, float]) -> dict[str, float]:
    given: object = tastes
    if not isinstance(given, Mapping):
        raise WrongType("tastes", f"a {type(tastes).__name__}", "a mapping", "write {'sweet': 1.0, 'hot': -0.5}")
    known = sorted({t for a in configuration.model.attributes for p in a.parts for t in p.tastes})
    for taste, liking in tastes.items():
        if taste not in known:
            raise UnknownName("taste", str(taste), tuple(known))
        if isinstance(liking, bool) or not isinstance(liking, int | float) or not isfinite(liking):
            raise OutOfRange(f"tastes[{taste!r}]", liking, "a finite number", "positive likes, negative dislikes")
    return dict(tastes)
