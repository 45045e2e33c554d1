"""Why a post matches or does not: which clause held where; and checks of queries against texts that they must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.queries.matching import Matcher, Query
from crmcore.listening.queries.nodes import All, Any, Field, Node, Not
from crmcore.metrics.columns import truths
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion
from crmcore.tables import MentionTable
from crmcore.text import Tokenizer
from crmcore.text.forms import IS_WORD
from crmcore.text.patterns import kind_of

__all__ = ["Clause", "Explanation", "QueryTest", "check_query", "clause_precision", "explain"]


@attrs.frozen(kw_only=True)
class Clause:
    """One part of a query at one post.

    Parameters
    ----------
    text : the part as a query
    holds : truth
    places : (begin, end) characters
        In the text as it was read; none for facts about the post and for NOT.
    depth : count
        0 for the whole query.
    """

    text: str
    holds: bool
    places: tuple[tuple[int, int], ...]
    depth: int


@attrs.frozen(kw_only=True)
class Explanation:
    """Why one post matches a query, clause by clause."""

    query: str
    holds: bool
    clauses: tuple[Clause, ...]
    text: str = attrs.field(repr=False)

    def __str__(self) -> str:
        lines = [f"{'matches' if self.holds else 'does not match'}: {self.query}"]
        for clause in self.clauses:
            where = ", ".join(repr(self.text[a:b]) for a, b in clause.places[:3])
            mark = "yes" if clause.holds else "no "
            lines.append(f"  {'  ' * clause.depth}{mark} {clause.text}{' at ' + where if where else ''}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        leaves = sorted({place for clause in self.clauses for place in clause.places if clause.holds})
        parts, at = list[str](), 0
        for begin, end in leaves:
            if begin >= at:
                parts += [escape(self.text[at:begin]), f"<mark>{escape(self.text[begin:end])}</mark>"]
                at = end
        rows = [{"clause": c.text, "holds": "yes" if c.holds else "no"} for c in self.clauses]
        return f"<p>{''.join(parts)}{escape(self.text[at:])}</p>{html_table(rows, caption=self.query)}"


def explain(query: str | Query, mentions: MentionTable, row: int = 0, /) -> Explanation:
    """Say which clause of a query held where in one post.

    Parameters
    ----------
    query
    mentions
    row : position
        Of the post.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["Never a refund!"]})
    >>> print(explain("refund AND NOT (never OR thanks)", posts))
    does not match: refund AND NOT (never OR thanks)
      no  refund AND NOT (never OR thanks)
        yes refund at 'refund'
        no  NOT (never OR thanks)
          yes never OR thanks at 'Never'
            yes never at 'Never'
            no  thanks
    """
    if not 0 <= row < len(mentions):
        raise OutOfRange("row", row, f"0 to {len(mentions) - 1}", "take the position of a post")
    read = Query.read(query)
    matcher = Matcher(mentions.take(np.array([row])))
    clean, spans = Tokenizer().spans(mentions.text[row] or "")
    words = [span for span in spans if IS_WORD[kind_of(clean[span[0] : span[1]])]]
    clauses = list[Clause]()
    _walk(read.root, matcher, words, 0, clauses)
    return Explanation(query=str(read), holds=clauses[0].holds, clauses=tuple(clauses), text=clean)


def _walk(node: Node, matcher: Matcher, words: Sequence[tuple[int, int]], depth: int, out: list[Clause]) -> None:
    placed = not isinstance(node, Not | All | Field) and _has_places(node)
    places: tuple[tuple[int, int], ...] = ()
    if placed:
        found = matcher.spans(node)
        pairs = zip(found.begin.tolist(), found.end.tolist(), strict=True)
        places = tuple((words[begin][0], words[end - 1][1]) for begin, end in pairs)
    out.append(Clause(text=str(node), holds=bool(matcher.holds(node)[0]), places=places, depth=depth))
    if isinstance(node, Not):
        _walk(node.part, matcher, words, depth + 1, out)
    elif isinstance(node, All | Any):
        for part in node.parts:
            _walk(part, matcher, words, depth + 1, out)


def _has_places(node: Node) -> bool:
    from crmcore.listening.queries.nodes import positional

    return positional(node)


@attrs.frozen(kw_only=True)
class QueryTest:
    """What a query got wrong; made by `check_query`."""

    query: str
    missed: tuple[str, ...] = attrs.field(repr=lambda texts: f"({len(texts)} texts)")
    caught: tuple[str, ...] = attrs.field(repr=lambda texts: f"({len(texts)} texts)")

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong."""
        return not self.missed and not self.caught

    def __str__(self) -> str:
        if self.passed:
            return f"passed: {self.query}"
        lines = [f"failed: {self.query}", *(f"  must match: {text}" for text in self.missed)]
        return "\n".join([*lines, *(f"  must not match: {text}" for text in self.caught)])


def check_query(query: str | Query, /, *, must: Sequence[str] = (), must_not: Sequence[str] = ()) -> QueryTest:
    """Try a query on texts that it must and must not match; all failures at once.

    Examples
    --------
    >>> print(check_query("@brand", must=["ask @Brand"], must_not=["ask @BrandX"]))
    passed: @brand
    """
    if not must and not must_not:
        raise EmptyInput("texts", "give at least one text that the query must match, or must not")
    read = Query.read(query)
    held = Matcher(MentionTable.from_frame({"text": [*must, *must_not]})).holds(read.root)
    return QueryTest(
        query=str(read),
        missed=tuple(text for text, hit in zip(must, held[: len(must)].tolist(), strict=True) if not hit),
        caught=tuple(text for text, hit in zip(must_not, held[len(must) :].tolist(), strict=True) if hit),
    )


def clause_precision(
    query: str | Query, mentions: MentionTable, relevant: ArrayLike, /, *, level: float = 0.95
) -> Mapping[str, Estimate]:
    """Precision of a query and of each of its alternatives on labelled posts, with Wilson's interval.

    Parameters
    ----------
    query
    mentions
        A random sample of the posts.
    relevant : (n,) truths
        Which of them should match.

    Returns
    -------
    Precision by clause: the whole query first, then the parts of its outermost OR; NaN where a clause matches nothing.
    """
    read = Query.read(query)
    truth = truths("relevant", relevant)
    if len(truth) != len(mentions):
        raise OutOfRange("length of relevant", len(truth), f"{len(mentions)}", "label every post of the sample")
    matcher = Matcher(mentions)
    parts = read.root.parts if isinstance(read.root, Any) else ()
    found = dict[str, Estimate]()
    for node in (read.root, *parts):
        hit = matcher.holds(node)
        k, n = int((hit & truth).sum()), int(hit.sum())
        nothing = float("nan")
        rule = "relevant / matched"
        found[str(node)] = (
            proportion(k, n, level=level, rule=rule, small_sample_ok=True)
            if n
            else Estimate(value=nothing, low=nothing, high=nothing, level=level, n=0, rule=rule, method="no match")
        )
    return found
