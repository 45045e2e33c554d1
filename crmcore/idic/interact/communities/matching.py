"""Stable matching of two sides, such as students and mentors: nobody finds a pair that both would rather be in."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crmcore._base import html_table, listed
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows
from crmcore.metrics.columns import columns_frame

__all__ = ["Matching", "Side", "blocking_pairs", "stable_match"]

Wishes = Mapping[str, Sequence[str | Sequence[str]]]
Ranks = dict[str, dict[str, int]]


class Side(enum.StrEnum):
    """Which side proposes; it gets the best that is stable, the other side the worst."""

    SEEKERS = "seekers"
    HOSTS = "hosts"


@attrs.frozen(kw_only=True, repr=False)
class Matching(Document):
    """Who is with whom; ids may be of people, so they stand in frames only.

    Parameters
    ----------
    pairs : (seeker, host)
        By seeker.
    unmatched : seeker -> reason
    free : host -> places left
        Only where some are.
    proposed_by : Side
    """

    pairs: tuple[tuple[str, str], ...]
    unmatched: Mapping[str, str]
    free: Mapping[str, int]
    proposed_by: Side

    def host(self, seeker: str) -> str | None:
        """With whom a seeker is, None for nobody."""
        return dict(self.pairs).get(seeker)

    def seekers(self, host: str) -> tuple[str, ...]:
        """Who is with a host, by id."""
        return tuple(s for s, h in self.pairs if h == host)

    def __repr__(self) -> str:
        return f"Matching({len(self.pairs)} pairs, {len(self.unmatched)} unmatched, proposed by {self.proposed_by})"

    def __str__(self) -> str:
        left = sum(self.free.values())
        return f"{len(self.pairs)} matched, {len(self.unmatched)} without a place, {left} places left; {self.proposed_by} proposed"  # noqa: E501

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a seeker: seeker, host (missing for the unmatched), reason."""
        rows = sorted([(s, h, None) for s, h in self.pairs] + [(s, None, why) for s, why in self.unmatched.items()])
        return columns_frame({k: [r[i] for r in rows] for i, k in enumerate(("seeker", "host", "reason"))}, backend=backend)  # fmt: skip  # noqa: E501

    def _repr_html_(self) -> str:
        return html_table([{"matched": len(self.pairs), "unmatched": len(self.unmatched)}], caption=str(self))


def stable_match(
    seekers: Wishes,
    hosts: Wishes,
    /,
    *,
    places: Mapping[str, int] | None = None,
    proposed_by: Side | str = Side.SEEKERS,
) -> Matching:
    """Match seekers (students) with hosts (mentors), each with a number of places.

    Deferred acceptance (Gale and Shapley 1962): the proposing side works down its lists, the other keeps the best so
    far. Each side lists only whom it would accept; a pair needs both. Equals may stand together as one list
    (`["m1", ["m2", "m3"]]`) and are taken in the order of their ids, so the result is stable, though another
    breaking of ties might match more. Who is matched does not depend on the side that proposes (rural hospitals).

    Parameters
    ----------
    seekers, hosts : id -> ids of the other side, best first
    places : host -> count, optional
        1 where a host is not named; 0 takes nobody.
    proposed_by : Side
        `"seekers"` (default) gives every seeker the best host of any stable matching.

    Raises
    ------
    BadRows
        Lists that name somebody unknown or twice, and places that are no counts: all of them.

    Examples
    --------
    >>> found = stable_match({"s1": ["m1", "m2"], "s2": ["m1"], "s3": ["m1", "m2"]},
    ...                      {"m1": ["s3", "s1", "s2"], "m2": ["s1", "s3"]}, places={"m1": 1, "m2": 2})
    >>> found.pairs, found.unmatched
    ((('s1', 'm2'), ('s3', 'm1')), {'s2': 'all on the list filled their places with others they prefer'})
    """
    side = Side(proposed_by)
    want, like = _ranks(seekers), _ranks(hosts)
    room = dict.fromkeys(hosts, 1) | dict(places or {})
    _check(seekers, hosts, room)
    mutual = {s: [h for h in sorted(r, key=r.__getitem__) if s in like[h]] for s, r in want.items()}
    held = _by_seekers(mutual, like, room) if side is Side.SEEKERS else _by_hosts(want, like, room)
    pairs = tuple(sorted((s, h) for h, group in held.items() for s in group))
    placed = {s for s, _ in pairs}
    lost = {s: _why(seekers[s], mutual[s]) for s in sorted(seekers) if s not in placed}
    free = {h: room[h] - len(held[h]) for h in sorted(hosts) if room[h] > len(held[h])}
    return Matching(pairs=pairs, unmatched=lost, free=free, proposed_by=side)


def _why(wishes: Sequence[str | Sequence[str]], mutual: list[str]) -> str:
    if not wishes:
        return "has an empty list"
    return "all on the list filled their places with others they prefer" if mutual else "nobody on the list accepts"


def _flat(wishes: Sequence[str | Sequence[str]]) -> list[str]:
    return [x for wish in wishes for x in ([wish] if isinstance(wish, str) else sorted(wish))]


def _ranks(wishes: Wishes) -> Ranks:
    return {who: {x: i for i, x in enumerate(_flat(listed(mine, "wishes", (str, list, tuple), what="ids", hint="['m1', 'm2']")))} for who, mine in wishes.items()}  # fmt: skip  # noqa: E501


def _check(seekers: Wishes, hosts: Wishes, room: Mapping[str, int]) -> None:
    problems = list[BadRow]()
    for name, wishes, others in (("seekers", seekers, hosts), ("hosts", hosts, seekers)):
        flat = [_flat(mine) for mine in wishes.values()]
        odd = {
            "names somebody who is not there": [i for i, m in enumerate(flat) if not set(m) <= set(others)],
            "names somebody twice": [i for i, m in enumerate(flat) if len(set(m)) < len(m)],
        }
        problems += [BadRow(name, reason, tuple(rows)) for reason, rows in odd.items() if rows]
    counts = [i for i, (h, n) in enumerate(room.items()) if h not in hosts or not isinstance(n, int) or n < 0]
    if counts:
        problems.append(BadRow("places", "not a host with a count from 0", tuple(counts)))
    if problems:
        raise BadRows("the wishes", tuple(problems), "list each once, and only people of the other side")


def _by_seekers(mutual: Mapping[str, list[str]], like: Ranks, room: Mapping[str, int]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {h: [] for h in like}
    todo = {s: iter(hosts) for s, hosts in mutual.items()}
    free = sorted(mutual, reverse=True)
    while free:
        s = free.pop()
        h = next(todo[s], None)
        if h is None:
            continue
        held[h].append(s)
        if len(held[h]) > room[h]:
            worst = max(held[h], key=like[h].__getitem__)
            held[h].remove(worst)
            free.append(worst)
    return held


def _by_hosts(want: Ranks, like: Ranks, room: Mapping[str, int]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {h: [] for h in like}
    todo = {h: iter([s for s in sorted(r, key=r.__getitem__) if h in want[s]]) for h, r in like.items()}
    mine: dict[str, str] = {}
    active = sorted(like, reverse=True)
    while active:
        h = active.pop()
        while len(held[h]) < room[h] and (s := next(todo[h], None)) is not None:
            other = mine.get(s)
            if other is not None and want[s][other] < want[s][h]:
                continue
            if other is not None:
                held[other].remove(s)
                active.append(other)
            mine[s] = h
            held[h].append(s)
    return held


def blocking_pairs(
    matching: Matching, seekers: Wishes, hosts: Wishes, /, *, places: Mapping[str, int] | None = None
) -> tuple[tuple[str, str], ...]:
    """Pairs that both would rather be in than what they have; none in a stable matching."""
    want, like = _ranks(seekers), _ranks(hosts)
    room = dict.fromkeys(hosts, 1) | dict(places or {})
    found = list[tuple[str, str]]()
    for s, r in sorted(want.items()):
        now = matching.host(s)
        for h in sorted(r):
            group = matching.seekers(h)
            better = now is None or r[h] < r[now]
            wanted = s in like[h] and (len(group) < room[h] or any(like[h][s] < like[h][x] for x in group))
            if better and wanted and now != h:
                found.append((s, h))
    return tuple(found)
