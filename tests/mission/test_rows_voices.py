"""Voices compared: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.voices import (
    Contrasts,
    aspect_gaps,
    discussion_points,
    release_effect,
    said_versus_heard,
    unmet_needs,
)
from crmcore.tables import MentionTable
from crmcore.text.keyness import key_terms, log_odds

RELEASE = datetime(2026, 3, 10, tzinfo=UTC)


def people(texts: list[str], **columns: object) -> MentionTable:
    return MentionTable.from_frame({"text": texts, "author": [f"a{i}" for i in range(len(texts))], **columns})


def test_row_138_a_complaint_that_only_rivals_have_is_ranked_first() -> None:
    rng = np.random.default_rng(4)
    n = 400
    rivals = np.arange(n) < 200
    fees, late = rivals & (rng.random(n) < 0.3), rng.random(n) < 0.2
    table = people(["x"] * n)
    things = {"late parcels": late, "hidden fees": fees}
    found = unmet_needs(table, things, ours=~rivals, rivals=rivals, complaint=fees | late)
    assert [c.about for c in found.found] == ["hidden fees", "late parcels"]
    assert (found[0].verdict, found[1].verdict) == ("rivals leave it open", "no clear difference")
    assert found[0].p_adjusted < 0.001
    assert Contrasts.from_dict(found.to_dict()) == found
    with pytest.raises(EmptyInput, match="rivals"):
        unmet_needs(table, things, ours=~rivals, rivals=[0] * n, complaint=late)


def test_row_144_the_gap_of_an_aspect_points_at_its_touchpoint() -> None:
    n = 100
    ours = np.arange(n) < 50
    rng = np.random.default_rng(2)
    delivery = np.where(ours, -0.4, 0.2) + rng.normal(0, 0.1, n)
    delivery += np.where(ours, -0.4 - delivery[ours].mean(), 0.2 - delivery[~ours].mean())
    food = rng.normal(0.1, 0.1, n)
    table = people(["x"] * (2 * n))
    both = {"delivery": np.arange(2 * n) < n, "food": np.arange(2 * n) >= n}
    found = aspect_gaps(
        table, both, ours=np.tile(ours, 2), rivals=np.tile(~ours, 2), net=np.concatenate([delivery, food]),
        touchpoints={"delivery": "delivery"},
    )  # fmt: skip
    first = found[0]
    assert first.about == first.touchpoint == "delivery"
    assert first.test.difference.value == pytest.approx(0.6)
    assert first.test.difference.low > 0.5
    assert first.verdict == "rivals are ahead"
    assert found[1].verdict == "no clear difference"
    assert "-> touchpoint delivery" in str(found)
    assert found.chart().to_dict()["data"]["values"]
    with pytest.raises(OutOfRange, match="length of net"):
        aspect_gaps(table, both, ours=np.tile(ours, 2), rivals=np.tile(~ours, 2), net=[0.1])


def test_row_144_an_author_counts_once_and_one_voice_is_too_few() -> None:
    table = MentionTable.from_frame({"text": ["x"] * 6, "author": ["a", "a", "a", "b", "c", "d"]})
    found = aspect_gaps(table, {"taste": [1] * 6}, ours=[1, 1, 1, 0, 0, 0], rivals=[0, 0, 0, 1, 1, 1], net=[0.1] * 6)
    assert found[0].test.second.n == 1
    nothing = aspect_gaps(table, {"smell": [0] * 6}, ours=[1] * 3 + [0] * 3, rivals=[0] * 3 + [1] * 3, net=[0.1] * 6)
    assert nothing[0].verdict == "too few voices"


def test_row_151_an_issue_is_followed_over_a_release() -> None:
    rng = np.random.default_rng(6)
    n = 600
    after = np.arange(n) >= 300
    battery = rng.random(n) < np.where(after, 0.05, 0.3)
    camera = rng.random(n) < 0.1
    table = people(["x"] * n, time=[RELEASE + timedelta(days=1 if late else -1) for late in after])
    found = release_effect(table, {"battery": battery, "camera": camera}, released_at=RELEASE)
    assert [(c.about, c.verdict) for c in found.found] == [("camera", "still open"), ("battery", "less than before")]
    assert found[1].test.difference.high < -0.1
    with pytest.raises(EmptyInput, match="after the release"):
        release_effect(table, {"camera": camera}, released_at=RELEASE + timedelta(days=9))


def test_row_154_a_phrase_goes_with_a_brand_in_one_group_of_authors() -> None:
    older = ["true beauty at any age, champion of women over fifty"] * 40 + ["nice soap"] * 20
    younger = ["nice soap"] * 50 + ["true beauty"] * 10
    found = discussion_points(people(older + younger), [True] * 60 + [False] * 60, orders=(1, 2))
    strength = dict(zip(found.term, found.log_odds.tolist(), strict=True))
    assert strength["true beauty"] > 0
    assert strength["champion of"] > 0
    assert strength["soap"] < 0
    assert str(found).startswith("> ")


def test_row_156_what_we_say_against_what_is_heard() -> None:
    said = ["Fast delivery, friendly service, premium quality"] * 30
    heard = people(["slow delivery again", "delivery is slow", "friendly service at delivery"] * 30)
    found = said_versus_heard(said, heard)
    strength = dict(zip(found.term, found.log_odds.tolist(), strict=True))
    assert strength["premium"] > 0
    assert strength["slow"] < 0
    assert "delivery" not in strength
    with pytest.raises(EmptyInput, match="said"):
        said_versus_heard([], heard)


def test_an_author_who_repeats_himself_is_one_voice() -> None:
    table = MentionTable.from_frame(
        {"text": ["zebra zebra"] * 80 + ["horse"] * 80, "author": ["loud"] * 80 + [f"a{i}" for i in range(80)]}
    )
    found = discussion_points(table, [True] * 80 + [False] * 80)
    assert "zebra" not in found.term


def test_a_null_corpus_shows_a_term_in_at_most_one_run_of_twenty() -> None:
    rng = np.random.default_rng(9)
    words = [f"w{i}" for i in range(60)]
    share = rng.dirichlet(np.ones(60))
    hits = 0
    for _ in range(60):
        texts = [" ".join(rng.choice(words, 6, p=share)) for _ in range(200)]
        hits += len(discussion_points(people(texts), rng.random(200) < 0.5)) > 0
    assert hits <= 3


def test_log_odds_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    y1, y2, a = rng.integers(0, 50, 30).astype(float), rng.integers(0, 50, 30).astype(float), rng.random(30) * 5 + 0.01
    n1, n2, a0 = y1.sum(), y2.sum(), a.sum()
    delta, z = log_odds(y1, y2, a, n_first=n1, n_second=n2)
    for i in range(30):
        one = np.log((y1[i] + a[i]) / (n1 + a0 - y1[i] - a[i]))
        two = np.log((y2[i] + a[i]) / (n2 + a0 - y2[i] - a[i]))
        assert delta[i] == pytest.approx(one - two, abs=1e-9)
        assert z[i] == pytest.approx((one - two) / np.sqrt(1 / (y1[i] + a[i]) + 1 / (y2[i] + a[i])), abs=1e-9)


def test_key_terms_refuse_what_they_cannot_compare() -> None:
    with pytest.raises(OutOfRange, match="length of the counts"):
        key_terms(["a"], [1, 2], [1], n_first=2, n_second=2)
    with pytest.raises(EmptyInput, match="both need texts"):
        key_terms(["a"], [1], [0], n_first=2, n_second=0)
    assert str(key_terms([], [], [], n_first=1, n_second=1)) == "none of 0 terms tells the groups apart"
