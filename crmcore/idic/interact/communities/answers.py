"""Ask the peers first: search in solved threads and FAQs, how many cases that saves, and what nobody has answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, listed
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange
from crmcore.metrics import Estimate, proportion
from crmcore.metrics.columns import columns_frame, instant, instants, same_length, truths
from crmcore.tables import TextColumn
from crmcore.text.nearness import closeness as text_closeness
from crmcore.text.nearness import is_telling, stars
from crmcore.text.searching import SearchIndex, stems
from crmcore.text.tokens import tokenize

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AnswerSearch", "Deflection", "Entry", "Found", "Gap", "Gaps", "deflection", "find_gaps"]

WEIGHTS = {"title": 2.0, "question": 2.0, "accepted": 1.0, "answers": 1.0}
PAIRS = 0.5
DAY = np.timedelta64(86_400_000_000, "us")


@attrs.frozen(kw_only=True)
class Entry(Document):
    """A thread or FAQ that may hold an answer; solved where an answer was accepted (a FAQ's answer is)."""

    id: str
    title: str
    question: str = attrs.field(default="", repr=False)
    accepted: str = attrs.field(default="", repr=False)
    answers: str = attrs.field(default="", repr=False)

    @property
    def solved(self) -> bool:
        """Whether somebody's answer was accepted."""
        return bool(self.accepted.strip())


@attrs.frozen(kw_only=True)
class Found(Document):
    """An entry that was found, and why: the stems of the question that it holds with their parts of the score.

    `same` says that its title asks the very question; such entries come first whatever their score.
    """

    id: str
    score: float
    solved: bool
    same: bool
    words: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        why = "same question" if self.same else ", ".join(w for w, _ in self.words[:5])
        return f"{self.id} ({'solved' if self.solved else 'open'}): {why}"


@attrs.frozen(eq=False, repr=False)
class AnswerSearch:
    """Entries that can be asked.

    BM25 over title and question, both twice, accepted answer and other answers. Of the question each word counts that
    is no function word, and, half as much, each such word with its neighbour, which may be one: "sign in" is more than
    "sign". An entry whose title has the very stems of the question comes first, solved ones before open ones. Ties: the
    order of ids.

    Examples
    --------
    >>> search = AnswerSearch.of([
    ...     Entry(id="t1", title="How do I pair the headset?", accepted="Hold the button for 5 seconds"),
    ...     Entry(id="t2", title="Headset is too quiet")])
    >>> [str(hit) for hit in search.search("pairing a headset")]
    ['t1 (solved): same question', 't2 (open): headset']
    """

    entries: tuple[Entry, ...]
    index: SearchIndex
    language: str | None
    solved_weight: float

    @classmethod
    def of(
        cls, entries: Iterable[Entry], /, *, language: str | None = "english", solved_weight: float = 1.0
    ) -> AnswerSearch:
        """Index entries.

        Parameters
        ----------
        entries : sequence of Entry
        language : text, optional
            Whose endings are cut off; None compares words as they are.
        solved_weight : number
            By which the score of a solved entry is multiplied; above 1 it comes sooner, whatever else fits better.

        Raises
        ------
        DuplicateIds
            Ids that stand on several entries.
        """
        if not solved_weight > 0:
            raise OutOfRange("solved_weight", solved_weight, "above 0", "1 treats all alike")
        given = sorted(
            listed(entries, "entries", Entry, what="entries", hint="Entry(id=..., title=...)"), key=lambda e: e.id
        )
        again = tuple(i for i in range(1, len(given)) if given[i].id == given[i - 1].id)
        if again:
            raise DuplicateIds("entries", len(again), again, "give each entry its own id")
        if not given:
            raise EmptyInput("entries", "give at least one")
        fields = {name: [getattr(e, name) for e in given] for name in WEIGHTS}
        index = SearchIndex.of_fields(fields, weights=WEIGHTS, language=language, pairs=PAIRS)
        made = cls(tuple(given), index, language, solved_weight)
        made.search("")  # what is read once is read now, not at the first question
        return made

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"AnswerSearch({len(self)} entries, {int(self._solved.sum())} solved)"

    @cached_property
    def _solved(self) -> NDArray[np.bool_]:
        return np.array([e.solved for e in self.entries], np.bool_)

    @cached_property
    def _factor(self) -> NDArray[np.float64] | None:
        return None if self.solved_weight == 1 else np.where(self._solved, self.solved_weight, 1.0)

    @cached_property
    def _titles(self) -> dict[tuple[str, ...], NDArray[np.int32]]:
        found: dict[tuple[str, ...], list[int]] = {}
        for i, key in enumerate(keys_of([e.title for e in self.entries], self.language)):
            found.setdefault(key, []).append(i)
        found.pop((), None)
        return {key: np.array(rows, np.int32) for key, rows in found.items()}

    def search(self, question: str, /, *, limit: int = 10) -> tuple[Found, ...]:
        """Entries that may answer a question, best first; none where they share no word with it."""
        if limit < 1:
            raise OutOfRange("limit", limit, "1 or more", "limit=10")
        (row,), (told,) = stem_rows([question], self.language)
        asked = self.index.code_of(told, row)
        same = self._titles.get(_key(told), np.empty(0, np.int32))
        score = self.index.score(asked, same) if len(same) else np.empty(0)
        score = score if self._factor is None else score * self._factor[same]
        first = np.lexsort((same, -score, ~self._solved[same]))[:limit]
        best, high = same[first], score[first]
        if len(best) < limit:
            other, rest = self.index.top(asked, limit + len(best), factor=self._factor)
            fresh = np.flatnonzero(~np.isin(other, best))[: limit - len(best)]
            best, high = np.concatenate([best, other[fresh]]), np.concatenate([high, rest[fresh]])
        return self._found(best, high, asked, len(first))

    def _found(
        self, rows: NDArray[np.int32], score: NDArray[np.float64], asked: NDArray[np.int64], same: int
    ) -> tuple[Found, ...]:
        told, solved = self.index.words(rows, asked), self._solved[rows].tolist()
        by = [1.0] * len(rows) if self._factor is None else self._factor[rows].tolist()
        return tuple(
            Found(
                id=self.entries[i].id, score=x, solved=ok, same=at < same,
                words=tuple((word, part * f) for word, part in parts),
            )
            for at, (i, x, ok, f, parts) in enumerate(zip(rows.tolist(), score.tolist(), solved, by, told, strict=True))
        )  # fmt: skip


def stem_rows(texts: Sequence[str], language: str | None, /) -> tuple[list[list[str]], list[list[str]]]:
    """Stems of each text in their order: all, and those that tell what it is about."""
    words = tokenize(texts).normalised().words()
    tells = is_telling(words) if language == "english" else np.ones(len(words.codes), np.bool_)
    batch = stems(words, language=language)
    return batch.rows(), batch.where(tells).rows()


def _key(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(told)))


def keys_of(texts: Sequence[str], language: str | None, /) -> list[tuple[str, ...]]:
    """Sorted distinct stems of each text without function words: what makes two questions the same.

    Examples
    --------
    >>> keys_of(["Visa refunds?", "refund for visa"], "english")
    [('refund', 'visa'), ('refund', 'visa')]
    """
    return [_key(told) for told in stem_rows(texts, language)[1]]


@attrs.frozen(kw_only=True)
class Deflection(Document):
    """How many questions were answered without a case.

    Parameters
    ----------
    share : Estimate
        Episodes without a case within the window, over episodes whose window is over or that led to a case.
    deflected, cases, pending, unknown : counts
        Episodes without and with a case; episodes too young to tell; searches of nobody known, which tell nothing.
    within_days : days
    """

    share: Estimate
    deflected: int
    cases: int
    pending: int
    unknown: int
    within_days: float

    def __str__(self) -> str:
        return f"deflected {self.share}; {self.pending} too young to tell, {self.unknown} searches by nobody known"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: value, low, high, level, n, rule, method."""
        return self.share.to_frame(backend=backend)

    def chart(self) -> Chart:
        """The share with its interval."""
        return self.share.chart()

    def _repr_html_(self) -> str:
        return self.share._repr_html_()


def deflection(
    person: Sequence[str | None], at: ArrayLike, answered: ArrayLike, /, *, cases: Iterable[tuple[str, datetime]],
    now: datetime, within_days: float = 7, level: float = 0.95,
) -> Deflection:  # fmt: skip
    """Share of answered searches after which the person opened no case.

    Searches of one person within the window of the first are one episode: who tries five phrasings is one question.
    Episodes without any answered search are no deflection and are left out. An episode is over when a case comes within
    the window after its first search, or when the window has passed by `now`.

    Parameters
    ----------
    person, at, answered : columns of (n,) ids, aware instants and truths
        Who searched, when, and whether an answer was opened; None is nobody known.
    cases : sequence of (person, aware datetime)
    within_days : days
        A case exactly at the end of the window still counts as one.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> found = deflection(["ann", "ben"], [at, at], [True, True], cases=[("ben", at + timedelta(days=2))],
    ...                    now=at + timedelta(days=8))
    >>> found.deflected, found.cases, found.share.value
    (1, 1, 0.5)
    """
    if not within_days > 0:
        raise OutOfRange("within_days", within_days, "above 0", "within_days=7")
    when, ok, end = instants("at", at), truths("answered", answered), instant("now", now)
    who = TextColumn.of(list(person))
    same_length("the searches", person=who.codes, at=when, answered=ok)
    window = np.timedelta64(round(within_days * 86_400_000_000), "us")
    opened: dict[str, list[np.datetime64]] = {}
    for name, moment in cases:
        opened.setdefault(name, []).append(instant("cases", moment))
    mine: dict[str, list[int]] = {}
    for i in np.lexsort((~ok, when)).tolist():
        if who[i] is not None and when[i] <= end:
            mine.setdefault(str(who[i]), []).append(i)
    done = led = young = 0
    for name, rows in mine.items():
        for group in _episodes(rows, when, window):
            if not ok[group].any():
                continue
            start = when[group[0]]
            if any(start <= c <= min(start + window, end) for c in opened.get(name, ())):
                led += 1
            elif start + window <= end:
                done += 1
            else:
                young += 1
    rule = f"no case in {within_days:g} days / answered questions"
    share = proportion(done, done + led, level=level, rule=rule, small_sample_ok=True)
    return Deflection(share=share, deflected=done, cases=led, pending=young, unknown=int((who.codes < 0).sum()), within_days=float(within_days))  # fmt: skip  # noqa: E501


def _episodes(rows: list[int], when: NDArray[np.datetime64], window: np.timedelta64) -> list[list[int]]:
    found: list[list[int]] = []
    for i in rows:
        if found and when[i] - when[found[-1][0]] <= window:
            found[-1].append(i)
        else:
            found.append([i])
    return found


@attrs.frozen(kw_only=True)
class Gap(Document):
    """Something that people look for and do not find.

    Parameters
    ----------
    query : text
        The phrasing that most used.
    phrasings : texts
        All of them, most used first.
    unanswered, searches : counts
    share : Estimate
        Of the searches that found nothing.
    """

    query: str
    phrasings: tuple[str, ...]
    unanswered: int
    searches: int
    share: Estimate

    def __str__(self) -> str:
        return (
            f"{self.query}: {self.unanswered} of {self.searches} searches unanswered, {len(self.phrasings)} phrasings"
        )


@attrs.frozen(repr=False)
class Gaps(Document):
    """Gaps, most unanswered searches first. Made by `find_gaps`."""

    gaps: tuple[Gap, ...]

    def __len__(self) -> int:
        return len(self.gaps)

    def __getitem__(self, i: int) -> Gap:
        return self.gaps[i]

    def __repr__(self) -> str:
        return f"Gaps({len(self)})"

    def __str__(self) -> str:
        return "\n".join(map(str, self.gaps[:20])) or "every search was answered"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a gap: query, unanswered, searches, share, low, high, phrasings."""
        cells: dict[str, list[Any]] = {
            n: [getattr(g, n) for g in self.gaps] for n in ("query", "unanswered", "searches")
        }
        cells |= {"share": [g.share.value for g in self.gaps], "low": [g.share.low for g in self.gaps]}
        cells |= {"high": [g.share.high for g in self.gaps], "phrasings": [len(g.phrasings) for g in self.gaps]}
        return columns_frame(cells, backend=backend)

    def chart(self) -> Chart:
        """Unanswered searches of the twenty largest gaps."""
        from crmcore.charts import bar

        return bar([g.query for g in self.gaps[:20]], [g.unanswered for g in self.gaps[:20]], title="Nobody answered")

    def _repr_html_(self) -> str:
        rows = [{"query": g.query[:60], "unanswered": g.unanswered, "searches": g.searches} for g in self.gaps[:20]]
        return html_table(rows, caption=repr(self))


def find_gaps(
    queries: Sequence[str], answered: ArrayLike, /, *, closeness: float = 0.6, least: int = 2,
    language: str | None = "english",
) -> Gaps:  # fmt: skip
    """What people searched for in vain, near phrasings as one.

    Queries with the same stems in any order are one phrasing; phrasings whose mean BM25 score for each other is at
    least `closeness` of that for themselves are one gap, grouped as stars, so nothing is chained.

    Parameters
    ----------
    queries : (n,) texts
        What was typed; queries without a word are left out. They may hold personal data: a gap shows phrasings.
    answered : (n,) truths
        Whether something was found and opened.
    closeness : share
        1 joins only the same words.
    least : count
        Unanswered searches that a gap needs.

    Examples
    --------
    >>> print(find_gaps(["refund visa", "visa refund", "opening hours"], [False, False, True]))
    refund visa: 2 of 2 searches unanswered, 2 phrasings
    """
    if not 0 < closeness <= 1 or least < 1:
        raise OutOfRange(
            "closeness, least", (closeness, least), "a share above 0, and 1 or more", "closeness=0.6, least=2"
        )
    given = listed(queries, "queries", str, what="texts", hint="['refund visa']")
    ok = truths("answered", answered) if given else np.empty(0, np.bool_)
    same_length("the searches", queries=np.empty(len(given)), answered=ok)
    keys = keys_of(given, language)
    number = {key: i for i, key in enumerate(sorted({k for k in keys if k}))}
    if not number:
        return Gaps(())
    code = np.array([number.get(key, -1) for key in keys], np.int64)
    star = stars(text_closeness([" ".join(key) for key in number], language=None), closeness)
    of = np.where(code >= 0, star[code], -1)
    missed = np.bincount(of[(of >= 0) & ~ok], minlength=len(number))
    rows: dict[int, list[int]] = {int(centre): [] for centre in np.flatnonzero(missed >= least)}
    for i, centre in enumerate(of.tolist()):
        if centre in rows:
            rows[centre].append(i)
    found = [_gap([given[i] for i in mine], ok[mine]) for mine in rows.values()]
    return Gaps(tuple(sorted(found, key=lambda g: (-g.unanswered, g.query))))


def _gap(queries: Sequence[str], ok: NDArray[np.bool_]) -> Gap:
    used: dict[str, int] = {}
    for q in queries:
        plain = " ".join(q.casefold().split())
        used[plain] = used.get(plain, 0) + 1
    order = tuple(sorted(used, key=lambda q: (-used[q], q)))
    n, k = len(ok), int((~ok).sum())
    share = proportion(k, n, rule="unanswered / searches", small_sample_ok=True)
    return Gap(query=order[0], phrasings=order, unanswered=k, searches=n, share=share)
