"""What all conformance checks share."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["check_named", "expect"]


def check_named(check: Callable[[], None], name: str, /) -> Callable[[], None]:
    """Give a check the name of its claim."""
    check.__name__ = check.__qualname__ = name
    return check


def expect(truth: bool, claim: str, /) -> None:
    """Raise AssertionError where a claim is false; not `assert`, which python -O removes."""
    if not truth:
        raise AssertionError(claim)
