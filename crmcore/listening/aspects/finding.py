"""Aspects as data, and where texts mention them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed, named
from crmcore.documents import Document
from crmcore.errors import ConflictingConstraints, EmptyInput, OutOfRange, WrongType
from crmcore.listening.aspects.clauses import CUT_WORDS, clause_bounds, pieces
from crmcore.metrics.columns import whole
from crmcore.metrics.scalars import entries
from crmcore.text import Postings, TokenBatch, tokenize

__all__ = ["Aspect", "AspectMentions", "Aspects", "find_aspects", "mentions_at"]

Positions = NDArray[np.int64]


def _terms(terms: Sequence[str]) -> tuple[str, ...]:
    return listed(terms, "terms", str, what="texts", hint="terms=['waiter', 'staff']")


@attrs.frozen
class Aspect(Document):
    """One side of a product or service and the words that name it.

    Terms are one or several words, in any case; a word that ends with `*` stands for all words that begin so.

    Examples
    --------
    >>> Aspect("delivery", ["deliver*", "shipping time"]).terms
    ('deliver*', 'shipping time')
    """

    name: str
    terms: tuple[str, ...] = attrs.field(converter=_terms)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise WrongType("name", f"{self.name!r}", "a word", "such as 'service'")
        if not self.terms:
            raise EmptyInput(f"the terms of aspect {self.name!r}", "name at least one word")
        for term in self.terms:
            if not term.replace("*", "").strip() or not len(_patterns(term)):
                raise OutOfRange("term", term, "at least one word", "a star stands at the end of a word: 'deliver*'")


@attrs.frozen(repr=False)
class Aspects(Document):
    """The aspects to look for; names are distinct, and no term belongs to two.

    Examples
    --------
    >>> aspects = Aspects.of({"food": ["pizza", "pasta*"], "service": ["waiter", "staff"]})
    >>> aspects, aspects.names
    (Aspects(2 aspects, 4 terms), ('food', 'service'))
    """

    aspects: tuple[Aspect, ...]

    def __attrs_post_init__(self) -> None:
        if not self.aspects:
            raise EmptyInput("the list of aspects", "Aspects.of({'service': ['waiter', 'staff']})")
        owners: dict[tuple[str, ...], str] = {}
        names: set[str] = set()
        for aspect in self.aspects:
            if aspect.name in names:
                raise ConflictingConstraints("aspects", (aspect.name,), "give each aspect one entry with all its terms")
            names.add(aspect.name)
            for term in aspect.terms:
                owner = owners.setdefault(tuple(_patterns(term)), aspect.name)
                if owner != aspect.name:
                    hint = "keep it in one of them, or merge the aspects"
                    raise ConflictingConstraints(f"aspects by the term {term!r}", (owner, aspect.name), hint)

    @classmethod
    def of(cls, terms: Mapping[str, Sequence[str]], /) -> Aspects:
        """Aspects of a mapping of name to terms."""
        told = entries("terms", terms, hint="Aspects.of({'service': ['waiter', 'staff']})")
        return cls(tuple(Aspect(name, words) for name, words in told.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(a.name for a in self.aspects)

    def __len__(self) -> int:
        return len(self.aspects)

    def __getitem__(self, name: str) -> Aspect:
        return named(self.aspects, "name", name, what="aspect")

    def __repr__(self) -> str:
        return f"Aspects({len(self)} aspects, {sum(len(a.terms) for a in self.aspects)} terms)"

    def _repr_html_(self) -> str:
        return html_table([{"aspect": a.name, "terms": ", ".join(a.terms)[:200]} for a in self.aspects])


def _patterns(term: str) -> list[str]:
    """Normal forms of a term's tokens; one that stands before a star keeps it."""
    found: list[str] = []
    for word in term.split():
        star = word.endswith("*") and len(word) > 1
        forms = tokenize([word[:-1] if star else word]).normalised().words().forms(0)
        found += [*forms[:-1], forms[-1] + "*"] if star and forms else forms
    return found


@attrs.frozen(eq=False, repr=False, kw_only=True)
class AspectMentions:
    """Where n texts mention aspects: m finds, in the order of the texts.

    Attributes
    ----------
    batch : TokenBatch
        Of the texts as written.
    aspects : k names
    text, aspect : (m,) codes
        Text and aspect of each find.
    start, stop : (m,) positions
        Tokens of the term in the batch, ``[start, stop)``.
    """

    batch: TokenBatch
    aspects: tuple[str, ...]
    text: NDArray[np.int32]
    aspect: NDArray[np.int32]
    start: Positions
    stop: Positions

    def __len__(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        return f"AspectMentions({len(self)} finds of {len(self.aspects)} aspects in {len(self.batch)} texts)"

    def clauses(self, *, words: Sequence[str] = CUT_WORDS) -> tuple[Positions, Positions]:
        """(m,), (m,) tokens of the clause around each find; a term that spans a cut joins its clauses."""
        first, last = clause_bounds(self.batch.normalised(), words=words)
        if not len(self):
            return self.start, self.stop
        return np.minimum(first[self.start], self.start), np.maximum(last[self.stop - 1], self.stop)

    def clause_texts(self, *, words: Sequence[str] = CUT_WORDS) -> list[str]:
        """Clause around each find, tokens joined by blanks."""
        cut = pieces(self.batch, *self.clauses(words=words))
        return [" ".join(cut.forms(i)) for i in range(len(cut))]

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_], /) -> AspectMentions:
        """Select finds by position or mask."""
        parts = (self.text[rows], self.aspect[rows], self.start[rows], self.stop[rows])
        text, aspect, start, stop = parts
        return AspectMentions(batch=self.batch, aspects=self.aspects, text=text, aspect=aspect, start=start, stop=stop)


def find_aspects(texts: Sequence[str | None] | TokenBatch, aspects: Aspects, /) -> AspectMentions:
    """Find where texts mention aspects.

    Parameters
    ----------
    texts : n texts, a missing one None; or their tokens as written
    aspects : Aspects

    Returns
    -------
    AspectMentions
        Of terms that overlap, the longest; each find belongs to one aspect.

    Examples
    --------
    >>> aspects = Aspects.of({"battery": ["battery", "battery life"], "screen": ["screen*"]})
    >>> found = find_aspects(["Battery life is great, but the screens break", None], aspects)
    >>> found, found.clause_texts()
    (AspectMentions(2 finds of 2 aspects in 2 texts), ['Battery life is great', 'the screens break'])
    """
    batch = texts if isinstance(texts, TokenBatch) else tokenize(texts)
    normal = batch.normalised()
    index = Postings.of(normal)
    starts, lengths, owner = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    for i, aspect in enumerate(aspects.aspects):
        for term in aspect.terms:
            patterns = _patterns(term)
            at = index.sequence([index.positions(_codes(normal, p)) for p in patterns])
            starts.append(at)
            lengths.append(np.full(len(at), len(patterns), np.int64))
            owner.append(np.full(len(at), i, np.int32))
    start, length, aspect_of = np.concatenate(starts), np.concatenate(lengths), np.concatenate(owner)
    kept = _longest(start, length, len(normal.codes))
    start, length, aspect_of = start[kept], length[kept], aspect_of[kept]
    return AspectMentions(
        batch=batch,
        aspects=aspects.names,
        text=index.text_of[start],
        aspect=aspect_of,
        start=start,
        stop=start + length,
    )


def _codes(batch: TokenBatch, pattern: str) -> list[int]:
    """Codes of the forms that a pattern stands for."""
    if not pattern.endswith("*"):
        return [batch.vocabulary.find(pattern)]
    return [i for i, form in enumerate(batch.vocabulary) if form.startswith(pattern[:-1])]


def _longest(start: Positions, length: Positions, n: int) -> NDArray[np.intp]:
    """Finds that remain where they overlap: longer first, then earlier; in the order of their places."""
    order = np.lexsort((start, -length))
    taken = np.zeros(n, bool)
    kept = []
    for i in order.tolist():  # overlaps are rare and finds are few beside tokens
        span = slice(start[i], start[i] + length[i])
        if not taken[span].any():
            taken[span] = True
            kept.append(i)
    rows = np.array(kept, np.intp)
    return rows[np.argsort(start[rows], kind="stable")]


def mentions_at(
    texts: Sequence[str | None],
    *,
    row: NDArray[np.integer] | Sequence[int],
    begin: NDArray[np.integer] | Sequence[int],
    end: NDArray[np.integer] | Sequence[int],
    aspect: Sequence[str] | None = None,
) -> AspectMentions:
    """Mentions that somebody marked by characters, such as a labelled data set.

    Parameters
    ----------
    texts : n texts
    row : (m,) positions
        Text of each mention.
    begin, end : (m,) characters
        ``texts[row][begin:end]`` is the term; the tokens that it touches are taken.
    aspect : m names, optional
        None: the term itself, in lower case.

    Examples
    --------
    >>> found = mentions_at(["Great food, slow staff"], row=[0, 0], begin=[6, 17], end=[10, 22])
    >>> found.aspects, found.clause_texts()
    (('food', 'staff'), ['Great food', 'slow staff'])
    """
    rows, first, last = whole("row", row), whole("begin", begin), whole("end", end)
    if len({len(rows), len(first), len(last)}) > 1:
        raise OutOfRange("begin, end", (len(first), len(last)), f"{len(rows)} entries, as row", "one entry a mention")
    from crmcore.text import Tokenizer

    reader = Tokenizer()
    batch = reader.tokenize(texts)
    begins, ends = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    terms: list[str] = []
    for m, (i, a, b) in enumerate(zip(rows.tolist(), first.tolist(), last.tolist(), strict=True)):
        text = texts[i] if 0 <= i < len(texts) else None
        if text is None or not 0 <= a < b <= len(text):
            raise OutOfRange(f"mention {m}", (i, a, b), "a stretch of characters of a text", "row, begin < end")
        clean, spans = reader.spans(text)
        touched = [t for t, (x, y) in enumerate(spans) if x < b and y > a] if clean == text else []
        touched = touched or _by_words(reader, text[:a], text[a:b])
        begins[m], ends[m] = batch.starts[i] + touched[0], batch.starts[i] + min(touched[-1] + 1, batch.lengths[i])
        terms.append(text[a:b].lower())
    names = terms if aspect is None else [str(x) for x in aspect]
    known = tuple(sorted(set(names)))
    codes = np.array([known.index(x) for x in names], np.int32)
    return AspectMentions(
        batch=batch,
        aspects=known,
        text=rows.astype(np.int32),
        aspect=codes,
        start=begins,
        stop=np.maximum(ends, begins + 1),
    )


def _by_words(reader: object, before: str, term: str) -> list[int]:
    """Tokens of a term in a text that was cleaned before it was read: count the tokens before it."""
    at, long = (int(n) for n in tokenize([before, term]).lengths)
    return list(range(at, at + max(long, 1)))
