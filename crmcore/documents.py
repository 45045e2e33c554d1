"""JSON in and out of every value, model and result: one converter for all rooms.

Aware datetimes and dates are ISO 8601 text, enums their values, tuples and sets lists (sets sorted), Decimal text,
durations seconds, zones their names. numpy arrays are lists; instants in them ISO text in UTC; NaN and NaT are null.
A field that may hold one of several attrs classes carries the class name under "type". Fields that are unknown,
missing or of another type are errors. A field annotated `object` holds a JSON value and passes as it is, copied.
A class that writes and reads itself (its own `to_dict` and `from_dict`) does so inside of others too.
"""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Union, cast, get_args, get_origin
from zoneinfo import ZoneInfo

import attrs

from crmcore.errors import BadDocument, CrmError, UnknownName, WrongType

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Document", "dumps", "from_dict", "loads", "placed", "to_dict"]

T = TypeVar("T")


def to_dict(value: object) -> Any:
    """Plain dicts, lists, text and numbers of any crmcore value.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> to_dict(Money(1250, "THB"))
    {'amount_minor': 1250, 'currency': 'THB'}
    """
    kind: Any = type(value)
    return _fields_out(kind)(value) if _speaks(kind) else _converter().unstructure(value)


def from_dict(kind: type[T], document: object) -> T:
    """Build a value from what `to_dict` wrote.

    Raises
    ------
    BadDocument
        Fields that are missing, unknown or of a wrong type, each by its path.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> from_dict(Money, {"amount_minor": 1250, "currency": "THB"})
    Money(amount_minor=1250, currency='THB')
    """
    from cattrs import BaseValidationError, transform_error

    try:
        if _speaks(kind):
            made: T = _fields_in(cast("Any", kind))(document, kind)
            return made
        return _converter().structure(document, kind)
    except BaseValidationError as error:
        problems = tuple(map(_path_first, transform_error(error, format_exception=_reason)))
    except (AttributeError, TypeError, ValueError, LookupError, CrmError) as error:
        problems = (placed(error, "$"),)
    name = getattr(kind, "__name__", str(kind))
    raise BadDocument(name, problems, "write it with to_dict of the same version of crmcore, or repair these fields")


class Document:
    """What values, models and results can do that are nothing but their fields: leave as plain JSON, and come back.

    A plug-in's own attrs class takes both ways by naming this one as its base.

    Examples
    --------
    >>> from crmcore.documents import Document
    >>> @attrs.frozen
    ... class Visit(Document):
    ...     minutes: float
    >>> Visit.from_dict(Visit(12.5).to_dict())
    Visit(minutes=12.5)
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: dicts, lists, text, numbers, true, false and null."""
        fields: dict[str, Any] = to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, document: object, /) -> Self:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Fields that are missing, unknown or of a wrong type, each by its path.
        """
        return from_dict(cls, document)


def dumps(value: object, *, indent: int | None = None) -> str:
    """JSON text of a value; fields keep their order.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> dumps(Money(1250, "THB"))
    '{"amount_minor": 1250, "currency": "THB"}'
    """
    return json.dumps(to_dict(value), ensure_ascii=False, allow_nan=False, indent=indent)


def loads(kind: type[T], text: str | bytes) -> T:
    """Build a value from JSON text."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadDocument("JSON text", (str(error),), "pass the text that dumps wrote") from None
    return from_dict(kind, document)


def placed(error: Exception, path: str) -> str:
    """Fault of a document: what was raised, where, and below that what else a house error knows, its way out last.

    Examples
    --------
    >>> from crmcore.errors import OutOfRange
    >>> print(placed(OutOfRange("days", -1, "0 or more", "count from the opening"), "$.days"))
    OutOfRange: days = -1: expected 0 or more. @ $.days
      hint: count from the opening
    """
    return _path_first(f"{_reason(error, None)} @ {path}")


def _path_first(problem: str) -> str:
    """Move the path from behind the last line of a fault to the first."""
    first, _, more = problem.partition("\n")
    facts, _, path = more.rpartition(" @ $")
    return f"{first.removesuffix(':')} @ ${path}\n{facts}" if more else problem


def _reason(error: BaseException, kind: type | None) -> str:
    """Sentence for one fault, without the value that caused it; house errors, which mask theirs, tell all they know."""
    from cattrs import ForbiddenExtraKeysError

    if isinstance(error, CrmError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown fields {sorted(error.extra_fields)}"
    if isinstance(error, KeyError):
        return "required field is missing"
    if kind is not None:
        return f"not valid here, expected {getattr(kind, '__name__', kind)}"
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _float_out(value: float) -> float | str | None:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)  # "inf", "-inf"


def _float_in(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not (value is None or isinstance(value, int | float) or value in ("inf", "-inf")):
        raise TypeError("not a number")
    return math.nan if value is None else float(value)


def _exactly(kind: type) -> Any:
    """Hook that takes a JSON scalar as it is and refuses others, where `int("7")` would pass."""

    def check(value: Any, _: Any) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError(f"expected {kind.__name__}")
        return value

    return check


def _plain(value: object, path: str = "the value") -> object:
    """Copy of a JSON value; what json.dumps would bend (tuples, keys that are no text) or refuse is refused."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise WrongType(path, "no finite number", "a JSON value", "write null for what is not known")
    if isinstance(value, list):
        return [_plain(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        hint = "write times as isoformat(), money as minor units, tuples and sets as lists"
        raise WrongType(path, type(value).__name__, "a JSON value", hint)
    odd = [key for key in value if not isinstance(key, str)]
    if odd:
        raise WrongType(f"a key of {path}", type(odd[0]).__name__, "text", "JSON objects have text keys")
    return {key: _plain(item, f"{path}[{key!r}]") for key, item in value.items()}


def _is_object(kind: Any) -> bool:
    return kind is object


def _is_array(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return getattr(origin, "__name__", "") == "ndarray" and getattr(origin, "__module__", "") == "numpy"


def _array_out(array: Any) -> list[Any]:
    if array.dtype.kind == "M":
        import numpy as np

        text = np.datetime_as_string(array.astype("datetime64[us]")).tolist()
        return [None if t == "NaT" else f"{t}Z" for t in text]
    listed: list[Any] = array.tolist()
    return [_floats_out(x) for x in listed] if array.dtype.kind == "f" else listed


def _floats_out(value: Any) -> Any:
    return [_floats_out(x) for x in value] if isinstance(value, list) else _float_out(value)


def _array_in(document: Any, kind: Any) -> Any:
    import numpy as np

    if not isinstance(document, list):
        raise TypeError("expected a list")
    args = get_args(kind)
    scalar = get_args(args[1])[0] if len(args) == 2 and get_args(args[1]) else None
    if scalar is None or scalar is Any or isinstance(scalar, TypeVar):
        array = np.array(document)
    elif scalar is np.datetime64:
        array = np.array([None if t is None else t.removesuffix("Z") for t in document], "datetime64[us]")
    elif scalar is np.object_:
        array = np.empty(len(document), object)
        array[:] = document
    else:
        array = np.array(document, scalar)  # None becomes NaN
    array.flags.writeable = False
    return array


def _is_set(kind: Any) -> bool:
    origin: Any = get_origin(kind) or kind
    return origin in (set, frozenset)


def _speaks(kind: Any) -> bool:
    """Whether a class writes and reads itself in its own way."""
    own = getattr(kind, "to_dict", None) if isinstance(kind, type) and hasattr(kind, "from_dict") else None
    return own is not None and own is not Document.to_dict


@cache
def _fields_out(kind: Any) -> Any:
    """Write the fields of such a class, with which its own `to_dict` may begin."""
    from cattrs.gen import make_dict_unstructure_fn

    return make_dict_unstructure_fn(kind, _converter())


@cache
def _fields_in(kind: Any) -> Any:
    from cattrs.gen import make_dict_structure_fn

    return make_dict_structure_fn(kind, _converter(), _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True)


def _members(kind: Any) -> tuple[type, ...]:
    """Attrs classes of a union of at least two, else nothing."""
    if get_origin(kind) not in (Union, UnionType):
        return ()
    members = tuple(k for k in get_args(kind) if k is not NoneType)
    return members if len(members) > 1 and all(isinstance(m, type) and attrs.has(m) for m in members) else ()


def _union_out(converter: Converter) -> Any:
    def hook(value: Any) -> Any:
        return None if value is None else {"type": type(value).__name__, **converter.unstructure(value)}

    return hook


def _union_in(converter: Converter) -> Any:
    def hook(document: dict[str, Any] | None, kind: Any) -> Any:
        if document is None:
            if NoneType in get_args(kind):
                return None
            raise TypeError("expected a dict with its type")
        known = {m.__name__: m for m in _members(kind)}
        fields = dict(document)
        name = fields.pop("type", None)
        if name not in known:
            raise UnknownName("type", str(name), tuple(known))
        return converter.structure(fields, known[name])

    return hook


@cache
def _converter() -> Converter:
    from cattrs import Converter

    made = Converter(forbid_extra_keys=True, detailed_validation=True)
    made.register_unstructure_hook(float, _float_out)
    made.register_structure_hook(float, _float_in)
    for scalar in (int, str, bool):
        made.register_structure_hook(scalar, _exactly(scalar))
    # words and numbers of an enum are its members again, not the plain str and int that they derive from
    made.register_structure_hook(enum.Enum, lambda v, kind: kind(v))
    made.register_structure_hook(enum.IntEnum, lambda v, kind: kind(v))
    made.register_structure_hook(enum.StrEnum, lambda v, kind: kind(v))
    for moment in (datetime, date, time):
        made.register_unstructure_hook(moment, lambda v: v.isoformat())
        made.register_structure_hook(moment, lambda v, kind: kind.fromisoformat(v))
    made.register_unstructure_hook(timedelta, lambda v: v.total_seconds())
    made.register_structure_hook(timedelta, lambda v, _: timedelta(seconds=v))
    made.register_unstructure_hook(Decimal, str)
    made.register_structure_hook(Decimal, lambda v, _: Decimal(v))
    made.register_unstructure_hook(ZoneInfo, lambda v: v.key)
    made.register_structure_hook(ZoneInfo, lambda v, _: ZoneInfo(v))
    made.register_unstructure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, MappingProxyType),
        lambda v: {made.unstructure(k): made.unstructure(x) for k, x in v.items()},
    )
    made.register_unstructure_hook_func(
        _is_set,
        lambda v: sorted((made.unstructure(x) for x in v), key=repr),
    )
    made.register_unstructure_hook_func(_is_object, _plain)
    made.register_structure_hook_func(_is_object, lambda v, _: _plain(v))
    made.register_unstructure_hook_func(_is_array, _array_out)
    made.register_structure_hook_func(_is_array, _array_in)
    made.register_unstructure_hook_func(_speaks, lambda v: v.to_dict())
    made.register_structure_hook_func(_speaks, lambda v, kind: kind.from_dict(v))
    made.register_unstructure_hook_func(lambda kind: bool(_members(kind)), _union_out(made))
    made.register_structure_hook_func(lambda kind: bool(_members(kind)), _union_in(made))
    made.register_unstructure_hook_func(
        lambda kind: isinstance(kind, type) and kind.__module__ == "numpy" and hasattr(kind, "item"),
        lambda v: made.unstructure(v.item()),
    )
    return made
