"""Plug-ins: names until used, objects afterwards.

A distribution offers a plug-in through an entry point of the group `crmcore.<kind>`. Names are read from the metadata
of installed distributions without importing any; the first use loads one. Two distributions that claim one name are
an error that names both; a plug-in that cannot be loaded is an error only for whoever asks for it. Wherever a name is
accepted, the object itself is accepted too. Built-ins come through the same door.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from crmcore.errors import BrokenPlugin, UnknownName, WrongType

__all__ = ["PluginKind", "names", "resolve"]


class PluginKind(enum.StrEnum):
    """What can be extended; the entry-point group is `crmcore.` and the word."""

    ATTRIBUTION = "attribution"
    BLOCKING = "blocking"
    CHANNEL = "channel"
    COMPARATOR = "comparator"
    EVENT_STORE = "event_store"
    LANGUAGE = "language"
    METRIC = "metric"
    RECOMMENDER = "recommender"
    REMEDY = "remedy"
    SENTIMENT = "sentiment"
    SESSION_RULE = "session_rule"
    SPAM_FILTER = "spam_filter"
    SURVIVORSHIP = "survivorship"
    TOKENIZER = "tokenizer"
    TOPIC_MODEL = "topic_model"
    VALUE_MODEL = "value_model"

    @property
    def group(self) -> str:
        """Entry-point group of this kind."""
        return f"crmcore.{self.value}"


def _kind(kind: PluginKind | str) -> PluginKind:
    try:
        return PluginKind(kind)
    except ValueError:
        raise UnknownName("plug-in kind", str(kind), tuple(k.value for k in PluginKind)) from None


def _claims(kind: PluginKind) -> dict[str, list[EntryPoint]]:
    """Entry points of a kind by name; one distribution found twice on the path counts once."""
    found: dict[str, dict[tuple[str, str], EntryPoint]] = {}
    for point in entry_points(group=kind.group):
        found.setdefault(point.name, {}).setdefault((_distribution(point), point.value), point)
    return {name: list(points.values()) for name, points in sorted(found.items())}


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "(unknown distribution)"


def names(kind: PluginKind | str) -> tuple[str, ...]:
    """Names of the plug-ins of a kind, read from metadata; nothing is imported.

    Examples
    --------
    >>> names("comparators")
    Traceback (most recent call last):
        ...
    crmcore.errors.UnknownName: unknown plug-in kind 'comparators': expected one of ['attribution', ...
    """
    return tuple(_claims(_kind(kind)))


def resolve(kind: PluginKind | str, name_or_object: Any, *, contract: type | None = None) -> Any:
    """Object behind a name; an object is returned as it is.

    Parameters
    ----------
    kind
        Word of a `PluginKind`.
    name_or_object
        Name of an installed plug-in, or the object itself.
    contract
        Runtime-checkable Protocol that the object must fulfil; None checks nothing.

    Raises
    ------
    UnknownName
        No installed distribution offers the name; the nearest is proposed.
    BrokenPlugin
        Two distributions claim the name, or loading it failed; the distributions are named.
    WrongType
        The object does not fulfil the contract.

    Examples
    --------
    >>> class Exact:
    ...     def __call__(self, left: str, right: str) -> float:
    ...         return float(left == right)
    >>> resolve("comparator", Exact())("a", "a")
    1.0
    """
    known = _kind(kind)
    found = _load(known, name_or_object) if isinstance(name_or_object, str) else name_or_object
    # a class has the methods of its instances, so it would pass the test and fail in the call
    if contract is not None and (isinstance(found, type) or not isinstance(found, contract)):
        wanted = sorted(m for m in dir(contract) if not m.startswith("_") or m == "__call__")
        hint = f"implement {contract.__module__}.{contract.__name__}"
        raise WrongType(f"{known.value} plug-in", _called(found), f"an object with {', '.join(wanted)}", hint)
    return found


def _called(found: object) -> str:
    return f"the class {found.__name__}" if isinstance(found, type) else f"a {type(found).__name__}"


@lru_cache(maxsize=256)
def _load(kind: PluginKind, name: str) -> Any:
    claims = _claims(kind)
    if name not in claims:
        raise UnknownName(f"{kind.value} plug-in", name, tuple(claims))
    points = claims[name]
    if len(points) > 1:
        distributions = tuple(sorted(_distribution(p) for p in points))
        raise BrokenPlugin(kind.value, name, distributions, "several distributions claim this name")
    (point,) = points
    try:
        return point.load()
    except Exception as error:  # foreign code may raise anything; it is named and chained
        reason = f"loading {point.value} raised {type(error).__name__}"
        raise BrokenPlugin(kind.value, name, (_distribution(point),), reason) from error
