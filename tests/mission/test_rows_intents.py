"""Rows of the feature list on what posts want: 135 complaints under a post."""

from __future__ import annotations

from crmcore.listening.intents import complaint_feed
from crmcore.tables import MentionTable
from crmcore.values import Severity


def comments(*texts):
    rows = [{"mention_id": "post", "text": "Our summer menu is here!", "author": "@cafe", "reply_to": None}]
    rows += [
        {"mention_id": f"c{i}", "text": t, "author": f"@guest{i}", "reply_to": "post"} for i, t in enumerate(texts, 1)
    ]
    return MentionTable.from_frame(rows)


def test_row_135_of_three_comments_the_one_complaint_comes_to_the_complaint_feed():
    posts = comments(
        "Looks delicious, thanks!", "What time do you open?", "Still waiting for my refund, no reply for weeks"
    )
    feed = complaint_feed(posts, own_authors=["@cafe"])
    assert feed.comments == 3
    assert [e.mention_id for e in feed.entries] == ["c3"]
    entry = feed.entries[0]
    assert entry.under == "post"
    assert entry.reason == "no reply"
    assert "still waiting" in entry.evidence
    assert entry.severity is Severity.NORMAL


def test_row_135_neighbours_no_complaint_an_urgent_one_and_a_post_of_others():
    assert len(complaint_feed(comments("Love it", "Yum"), own_authors=["@cafe"])) == 0
    urgent = complaint_feed(comments("Food poisoning, I was in hospital, unacceptable"), own_authors=["@CAFE"])
    assert urgent.entries[0].severity is Severity.CRITICAL
    assert len(complaint_feed(comments("terrible"), own_authors=["@bistro"])) == 0
