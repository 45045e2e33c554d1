"""Best practices: accepted answers of one problem as one entry that names all its sources."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from crmcore._base import listed
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.interact.communities.answers import Entry
from crmcore.text import find_duplicates
from crmcore.text.nearness import closeness as text_closeness
from crmcore.text.nearness import stars, telling

__all__ = ["Practice", "gather_practices"]


@attrs.frozen(kw_only=True)
class Practice(Document):
    """One problem with what solved it.

    Parameters
    ----------
    problem : text
        Title of the entry that is closest to all others, the first by id where several are.
    sources : ids
        Solved entries that went into it, by id.
    answers : texts
        Their accepted answers, near-duplicates once.
    """

    problem: str
    sources: tuple[str, ...]
    answers: tuple[str, ...] = attrs.field(repr=lambda a: f"<{len(a)}>")

    def __str__(self) -> str:
        return f"{self.problem}: {len(self.answers)} answers from {len(self.sources)} sources"


def gather_practices(
    entries: Iterable[Entry], /, *, closeness: float = 0.5, least_sources: int = 2, language: str | None = "english"
) -> tuple[Practice, ...]:
    """Merge solved entries that ask the same, those with most sources first (ties by problem).

    Entries are grouped by their titles as in `find_gaps`; `listening.people.best_practices` does the same for posts.

    Parameters
    ----------
    closeness : share
        Higher keeps more apart.
    least_sources : count

    Examples
    --------
    >>> solved = [Entry(id="1", title="App crashes on login", accepted="Clear the cache"),
    ...           Entry(id="2", title="Login crashes the app", accepted="Clear the cache!"),
    ...           Entry(id="3", title="The app crashes when I log in / login", accepted="Update it, then restart")]
    >>> print(*gather_practices(solved))
    App crashes on login: 2 answers from 3 sources
    """
    if not 0 < closeness <= 1 or least_sources < 1:
        raise OutOfRange(
            "closeness, least_sources", (closeness, least_sources), "a share above 0, and 1 or more", "0.5, 2"
        )
    given = sorted(
        listed(entries, "entries", Entry, what="entries", hint="Entry(id=..., title=...)"), key=lambda e: e.id
    )
    solved = [e for e in given if e.solved]
    if not solved:
        return ()
    titles = [telling(e.title) if language == "english" else e.title for e in solved]
    groups: dict[int, list[int]] = {}
    for i, centre in enumerate(stars(text_closeness(titles, language=language), closeness).tolist()):
        groups.setdefault(centre, []).append(i)
    found = [
        _practice([solved[i] for i in mine], solved[c].title)
        for c, mine in groups.items()
        if len(mine) >= least_sources
    ]
    return tuple(sorted(found, key=lambda p: (-len(p.sources), p.problem, p.sources)))


def _practice(entries: list[Entry], problem: str) -> Practice:
    texts = [e.accepted for e in entries]
    repeats = find_duplicates(texts).repeats.tolist()
    answers = tuple(text for text, again in zip(texts, repeats, strict=True) if not again)
    return Practice(problem=problem, sources=tuple(e.id for e in entries), answers=answers)
