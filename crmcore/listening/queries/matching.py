"""Matches many queries at once: each leaf is looked up in the vocabulary once, and texts are never looped over."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any as Anything

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.queries.nodes import All, Any, Field, Near, Node, Not, Phrase, Word
from crmcore.listening.queries.parsing import parse
from crmcore.metrics.columns import columns_frame
from crmcore.tables import MentionTable
from crmcore.text import Postings, Segmenter, TokenBatch, Tokenizer, Vocabulary, tokenize
from crmcore.text.patterns import normal

__all__ = ["Matcher", "Matches", "Query", "Spans", "match"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@attrs.frozen(repr=False)
class Query:
    """A query that was read; it prints as a text that reads as itself.

    Examples
    --------
    >>> query = Query.read("refund AND (late OR slow)")
    >>> query, Query.read(str(query)) == query
    (Query('refund AND (late OR slow)'), True)
    """

    root: Node

    @classmethod
    def read(cls, text: str | Query, /) -> Query:
        """Read a text; a query passes as it is."""
        return text if isinstance(text, Query) else cls(parse(text))

    def __str__(self) -> str:
        return str(self.root)

    def __repr__(self) -> str:
        return f"Query({str(self)!r})"

    def to_dict(self) -> dict[str, str]:
        """The query as text."""
        return {"query": str(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, str], /) -> Query:
        """Read what `to_dict` wrote."""
        return cls.read(document["query"])


@attrs.frozen(eq=False)
class Spans:
    """Where a part holds: from a word to behind another, as positions in all texts together."""

    begin: Ints
    end: Ints

    @classmethod
    def of(cls, begin: Ints, end: Ints) -> Spans:
        """Sort, each span once."""
        both = np.unique(np.stack([begin, end], axis=1), axis=0) if len(begin) else np.empty((0, 2), np.int64)
        return cls(both[:, 0], both[:, 1])


class Matcher:
    """Texts that queries are put to; what was looked up once is kept for the next query."""

    def __init__(self, mentions: MentionTable, /, *, segment: Segmenter | None = None) -> None:
        self.mentions = mentions
        self.batch = Tokenizer(segment=segment).tokenize(mentions.text.to_list())
        raw = self.batch.words()
        plain = raw.normalised()
        self._segment = segment
        self._index = {True: Postings.of(raw), False: Postings.of(plain)}
        self.text_of = self._index[False].text_of
        self._spans: dict[Node, Spans] = {}
        self._held: dict[Node, Bools] = {}
        self._forms: dict[bool, tuple[int, str]] = {}

    def __len__(self) -> int:
        return len(self.mentions)

    # --- truths of texts ---

    def holds(self, node: Node, /) -> Bools:
        """(n,) texts for which a part holds."""
        if node not in self._held:
            self._held[node] = self._answer(node)
        return self._held[node]

    def _answer(self, node: Node) -> Bools:
        if isinstance(node, Not):
            return ~self.holds(node.part)
        if isinstance(node, All):
            return np.asarray(np.stack([self.holds(part) for part in node.parts]).all(axis=0), np.bool_)
        if isinstance(node, Any):
            return np.asarray(np.stack([self.holds(part) for part in node.parts]).any(axis=0), np.bool_)
        if isinstance(node, Field):
            return self._field(node)
        found = np.zeros(len(self), np.bool_)
        found[self.text_of[self.spans(node).begin]] = True
        return found

    # --- places in texts ---

    def spans(self, node: Node, /) -> Spans:
        """Places at which a word, a phrase, a NEAR or an alternative of them holds."""
        if node not in self._spans:
            self._spans[node] = self._places(node)
        return self._spans[node]

    def _places(self, node: Node) -> Spans:
        if isinstance(node, Word):
            return self._sequence((node.text,), node.raw)
        if isinstance(node, Phrase):
            return self._sequence(node.words, node.raw)
        if isinstance(node, Any):
            parts = [self.spans(part) for part in node.parts]
            return Spans.of(np.concatenate([p.begin for p in parts]), np.concatenate([p.end for p in parts]))
        assert isinstance(node, Near)
        left, right = self.spans(node.left), self.spans(node.right)
        pairs = [self._after(left, right, node.words)]
        if not node.ordered:
            pairs.append(self._after(right, left, node.words))
        return Spans.of(np.concatenate([p.begin for p in pairs]), np.concatenate([p.end for p in pairs]))

    def _after(self, first: Spans, second: Spans, words: int) -> Spans:
        """Pairs in which the second begins behind the first, with at most so many words between, in one text."""
        low = np.searchsorted(second.begin, first.end)
        high = np.searchsorted(second.begin, first.end + words, side="right")
        n = np.maximum(high - low, 0)
        left = np.repeat(np.arange(len(low)), n)
        right = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + np.repeat(low, n)
        same = self.text_of[first.begin[left]] == self.text_of[second.begin[right]]
        return Spans(first.begin[left[same]], second.end[right[same]])

    def _sequence(self, words: Sequence[str], raw: bool) -> Spans:
        index = self._index[raw]
        pieces = [piece for word in words for piece in _pieces(word, self._segment)]
        # texts are read without marks, so "Kasten & Co" is Kasten before Co; a mark alone is found nowhere
        parts = [self._positions(piece, raw) for piece in pieces or words]
        if not parts:
            return Spans(np.empty(0, np.int64), np.empty(0, np.int64))
        begin = index.sequence(parts).astype(np.int64)
        return Spans(begin, begin + len(parts))

    def _positions(self, form: str, raw: bool) -> Ints:
        index = self._index[raw]
        vocabulary: Vocabulary = index.batch.vocabulary
        if "*" not in form and "?" not in form:
            return index.positions([vocabulary.find(form if raw else normal(form))])
        fits = re.compile(_wild(form if raw else form.casefold())).fullmatch
        return index.positions([code for code, known in enumerate(vocabulary) if fits(known)])

    # --- facts about posts ---

    def _field(self, node: Field) -> Bools:
        table, name = self.mentions, node.name
        if name in ("time", "reach"):
            column = table.time if name == "time" else table.reach
            return _within(column, node, np.datetime64 if name == "time" else float)
        columns = {"author": table.author, "channel": table.channel, "link": table.link, "reply_to": table.reply_to}
        columns |= dict(table.attributes)
        if name == "site" and name not in columns:
            sites = ["/".join(re.sub(r"^[a-z]+://", "", v).split("/")[:1]) for v in table.link.values]
            return _fits(node.value, sites, table.link.codes)
        if name not in columns:
            raise UnknownName("field", name, (*sorted(columns), "site", "time", "reach"))
        return _fits(node.value, list(columns[name].values), columns[name].codes)


def _pieces(word: str, segment: Segmenter | None) -> list[str]:
    """Tokens of a word of a query as texts have them; a word with wildcards is one token."""
    if "*" in word or "?" in word:
        return [word]
    batch: TokenBatch = tokenize([word], segment=segment)
    return batch.words().forms(0)


def _wild(pattern: str) -> str:
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)


def _fits(pattern: str, values: Sequence[str], codes: NDArray[np.integer]) -> Bools:
    wanted = pattern.casefold()
    known = np.array([*(fnmatch.fnmatchcase(value.casefold(), wanted) for value in values), False], np.bool_)
    found: Bools = known[codes]
    return found


def _within(column: NDArray[Anything], node: Field, read: Callable[[str], Anything]) -> Bools:
    """Cells of a range ``from..to``; an open end is left out; a date alone is that day."""
    low, dots, high = node.value.partition("..")
    try:
        begin = read(low) if low else None
        until = read(high) if high else None
    except ValueError:
        shape = "2026-03-01..2026-03-31" if node.name == "time" else "1000..50000"
        raise OutOfRange(node.name, node.value, f"a range such as {shape}", "leave out an end that is open") from None
    found: Bools = ~np.isnat(column) if node.name == "time" else ~np.isnan(column)
    if not dots:
        until = begin
    if begin is not None:
        found &= column >= begin
    if until is not None:
        whole_day = node.name == "time" and len(str(until)) == 10
        found &= column < until + np.timedelta64(1, "D") if whole_day else column <= until
    return found


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Matches:
    """Which posts match which queries."""

    names: tuple[str, ...]
    held: Bools  # (n_posts, n_queries)
    mentions: MentionTable = attrs.field(repr=False)

    def __repr__(self) -> str:
        return f"Matches({len(self.held)} posts, {len(self.names)} queries)"

    def __str__(self) -> str:
        return "\n".join(f"{name}: {n} posts" for name, n in self.counts().items())

    def __getitem__(self, name: str) -> Bools:
        if name not in self.names:
            raise UnknownName("query", name, self.names)
        return self.held[:, self.names.index(name)]

    def masks(self) -> dict[str, Bools]:
        """(n,) truths by query, as reports and shares take them."""
        return {name: self.held[:, i] for i, name in enumerate(self.names)}

    def counts(self) -> dict[str, int]:
        """Posts by query."""
        return dict(zip(self.names, self.held.sum(axis=0).tolist(), strict=True))

    def overlap(self) -> NDArray[np.int64]:
        """(k, k) posts that match both of two queries."""
        held = self.held.astype(np.int64)
        return held.T @ held

    def links(self, name: str, /) -> list[str]:
        """Permalinks of the posts of a query, as far as they have one."""
        return [link for link in self.mentions.link.take(np.flatnonzero(self[name])).to_list() if link]

    def to_frame(self, backend: Anything = None) -> Anything:
        """One row a post that matches: id, query, link."""
        row, query = np.nonzero(self.held)
        return columns_frame(
            {
                "post": self.mentions.mention_id.take(row).to_list(),
                "query": [self.names[i] for i in query.tolist()],
                "link": self.mentions.link.take(row).to_list(),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        return html_table([{"query": k, "posts": n} for k, n in self.counts().items()], caption=repr(self))


def match(
    queries: Mapping[str, str | Query], mentions: MentionTable | Matcher, /, *, segment: Segmenter | None = None
) -> Matches:
    """Put queries to posts.

    Parameters
    ----------
    queries
        By name.
    mentions
        A `Matcher` is a table that was read before.
    segment
        Cuts scripts without spaces into words; without it, a word of such a script is found as a substring.

    Raises
    ------
    BadQuery, UnknownName
        A query cannot be read; a field that the posts do not have.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["No refund!", "Refunded, thanks"], "author": ["ann", "ben"]})
    >>> print(match({"refund": "refund*", "blame": 'no NEAR/1f refund AND author:a*'}, posts))
    refund: 2 posts
    blame: 1 posts
    """
    if not queries:
        raise EmptyInput("queries", "name at least one: {'refund': 'refund*'}")
    read = {name: Query.read(query) for name, query in queries.items()}
    matcher = mentions if isinstance(mentions, Matcher) else Matcher(mentions, segment=segment)
    held = np.stack([matcher.holds(query.root) for query in read.values()], axis=1)
    return Matches(names=tuple(read), held=held, mentions=matcher.mentions)
