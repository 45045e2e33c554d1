"""Queries: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.queries import (
    BadQuery,
    Matcher,
    Query,
    alert,
    check_query,
    clause_precision,
    explain,
    match,
    propose_terms,
)
from crmcore.tables import MentionTable

TEXTS = [
    "I want a refund now",
    "Refunded within a day, thanks @Brand",
    "no refund!! never again #fail",
    "@BrandX is great",
    "money back? never",
    "The refund was never paid back",
    "REFUND policy of NASA",
    "nasa launches",
    "#failing at life",
    "",
]
TRUTH = {
    "refund": "1010011000",
    "refund*": "1110011000",
    "refund AND never": "0010010000",
    "refund OR money": "1010111000",
    "refund NOT never": "1000001000",
    '"money back"': "0000100000",
    "refund NEAR/1 never": "0010010000",
    "never NEAR/1f refund": "0000000000",
    "#fail": "0010000000",
    "@brand": "0100000000",
    "raw:NASA OR raw:refund": "1010011000",
    '(refund* OR "money back") NEAR/3 (never OR n?w)': "1010110000",
}


@pytest.mark.parametrize(("query", "expected"), TRUTH.items())
def test_row_133_twelve_queries_over_ten_texts(query: str, expected: str) -> None:
    held = match({"q": query}, MentionTable.from_frame({"text": TEXTS}))["q"]
    assert "".join(str(int(hit)) for hit in held) == expected
    assert Query.read(str(Query.read(query))) == Query.read(query)


def test_row_133_fields_ask_about_the_post() -> None:
    table = MentionTable.from_frame(
        {
            "text": ["a", "a", "a"],
            "author": ["Ann", "bot7", None],
            "link": ["https://blog.example.org/x", "https://shop.example.com/y", None],
            "language": ["en", "th", None],
            "time": [datetime(2026, 3, d, 12, tzinfo=UTC) for d in (1, 5, 9)],
            "reach": [10, 5000, None],
        }
    )
    queries = {
        "author": "a NOT author:bot*",
        "site": "a AND site:*.org",
        "language": "language:TH",
        "from": "time:2026-03-05..",
        "day": "time:2026-03-01",
        "between": "time:2026-03-02..2026-03-05",
        "loud": "reach:1000..",
    }
    found = match(queries, table)
    rows = {name: "".join(str(int(x)) for x in found[name]) for name in found.names}
    expected = {
        "author": "101",
        "site": "100",
        "language": "010",
        "from": "011",
        "day": "100",
        "between": "010",
        "loud": "010",
    }
    assert rows == expected
    with pytest.raises(UnknownName, match="did you mean 'language'"):
        match({"q": "langage:th"}, table)
    with pytest.raises(OutOfRange, match="a range such as"):
        match({"q": "time:yesterday"}, table)


@pytest.mark.parametrize(
    ("query", "at", "problem"),
    [
        ("refund never", 7, "two terms stand side by side"),
        ("(refund AND never", 0, "a bracket is not closed"),
        ("refund)", 6, "a bracket is closed that was never opened"),
        ("refund AND", 10, "the query ends where a word is missing"),
        ('"money back', 0, "a quotation mark is not closed"),
        ("refund NEAR never", 7, "NEAR needs a number of words"),
        ("refund NEAR/3 (a AND b)", 14, "NEAR needs things that have a place"),
        ("OR refund", 0, "stands where a word is missing"),
        ("refund and never", 7, "'and' may be a word or an operator"),
        ("* AND a", 0, "a wildcard stands alone"),
        ('a AND ""', 6, "a phrase is empty"),
        ("", 0, "the query is empty"),
    ],
)
def test_row_133_errors_point_at_the_place_and_propose_the_repair(query: str, at: int, problem: str) -> None:
    with pytest.raises(BadQuery) as caught:
        Query.read(query)
    assert caught.value.at == at
    assert problem in str(caught.value)
    assert "hint: " in str(caught.value)
    if query:
        lines = str(caught.value).splitlines()
        assert lines[2].index("^") == at + 2


def test_row_133_explain_says_which_clause_held_where() -> None:
    told = explain("(refund* OR thanks) AND NOT spam", MentionTable.from_frame({"text": TEXTS}), 1)
    assert told.holds
    clauses = {clause.text: clause for clause in told.clauses}
    begin, end = clauses["refund*"].places[0]
    assert told.text[begin:end] == "Refunded"
    assert (clauses["thanks"].holds, clauses["spam"].holds) == (True, False)
    assert "<mark>Refunded</mark>" in told._repr_html_()
    risky = explain("bad", MentionTable.from_frame({"text": ["<b>bad</b>"]}))._repr_html_()
    assert "<b>" not in risky


def test_row_133_precision_of_each_alternative_from_labels() -> None:
    table = MentionTable.from_frame({"text": ["apple phone", "apple pie", "iphone", "apple juice"]})
    found = clause_precision("apple OR iphone OR kiwi", table, [1, 0, 1, 0])
    assert {name: (e.value, e.n) for name, e in found.items() if e.n} == {
        "apple OR iphone OR kiwi": (0.5, 4),
        "apple": (1 / 3, 3),
        "iphone": (1.0, 1),
    }
    assert np.isnan(found["kiwi"].value)


def test_row_133_a_query_can_be_tested_like_code() -> None:
    result = check_query("refund*", must=["Refunds!", "money back"], must_not=["refuse", "refunded"])
    assert not result.passed
    assert str(result).splitlines() == ["failed: refund*", "  must match: money back", "  must not match: refunded"]
    with pytest.raises(EmptyInput):
        check_query("a")


def test_row_133_scripts_without_spaces_are_found_as_substrings() -> None:
    table = MentionTable.from_frame(
        {"text": ["\u0e02\u0e2d\u0e04\u0e37\u0e19\u0e40\u0e07\u0e34\u0e19\u0e14\u0e48\u0e27\u0e19"]}
    )
    assert match({"q": "\u0e04\u0e37\u0e19\u0e40\u0e07\u0e34\u0e19"}, table)["q"].tolist() == [True]


def test_row_133_a_brand_with_a_mark_inside_and_emoji_are_found() -> None:
    table = MentionTable.from_frame({"text": ["I love AT&T \U0001f44d", "at home"]})
    assert match({"a": "AT&T", "b": "\U0001f44d"}, table).held.tolist() == [[True, True], [False, False]]


def test_row_134_a_tag_of_our_brand_and_not_of_another() -> None:
    table = MentionTable.from_frame({"text": ["hey @Brand", "hey @BrandX", "brand"], "link": ["1", "2", "3"]})
    found = alert(table, "@brand")
    assert (found.links, bool(found), len(found)) == (("1",), True, 1)
    assert not alert(table, "@brandy")


def test_row_136_brand_beside_a_hashtag_with_count_and_permalink() -> None:
    table = MentionTable.from_frame(
        {
            "text": ["Brand again #fail", "#fail of brand", "#fail", "brand"],
            "link": ["https://x/1", "https://x/2", "https://x/3", None],
            "time": [datetime(2026, 3, d, tzinfo=UTC) for d in (1, 2, 3, 4)],
        }
    )
    found = alert(table, "brand", "#fail")
    assert (len(found), found.links) == (2, ("https://x/2", "https://x/1"))
    assert found.share.n == 4
    assert str(found).startswith("2 posts match brand AND #fail; share of all 0.5")


def test_row_147_refund_proposes_refnd_and_money_back_with_evidence() -> None:
    said = [
        "I want a refund now",
        "please give me a refnd today",
        "I want my money back now",
        "give me my money back today",
    ]
    noise = ["the weather is nice", "going home today", "what a day"]
    table = MentionTable.from_frame({"text": said * 4 + noise * 4 + ["where is the refund", "refunds are slow"]})
    found = propose_terms("refund", table)
    terms = [p.term for p in found]
    assert terms[0] == "refnd"
    assert "money back" in terms
    assert "refunds" not in [p.term for p in found if p.reason == "misspelling"]
    first = found[0]
    assert (first.reason, first.posts) == ("misspelling", 4)
    assert "refnd" in (table.text[first.example] or "")
    assert str(first).startswith("refnd (misspelling 0.9")
    with pytest.raises(EmptyInput):
        propose_terms("zebra", table)


def test_many_queries_share_what_they_looked_up() -> None:
    matcher = Matcher(MentionTable.from_frame({"text": TEXTS}))
    found = match({"ours": "refund OR @brand", "all": "refund OR @brand OR nasa"}, matcher)
    assert found.overlap().tolist() == [[5, 5], [5, 6]]
    assert str(found) == "ours: 5 posts\nall: 6 posts"
    assert found.to_frame("pandas").shape == (11, 3)
    with pytest.raises(EmptyInput):
        match({}, matcher)
