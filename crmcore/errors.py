"""Errors and warnings: facts in fields, a message composed from them, and the way out as the last line.

Every error derives from `CrmError` and from the built-in that a caller would catch. Facts are positional fields, so an
error pickles, compares field by field in a test, and never carries more of a person than a masked sample.
"""

from __future__ import annotations

from difflib import get_close_matches

import attrs

__all__ = [
    "AccessDenied",
    "BadDocument",
    "BadRow",
    "BadRows",
    "BrokenPlugin",
    "ConflictingConstraints",
    "CrmError",
    "CrmWarning",
    "CurrencyMismatch",
    "DuplicateIds",
    "EmptyInput",
    "LostClass",
    "MissingColumn",
    "MissingExtra",
    "MissingProgram",
    "NaiveDatetime",
    "NotConverged",
    "OutOfRange",
    "SmallSample",
    "StoreClosed",
    "StoreConflict",
    "UnknownName",
    "WrongType",
    "nearest",
]


def nearest(name: str, known: tuple[str, ...]) -> str | None:
    """Name of `known` that is spelled most like `name`, or None where none is near.

    Examples
    --------
    >>> nearest("e_mail", ("email", "phone"))
    'email'
    """
    folded = {k.casefold(): k for k in reversed(known)}
    near = get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else None


class CrmError(Exception):
    """Base of every error that crmcore raises on purpose."""


@attrs.define(eq=False)
class OutOfRange(CrmError, ValueError):
    """A number lies outside the range that its meaning allows."""

    name: str
    got: object
    allowed: str
    hint: str

    def __str__(self) -> str:
        return f"{self.name} = {self.got!r}: expected {self.allowed}.\n  hint: {self.hint}"


@attrs.define(eq=False)
class WrongType(CrmError, TypeError):
    """An argument has a type that the call cannot use."""

    name: str
    got: str
    allowed: str
    hint: str

    def __str__(self) -> str:
        return f"{self.name} is {self.got}: expected {self.allowed}.\n  hint: {self.hint}"


@attrs.define(eq=False)
class MissingColumn(CrmError, LookupError):
    """A frame lacks a column that a table needs."""

    column: str
    available: tuple[str, ...]
    where: str = "the frame"

    def __str__(self) -> str:
        near = nearest(self.column, self.available)
        hint = f"did you mean {near!r}?" if near else f"name yours in the call: {self.column}='...'"
        return f"no column {self.column!r} in {self.where} among {list(self.available)}.\n  hint: {hint}"


@attrs.define(eq=False)
class UnknownName(CrmError, LookupError):
    """A name is not one of a closed list (a kind, a field, a strategy, a plug-in)."""

    what: str
    got: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        near = nearest(str(self.got), self.known)
        hint = f"did you mean {near!r}?" if near else f"choose one of {', '.join(self.known) or '(none is registered)'}"
        return f"unknown {self.what} {self.got!r}: expected one of {list(self.known)}.\n  hint: {hint}"


@attrs.frozen
class BadRow:
    """One reason why rows were refused: which rows, and at most five masked samples of what stood there."""

    column: str
    reason: str
    positions: tuple[int, ...]
    samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = ", ".join(map(str, self.positions[:5])) + (", ..." if len(self.positions) > 5 else "")
        seen = f" (such as {', '.join(self.samples[:5])})" if self.samples else ""
        plural = "s" if len(self.positions) != 1 else ""
        return f"{self.column}: {self.reason} in {len(self.positions)} row{plural} [{rows}]{seen}"


@attrs.define(eq=False)
class BadRows(CrmError, ValueError):
    """Rows of an input cannot be used; all of them are named at once, values masked."""

    where: str
    problems: tuple[BadRow, ...]
    hint: str

    def __str__(self) -> str:
        lines = "\n  ".join(str(p) for p in self.problems)
        return f"{self.where} has rows that cannot be read:\n  {lines}\n  hint: {self.hint}"


@attrs.define(eq=False)
class BadDocument(CrmError, ValueError):
    """JSON does not describe the value that it should; every fault is named at once, by its path."""

    what: str
    problems: tuple[str, ...]
    hint: str

    def __str__(self) -> str:
        lines = "\n".join(self.problems[:20]).replace("\n", "\n  ")
        return f"the document is no {self.what}:\n  {lines}\n  hint: {self.hint}"


@attrs.define(eq=False)
class DuplicateIds(CrmError, ValueError):
    """An identifier that must be unique stands on several rows."""

    where: str
    count: int
    positions: tuple[int, ...]
    hint: str = "drop repeated rows, or name another id column, or leave the id out and rows are numbered"

    def __str__(self) -> str:
        rows = ", ".join(map(str, self.positions[:5])) + (", ..." if len(self.positions) > 5 else "")
        return f"{self.where}: {self.count} repeated ids, at rows [{rows}]: expected each id once.\n  hint: {self.hint}"


@attrs.define(eq=False)
class EmptyInput(CrmError, ValueError):
    """Nothing to work on where at least one row or one usable column is needed."""

    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what} is empty.\n  hint: {self.hint}"


@attrs.define(eq=False)
class NaiveDatetime(CrmError, ValueError):
    """A datetime without a zone where an instant is meant."""

    name: str
    hint: str = "attach the zone it was written in: value.replace(tzinfo=ZoneInfo('Asia/Bangkok'))"

    def __str__(self) -> str:
        return f"{self.name} is a naive datetime: expected an aware one.\n  hint: {self.hint}"


@attrs.define(eq=False)
class CurrencyMismatch(CrmError, ValueError):
    """Amounts of two currencies met where only one can be added."""

    first: str
    second: str

    def __str__(self) -> str:
        return f"cannot combine {self.first} and {self.second}: expected one currency.\n  hint: convert one side first"


@attrs.define(eq=False)
class NotConverged(CrmError, ArithmeticError):
    """An iterative fit did not settle; the best point found travels with the error."""

    what: str
    iterations: int
    change: float
    hint: str

    def __str__(self) -> str:
        steps = f"{self.iterations} steps (change {self.change:.3g})"
        return f"{self.what} had not settled after {steps}.\n  hint: {self.hint}"


@attrs.define(eq=False)
class ConflictingConstraints(CrmError, ValueError):
    """Two orders cannot both be obeyed, such as must-link and must-not-link on one pair."""

    what: str
    items: tuple[str, ...]
    hint: str

    def __str__(self) -> str:
        return f"{self.what} contradict each other: {', '.join(self.items[:5])}.\n  hint: {self.hint}"


@attrs.define(eq=False)
class StoreClosed(CrmError, RuntimeError):
    """A store was used after it was closed."""

    where: str

    def __str__(self) -> str:
        return f"{self.where} is closed: expected an open store.\n  hint: open it again, or use `with ... as store:`"


@attrs.define(eq=False)
class StoreConflict(CrmError, RuntimeError):
    """A stream moved on since it was read (optimistic concurrency)."""

    stream: str
    expected: int
    actual: int

    def __str__(self) -> str:
        return (
            f"stream {self.stream!r} is at version {self.actual}: expected {self.expected}.\n"
            "  hint: read the stream again, decide again, append again"
        )


@attrs.define(eq=False)
class AccessDenied(CrmError, PermissionError):
    """A role asked for what its view does not hold."""

    role: str
    what: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        asked = f"role {self.role!r} may not read {self.what!r}: allowed {list(self.allowed)}"
        return f"{asked}.\n  hint: ask under a role that may, or extend its view"


@attrs.define(eq=False)
class MissingExtra(CrmError, ImportError):
    """An optional library is needed for this call and is not installed."""

    what: str
    extra: str

    def __str__(self) -> str:
        return (
            f"{self.what} needs an optional library that is not installed.\n  hint: pip install 'crmcore[{self.extra}]'"
        )


@attrs.define(eq=False)
class MissingProgram(CrmError, RuntimeError):
    """A program beside Python is needed for this call and was not found, or is too old."""

    what: str
    got: str
    allowed: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what} found {self.got}: expected {self.allowed}.\n  hint: {self.hint}"


@attrs.define(eq=False)
class BrokenPlugin(CrmError, RuntimeError):
    """A plug-in was asked for and could not be loaded, or two claim its name."""

    kind: str
    name: str
    distributions: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return (
            f"plug-in {self.name!r} of kind {self.kind!r} from {', '.join(self.distributions)}: {self.reason}.\n"
            "  hint: update or uninstall that distribution, or pass the object itself instead of its name"
        )


class CrmWarning(UserWarning):
    """Base of what is legal but risky; each names the risk, the fix and the argument that says "I know"."""


class SmallSample(CrmWarning):
    """An estimate stands on few observations."""


class LostClass(CrmWarning):
    """A mixture model explains the data with implausible class sizes."""
