"""Whatever the order of clicks and whichever screen they come from, there is one case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.idic.interact.presentation import (
    CRM,
    PORTAL,
    CaseDesk,
    crm_command,
    crm_view,
    portal_command,
    portal_view,
)
from crmcore.lifecycle import IllegalCommand
from crmcore.stores import MemoryStore

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
WORDS = {neutral: word for word, neutral in CRM.actions.items()}  # of a command on the other screen

clicks = st.lists(
    st.tuples(
        st.sampled_from(sorted(PORTAL.actions)),
        st.integers(-10, 60),  # minutes after the click before it: clocks differ
        st.sampled_from(["", "words", "ก"]),
        st.integers(0, 6),  # the same id again is the same click
    ),
    max_size=12,
)


def on_portal(action: str, when: datetime, text: str, id: str):
    return portal_command(
        {"ticket": "k", "action": action, "sent_at": when.isoformat(), "request": id, "me": "c7", "title": "t",
         "message": text}
    )  # fmt: skip


def on_crm(action: str, when: datetime, text: str, id: str):
    activity = {"Type": WORDS[PORTAL.actions[action]], "At": when.isoformat(), "Id": id, "By": "customer", "Body": text}
    return crm_command({"Case": {"Id": "k", "ContactId": "c7", "Subject": "t"}, "Activity": activity})


@given(clicks, st.lists(st.booleans(), min_size=12, max_size=12))
def test_the_same_clicks_by_portal_by_crm_screen_and_by_both_give_the_same_case_and_the_same_refusals(made, by_portal):
    desks = [CaseDesk(MemoryStore()) for _ in range(3)]
    for desk in desks:
        desk.handle(on_portal("create", AT, "begin", "first"))
    when = AT
    for (action, minutes, text, n), mixed in zip(made, by_portal, strict=False):
        when += timedelta(minutes=minutes)
        answers = []
        for desk, screen in zip(desks, (on_portal, on_crm, on_portal if mixed else on_crm), strict=True):
            before = desk.store.version("case:k")
            try:
                answers.append(desk.handle(screen(action, when, text, f"click-{n}")))
            except IllegalCommand as error:
                answers.append(str(error))
                assert desk.store.version("case:k") == before, "what is refused leaves nothing"
        assert answers[0] == answers[1] == answers[2]
    histories = [desk.read("k") for desk in desks]
    for view in (portal_view, crm_view):
        assert view(histories[0]) == view(histories[1]) == view(histories[2])
    assert len({e.id for e in desks[0].store.read("case:k")}) == len(histories[0])


@given(clicks)
def test_what_a_screen_offers_is_never_refused_and_what_it_does_not_offer_always_is(made):
    desk = CaseDesk(MemoryStore())
    history = desk.handle(on_portal("create", AT, "begin", "first"))
    for i, (action, minutes, _, _) in enumerate(made):
        offered = portal_view(history)["actions"]
        click = on_portal(action, AT + timedelta(minutes=minutes), "words", f"click-{i}")
        if action in offered:
            history = desk.handle(click)
            continue
        with pytest.raises(IllegalCommand) as caught:
            desk.handle(click)
        assert {PORTAL.actions[word] for word in offered} == set(caught.value.allowed)
