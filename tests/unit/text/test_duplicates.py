"""Near-duplicates: what counts as one, that each pair was verified, that a stream says what a batch says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from crmcore.errors import OutOfRange, WrongType
from crmcore.text.duplicates import DuplicateFinder, _plain, find_duplicates

TEXT = "my parcel came three weeks late and nobody answers the phone"


@pytest.mark.parametrize(
    "copy",
    [
        "RT @someone my parcel came three weeks late and nobody answers the phone",
        "My parcel came THREE weeks late, and nobody answers the phone!!!",
        "my parcel came three weeks late and nobody answers the phone https://a.co/x1",
        "my parcel came three wekes late and nobody answers the phone",
        "my parcel came weeks late and nobody answers the phone",
        "my parcel came three weeks late and nobody answers the phone #angry",
    ],
)
def test_an_edit_is_a_near_duplicate(copy: str) -> None:
    found = find_duplicates([TEXT, "a very different text about shoes", copy])
    assert found.first.tolist() == [0, 1, 0]
    assert found.repeats.tolist() == [False, False, True]


def test_every_reported_pair_is_as_alike_as_asked() -> None:
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcde"), 4)) for _ in range(30)]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(400)]
    found = find_duplicates(texts, similarity=0.7)
    assert len(found.left) > 20
    plain = _plain(texts, 1)
    for a, b, alike in zip(found.left, found.right, found.similarity, strict=True):
        assert Indel.normalized_similarity(plain[a], plain[b]) == pytest.approx(alike, abs=1e-6)
        assert alike >= 0.7 - 1e-6


def test_nearly_all_pairs_of_brute_force_are_in_one_group() -> None:
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghijklmnop"), rng.integers(3, 9))) for _ in range(300)]
    texts = []
    for _ in range(150):
        base = rng.choice(words, 10).tolist()
        texts.append(" ".join(base))
        base[int(rng.integers(10))] = words[int(rng.integers(300))]
        texts.append(" ".join(base))
    found, plain, held, there = find_duplicates(texts), _plain(texts, 1), 0, 0
    for i in range(len(plain)):
        for j in range(i):
            if Indel.normalized_similarity(plain[i], plain[j]) >= 0.8:
                there += 1
                held += found.first[i] == found.first[j]
    assert there > 100
    assert held / there >= 0.99


def test_a_million_copies_are_one_comparison_and_empty_texts_none() -> None:
    found = find_duplicates([TEXT] * 50_000 + ["", None, "!!!", "\U0001f600 \U0001f600"])
    assert len(found.left) == 0
    assert found.first[:50_000].max() == 0
    assert found.first[50_000:].tolist() == [50_000, 50_001, 50_002, 50_003]
    assert repr(found) == "DuplicateTexts(50004 texts: 50000 in 1 group)"
    assert found.groups()[0].tolist() == list(range(50_000))


def test_short_texts_are_spared_where_asked() -> None:
    texts = ["so good", "So good!", TEXT, TEXT]
    assert find_duplicates(texts).first.tolist() == [0, 0, 2, 2]
    assert find_duplicates(texts, least_words=3).first.tolist() == [0, 1, 2, 2]


def test_odd_texts_are_read() -> None:
    odd = ["x", "\ud800 broken", "\u0e2a\u0e1a\u0e32\u0e22\u0e14\u0e35", "ab" * 5_000, "ab" * 5_000 + "c", "\u202eabc"]
    assert find_duplicates(odd).first.tolist() == [0, 1, 2, 3, 3, 5]
    assert find_duplicates([]).first.tolist() == []
    with pytest.raises(WrongType, match="texts"):
        find_duplicates("one text")  # type: ignore[arg-type]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(OutOfRange, match="similarity"):
        DuplicateFinder(similarity=1.2)
    with pytest.raises(OutOfRange, match="window"):
        DuplicateFinder().stream(window=0)


def test_results_have_a_frame_a_table_and_a_picture() -> None:
    found = find_duplicates([TEXT, TEXT, "else"])
    frame = found.to_frame(backend="pandas")
    assert frame["size"].tolist() == [2, 2, 1]
    assert "2 in 1 group" in found._repr_html_()
    assert found.chart().spec


word = st.sampled_from(["red", "green", "blue", "phone", "parcel", "late", "again", "!", "RT", "#win", "http://a.co"])
lines = st.lists(st.one_of(st.none(), st.lists(word, max_size=7).map(" ".join)), max_size=25)


@given(lines, st.data())
@settings(max_examples=80, deadline=None)
def test_a_stream_joins_what_the_batch_joins_among_the_texts_read_so_far(
    texts: list[str | None], data: st.DataObject
) -> None:
    stream, at = DuplicateFinder().stream(), 0
    while at < len(texts):
        step = data.draw(st.integers(1, 7))
        told = stream.add(texts[at : at + step]).tolist()
        assert told == find_duplicates(texts[: at + step]).first[at:].tolist()
        at += step


def test_a_window_forgets() -> None:
    stream = DuplicateFinder().stream(window=3)
    assert stream.add([TEXT, "one thing", "two things"]).tolist() == [0, 1, 2]
    assert stream.add([TEXT + " now"]).tolist() == [0]
    assert stream.add(["three more", "four beds", "five rings"]).tolist() == [4, 5, 6]
    assert stream.add([TEXT]).tolist() == [7]
    assert repr(stream) == "DuplicateStream(8 texts seen, 3 held)"


@given(lines)
@settings(max_examples=60, deadline=None)
def test_groups_are_closed_and_begin_with_their_first(texts: list[str | None]) -> None:
    found = find_duplicates(texts)
    assert (found.first <= np.arange(len(texts))).all()
    assert (found.first[found.first] == found.first).all()
    assert sum(len(g) for g in found.groups(least=1)) == len(texts)
    assert (found.first[found.left] == found.first[found.right]).all()


def test_a_similarity_of_one_asks_for_the_same_words() -> None:
    texts = [TEXT, TEXT.upper() + "!!", TEXT + " 2", "RT " + TEXT]
    assert find_duplicates(texts, similarity=1).first.tolist() == [0, 0, 2, 0]
    stream = DuplicateFinder(similarity=1).stream()
    assert stream.add(texts).tolist() == [0, 0, 2, 0]
