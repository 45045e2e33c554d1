from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.identify.accounts import Account, AccountTree
from crmcore.idic.identify.facts import link
from crmcore.idic.identify.memory import recall
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.repository import ProfileState, changed, evolve
from crmcore.idic.identify.view import SingleCustomerView, preferences
from crmcore.stores import Event
from crmcore.tables import RecordTable

DAY = datetime(2026, 5, 1, tzinfo=UTC)
word = st.sampled_from(["a", "b"])
days = st.integers(0, 3).map(lambda d: DAY + timedelta(days=d))


@st.composite
def profile_events(draw):
    n = draw(st.integers(0, 8))
    return [
        changed(
            "c7",
            id=f"e{i}",
            time=draw(days),
            source=draw(st.sampled_from(["crm", "web", "app"])),
            fields=draw(st.dictionaries(word, st.one_of(st.none(), word), max_size=2)),
            add=draw(st.dictionaries(st.just("phone"), st.lists(word, max_size=2))),
            remove=draw(st.dictionaries(st.just("phone"), st.lists(word, max_size=2))),
        )
        for i in range(n)
    ]


def folded(events, trust):
    state = ProfileState("c7")
    for event in events:
        state = evolve(state, event, trust=trust)
    return state


@settings(max_examples=40)
@given(profile_events(), st.randoms(), st.sampled_from([{}, {"crm": 2, "web": 1}]))
def test_profile_events_fold_to_one_state_in_any_order_with_any_repeats(events, rng, trust):
    again = events + rng.choices(events, k=3) if events else []
    rng.shuffle(again)
    assert folded(again, trust) == folded(events, trust)


@settings(max_examples=40)
@given(profile_events(), st.integers(0, 8))
def test_states_of_two_shards_add_up(events, cut):
    left, right = folded(events[:cut], {}), folded(events[cut:], {})
    assert left.merged(right) == right.merged(left) == folded(events, {})
    assert left.merged(left) == left


@given(
    st.lists(st.tuples(days, word, st.sampled_from(["note written", "note removed"]), word), max_size=8), st.randoms()
)
def test_memory_does_not_depend_on_the_order_of_arrival(rows, rng):
    events = [Event(id=f"n{i}", type=k, time=t, data={"topic": w, "text": x}) for i, (t, w, k, x) in enumerate(rows)]
    mixed = list(events)
    rng.shuffle(mixed)
    assert recall(mixed) == recall(events)


@given(
    st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 3), st.floats(-10, 1000)), max_size=20),
    st.floats(1, 400),
    st.floats(0.1, 10),
)
def test_preferences_are_probabilities_and_history_pulls_toward_what_was_chosen(rows, half_life, prior):
    who, what, age = (np.array([r[i] for r in rows]) for i in range(3)) if rows else (np.zeros(0),) * 3
    p = preferences(
        who.astype(np.int32),
        what.astype(np.int32),
        age,
        n_customers=3,
        n_categories=4,
        half_life_days=half_life,
        prior=prior,
    )
    assert np.allclose(p.sum(axis=1), 1)
    assert (p >= 0).all()
    more = preferences(
        np.append(who, 0).astype(np.int32),
        np.append(what, 2).astype(np.int32),
        np.append(age, 0.0),
        n_customers=3,
        n_categories=4,
        half_life_days=half_life,
        prior=prior,
    )
    assert more[0, 2] >= p[0, 2] - 1e-12


@given(st.lists(st.integers(0, 4), max_size=10), st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_facts_as_of_a_day_are_those_that_had_happened(owners, when):
    people = RecordTable.from_frame({"name": list("abcde")}, source="crm")
    rows = {"record": [f"crm:{o}" for o in owners], "time": [DAY + timedelta(days=d) for d in when[: len(owners)]]}
    profiles = ProfileTable.build(people, range(5))
    view = SingleCustomerView(profiles, [link(profiles, rows, facet="cases", source="s", record="record")])
    now = DAY + timedelta(days=5)
    then = view.as_of(now)
    for code in range(5):
        expected = sum(o == code and d <= 5 for o, d in zip(owners, when, strict=False))
        assert len(then[code].facets["cases"]) == expected


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.lists(st.integers(-5, 5), min_size=9, max_size=9))
def test_a_roll_up_equals_the_sum_over_everything_below(parents, amounts):
    # account i may only be owned by a lower number, so there is no circle
    accounts = [Account(str(i), "", str(p) if p < i else None) for i, p in enumerate(parents)]
    tree = AccountTree(accounts)
    own = {a.account_id: amounts[i] for i, a in enumerate(accounts)}
    for name, total in tree.roll_up(own).items():
        assert total == sum(own[b] for b in tree.below(name))
