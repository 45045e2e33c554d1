"""Three levels of customisation, each with a switch: the product, the services around it, its presentation."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import html_table, listed
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.configuring.configuration import Configuration
from crmcore.idic.customize.configuring.explaining import NotPossible
from crmcore.rules import Rule
from crmcore.rules.facts import Facts
from crmcore.rules.nodes import Condition

__all__ = ["Adaptation", "Customisation", "CustomisedOffer", "Given", "Level"]


class Level(enum.StrEnum):
    """What is adapted to the customer."""

    PRODUCT = "product"
    SERVICE = "service"
    PRESENTATION = "presentation"


def _gives(value: Mapping[str, str] | str) -> Mapping[str, str] | str:
    given: object = value
    if isinstance(given, str) or (isinstance(given, Mapping) and all(isinstance(k, str) for k in given)):
        return value
    raise WrongType(
        "gives", f"a {type(value).__name__}", "a name or a mapping", "write 'gift wrap' or {'seat': 'cloth'}"
    )


@attrs.frozen
class Adaptation:
    """What a customer gets where a condition about them holds.

    Attributes
    ----------
    name : what reasons call it
    level : product, service or presentation
    when : a condition over facts of the customer; unknown counts as no
    gives : values of attributes for a product, the name of a service or of a layout otherwise
    """

    name: str
    level: Level = attrs.field(converter=Level)
    when: Condition
    gives: Mapping[str, str] | str = attrs.field(converter=_gives, hash=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.gives, str) == (self.level is Level.PRODUCT):
            allowed = "values of attributes" if self.level is Level.PRODUCT else "one name"
            raise OutOfRange(f"gives of {self.name!r}", self.gives, allowed, f"the level is {self.level}")


@attrs.frozen
class Given(Document):
    """Something that is given (or not), and why."""

    level: Level
    what: str
    reason: str
    given: bool = True

    def __str__(self) -> str:
        return f"{self.level}: {'' if self.given else 'not '}{self.what}, {self.reason}"


@attrs.frozen(kw_only=True)
class CustomisedOffer:
    """What one customer gets on the three levels, with the reasons."""

    configuration: Configuration
    services: tuple[str, ...]
    layout: str
    reasons: tuple[Given, ...]

    def __str__(self) -> str:
        services = ", ".join(self.services) or "no service"
        return f"{self.configuration} | {services} | layout {self.layout}"

    def _repr_html_(self) -> str:
        rows = [{"level": str(r.level), "what": r.what, "given": r.given, "why": r.reason} for r in self.reasons]
        return html_table(rows, caption=str(self)[:200])


def _adaptations(value: Iterable[Adaptation]) -> tuple[Adaptation, ...]:
    return listed(value, "adaptations", Adaptation, what="adaptations", hint="write [Adaptation(...)]")


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "names", str, what="names", hint="write ['gift wrap']; the first layout is everybody's")


@attrs.frozen(kw_only=True)
class Customisation:
    """A product, its services and its layouts, and who gets what of them.

    Adaptations are tried in their order: of a product all that go together (an earlier one wins), of services all, of
    layouts the first. A level that is switched off gives what everybody gets.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.idic.customize.configuring import Choice, ProductModel, configure
    >>> from crmcore.rules import field
    >>> bag = ProductModel("bag", [Choice("strap", ["short", "long"])])
    >>> levels = Customisation(
    ...     product=configure(bag),
    ...     services=["gift wrap"],
    ...     layouts=["plain", "large type"],
    ...     adaptations=[
    ...         Adaptation("tall", "product", field("height") > 180, {"strap": "long"}),
    ...         Adaptation("presents", "service", field("buys_presents").is_true(), "gift wrap"),
    ...         Adaptation("reads large", "presentation", field("age") >= 65, "large type"),
    ...     ],
    ... )
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> print(levels.offer({"height": 190, "buys_presents": True, "age": 70}, now=now))
    bag: strap = long | gift wrap | layout large type
    >>> print(levels.offer({"height": 190, "age": 70}, now=now, switched_on=["product"]))
    bag: strap = long | no service | layout plain
    """

    product: Configuration
    layouts: tuple[str, ...] = attrs.field(converter=_names)
    services: tuple[str, ...] = attrs.field(default=(), converter=_names)
    adaptations: tuple[Adaptation, ...] = attrs.field(default=(), converter=_adaptations)

    def __attrs_post_init__(self) -> None:
        if not self.layouts:
            raise OutOfRange("layouts", "()", "at least one name", "the first is the layout of everybody")
        for a in self.adaptations:
            if isinstance(a.gives, str):
                known = self.services if a.level is Level.SERVICE else self.layouts
                if a.gives not in known:
                    raise UnknownName(f"{a.level} of adaptation {a.name!r}", a.gives, known)
            else:
                for name, value in a.gives.items():
                    self.product.model.attribute(name).position(value)

    def offer(
        self,
        facts: Facts | Mapping[str, object],
        /,
        *,
        now: datetime,
        switched_on: Iterable[Level | str] = tuple(Level),
    ) -> CustomisedOffer:
        """What one customer gets.

        Parameters
        ----------
        facts
            What is known about the customer.
        now
            Instant of the question; aware.
        switched_on
            Levels that are adapted.
        """
        on = {_level(name) for name in listed(switched_on, "switched_on", str, what="levels", hint="write ['product']")}
        reasons: list[Given] = []
        made, services, layout = self.product, [], None
        for a in self.adaptations:
            if a.level not in on:
                continue
            what = a.gives if isinstance(a.gives, str) else ", ".join(f"{k} = {v}" for k, v in a.gives.items())
            decision = Rule(a.name, a.when).decide(facts, now=now)
            if not decision.holds:
                continue
            why = f"because {a.name}: {a.when}"
            if not isinstance(a.gives, str):
                taken = {c.attribute for c in made.choices}
                wanted = {k: v for k, v in a.gives.items() if k not in taken}
                try:
                    made = made.choose(wanted)
                except NotPossible as error:
                    against = " and ".join(error.conflict.rules).split(":", 1)[0]
                    reasons.append(Given(a.level, what, f"it contradicts {against}", given=False))
                    continue
                if not wanted:
                    reasons.append(Given(a.level, what, "it was decided before", given=False))
                    continue
            elif a.level is Level.SERVICE:
                services.append(a.gives)
            elif layout is None:
                layout = a.gives
            else:
                reasons.append(Given(a.level, what, "an earlier layout was taken", given=False))
                continue
            reasons.append(Given(a.level, what, why))
        return CustomisedOffer(
            configuration=made,
            services=tuple(dict.fromkeys(services)),
            layout=layout or self.layouts[0],
            reasons=tuple(reasons),
        )


def _level(name: str) -> Level:
    if name not in tuple(Level):
        raise UnknownName("level", str(name), tuple(x.value for x in Level))
    return Level(name)
