"""Which columns of codes number the same things: two systems' numbers never share a column.

A membership number and the user id of a messenger are both identifiers, but they can never agree: in one column every
pair across the systems would count as a contradiction. Columns of codes are one when their headings mean the same, or
when they share more values than codes of that shape would by chance.
"""

# ruff: noqa: E501  (tables of words read best as lines)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from crmcore.idic.identify.vocabulary import fold_heading

__all__ = ["CodeColumn", "code_meaning", "column_names"]

SHARED = 0.01
"""Least share of the smaller set of values that two columns of one system have in common ..."""

BEYOND_CHANCE = 5.0
"""... and how many times more it must be than codes of that shape would share by chance."""

_TAIL = re.compile(r"(?:number|nummer|numero|num|code|key|nr|no|id)$")
_SYNONYMS = {
    "membership": "member", "mitglieds": "member", "loyalty": "member", "loyaltycard": "member", "membercard": "member", "reward": "member",
    "rewards": "member", "หมายเลขสมาชิก": "member", "รหัสสมาชิก": "member", "เลขสมาชิก": "member", "socialsecurity": "ssn", "socsec": "ssn",
    "nationalinsurance": "nin", "nino": "nin", "idcard": "national", "เลขบัตรประชาชน": "national", "personalausweis": "national", "steuer": "tax",
    "tin": "tax", "driverlicense": "licence", "license": "licence", "twitterhandle": "twitter", "ig": "instagram", "fb": "facebook",
}  # fmt: skip
_SAYS_NOTHING = frozenset(
    "user account external login customer client person crm legacy identifier ref handle social nick screenname".split()
) | {"", "username"}
"""Headings that any system could use for numbers of its own; their values must show that they are the same."""


def code_meaning(heading: str) -> str:
    """What a heading of codes numbers, without the word for number; empty where it could be anything.

    Examples
    --------
    >>> [code_meaning(h) for h in ("member_no", "membershipNumber", "line_user_id", "user_id")]
    ['member', 'member', 'lineuser', '']
    """
    letters = "".join(c for c in fold_heading(heading) if c.isalpha() or "\u0e31" <= c <= "\u0e4e")
    while True:
        letters = _SYNONYMS.get(letters, letters)
        short = _TAIL.sub("", letters)
        if short == letters or letters in {"tin", "nino"}:
            return "" if letters in _SAYS_NOTHING else letters
        letters = short


@attrs.frozen(eq=False)
class CodeColumn:
    """One column of codes of one source; `heading` is its own, without the source."""

    source: str
    heading: str
    values: frozenset[str]

    @property
    def origin(self) -> str:
        """`source.heading`."""
        return f"{self.source}.{self.heading}"


def _space(values: Sequence[str]) -> float:
    """How many codes of this shape there could be: the product of the signs seen at each place."""
    size = max(map(len, values))
    signs = np.array(values, f"U{size}").view(np.uint32).reshape(len(values), size)
    return float(np.prod([len(np.unique(signs[:, i])) for i in range(size)], dtype=float))


def _overlap(one: CodeColumn, other: CodeColumn) -> float:
    """Share of the smaller set that the other has too; 0 where chance explains it."""
    small, large = sorted((one.values, other.values), key=len)
    common = len(small & large)
    if not common:
        return 0.0
    share = common / len(small)
    chance = min(1.0, len(large) / _space([v for v in large if v]))
    return share if share >= SHARED and share >= BEYOND_CHANCE * chance else 0.0


def column_names(kind: str, columns: Sequence[CodeColumn]) -> Mapping[str, str]:
    """Name of the evidence that each column of codes goes to, as `source.heading` -> name.

    Two columns of one source stay two. The system that most sources know is named after the kind alone, every other
    one after its heading; the order of sources does not matter.

    Examples
    --------
    >>> shop = CodeColumn("shop", "member_no", frozenset({"m77831", "m90412"}))
    >>> desk = CodeColumn("desk", "membership", frozenset({"m90412"}))
    >>> line = CodeColumn("line", "line_user_id", frozenset({"u4f"}))
    >>> column_names("identifier", [shop, desk, line])
    {'desk.membership': 'identifier', 'line.line_user_id': 'identifier: line_user_id', 'shop.member_no': 'identifier'}
    """
    ordered = sorted(columns, key=lambda c: c.origin)
    group = list(range(len(ordered)))
    ties = []
    for i, one in enumerate(ordered):
        for k in range(i + 1, len(ordered)):
            meaning = code_meaning(one.heading)
            same = bool(meaning) and meaning == code_meaning(ordered[k].heading)
            close = 2.0 if same else _overlap(one, ordered[k])
            if close:
                ties.append((-close, i, k))
    for _, i, k in sorted(ties):
        sources = [{ordered[m].source for m in range(len(ordered)) if group[m] == group[j]} for j in (i, k)]
        if group[i] != group[k] and not sources[0] & sources[1]:
            group = [group[i] if g == group[k] else g for g in group]
    members: dict[int, list[CodeColumn]] = {}
    for column, g in zip(ordered, group, strict=True):
        members.setdefault(g, []).append(column)
    ranked = sorted(members.values(), key=lambda m: (-len(m), m[0].heading, m[0].source))
    names: dict[str, str] = {}
    taken: set[str] = set()
    for place, found in enumerate(ranked):
        heading = min(c.heading for c in found)
        name = kind if not place else f"{kind}: {heading}"
        name = name if name not in taken else f"{kind}: {found[0].origin}"
        taken.add(name)
        names.update({c.origin: name for c in found})
    return dict(sorted(names.items()))
