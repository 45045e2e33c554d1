"""Tokens: what is one, what kind it is, and under which form spellings meet."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import WrongType
from crmcore.text import FormTable, TokenBatch, Tokenizer, TokenKind, Vocabulary, tokenize
from crmcore.text.patterns import cleaned, kind_of, normal


def forms(text: str) -> list[str]:
    return tokenize([text]).forms(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So slow, again!!", ["So", "slow", ",", "again", "!!"]),
        ("@shop's #fail2 don\u2019t", ["@shop", "'", "s", "#fail2", "don\u2019t"]),
        ("see https://x.org/a?b=c. or www.x.org", ["see", "https://x.org/a?b=c", ".", "or", "www.x.org"]),
        ("mail me@x.co.uk", ["mail", "me@x.co.uk"]),
        ("12:30 1,000.50 50% 3rd", ["12:30", "1,000.50", "50%", "3rd"]),
        (":) :-( ;D :'( xD <3 </3 ^_^ -_-", [":)", ":-(", ";D", ":'(", "xD", "<3", "</3", "^_^", "-_-"]),
        ("great:) but note: text", ["great", ":)", "but", "note", ":", "text"]),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467\u2764\ufe0f\U0001f1f9\U0001f1ed\U0001f44d\U0001f3fd",
            [
                "\U0001f468\u200d\U0001f469\u200d\U0001f467",
                "\u2764\ufe0f",
                "\U0001f1f9\U0001f1ed",
                "\U0001f44d\U0001f3fd",
            ],
        ),
        ("U.S. prices...", ["U.S.", "prices", "..."]),
        ("\u0e14\u0e35\u0e21\u0e32\u0e01", ["\u0e14\u0e35", "\u0e21", "\u0e32", "\u0e01"]),
        ("\u65e5\u672c\u8a9e", ["\u65e5", "\u672c", "\u8a9e"]),
        (
            "\u0645\u0631\u062d\u0628\u0627\u060c \u05e9\u05dc\u05d5\u05dd",
            ["\u0645\u0631\u062d\u0628\u0627", "\u060c", "\u05e9\u05dc\u05d5\u05dd"],
        ),
        ("Tom &amp; Jerry &lt;3", ["Tom", "&", "Jerry", "<3"]),
        ("free\u200bmoney", ["freemoney"]),
        ("cafe\u0301 caf\u00e9", ["cafe\u0301", "caf\u00e9"]),
        ("", []),
        ("   \n\t", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_a_reader_would_cut_it(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


def test_a_lone_surrogate_is_replaced_and_separators_inside_a_text_are_blanks() -> None:
    batch = tokenize(["a\ud800b", "one\x1etwo\x1fthree", "end"])
    assert [batch.forms(i) for i in range(3)] == [["a", "\ufffd", "b"], ["one", "two", "three"], ["end"]]


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("slow", TokenKind.WORD),
        ("3rd", TokenKind.WORD),
        ("1,000", TokenKind.NUMBER),
        ("\u0e14\u0e35", TokenKind.CHARACTER),
        ("#fail", TokenKind.HASHTAG),
        ("@shop", TokenKind.HANDLE),
        ("www.x.org", TokenKind.LINK),
        ("me@x.org", TokenKind.EMAIL),
        ("#\ufe0f\u20e3", TokenKind.EMOJI),
        ("\u2764\ufe0f", TokenKind.EMOJI),
        (":-(", TokenKind.EMOTICON),
        ("...", TokenKind.PUNCTUATION),
        ("#", TokenKind.PUNCTUATION),
        ("@", TokenKind.PUNCTUATION),
    ],
)
def test_every_form_has_one_kind(form: str, kind: TokenKind) -> None:
    assert kind_of(form) is kind


@pytest.mark.parametrize(
    ("spellings", "form"),
    [
        (["Slow", "SLOW", "slow"], "slow"),
        (["sooo", "soooooo", "SOOO"], "soo"),
        (["don't", "don\u2019t", "Don\u02bct"], "don't"),
        (["\uff33low"], "slow"),
        (["\u2764", "\u2764\ufe0f"], "\u2764"),
        (["caf\u00e9", "cafe\u0301"], "caf\u00e9"),
        (["1000"], "1000"),
        (["Stra\u00dfe", "STRASSE"], "strasse"),
    ],
)
def test_spellings_of_one_token_meet_in_one_form(spellings: list[str], form: str) -> None:
    assert {normal(s) for s in spellings} == {form}


def test_missing_texts_are_empty_and_keep_their_place() -> None:
    batch = tokenize([None, "a b", None])
    assert batch.lengths.tolist() == [0, 2, 0]
    assert batch.text_of.tolist() == [1, 1]


def test_no_texts_are_a_batch_too() -> None:
    batch = tokenize([])
    assert (len(batch), len(batch.codes)) == (0, 0)


def test_one_text_instead_of_a_list_is_refused() -> None:
    with pytest.raises(WrongType, match=r"put it in a list: \[text\]"):
        tokenize("So slow")


def test_rows_that_are_no_text_are_refused_with_their_place_and_not_their_content() -> None:
    with pytest.raises(WrongType, match="int in row 1 and 1 others"):
        tokenize(["a", 7, 8.0])  # type: ignore[list-item]


def test_a_repr_shows_counts_and_no_text() -> None:
    batch = tokenize(["@someone wrote"])
    assert (repr(batch), repr(batch.vocabulary)) == ("TokenBatch(1 texts, 2 tokens)", "Vocabulary(2 forms)")


def test_words_leave_punctuation_out_and_keep_emoji_links_and_tags() -> None:
    assert tokenize(["Hi, @a! :) #b https://c.de"]).words().forms(0) == ["Hi", "@a", ":)", "#b", "https://c.de"]


def test_a_table_of_forms_computes_each_form_once() -> None:
    seen: list[str] = []

    def lengths(new: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        assert isinstance(new, list)
        seen.extend(new)
        return np.array([len(form) for form in new], np.int64)

    table, reader = FormTable(lengths), Tokenizer()
    first = reader.tokenize(["a bb", "a"]).values(table)
    second = reader.tokenize(["bb ccc"]).values(table)
    assert (first.tolist(), second.tolist(), seen) == ([1, 2, 1], [2, 3], ["a", "bb", "\x1e", "ccc"])


def test_a_vocabulary_beyond_its_limit_starts_anew_and_changes_no_result() -> None:
    small, large = Tokenizer(most_forms=3), Tokenizer()
    texts = [f"word{i} again" for i in range(20)]
    for text in texts:
        assert small.tokenize([text]).forms(0) == large.tokenize([text]).forms(0)
    assert len(small.vocabulary) < 6 < len(large.vocabulary)


def test_batches_of_different_vocabularies_join() -> None:
    joined = TokenBatch.concat([tokenize(["b a"]), tokenize(["a c"])])
    assert [joined.forms(i) for i in range(2)] == [["b", "a"], ["a", "c"]]
    assert len(joined.vocabulary) == 3


def test_a_segmenter_cuts_runs_of_characters_and_leaves_the_rest_alone() -> None:
    batch = tokenize(["\u0e14\u0e35\u0e21\u0e32\u0e01 ok", "no"], segment=lambda run: [run[:2], run[2:]])
    assert batch.forms(0) == ["\u0e14\u0e35", "\u0e21\u0e32\u0e01", "ok"]
    assert batch.forms(1) == ["no"]
    assert batch.kinds.tolist()[:2] == [TokenKind.CHARACTER] * 2


def test_spans_point_into_the_text_as_it_was_read() -> None:
    clean, spans = Tokenizer().spans("Slow &amp; rude!")
    assert [clean[a:b] for a, b in spans] == ["Slow", "&", "rude", "!"]
    assert clean == cleaned("Slow &amp; rude!")


def test_codes_of_normal_forms_are_their_own_normal_forms() -> None:
    words = Vocabulary.of(["Slow", "slow"])
    assert words.normals.normals is words.normals
