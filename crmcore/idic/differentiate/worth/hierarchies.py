"""Groups of companies: which accounts lie above which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmcore._base import mask
from crmcore.errors import OutOfRange

__all__ = ["lineages"]


def lineages(accounts: Iterable[str], /, *, parent: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Every account with the accounts above it: itself first, the head of its group last.

    Parameters
    ----------
    accounts : ids
    parent : account to the account that owns it
        Accounts without one are heads. Owners need no contract of their own.

    Raises
    ------
    OutOfRange
        An account that, through others, owns itself.

    Examples
    --------
    >>> lineages(["lab", "shop"], parent={"lab": "holding", "holding": "fund"})
    {'lab': ('lab', 'holding', 'fund'), 'holding': ('holding', 'fund'), 'fund': ('fund',), 'shop': ('shop',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for start in accounts:
        path = [start]
        while path[-1] in parent and path[-1] not in found:
            above = parent[path[-1]]
            if above in path:
                raise OutOfRange(
                    "parent", mask(above), "an account above which it does not lie itself", "cut the circle"
                )
            path.append(above)
        chain = path[:-1] + list(found.get(path[-1], (path[-1],)))
        for i, name in enumerate(path):
            found.setdefault(name, tuple(chain[i:]))
    return found
