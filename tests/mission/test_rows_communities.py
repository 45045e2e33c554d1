"""Communities: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import BadRows, DuplicateIds, OutOfRange
from crmcore.idic.interact import communities
from crmcore.idic.interact.communities import Ballot, Community, Decision, Entry, Follow, Poll, Vote
from crmcore.idic.interact.communities.ambassadors import AMBASSADOR
from crmcore.idic.interact.communities.fans import FanEvent, FanPage
from crmcore.idic.interact.communities.matching import blocking_pairs
from crmcore.idic.interact.communities.moderation import TRUST
from crmcore.idic.interact.communities.practices import gather_practices
from crmcore.ledger import Ledger
from crmcore.lifecycle import Cases, Command, IllegalCommand, Permissions
from crmcore.rules import Rule, RuleSet, field
from crmcore.stores import MemoryStore

AT = datetime(2026, 5, 1, 9, tzinfo=UTC)


def day(n: float) -> datetime:
    return AT + timedelta(days=n)


def posts(*rows: tuple[str, str, str | None], staff: tuple[str, ...] = (), members: tuple[str, ...] = ()) -> Community:
    cells = [
        {"id": i, "author": who, "at": AT + timedelta(minutes=k), "reply_to": to} for k, (i, who, to) in enumerate(rows)
    ]
    return Community.from_frame(cells, staff=staff, members=members)


def test_row_066_three_members_and_two_replies_by_hand() -> None:
    found = communities.health(posts(("1", "a", None), ("2", "b", "1"), ("3", "a", "2"), members=("c",)), now=day(2))
    assert (found.density, found.reciprocity) == (2 / 6, 1.0)
    assert (found.members, found.writers, found.posts, found.replies) == (3, 2, 3, 2)
    one_way = posts(("1", "a", None), ("2", "b", "1"), ("3", "c", "1"))
    assert (one_way.graph().density, one_way.graph().reciprocity) == (2 / 6, 0.0)
    assert "3 members" in str(found)
    assert len(found._repr_html_()) < 6000
    assert type(found).from_dict(found.to_dict()).to_dict() == found.to_dict()
    assert found.chart().spec
    assert len(found.to_frame()) == 7


def test_row_066_bad_posts_are_all_named_at_once() -> None:
    rows = [
        {"id": None, "author": "a", "at": AT, "reply_to": None},
        {"id": "2", "author": "a", "at": "soon", "reply_to": None},
    ]
    with pytest.raises(BadRows, match=r"(?s)id: no id in 1 row.*at: no time that can be read in 1 row"):
        Community.from_frame(rows)
    with pytest.raises(DuplicateIds):
        posts(("1", "a", None), ("1", "b", None))
    with pytest.raises(BadRows, match="answers itself"):
        posts(("1", "a", "1"))


def test_row_067_two_votes_of_one_person_are_one() -> None:
    poll = Poll(question="Colour?", options=["red", "blue"])
    found = poll.count([Vote("ann", "red", AT, "1"), Vote("ann", "blue", day(1), "2"), Vote("ben", "blue", AT, "3")])
    assert found.votes == {"red": 1, "blue": 1}
    assert found.shares["red"].method == "goodman"
    assert [r.reason for r in found.rejected] == ["second vote of one person: the first counts"]
    last = Poll(question="Colour?", options=["red", "blue"], counts="last")
    assert last.count([Vote("ann", "red", AT), Vote("ann", "blue", day(1))]).votes == {"red": 0, "blue": 1}
    assert poll.count([Vote("ann", "green", AT)]).rejected[0].reason == "no option of the poll"


def test_row_070_a_brand_that_writes_eight_of_ten_posts_is_a_controller() -> None:
    rows = [(str(i), "us" if i < 8 else "ann", None) for i in range(10)]
    assert communities.brand_share(posts(*rows, staff=("us",))).role == "controller"
    even = [(str(i), "us" if i < 5 else "ann", None) for i in range(10)]
    assert communities.brand_share(posts(*even, staff=("us",))).role == "facilitator"
    assert communities.brand_share(posts(("1", "ann", None), staff=("us",))).role == "absent"


def test_row_070_a_toxic_post_is_held_with_its_reason_and_may_be_appealed() -> None:
    queue = communities.ModerationQueue(MemoryStore(), RuleSet("safe", [Rule("toxic", field("toxicity") >= 0.8)]))
    assert queue.submit("ok", {"toxicity": 0.1}, author="ann", at=AT).state == "published"
    assert queue.submit("odd", {}, author="ann", at=AT).state == "held"  # nobody knows: people look
    assert queue.submit("bad", {"toxicity": 0.9}, author="ann", at=AT).state == "held"
    assert queue.waiting()[0][2] == ("toxic: toxicity is at least 0.8 (0.9)",)
    assert queue.decide("bad", "remove", moderator="mo", at=day(1), reason="insult").accepted
    assert not queue.appeal("bad", "Was a joke", author="ben", at=day(1)).accepted
    assert queue.appeal("bad", "Was a joke", author="ann", at=day(2)).accepted
    assert not queue.decide("bad", "restore", moderator="mo", at=day(3), reason="ok").accepted
    assert queue.decide("bad", "restore", moderator="kim", at=day(3), reason="ok").case.state == "published"


def test_row_070_trust_is_left_below_a_lower_line_than_entered() -> None:
    facts = {"days_visited": 15, "posts_read": 40, "replies": 10, "flags_upheld": 0}
    now = TRUST.assign(None, facts, now=AT)
    assert now.standing.tier == "member"
    assert TRUST.assign(now.standing, {**facts, "days_visited": 10}, now=day(1)).standing.tier == "member"
    low = TRUST.assign(now.standing, {**facts, "days_visited": 5}, now=day(2))
    assert low.standing.grace_until is not None
    assert TRUST.assign(low.standing, {**facts, "days_visited": 5}, now=day(20)).standing.tier == "basic"


def test_row_071_a_chat_and_a_forum_give_equal_metrics_for_equal_events() -> None:
    chat = {
        "messages": [
            {"id": "9", "timestamp": "2026-05-01T09:00:00Z", "author": {"id": "ann"}, "content": "Help?"},
            {
                "id": "5",
                "timestamp": "2026-05-01T16:30:00+07:00",
                "author": {"id": "ben"},
                "reference": {"messageId": "9"},
            },
            {"id": "7", "timestamp": "2026-05-01T10:00:00Z", "author": {"id": "ann"}, "reference": {"messageId": "5"}},
        ],
        "members": [{"id": "cyd"}],
    }
    last = {"id": "7", "author": "ann", "created_at": "2026-05-01T10:00:00Z"}
    reply = {"id": "5", "author": "ben", "created_at": "2026-05-01T09:30:00Z", "replies": [last]}
    forum = [{"id": "9", "author": "ann", "created_at": "2026-05-01T09:00:00Z", "text": "Help?", "replies": [reply]}]
    one, two = communities.from_chat(chat), communities.from_forum(forum, members=["cyd"])
    assert communities.health(one, now=day(2)) == communities.health(two, now=day(2))
    assert communities.health(one, now=day(2)).first_reply_hours.value == 0.5


def test_row_072_five_ranked_ballots_have_a_documented_winner_and_voters_are_told() -> None:
    said = {
        "a": ["red", "teal"],
        "b": ["red", "teal"],
        "c": ["blue", "teal"],
        "d": ["blue", "teal"],
        "e": ["teal", "blue"],
    }
    ballots = [Ballot(v, r, AT, v) for v, r in said.items()]
    kind = {"question": "Colour?", "options": ["red", "blue", "teal"], "eligible": list("abcdefg")}
    assert Decision(**kind, method="instant runoff").count(ballots).winner == "blue"
    assert Decision(**kind, method="schulze").count(ballots).winner == "teal"  # beats both 3 : 2
    found = Decision(**kind, quorum=0.5).count([*ballots, Ballot("x", ["red"], AT), Ballot("a", ["blue"], day(1), "z")])
    assert sorted(r.reason for r in found.rejected) == [
        "not a member who may vote",
        "replaced by a later vote of the same person",
    ]
    told = found.notices()
    assert len(told) == 6
    assert "Thank you" in told[0].text
    assert "blue" in told[0].text
    assert Decision(**kind, quorum=0.9).count(ballots).winner is None
    assert "not decided" in str(Decision(**kind, quorum=0.9).count(ballots))


def test_row_074_content_is_reshared_with_permission_only() -> None:
    shared = Permissions(MemoryStore())
    shared.find("u", content="photo of ann", author="ann", source="x", at=AT)
    wish = {"purpose": "reshare", "parts": ["picture"], "actor": "kim"}
    assert not shared.use("u", channel="web", place="y", at=AT, id="1", **wish).accepted
    terms = {"scope": ["picture"], "channels": ["web"], "purposes": ["reshare"], "expires_at": day(5), "at": AT}
    with pytest.raises(OutOfRange, match="permission is theirs to give"):
        shared.grant("u", by="ben", **terms)
    assert shared.grant("u", by="ann", **terms).state == "granted"
    assert not shared.use("u", channel="tv", place="y", at=day(1), id="2", **wish).accepted
    assert shared.may_use("u", channel="web", purpose="reshare", parts=["picture"], at=day(5))
    assert shared.use("u", channel="web", place="y", at=day(1), id="3", **wish).accepted
    assert shared.credit("u", place="y", credit="by Ann", at=day(1)) == ()
    with pytest.raises(OutOfRange, match="where it is used"):
        shared.credit("u", place="z", credit="by Ann", at=day(1))
    taken = shared.revoke("u", by="ann", at=day(2))
    assert [(use.at, use.channel, use.place) for use in taken.uses] == [(day(1), "web", "y")]
    assert not shared.use("u", channel="web", place="z", at=day(3), id="4", **wish).accepted


def helpers() -> tuple[Community, list[str]]:
    rows: list[tuple[str, str, str | None]] = [(f"q{i}", f"asker{i}", None) for i in range(10)]
    rows += [(f"g{i}", "good", f"q{i}") for i in range(8)]
    rows += [(f"l{i}", "loud", f"q{i % 10}") for i in range(60)]
    return posts(*rows), [f"g{i}" for i in range(8)] + ["l1"]


def test_row_076_the_best_helper_is_first_not_the_loudest() -> None:
    community, accepted = helpers()
    tone = [0.5 if str(p).startswith("g") else -0.2 for p in community.post_id.to_list()]
    found = communities.rank_ambassadors(community, accepted=accepted, tone=tone)
    assert found.members == ("good", "loud")
    assert (found[1].posts, found[1].accepted) == (60, 1)
    assert "good" not in repr(found[0])
    with pytest.raises(BadRows, match="outside"):
        communities.rank_ambassadors(community, accepted=accepted, tone=[2] * len(community))


def test_row_076_a_term_ends_and_rewards_are_given_once() -> None:
    cases = Cases(MemoryStore(), [AMBASSADOR])
    cases.open("ambassador", "good", at=AT)
    ends = {"term_ends_at": day(90).isoformat()}
    cases.handle("good", Command("invite", ends, actor="kim", role="staff", at=AT, id="1")).or_raise()
    cases.handle("good", Command("accept", actor="good", role="member", at=AT, id="2")).or_raise()
    ledger, case = Ledger(MemoryStore()), cases.read("good")
    communities.reward(ledger, case, answers=["g1", "g2"], points=5, at=day(1))
    communities.reward(ledger, case, answers=["g2", "g3"], points=5, at=day(2))
    assert ledger.balance("ambassador:good", as_of=day(3)).active == 15
    with pytest.raises(OutOfRange, match="term over"):
        communities.reward(ledger, case, answers=["g4"], points=5, at=day(91))


def test_row_077_thirty_attacks_and_twelve_defences_by_customers_are_a_shield_of_04() -> None:
    rows: list[tuple[str, str, str | None]] = [(f"x{i}", f"troll{i}", None) for i in range(30)]
    rows += [(f"d{i}", f"fan{i % 5}", f"x{i}") for i in range(12)] + [(f"b{i}", "us", f"x{i}") for i in range(20)]
    community = posts(*rows, staff=("us",))
    defends = [f"d{i}" for i in range(12)] + [f"b{i}" for i in range(20)]
    found = communities.shield(community, attacks=[f"x{i}" for i in range(30)], defends=defends)
    assert (found.ratio.value, found.covered.value, found.by_brand, found.defenders) == (0.4, 0.4, 20, 5)
    assert found.ratio.low < 0.4 < found.ratio.high


def test_row_079_seven_promotional_posts_of_ten_are_above_the_limit() -> None:
    found = communities.content_mix(["promote"] * 7 + ["help"] * 3)
    assert found.promoting.value == 0.7
    assert found.warning is not None
    assert communities.content_mix({"promote": 5, "help": 5}).warning is None


def test_row_080_a_question_equal_to_a_solved_thread_finds_that_thread_first() -> None:
    search = communities.AnswerSearch.of(
        [
            Entry(id="a", title="Headset does not pair", question="headset pair pair pair headset headset"),
            Entry(id="b", title="How do I pair my headset?", accepted="Hold the button"),
            Entry(id="c", title="Pair a headset", question="Same"),
        ]
    )
    assert search.search("how do I pair my headset")[0].id == "b"
    assert search.search("Pair the headset")[0].id == "b"
    assert search.search("zebra") == ()


def test_row_080_an_entry_that_shares_only_function_words_is_not_found() -> None:
    search = communities.AnswerSearch.of(
        [
            Entry(id="a", title="How do I pair it?"),
            Entry(id="b", title="A ride in a zebra car"),
            Entry(id="c", title="Zebra"),
        ]
    )
    assert [hit.id for hit in search.search("how do I ride in a zebra")] == ["b", "c"]
    assert [hit.id for hit in search.search("zebra")] == ["c", "b"]


def test_row_080_many_entries_of_one_title_come_solved_first_and_no_more_than_asked_for() -> None:
    entries = [Entry(id=f"e{i:02}", title="Pair a headset", accepted="Hold it" if i % 2 else "") for i in range(30)]
    found = communities.AnswerSearch.of(entries, solved_weight=1.3).search("pairing headsets", limit=4)
    assert [hit.id for hit in found] == ["e01", "e03", "e05", "e07"]
    assert all(hit.same and hit.score == pytest.approx(sum(part for _, part in hit.words)) for hit in found)


def test_row_080_a_question_is_deflected_if_no_case_follows_in_seven_days() -> None:
    who = ["ann", "ben", "cyd", None, "dan"]
    found = communities.deflection(
        who, [AT] * 5, [True, True, True, True, False], cases=[("ben", day(6)), ("cyd", day(8))], now=day(9)
    )
    assert (found.deflected, found.cases, found.pending, found.unknown) == (2, 1, 0, 1)
    young = communities.deflection(["ann"], [AT], [True], cases=[], now=day(6))
    assert (young.pending, young.share.n) == (1, 0)


def test_row_082_a_new_post_of_whom_one_follows_is_one_line() -> None:
    talk = posts(("1", "ann", None))
    follow = Follow(follower="acme", followed="ann", at=day(-1))
    assert [line.to for line in communities.digest(talk, [follow], since=day(-1), until=day(1))] == ["acme"]
    stop = Follow(follower="acme", followed="ann", at=day(0.5), on=False)
    assert communities.digest(talk, [follow, stop], since=day(-1), until=day(1)) == ()
    assert communities.digest(talk, [follow], since=day(1), until=day(2)) == ()


def test_row_085_the_same_model_and_fault_match_and_private_fields_are_not_used() -> None:
    people = {
        "ann": {"model": "X1", "fault": "leak", "income": "high"},
        "ben": {"model": "X1", "fault": "leak", "income": "low"},
        "cyd": {"model": "X2", "fault": "noise", "income": "high"},
    }
    found = communities.find_alike(people, "ann", fields=["model", "fault"])
    assert [m.member for m in found.members] == ["ben"]
    assert found[0].reason == "fault: leak and model: X1"
    changed = {who: {**facts, "income": who} for who, facts in people.items()}
    assert communities.find_alike(changed, "ann", fields=["model", "fault"]) == found
    assert len(communities.find_alike(people, "ann", fields=["model", "fault"], private={"ben": ["fault"]})) == 0


def test_row_089_a_page_by_a_customer_is_earned_and_by_the_company_owned() -> None:
    page = FanPage(
        id="p", made_by="customer", events=[FanEvent(fan="ann", at=AT), FanEvent(fan="ann", at=day(1), joined=False)]
    )
    assert (page.media, page.count(at=AT), page.count(at=day(1))) == ("earned/shared", 1, 0)
    assert FanPage(id="q", made_by="company").media == "owned"


def test_row_091_three_phrasings_are_one_idea_with_three_supporters_who_hear_of_it() -> None:
    box = communities.IdeaBox(MemoryStore())
    for i, (who, text) in enumerate(
        [
            ("ann", "Please offer oat milk"),
            ("ben", "Oat milk should be offered"),
            ("cyd", "I wish you would offer oat milk in all shops"),
            ("dan", "Open on Sundays"),
        ]
    ):
        box.submit(f"i{i}", text, by=who, at=AT)
    box.gather(by="desk", at=AT)
    assert [(i.id, len(i.supporters)) for i in box.ideas()] == [("i0", 3), ("i3", 1)]
    box.unmerge("i2", by="desk", at=day(1))
    assert len(box.supporters("i0")) == 2
    box.merge("i2", into="i0", by="desk", at=day(1))
    box.vote("i2", by="ann", at=day(1))
    assert sorted(n.to for n in box.move("i0", "finish", by="desk", at=day(2))) == ["ann", "ben", "cyd"]
    with pytest.raises(IllegalCommand):
        box.move("i3", "decline", by="desk", at=day(2))


def test_row_093_twenty_unanswered_searches_are_the_top_gap() -> None:
    queries = ["refund visa"] * 12 + ["visa refunds"] * 5 + ["refund for my visa card"] * 3 + ["opening hours"] * 40
    found = communities.find_gaps(queries, [False] * 20 + [True] * 38 + [False] * 2)
    assert (found[0].query, found[0].unanswered, len(found[0].phrasings)) == ("refund visa", 20, 3)
    assert (found[1].query, found[1].unanswered, found[1].searches) == ("opening hours", 2, 40)


def test_row_097_three_students_and_two_mentors_match_stably() -> None:
    students = {"s1": ["m1", "m2"], "s2": ["m1"], "s3": ["m1", "m2"]}
    mentors = {"m1": ["s3", "s1", "s2"], "m2": ["s1", "s3"]}
    found = communities.stable_match(students, mentors, places={"m1": 1, "m2": 2})
    assert found.pairs == (("s1", "m2"), ("s3", "m1"))
    assert blocking_pairs(found, students, mentors, places={"m1": 1, "m2": 2}) == ()
    with pytest.raises(BadRows, match="somebody who is not there"):
        communities.stable_match({"s1": ["m9"]}, {"m1": ["s1"]})


def test_row_086_three_accepted_answers_of_one_problem_are_one_entry_with_three_sources() -> None:
    entries = [
        Entry(id="1", title="App crashes on login", accepted="Clear the cache"),
        Entry(id="2", title="Login crashes the app", accepted="Clear the cache!"),
        Entry(id="3", title="The app crashes at login", accepted="Update first, then restart the phone"),
        Entry(id="4", title="App crashes on login again", answers="Same here"),
        Entry(id="5", title="Where is my invoice?", accepted="Under billing"),
    ]
    found = gather_practices(entries)
    assert [p.sources for p in found] == [("1", "2", "3")]
    assert len(found[0].answers) == 2
