"""What an argument of this package must be, said in the words of the house."""

from __future__ import annotations

from crmcore.errors import WrongType

__all__ = ["check_kind"]


def check_kind(name: str, value: object, kind: type, /, *, hint: str, optional: bool = False) -> None:
    """Refuse what is not of a kind; None passes where it is optional.

    Examples
    --------
    >>> check_kind("desk", None, dict, hint="make it first")
    Traceback (most recent call last):
        ...
    crmcore.errors.WrongType: desk is None: expected a dict.
      hint: make it first
    """
    if not (isinstance(value, kind) or (optional and value is None)):
        got = "None" if value is None else f"a {type(value).__name__}"
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise WrongType(name, got, f"{article} {kind.__name__}", hint)
