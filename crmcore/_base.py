"""What every floor shares: validators that raise house errors, masks for personal data, progress, lazy names."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any, Protocol, TypeVar

import attrs

from crmcore.errors import NaiveDatetime, OutOfRange, UnknownName, WrongType

__all__ = [
    "Progress",
    "aware",
    "between",
    "html_table",
    "lazy_names",
    "mask",
    "mask_email",
    "mask_phone",
    "named",
    "number_text",
    "one_of",
    "reporter",
]

T = TypeVar("T")
MASK = "\u2022\u2022\u2022"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Progress(Protocol):
    """What a caller may pass to follow long work: `progress(stage, done, total)`; total 0 means unknown."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...


def _quiet(_stage: str, _done: int, _total: int, /) -> None:
    """Report nothing."""


def reporter(progress: Progress | bool) -> Progress:
    """Turn what the caller passed into a callable: True is a tqdm bar where tqdm is installed, False is silence.

    Examples
    --------
    >>> reporter(False)("read", 1, 2)
    """
    if callable(progress):
        return progress
    if not progress:
        return _quiet
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _quiet
    bars: dict[str, Any] = {}

    def report(stage: str, done: int, total: int, /) -> None:
        bar = bars.get(stage)
        if bar is None:
            bar = bars[stage] = tqdm(total=total or None, desc=stage, leave=False)
        bar.update(done - bar.n)
        if total and done >= total:
            bar.close()

    return report


def between(low: float, high: float, *, hint: str) -> Callable[[Any, Any, Any], None]:
    """Validator of a number in a closed range; NaN fails."""

    def check(_instance: Any, attribute: Any, value: Any) -> None:
        try:
            inside = low <= value <= high
        except TypeError:  # None, text
            inside = False
        if not inside:
            raise OutOfRange(attribute.name, value, f"{low} to {high}", hint)

    return check


def listed(value: object, name: str, of: type | tuple[type, ...], *, what: str, hint: str) -> tuple[Any, ...]:
    """Items of a list, all of one type; a text, None or a single item is no list.

    Examples
    --------
    >>> listed(["lounge"], "gives", str, what="texts", hint="write ['lounge']")
    ('lounge',)
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise WrongType(name, f"a {type(value).__name__}", f"a list of {what}", hint)
    items = tuple(value)
    odd = [type(item).__name__ for item in items if not isinstance(item, of)]
    if odd:
        shown = ", ".join(f"a {kind}" for kind in dict.fromkeys(odd))
        raise WrongType(name, f"a list with {shown}", f"a list of {what}", hint)
    return items


def one_of(known: Iterable[str], *, what: str) -> Callable[[Any, Any, Any], None]:
    """Validator of a name from a closed list; the error proposes the nearest."""
    names = tuple(known)

    def check(_instance: Any, _attribute: Any, value: Any) -> None:
        if value not in names:
            raise UnknownName(what, str(value), names)

    return check


def named(items: Iterable[T], field: str, name: object, /, *, what: str) -> T:
    """First item whose field has this value; the error proposes the nearest.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> named([Money(1, "THB"), Money(2, "EUR")], "currency", "EUR", what="currency")
    Money(amount_minor=2, currency='EUR')
    """
    known = []
    for item in items:
        value = getattr(item, field)
        if value == name:
            return item
        known.append(str(value))
    raise UnknownName(what, str(name), tuple(known))


def aware(_instance: Any, attribute: attrs.Attribute[Any], value: datetime | None) -> None:
    """Validator of an aware datetime (None passes)."""
    if value is not None:
        check_aware(value, attribute.name)


def check_aware(value: object, name: str) -> None:
    """Refuse what is no aware datetime."""
    if not isinstance(value, datetime):
        hint = "read text with its zone first: datetime.fromisoformat('2026-06-01T09:00+07:00')"
        raise WrongType(name, f"a {type(value).__name__}", "an aware datetime", hint)
    if value.utcoffset() is None:
        raise NaiveDatetime(name)


def mask(text: object) -> str:
    """First letter and dots: enough to recognise one's own data, too little to learn somebody's.

    Examples
    --------
    >>> mask("Somchai"), mask("@somchai"), mask(None)
    ('S•••', '@•••', '(none)')
    """
    if text is None:
        return "(none)"
    word = str(text)
    if _ADDRESS.fullmatch(word):  # not a handle, nor a text with an address in it
        return mask_email(word)
    if sum(c.isdigit() for c in word) >= 6:
        return mask_phone(word)
    return f"{word[:1]}{MASK}"


def mask_email(address: str) -> str:
    """Mask the local part of an address.

    Examples
    --------
    >>> mask_email("anna@example.org")
    'a•••@example.org'
    """
    return f"{address[:1]}{MASK}@{address.rpartition('@')[2]}"


def mask_phone(number: str) -> str:
    """Keep the last two digits of a number.

    Examples
    --------
    >>> mask_phone("+66 81 234 5678")
    '•••78'
    """
    return MASK + re.sub(r"\D", "", number)[-2:]


def number_text(value: float, /) -> str:
    """Write a number for eyes: three significant digits, thousands separators.

    Examples
    --------
    >>> number_text(0.02109), number_text(1234567.8), number_text(43.0), number_text(float("nan"))
    ('0.0211', '1,234,568', '43', 'nan')
    """
    return f"{value:,.0f}" if 99.95 <= abs(value) < 1e15 else f"{value:.3g}"


def html_table(rows: Iterable[Mapping[str, object]], *, caption: str = "", limit: int = 20) -> str:
    """Render rows as a small static table, escaped, without script, readable on light and dark pages.

    Examples
    --------
    >>> html_table([{"n": 1}])
    '<table><thead><tr><th>n</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
    """
    listed = list(rows)
    shown = listed[:limit]
    head = "".join(f"<th>{escape(str(k))}</th>" for k in (shown[0] if shown else {}))
    body = "".join("<tr>" + "".join(f"<td>{escape(_cell(v))}</td>" for v in row.values()) + "</tr>" for row in shown)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    more = f"<tfoot><tr><td>... {len(listed) - limit} more</td></tr></tfoot>" if len(listed) > limit else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{more}</table>"


def _cell(value: object) -> str:
    if value is None:
        return "\u2013"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def lazy_names(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """Module `__getattr__` that loads each public name from its module on first use (PEP 562)."""

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(where[name], package)
        home = where[name].rpartition(".")[2]
        found = module if home == name and not hasattr(module, name) else getattr(module, name)
        setattr(sys.modules[package], name, found)  # or a module of the same name would stand there from now on
        return found

    return load
