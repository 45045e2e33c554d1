"""Queries equal a matcher that walks every text and every place; what prints reads back."""

from __future__ import annotations

import re
from itertools import product

import hypothesis.strategies as st
from hypothesis import given

from crmcore.listening.queries import Matcher, Query, explain
from crmcore.listening.queries.nodes import All, Any, Near, Node, Not, Phrase, Word
from crmcore.tables import MentionTable
from crmcore.text import tokenize
from crmcore.text.patterns import normal

LETTERS = ["a", "b", "ab", "aab", "B", "#a", "@a"]
WORDS = st.builds(Word, st.sampled_from([*LETTERS, "a*", "?b", "*b", "a*b"]), st.booleans())
PHRASES = st.builds(lambda words, raw: Phrase(tuple(words), raw), st.lists(st.sampled_from(LETTERS), min_size=2, max_size=3), st.booleans())  # noqa: E501  # fmt: skip
PLACED = st.recursive(
    st.one_of(WORDS, PHRASES),
    lambda inner: st.one_of(
        st.builds(Near, inner, inner, st.integers(0, 3), st.booleans()),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=4,
)
NODES = st.recursive(
    PLACED,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=5,
)
TEXTS = st.lists(st.lists(st.sampled_from([*LETTERS, ",", "!", "c"]), max_size=8).map(" ".join), min_size=1, max_size=5)


def fits(word: str, form: str, *, raw: bool) -> bool:
    if "*" not in word and "?" not in word:
        return form == (word if raw else normal(word))
    pattern = "".join(
        ".*" if c == "*" else "." if c == "?" else re.escape(c) for c in (word if raw else word.casefold())
    )
    return re.fullmatch(pattern, form) is not None


def places(node: Node, surface: list[str], plain: list[str]) -> set[tuple[int, int]]:
    """Places by trying all of them."""
    if isinstance(node, Word | Phrase):
        words = (node.text,) if isinstance(node, Word) else node.words
        forms = surface if node.raw else plain
        return {
            (i, i + len(words))
            for i in range(len(forms) - len(words) + 1)
            if all(fits(w, forms[i + j], raw=node.raw) for j, w in enumerate(words))
        }
    if isinstance(node, Any):
        return set().union(*(places(part, surface, plain) for part in node.parts))
    assert isinstance(node, Near)
    left, right = places(node.left, surface, plain), places(node.right, surface, plain)
    found = {(a[0], b[1]) for a, b in product(left, right) if 0 <= b[0] - a[1] <= node.words}
    if not node.ordered:
        found |= {(b[0], a[1]) for a, b in product(left, right) if 0 <= a[0] - b[1] <= node.words}
    return found


def holds(node: Node, surface: list[str], plain: list[str]) -> bool:
    if isinstance(node, Not):
        return not holds(node.part, surface, plain)
    if isinstance(node, All):
        return all(holds(part, surface, plain) for part in node.parts)
    if isinstance(node, Any):
        return any(holds(part, surface, plain) for part in node.parts)
    return bool(places(node, surface, plain))


@given(NODES, TEXTS)
def test_matches_are_those_of_a_walk_over_every_place(node: Node, texts: list[str]) -> None:
    fast = Matcher(MentionTable.from_frame({"text": texts})).holds(node).tolist()
    slow = []
    for text in texts:
        surface = tokenize([text]).words().forms(0)
        slow.append(holds(node, surface, [normal(form) for form in surface]))
    assert fast == slow


@given(NODES)
def test_a_query_prints_as_a_text_that_means_the_same(node: Node) -> None:
    text = str(node)
    again = Query.read(text)
    assert str(again) == str(Query.read(str(again)))
    texts = ["a b", "ab aab", "B a , b", "#a @a c", "a a b B ab", ""]
    matcher = Matcher(MentionTable.from_frame({"text": texts}))
    assert matcher.holds(again.root).tolist() == matcher.holds(node).tolist()


@given(NODES, TEXTS)
def test_an_explanation_agrees_with_the_match_and_points_at_words(node: Node, texts: list[str]) -> None:
    table = MentionTable.from_frame({"text": texts})
    told = explain(Query(node), table, 0)
    assert told.holds == bool(Matcher(table).holds(node)[0])
    for clause in told.clauses:
        assert all(told.text[a:b].strip() for a, b in clause.places)
