"""Survivorship: which of a customer's contradicting values becomes the golden one, and how the choice is written down.

A plan is data: one rule per field, or per group of fields that must come from one record, such as an address. The
kernel that answers for a whole population at once is `choosing.choose`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName, WrongType
from crmcore.plugins import names, resolve
from crmcore.protocols import Survivorship

__all__ = ["Cells", "Chooser", "FieldRule", "Strategy", "SurvivorshipPlan", "load_strategy"]

Codes = NDArray[np.int32]


class Strategy(enum.StrEnum):
    """How one value is chosen among several; ties go to recency, then source priority, then text, then record id."""

    SOURCE_PRIORITY = "source priority"  # the source that the plan trusts most
    MOST_RECENT = "most recent"  # the latest record; unknown time counts as oldest
    MOST_COMPLETE = "most complete"  # the longest text; in a group the record that fills the most fields
    VOTE = "vote"  # the value that most records carry
    FIRST = "first"  # the earliest known time; unknown time comes last
    UNION = "union"  # every distinct value, the most recent first


SINGLE = tuple(s for s in Strategy if s is not Strategy.UNION)


@attrs.frozen(eq=False, repr=False)
class Cells:
    """The filled cells of one field over all records: `record[i]` of `entity[i]` carries `text[code[i]]`.

    A strategy of your own reads these columns and returns one score per cell. In a group of fields a code stands for
    the combination of values, and its text is the values joined by a line break.
    """

    entity: Codes  # (m,)
    record: Codes  # (m,) row of the record table
    code: Codes  # (m,) position in text; equal codes are equal values
    source: Codes  # (m,)
    sources: tuple[str, ...]
    time: NDArray[np.datetime64]  # (m,) NaT = unknown
    text: Sequence[str]
    filled: NDArray[np.int32]  # (m,) fields of the rule that the record fills; 1 unless the rule is a group
    leads: NDArray[np.bool_]  # (m,) whether the record fills the first field of the group

    def __len__(self) -> int:
        return len(self.entity)

    def __repr__(self) -> str:
        return f"Cells({len(self)} cells, {len(self.text)} values)"


@runtime_checkable
class Chooser(Protocol):
    """A strategy over columns: score of each cell, the highest of each entity wins, NaN never wins over a number.

    A strategy that looks at one person at a time implements `crmcore.protocols.Survivorship` instead; it is called once
    per person who has several values.
    """

    def __call__(self, cells: Cells, /) -> NDArray[np.float64]: ...


def _fields(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


def _strategy(given: Strategy | str | Chooser | Survivorship) -> Strategy | str | Chooser | Survivorship:
    if not isinstance(given, str):
        if isinstance(given, type) or not (callable(given) or isinstance(given, Survivorship)):
            raise WrongType(
                "strategy", type(given).__name__, "a Strategy, a name or a callable", "see survivorship.Chooser"
            )
        return given
    try:
        return Strategy(given)
    except ValueError:
        plugged = names("survivorship")
        if given not in plugged:
            raise UnknownName("survivorship strategy", given, (*(str(s) for s in Strategy), *plugged)) from None
        return given


def _order(given: Strategy | str) -> Strategy:
    if given not in SINGLE:
        raise UnknownName("order of a union", str(given), tuple(str(s) for s in SINGLE))
    return Strategy(given)


@attrs.frozen
class FieldRule:
    """How one field survives, or several together from one record.

    Parameters
    ----------
    fields : names
        More than one makes a group: the winning record gives all of them, and what it lacks stays missing.
    strategy : Strategy, name of a plug-in, or an object of your own
        See `Strategy`, `Chooser` and `crmcore.protocols.Survivorship`.
    order : Strategy
        Only for a union: what orders its values; the first is the one that is shown where one is needed.
    sources : names
        Best first; replaces the plan's source priority for this rule.

    Examples
    --------
    >>> FieldRule(("phone",), "union").strategy
    <Strategy.UNION: 'union'>
    """

    fields: tuple[str, ...] = attrs.field(converter=_fields)
    strategy: Strategy | str | Chooser | Survivorship = attrs.field(converter=_strategy)
    order: Strategy = attrs.field(default=Strategy.MOST_RECENT, converter=_order)
    sources: tuple[str, ...] = attrs.field(default=(), converter=_words)

    def __attrs_post_init__(self) -> None:
        if len(self.fields) > 1 and self.strategy is Strategy.UNION:
            raise WrongType(
                "strategy",
                "union on a group of fields",
                "a strategy that picks one record",
                "give each field its own union rule",
            )

    @property
    def label(self) -> str:
        """Name of the strategy, as lineage reports it."""
        return (
            str(self.strategy)
            if isinstance(self.strategy, str)
            else getattr(self.strategy, "__name__", type(self.strategy).__name__)
        )

    def to_dict(self) -> dict[str, object]:
        """Plain data; a callable has none, register it as a plug-in and give its name."""
        if not isinstance(self.strategy, str):
            raise WrongType(
                "strategy",
                "a callable",
                "a name",
                "register it under the entry-point group 'crmcore.survivorship' and use that name",
            )
        plain: dict[str, object] = {"fields": list(self.fields), "strategy": str(self.strategy)}
        if self.strategy is Strategy.UNION:
            plain["order"] = str(self.order)
        if self.sources:
            plain["sources"] = list(self.sources)
        return plain


def load_strategy(name: str) -> Chooser | Survivorship:
    """Plug-in of this name; `BrokenPlugin` names its distribution where it cannot be used."""
    found = resolve("survivorship", name)
    if not isinstance(found, type) and (isinstance(found, Survivorship) or callable(found)):
        return cast("Chooser | Survivorship", found)  # a callable shows what it returns only when it is called
    raise WrongType("survivorship plug-in", type(found).__name__, "an object with choose, or a callable", "see Chooser")


ADDRESS = ("address", "street", "street number", "postcode", "city", "state", "country")

# What a person may have several of is kept whole; what a person has one of is voted on, for errors are rarer than
# truth; an address moves as one piece: the street of one record with the city of another is nobody's home.
DEFAULT_RULES = (
    *(FieldRule((f,), Strategy.UNION) for f in ("phone", "email", "handle", "identifier")),
    *(FieldRule((f,), Strategy.VOTE) for f in ("name", "full name", "given name", "surname", "birth date", "gender")),
    FieldRule(ADDRESS, Strategy.MOST_RECENT),
)


def _rules(given: Iterable[FieldRule]) -> tuple[FieldRule, ...]:
    return tuple(given)


@attrs.frozen
class SurvivorshipPlan:
    """Rules of all fields, as data.

    A field is a role word (`phone`, `given name`, ...) or, where a column has no role, the column's name. Fields
    without a rule survive by `otherwise`. Sources that `source_priority` does not list come last, by name.

    Examples
    --------
    >>> plan = SurvivorshipPlan().where("name", "most complete")
    >>> SurvivorshipPlan.from_dict(plan.to_dict()) == plan, plan.rule("name").label, plan.rule("city").fields[1]
    (True, 'most complete', 'street')
    """

    rules: tuple[FieldRule, ...] = attrs.field(default=DEFAULT_RULES, converter=_rules)
    source_priority: tuple[str, ...] = attrs.field(default=(), converter=_words)
    otherwise: Strategy | str | Chooser | Survivorship = attrs.field(default=Strategy.MOST_RECENT, converter=_strategy)

    def __attrs_post_init__(self) -> None:
        named = [f for r in self.rules for f in r.fields]
        twice = sorted({f for f in named if named.count(f) > 1})
        if twice:
            raise WrongType(
                "rules",
                f"two rules for {', '.join(twice)}",
                "one rule per field",
                "use plan.where(field, strategy) to replace a rule",
            )

    def where(
        self,
        fields: str | Sequence[str],
        strategy: Strategy | str | Chooser | Survivorship,
        *,
        order: Strategy | str = Strategy.MOST_RECENT,
        sources: Sequence[str] = (),
    ) -> SurvivorshipPlan:
        """Return the plan with the rule of these fields replaced; a group loses only the fields that are named here."""
        new = FieldRule(fields, strategy, order, sources)
        kept = []
        for rule in self.rules:
            rest = tuple(f for f in rule.fields if f not in new.fields)
            if rest:
                kept.append(rule if rest == rule.fields else attrs.evolve(rule, fields=rest))
        return attrs.evolve(self, rules=(*kept, new))

    def rule(self, field: str) -> FieldRule:
        """Rule that decides this field."""
        return next((r for r in self.rules if field in r.fields), FieldRule((field,), self.otherwise))

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        otherwise = FieldRule(("otherwise",), self.otherwise).to_dict()["strategy"]
        return {
            "rules": [r.to_dict() for r in self.rules],
            "source_priority": list(self.source_priority),
            "otherwise": otherwise,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> SurvivorshipPlan:
        """Plan from what `to_dict` wrote."""
        known = ("rules", "source_priority", "otherwise")
        for key in plain:
            if key not in known:
                raise UnknownName("key of a survivorship plan", key, known)
        import cattrs

        rules = cattrs.structure(plain.get("rules", [r.to_dict() for r in DEFAULT_RULES]), list[_PlainRule])
        return cls(
            tuple(FieldRule(tuple(r.fields), r.strategy, r.order, tuple(r.sources)) for r in rules),
            tuple(cattrs.structure(plain.get("source_priority", []), list[str])),
            cattrs.structure(plain.get("otherwise", str(Strategy.MOST_RECENT)), str),
        )


@attrs.frozen
class _PlainRule:
    fields: list[str]
    strategy: str
    order: str = str(Strategy.MOST_RECENT)
    sources: list[str] = attrs.field(factory=list)
