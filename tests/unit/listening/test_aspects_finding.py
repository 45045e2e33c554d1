"""Aspects as data, where texts mention them, clauses, proposals."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import ConflictingConstraints, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.aspects import Aspect, Aspects, find_aspects, mentions_at, propose_aspects
from crmcore.listening.aspects.clauses import clause_bounds
from crmcore.text import tokenize

ASPECTS = Aspects.of({"battery": ["battery", "battery life"], "service": ["staff", "deliver*"]})


def test_terms_match_in_any_case_longest_first_and_by_star():
    found = find_aspects(["BATTERY LIFE ok", "delivered late by Staff", "undeliverable", None, ""], ASPECTS)
    assert found.text.tolist() == [0, 1, 1]
    assert [found.aspects[i] for i in found.aspect] == ["battery", "service", "service"]
    assert (found.stop - found.start).tolist() == [2, 1, 1]
    assert repr(found) == "AspectMentions(3 finds of 2 aspects in 5 texts)"


def test_a_clause_ends_at_marks_and_at_words_that_join():
    texts = ["The staff was kind but slow, the battery died. Fine", "staff", "I like the staff and the battery life!"]
    assert find_aspects(texts, ASPECTS).clause_texts() == [
        "The staff was kind",
        "the battery died",
        "staff",
        "I like the staff",
        "the battery life",
    ]


def test_clauses_of_another_language_take_its_words():
    found = find_aspects(["personal nett aber akku schwach"], Aspects.of({"p": ["personal"], "a": ["akku"]}))
    assert found.clause_texts(words=["aber"]) == ["personal nett", "akku schwach"]


def test_a_term_that_holds_a_cut_word_joins_its_clauses():
    found = find_aspects(["great bed and breakfast, truly"], Aspects.of({"stay": ["bed and breakfast"]}))
    assert found.clause_texts() == ["great bed and breakfast"]


def test_no_texts_and_no_finds_are_fine():
    assert len(find_aspects([], ASPECTS)) == 0
    assert find_aspects(["nothing here"], ASPECTS).clause_texts() == []
    start, stop = clause_bounds(tokenize([]).normalised())
    assert len(start) == len(stop) == 0


def test_aspects_go_through_json_and_are_read_by_name():
    assert Aspects.from_dict(ASPECTS.to_dict()) == ASPECTS
    assert ASPECTS["service"].terms == ("staff", "deliver*")
    with pytest.raises(UnknownName, match="did you mean 'service'"):
        ASPECTS["servise"]
    assert "<td>battery, battery life</td>" in ASPECTS._repr_html_()


def test_bad_aspects_are_named():
    with pytest.raises(ConflictingConstraints, match="by the term 'Staff' contradict each other: a, b"):
        Aspects.of({"a": ["staff"], "b": ["Staff"]})
    with pytest.raises(ConflictingConstraints, match="one entry with all its terms"):
        Aspects((Aspect("a", ("x",)), Aspect("a", ("y",))))
    with pytest.raises(WrongType, match="waiter"):
        Aspects.of({"a": "staff"})
    with pytest.raises(WrongType):
        Aspects.of(["staff"])  # type: ignore[arg-type]
    with pytest.raises(EmptyInput, match="terms of aspect 'a'"):
        Aspect("a", ())
    with pytest.raises(OutOfRange, match="a star stands at the end of a word"):
        Aspect("a", ("*",))
    with pytest.raises(EmptyInput):
        Aspects(())
    with pytest.raises(WrongType):
        Aspect("", ("x",))


def test_mentions_marked_by_characters_take_the_tokens_they_touch():
    texts = ["Crispy squid & chips, \U0001f600 good", "a&amp;b staff"]
    found = mentions_at(texts, row=[0, 1], begin=[0, 8], end=[12, 13], aspect=["food", "staff"])
    assert [found.batch.forms(0)[found.start[0] : found.stop[0]]] == [["Crispy", "squid"]]
    assert found.clause_texts()[1].endswith("staff")
    with pytest.raises(OutOfRange, match="a stretch of characters"):
        mentions_at(["abc"], row=[0], begin=[2], end=[9])
    with pytest.raises(OutOfRange, match="one entry a mention"):
        mentions_at(["abc"], row=[0], begin=[0, 1], end=[1])


def test_proposals_are_nouns_by_where_they_stand():
    texts = [
        "The small waiter was rude",
        "my waiter forgot us",
        "this waiter",
        "the battery life is bad",
        "a battery life",
    ]
    proposal = propose_aspects(texts, least_texts=2)
    assert [c.term for c in proposal.candidates] == ["waiter", "battery life"]
    assert proposal.aspects(most=1).names == ("waiter",)
    assert proposal.to_frame(backend="polars").columns == ["term", "texts", "subject"]
    assert repr(proposal) == "Proposal(2 candidates)"
    assert "waiter" in proposal._repr_html_()
    assert len(propose_aspects([])) == 0
    with pytest.raises(EmptyInput, match="lower least_texts"):
        propose_aspects(["x"]).to_frame()


def test_take_selects_finds():
    found = find_aspects(["staff", "battery"], ASPECTS)
    assert len(found.take(np.array([True, False]))) == 1
