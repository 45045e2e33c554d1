"""Further functions of facts, by name: handed to a rule, never registered anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName, WrongType
from crmcore.rules.kinds import NUMBER, Kind

__all__ = ["NO_WORDS", "Function", "Vocabulary"]


@attrs.frozen
class Function:
    """A pure function of numbers, for one subject and for columns.

    Attributes
    ----------
    one : numbers -> number or None for unknown; never asked where an argument is unknown
    columns : arrays -> array, NaN for unknown; None calls `one` row by row
    kind : kind of its result

    Notes
    -----
    Arguments are what the engine holds: amounts in minor units, instants in microseconds since 1970 UTC, flags 1 or 0.
    """

    one: Callable[..., float | None]
    columns: Callable[..., NDArray[np.float64]] | None = None
    kind: Kind = NUMBER

    def value(self, values: Sequence[object]) -> float | None:
        """Result for one subject, None where it is NaN or None."""
        found = self.one(*values)
        return None if found is None or found != found else float(found)

    def column(self, arrays: Sequence[NDArray[Any]], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(n,) results, NaN where an argument or the result is unknown.

        Parameters
        ----------
        arrays
            Arguments, each (n,) numbers or text.
        known
            (n,) whether all arguments are known.
        """
        if self.columns is not None:
            return np.where(known, self.columns(*arrays), np.nan)
        made = np.full(known.shape, np.nan)
        rows = zip(*(a[known].tolist() for a in arrays), strict=True) if arrays else ((),) * int(known.sum())
        cells = [self.value(r) for r in rows]
        made[known] = [np.nan if c is None else c for c in cells]
        return made


def _functions(value: Mapping[str, Function | Callable[..., float | None]]) -> dict[str, Function]:
    made = {}
    for name, function in value.items():
        given: object = function
        if not callable(given) and not isinstance(given, Function):
            hint = "pass {'name': function} or {'name': Function(one=..., columns=...)}"
            raise WrongType(f"vocabulary[{name!r}]", f"a {type(function).__name__}", "a function", hint)
        made[name] = function if isinstance(function, Function) else Function(function)
    return made


@attrs.frozen(repr=False, eq=False)
class Vocabulary:
    """Named functions that rules may `call`.

    Examples
    --------
    >>> words = Vocabulary({"double": lambda x: 2 * x})
    >>> words, words["double"].value([21.0])
    (Vocabulary(double), 42.0)
    """

    functions: Mapping[str, Function] = attrs.field(converter=_functions, factory=dict)

    def __repr__(self) -> str:
        return f"Vocabulary({', '.join(sorted(self.functions))})"

    def __contains__(self, name: object) -> bool:
        return name in self.functions

    def __getitem__(self, name: str) -> Function:
        if name not in self.functions:
            raise UnknownName("function of the vocabulary", name, tuple(sorted(self.functions)))
        return self.functions[name]


NO_WORDS = Vocabulary()
