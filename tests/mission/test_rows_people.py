"""People who talk: what the library promises, in the words of the field."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.listening.people import (
    best_practices,
    conversations,
    expertise_profile,
    rank_experts,
    rank_influence,
    reach_at_risk,
)
from crmcore.metrics import Estimate
from crmcore.tables import MentionTable

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def posts(
    *rows: tuple[object, ...], names: Sequence[str] = ("mention_id", "author", "reply_to", "text")
) -> MentionTable:
    return MentionTable.from_frame([dict(zip(names, row, strict=True)) for row in rows])


TREE = posts(
    ("1", "ann", None, "Look at this"),
    ("2", "ben", "1", "Nice"),
    ("3", "cyd", "1", "Where is it?"),
    ("4", "ben", "3", "In town"),
    ("5", "ann", "4", "Yes"),
    ("6", "dan", "1", "Wow"),
)


def test_row_083_a_tree_of_six_has_depth_three_and_tells_its_reach() -> None:
    cascade = conversations(TREE).cascade("1")
    assert (cascade.posts, cascade.people, cascade.depth, cascade.breadth) == (6, 3, 3, (3, 1, 1))
    assert np.isnan(cascade.reach_high)
    assert str(cascade) == "6 posts, 3 people drawn in, depth 3, reach unknown"
    reach = [100, 50, 10, 50, 100, 5]
    heard = MentionTable.from_frame({
        "mention_id": TREE.mention_id.to_list(), "author": TREE.author.to_list(), "reply_to": TREE.reply_to.to_list(),
        "text": TREE.text.to_list(), "reach": reach,
    })  # fmt: skip
    known = conversations(heard).cascade("1")
    assert (known.reach_low, known.reach_high) == (100, 165)  # ann and ben count once


def test_row_083_what_a_member_moves_is_told_for_each_of_his_posts() -> None:
    found = conversations(TREE).cascades(author="cyd")
    assert (found.post, found.posts.tolist(), found.people.tolist(), found.depth.tolist()) == (("3",), [3], [2], [2])
    every = conversations(TREE).cascades(author="ben", least_posts=1)
    assert (every.post, every.posts.tolist()) == (("4", "2"), [2, 1])
    with pytest.raises(OutOfRange, match="an author of the mentions"):
        conversations(TREE).cascades(author="eve")


def test_row_083_answers_in_a_circle_are_refused_and_lost_posts_begin_anew() -> None:
    with pytest.raises(BadRows, match="refer in a circle"):
        conversations(posts(("1", "a", "2", "x"), ("2", "b", "1", "y")))
    talk = conversations(posts(("1", "a", "gone", "x"), ("2", "b", "1", "y")))
    assert (talk.lost, talk.cascade("1").posts) == (1, 2)
    assert "1 of them answer what was not collected" in str(talk)


def billing(n: int) -> MentionTable:
    rows: list[tuple[object, ...]] = []
    for i in range(n):
        rows.append((f"q{i}", f"asker{i}", None, "How do I pay my bill?", "billing", "0"))
        rows.append((f"a{i}", "expert", f"q{i}", "Open the invoice and pay", None, "1"))
    rows += [("q", "asker", None, "Screen is black", "devices", "0"), ("a", "other", "q", "Restart", None, "0")]
    return posts(*rows, names=("mention_id", "author", "reply_to", "text", "topic", "accepted"))


def test_row_084_twelve_accepted_answers_on_billing_are_the_top_expertise() -> None:
    profile = expertise_profile(conversations(billing(12)), "expert", topics="topic", accepted="accepted", now=NOW)
    top = profile.top
    assert (top.topic, top.answers, top.accepted, top.rank) == ("billing", 12, 12, 1)
    assert top.score == pytest.approx(36)
    assert 0.5 < top.acceptance.low < top.acceptance.value < 1
    assert "expert" not in repr(profile)


def test_row_084_topics_may_be_words_and_whoever_never_answered_has_none() -> None:
    talk = conversations(billing(3))
    topics = {"billing": "bill invoice", "devices": "screen"}
    by_words = expertise_profile(talk, "expert", topics=topics, accepted="accepted", now=NOW)
    assert [area.topic for area in by_words.areas] == ["billing"]
    nothing = expertise_profile(talk, "asker1", topics=topics, now=NOW)
    assert (len(nothing), str(nothing)) == (0, "no answer on any topic")
    with pytest.raises(EmptyInput):
        _ = nothing.top
    with pytest.raises(UnknownName, match="did you mean 'topic'"):
        expertise_profile(talk, "expert", topics="topics", now=NOW)


def test_row_086_three_accepted_answers_of_one_problem_are_one_entry_with_three_sources() -> None:
    table = posts(
        ("1", "a", None, "App crashes when I log in", "0"),
        ("2", "x", "1", "Clear the cache, then log in again", "1"),
        ("3", "b", None, "Log in crashes the app", "0"),
        ("4", "y", "3", "You must clear the cache", "1"),
        ("5", "c", None, "The app crashes at log in!", "0"),
        ("6", "z", "5", "Clear cache in settings", "1"),
        ("7", "d", None, "Where is my refund?", "0"),
        ("8", "x", "7", "It takes five days", "1"),
        ("9", "w", "7", "No idea", "0"),
        names=("mention_id", "author", "reply_to", "text", "accepted"),
    )
    found = best_practices(conversations(table), accepted="accepted", now=NOW)
    assert len(found) == 1
    entry = found[0]
    assert sorted(table.mention_id.take(np.array(entry.sources)).to_list()) == ["2", "4", "6"]
    assert (len(entry.questions), entry.people, entry.agreed[:2]) == (3, 3, ("cach", "clear"))
    assert len(best_practices(conversations(table), accepted="accepted", now=NOW, least_sources=1)) == 2
    rows = found.to_frame("pandas")
    assert rows["entry"].tolist() == [0, 0, 0]


def test_row_158_twenty_thousand_followers_counted_once_are_two_thousand_exposed() -> None:
    complaints = posts(
        ("1", "xyz", "Never fly with them", 20_000),
        ("2", "xyz", "Still no answer", 20_000),
        names=("mention_id", "author", "text", "reach"),
    )
    risk = reach_at_risk(complaints, view_rate=0.1)
    assert (risk.audience_low, risk.audience_high, risk.exposed_low, risk.exposed_high) == (
        20_000,
        20_000,
        2_000,
        2_000,
    )
    assert (risk.post, risk.priority.tolist()) == (("1",), [2_000.0])


def test_row_158_priority_weighs_who_listens_with_how_bad_it_is() -> None:
    table = posts(
        ("1", "a", "meh", 1_000),
        ("2", "b", "awful", 400),
        ("3", "c", "fine", None),
        names=("mention_id", "author", "text", "reach"),
    )
    rate = Estimate(value=0.1, low=0.05, high=0.2, level=0.95, n=100, rule="views / followers", method="wilson")
    risk = reach_at_risk(table, view_rate=rate, negative=[0.1, 0.9, 0.0])
    assert (risk.post, risk.priority.round(9).tolist(), risk.unknown) == (("2", "1", "3"), [36.0, 10.0, 0.0], 1)
    assert (risk.audience_low, risk.audience_high) == (1_000, 1_400)
    assert (risk.exposed_low, risk.exposed_high) == (50, 280)
    overlap = {"a": range(1_000), "b": range(700, 1_100)}
    exact = reach_at_risk(table, view_rate=0.1, audiences=overlap)
    assert (exact.audience_low, exact.audience_high) == (1_100, 1_100)
    with pytest.raises(OutOfRange, match="view_rate"):
        reach_at_risk(table, view_rate=10)
    with pytest.raises(BadRows, match="below 0"):
        reach_at_risk(posts(("1", "a", "x", -1), names=("mention_id", "author", "text", "reach")), view_rate=0.1)


def crowd() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        ("e0", "engaged", None, "How was it?", 500),
        ("s0", "star", None, "Buy now", 90_000),
    ]
    for i in range(6):
        rows.append((f"m{i}", f"member{i}", "e0", "Good", 50))
        rows.append((f"r{i}", "engaged", f"m{i}", "Thanks", 500))
        rows.append((f"t{i}", f"member{(i + 1) % 6}", f"m{i}", "Same here", 50))
    return rows


def test_row_159_a_bot_followed_account_scores_lower_than_an_engaged_one() -> None:
    names = ("mention_id", "author", "reply_to", "text", "reach")
    bots = [(f"b{i}", f"bot{i}", "s0", "Great!", 3) for i in range(40)]
    plain = rank_influence(conversations(posts(*crowd(), names=names)))
    farmed = rank_influence(conversations(posts(*crowd(), *bots, names=names)))
    assert plain.author[0] == farmed.author[0] == "engaged"
    assert farmed.of("star") < farmed.of("engaged") / 5
    trusted = rank_influence(
        conversations(posts(*crowd(), *bots, names=names)), trusted=[f"member{i}" for i in range(6)]
    )
    assert trusted.of("star") == 0
    with pytest.raises(OutOfRange, match="authors of the mentions"):
        rank_influence(conversations(posts(*crowd(), names=names)), trusted=["nobody"])


def test_row_159_a_larger_audience_changes_no_score() -> None:
    names = ("mention_id", "author", "reply_to", "text", "reach")
    many = [(*row[:4], 10_000_000 if row[1] == "star" else row[4]) for row in crowd()]
    one, two = (rank_influence(conversations(posts(*rows, names=names))) for rows in (crowd(), many))
    assert one.author == two.author
    assert one.score.tolist() == two.score.tolist()


def test_row_159_nobody_who_answers_leaves_nothing_to_rank() -> None:
    with pytest.raises(EmptyInput, match="reply_to"):
        rank_influence(conversations(posts(("1", "a", None, "x"))))


def test_row_081_depth_and_usefulness_make_an_expert_and_talk_to_oneself_does_not() -> None:
    rows: list[tuple[object, ...]] = [("q", "a", None, "How to pay?", "0"), ("s", "a", "q", "Found it", "1")]
    rows += [(f"n{i}", "talker", "q", "me too", "0") for i in range(2)]
    rows += [("u", "knower", "q", "Pay by card", "1")]
    table = posts(*rows, names=("mention_id", "author", "reply_to", "text", "accepted"))
    ranking = rank_experts(conversations(table), accepted="accepted", now=NOW)
    assert ranking.author == ("knower", "talker")
    assert ranking.score.tolist() == [3, 2]
    assert str(ranking[0]).startswith("1. score 3: 1 answers, 1 accepted (")
    with pytest.raises(EmptyInput):
        rank_experts(conversations(table.take(np.array([0, 1]))), now=NOW)


def test_row_081_an_answer_that_is_old_counts_less_and_one_from_the_future_nothing() -> None:
    rows = [("q", "a", None, "x", NOW - timedelta(days=200)), ("1", "old", "q", "y", NOW - timedelta(days=120))]
    rows += [("2", "new", "q", "y", NOW), ("3", "late", "q", "y", NOW + timedelta(days=1))]
    table = posts(*rows, names=("mention_id", "author", "reply_to", "text", "time"))
    ranking = rank_experts(conversations(table), now=NOW)
    assert dict(zip(ranking.author, ranking.score.tolist(), strict=True)) == {"new": 1.0, "old": 0.25}


def instant(cell: str) -> datetime:
    """Time as one of the communities writes it; one of them mixes day first (mostly) and month first."""
    for form in ("%d/%m/%y %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%y %H:%M"):
        try:
            return datetime.strptime(cell.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise AssertionError("no form reads the time")


def community(path: Path) -> MentionTable:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return MentionTable.from_frame(
        {
            "mention_id": [r["post"] for r in rows],
            "author": [r["author"] for r in rows],
            "text": [f"{r['title']} {r['text']}" for r in rows],
            "time": [instant(r["date"]) for r in rows],
            "reply_to": [None if r["type"] == "question" else r["thread"] for r in rows],
            "accepted": [r["resolved"] if r["type"] == "answer" else "0" for r in rows],
        }
    )


def places(table: MentionTable, *, least_past: int = 20) -> tuple[list[int], list[int]]:
    """Place of whoever gave the next accepted answer: in our ranking, and by counting the answers so far."""
    talk = conversations(table)
    ok = table.attributes["accepted"]
    won = np.flatnonzero(np.array([value == "1" for value in ok.to_list()]))
    author, time, depth = table.author.codes, table.time, talk.forest.depth
    ours, counted = list[int](), list[int]()
    for row in won:
        question = int(talk.forest.root[row])
        past = np.flatnonzero((time < time[question]) & (depth > 0))
        if len(past) < least_past:
            continue
        name = table.author[int(row)]
        before = conversations(table.take(np.flatnonzero(time < time[question])))
        asked = datetime.fromisoformat(str(time[question])).replace(tzinfo=UTC)
        ranking = rank_experts(before, accepted="accepted", topic=table.text[question], now=asked)
        ours.append(ranking.of(name).rank if name in ranking.author else 10**6)
        n = np.bincount(author[past], minlength=len(table.author.values))
        mine = n[author[row]]
        counted.append(1 + int((n > mine).sum()) if mine else 10**6)
    return ours, counted


@pytest.mark.parametrize("name", ["dwolla", "docusign_php", "docusign_java"])
def test_row_081_experts_are_never_ranked_worse_than_by_counting_answers(name: str, data_dir: Path) -> None:
    ours, counted = map(np.array, places(community(data_dir / "listening_expertqa" / f"{name}.csv.gz")))
    assert len(ours) >= 40
    assert (ours <= 5).mean() >= (counted <= 5).mean()
    assert (1 / ours).mean() > (1 / counted).mean()
