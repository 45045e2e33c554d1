"""From numbers to action: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.listening.insights import (
    Insight,
    Insights,
    Play,
    case_feed,
    digest,
    find_insights,
    listening_report,
    ownership,
    route,
)
from crmcore.metrics import Counts, compare
from crmcore.rules import Rule, RuleSet, field
from crmcore.tables import MentionTable

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def stream(n: int = 300) -> tuple[MentionTable, dict[str, Any]]:
    """Three weeks of posts about two brands; ours is blamed for late parcels in the last one."""
    rng = np.random.default_rng(7)
    week = np.arange(n) % 3
    ours = rng.random(n) < 0.5
    late = rng.random(n) < np.where(ours & (week == 2), 0.5, 0.1)
    negative = np.where(late, 0.9, 0.2)
    table = MentionTable.from_frame(
        {
            "mention_id": [f"p{i}" for i in range(n)],
            "text": [f"parcel late again {i}, see @user{i}" if bad else f"fine {i}" for i, bad in enumerate(late)],
            "author": [f"a{i}" for i in range(n)],
            "time": [MONDAY + timedelta(days=7 * int(w)) for w in week],
            "reach": rng.integers(10, 500, n).tolist(),
            "link": [f"https://social.example/{i}" for i in range(n)],
        }
    )
    return table, {"week": week, "ours": ours, "late": late, "negative": negative, "net": 0.9 - 2 * negative}


def test_row_137_one_stream_gives_a_feed_of_cases_and_a_report_of_the_industry() -> None:
    table, facts = stream()
    intent = np.where(facts["late"], "complaint", None)
    feed = case_feed(table, ours=facts["ours"], negative=facts["negative"], facts={"intent": intent})
    assert set(feed.row) == set(np.flatnonzero(facts["ours"] & facts["late"]))
    assert set(feed.owner) == {"service"}
    assert feed.left_alone == int((facts["ours"] & ~facts["late"]).sum())
    assert feed.to_frame("pandas")["link"].iloc[0].startswith("https://")
    brands = {"ours": facts["ours"], "rival": ~facts["ours"]}
    report = listening_report(table, brands=brands, net=facts["net"], zone="UTC")
    rows = report.rows()
    assert {row["brand"] for row in rows} == {"ours", "rival"}
    assert {row["period"] for row in rows} == {date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)}
    last = {str(r["brand"]): r for r in rows if r["period"] == date(2026, 3, 16) and r["measure"] == "net sentiment"}
    assert last["ours"]["high"] < last["rival"]["low"]  # type: ignore[operator]


def test_row_137_a_post_that_matches_both_brands_counts_for_each_and_undated_ones_for_none() -> None:
    table = MentionTable.from_frame({
        "text": ["a and b", "a", "b"], "author": ["x", "y", "z"], "time": [MONDAY, MONDAY, None],
    })  # fmt: skip
    report = listening_report(table, brands={"a": [1, 1, 0], "b": [1, 0, 1]}, net=[0.5, np.nan, 0.1], zone="UTC")
    shares = {r["brand"]: (r["value"], r["n"]) for r in report.rows() if r["measure"] == "share of voice"}
    assert shares == {"a": (2 / 3, 3), "b": (1 / 3, 3)}
    with pytest.raises(EmptyInput, match="no post of a brand has a time"):
        listening_report(table.take(np.array([2])), brands={"b": [1]}, net=[0.1], zone="UTC")


def test_row_149_rows_of_the_report_are_ready_for_a_chart() -> None:
    table, facts = stream()
    report = listening_report(table, brands={"ours": facts["ours"]}, net=facts["net"], zone="UTC", period="month")
    assert list(report.rows()[0]) == ["brand", "period", "measure", "value", "low", "high", "n", "method"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in report.rows())  # type: ignore[operator]
    assert report.chart("share of voice").to_dict()["data"]["values"]
    assert "<script" not in report._repr_html_()


def found() -> tuple[Insights, MentionTable]:
    table, facts = stream()
    plays = {"late parcels": Play(action="call the carrier", owner="service", follow_up="share of late parcels")}
    rng = np.random.default_rng(1)
    nothing = {f"noise {i}": rng.random(len(table)) < 0.3 for i in range(20)}
    things = {"late parcels": facts["late"] & facts["ours"], **nothing}
    return find_insights(table, things, now=facts["week"] == 2, plays=plays), table


def test_row_150_each_insight_links_three_quotes_and_one_test() -> None:
    insights, table = found()
    assert [i.about for i in insights] == ["late parcels"]
    insight = insights[0]
    assert len(insight.quotes) >= 3
    assert all("late" in said for said in insight.quotes_from(table))
    assert insight.test.difference.low > 0
    assert insight.p_adjusted < 0.05
    assert (insight.owner, insight.action, insight.follow_up) == (
        "service",
        "call the carrier",
        "share of late parcels",
    )
    assert insights.looked_at == 21
    assert Insights.from_dict(insights.to_dict()) == insights


def test_row_150_fewer_quotes_are_an_anecdote() -> None:
    test = compare(Counts(9, 10), Counts(1, 10), small_sample_ok=True)
    made = {
        "about": "x",
        "finding": "x",
        "test": test,
        "p_adjusted": 0.01,
        "action": "a",
        "owner": "o",
        "follow_up": "f",
    }
    with pytest.raises(OutOfRange, match="anecdote"):
        Insight(quotes=("1", "2", "2"), **made)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="action"):
        Insight(quotes=("1", "2", "3"), **{**made, "action": None})  # type: ignore[arg-type]
    assert "3 posts" in repr(Insight(quotes=("1", "2", "3"), **made))  # type: ignore[arg-type]


def test_row_150_one_loud_author_is_one_voice() -> None:
    n = 60
    table = MentionTable.from_frame({"text": ["bad"] * n, "author": ["loud"] * 30 + [f"a{i}" for i in range(30)]})
    bad = [True] * 30 + [False] * 30
    now = [True] * 45 + [False] * 15
    insights = find_insights(table, {"bad": bad}, now=now)
    assert len(insights) == 0
    assert str(insights) == "0 insights among 1 thing looked at"
    with pytest.raises(EmptyInput):
        insights.to_frame()


def test_row_150_nothing_new_is_rarely_reported() -> None:
    rng = np.random.default_rng(3)
    table = MentionTable.from_frame({"text": [f"t{i}" for i in range(400)], "author": [f"a{i}" for i in range(400)]})
    false = 0
    for _ in range(40):
        things = {str(i): rng.random(400) < 0.3 for i in range(10)}
        false += len(find_insights(table, things, now=rng.random(400) < 0.5)) > 0
    assert false <= 6  # 2 expected; P(more than 6) < 0.5 %


def test_row_157_the_chief_reads_ten_lines_with_evidence() -> None:
    insights, table = found()
    many = Insights(found=tuple(attrs.evolve(insights[0], about=f"thing {i}") for i in range(9)), looked_at=50)
    brief = digest(many, table, role="chief executive")
    assert (len(brief), brief.left) == (10, 4)
    assert sum("quotes" in line for line in brief.lines) == 5
    assert "@user" not in str(brief)
    assert all(len(line) < 160 for line in brief.lines)


def test_row_157_a_role_sees_its_own_and_silence_is_said() -> None:
    insights, table = found()
    assert digest(insights, table, role="service desk", owners=["service"]).lines[0].startswith("late parcels")
    assert digest(insights, table, role="press office", owners=["public relations"]).lines == (
        "nothing that concerns press office among 21 things looked at",
    )
    with pytest.raises(OutOfRange, match="most_lines"):
        digest(insights, table, role="x", most_lines=1)


def test_row_160_public_relations_own_crisis_posts_and_service_owns_cases() -> None:
    table = MentionTable.from_frame({"text": list("abcdef"), "reach": [10, 10, 90_000, 10, 10, 10]})
    facts = {
        "crisis": [True, False, False, False, False, None],
        "intent": ["complaint", "complaint", "complaint", "question", "compliment", None],
        "negative": [0.5, 0.5, 0.9, 0.1, 0.0, 0.3],
    }
    routed = route(table, facts=facts)
    assert routed.owner == ("public relations", "service", "public relations", "community", "marketing", "nobody")
    assert routed.rule == ("crisis", "complaint", "loud", "question", "praise", "(no rule)")
    assert str(routed) == "public relations 2, community 1, marketing 1, nobody 1, service 1"
    assert routed.of("service").tolist() == [1]


def test_row_160_rules_of_ones_own_may_ask_any_attribute_and_unknown_facts_never_hold() -> None:
    table = MentionTable.from_frame({"text": ["a", "b"], "language": ["th", "en"]})
    mine = RuleSet("mine", (Rule("thai", field("language") == "th", then="bangkok"),), default="london")
    assert route(table, rules=mine).owner == ("bangkok", "london")
    assert route(table, rules=ownership()).owner == ("nobody", "nobody")
    with pytest.raises(OutOfRange, match="length of intent"):
        route(table, facts={"intent": ["complaint"]})
