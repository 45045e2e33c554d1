"""The resolver: observations, decisions, ids that stay, history, and a store that loses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap

import pytest

from crmcore.errors import DuplicateIds, EmptyInput, NaiveDatetime, OutOfRange, StoreConflict, UnknownName
from crmcore.idic.identify.ids import Change
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.observation import Outcome
from crmcore.idic.identify.resolver import Resolver
from crmcore.idic.identify.resolving import resolve
from crmcore.stores import MemoryStore, SqliteStore
from tests.unit.identify.resolver_examples import MEMBER, NOW, ORDER, OTHER, at, partition, people, raw, shop


def seen(resolver: Resolver, *records) -> list:
    source = {id(MEMBER): "members", id(OTHER): "members", id(ORDER): "orders"}
    return [resolver.observe(r, source=source[id(r)], now=at(i)) for i, r in enumerate(records)]


def test_the_first_record_is_new_and_the_next_of_the_same_person_a_match():
    resolver = shop()
    first, other, second = seen(resolver, MEMBER, OTHER, ORDER)
    assert (first.outcome, other.outcome) == (Outcome.NEW, Outcome.NEW)
    assert second.customer == first.customer != other.customer
    assert second.matches[0].record_id == "members:M1"
    assert second.matches[0].reasons == ("phone same (•••78)",)
    assert len(resolver) == 2


def test_a_best_match_near_the_cut_goes_to_review():
    resolver = shop()
    _, second = seen(resolver, MEMBER, ORDER)  # one shared telephone alone: likely, not sure
    assert second.outcome is Outcome.REVIEW
    assert 0.1 <= second.matches[0].p <= 0.6
    assert "near the cut" in second.review[0]


def test_an_observation_never_shows_a_person():
    resolver = shop()
    observations = seen(resolver, MEMBER, OTHER, ORDER)
    text = repr(observations) + repr(resolver)
    for secret in ("omchai", "somchai@", "2345678", "234-5678"):
        assert secret not in text


def test_a_lookup_writes_nothing():
    resolver = shop()
    seen(resolver, MEMBER, OTHER)
    before = resolver._store.version("resolver")
    found = resolver.lookup(ORDER, source="orders")
    assert [m.record_id for m in found] == ["members:M1"]
    assert resolver._store.version("resolver") == before
    assert "orders:O9" not in resolver.assignments()


def test_the_same_record_again_changes_nothing_and_another_under_its_id_is_refused():
    resolver = shop()
    first = resolver.observe(MEMBER, source="members", now=NOW)
    again = resolver.observe(dict(MEMBER), source="members", now=at(1))
    assert (again.record_id, again.customer) == (first.record_id, first.customer)
    assert len(resolver.assignments()) == 1
    with pytest.raises(DuplicateIds):
        resolver.observe({**MEMBER, "phone": "081-777-7777"}, source="members", now=NOW)


def test_records_without_an_id_column_are_numbered_per_source():
    resolver = Resolver(default_region="TH")
    for name in ("Ann Lee", "Bo Chan"):
        resolver.observe({"name": name, "email": f"{name[:2]}@example.org"}, source="desk", now=NOW)
    assert sorted(resolver.assignments()) == ["desk:0", "desk:1"]


def test_an_id_stays_when_records_join_and_ends_only_in_a_merge():
    resolver = shop()
    first, other, _ = seen(resolver, MEMBER, OTHER, ORDER)
    assert resolver.customer_of("orders:O9") == first.customer
    event = resolver.merge(first.customer, other.customer, actor="desk", reason="same household card", now=at(5))
    assert resolver.customers() == (first.customer,)  # two records against one
    assert resolver.became(other.customer) == (first.customer,)
    step = resolver.lineage(other.customer)[0]
    assert (step.change, step.other, step.actor, step.event_id) == (Change.MERGED_INTO, first.customer, "desk", event)


def test_an_undone_merge_gives_both_customers_back_under_their_ids():
    resolver = shop()
    first, other, _ = seen(resolver, MEMBER, OTHER, ORDER)
    before = resolver.assignments()
    event = resolver.merge(first.customer, other.customer, actor="desk", reason="mistake", now=at(5))
    undone = resolver.undo(event, actor="desk", reason="two people", now=at(6))
    assert resolver.assignments() == before
    with pytest.raises(OutOfRange, match="taken back already"):
        resolver.undo(event, actor="desk", reason="again", now=at(7))
    resolver.undo(undone, actor="desk", reason="one after all", now=at(8))
    assert len(resolver) == 1
    assert set(resolver.became(other.customer)) == {first.customer}


def test_a_split_survives_every_record_that_comes_later_until_it_is_undone():
    resolver = shop()
    first, *_ = seen(resolver, MEMBER, OTHER, ORDER)
    event = resolver.split(first.customer, ["orders:O9"], actor="desk", reason="his brother", now=at(5))
    apart = {frozenset({"members:M1"}), frozenset({"orders:O9"}), frozenset({"members:M2"})}
    assert partition(resolver.assignments()) == apart
    resolver.observe({**ORDER, "order_no": "O10"}, source="orders", now=at(6))
    assert resolver.customer_of("members:M1") != resolver.customer_of("orders:O9")
    resolver.undo(event, actor="desk", reason="it was him", now=at(7))
    assert resolver.customer_of("members:M1") == resolver.customer_of("orders:O9")


def test_a_record_can_join_a_decision_made_by_rules_before_it_came():
    rules = Rules(must_not_link=[("members:M1", "orders:O9")], must_link=[("members:M1", "members:M2")])
    resolver = shop(rules=rules)
    seen(resolver, MEMBER, ORDER)
    assert resolver.customer_of("members:M1") != resolver.customer_of("orders:O9")
    resolver.observe(OTHER, source="members", now=at(3))
    assert resolver.customer_of("members:M1") == resolver.customer_of("members:M2")
    assert Resolver.open(resolver._store).assignments() == resolver.assignments()


def test_a_match_that_a_rule_stops_goes_to_review():
    resolver = shop(rules=Rules(one_to_one=("members",)))
    twin = {**MEMBER, "member_no": "M3"}
    resolver.observe(MEMBER, source="members", now=NOW)
    found = resolver.observe(twin, source="members", now=NOW)
    assert found.outcome is Outcome.REVIEW
    assert any("one_to_one" in why for why in found.review)
    assert len(resolver) == 2


def test_a_withdrawn_record_is_as_if_it_had_never_come():
    resolver = shop()
    seen(resolver, MEMBER, OTHER)
    before = resolver.assignments()
    third = resolver.observe(ORDER, source="orders", now=at(3))
    resolver.undo(third.event_id, actor="desk", reason="test order", now=at(4))
    assert resolver.assignments() == before
    assert Resolver.open(resolver._store).assignments() == before


def test_a_forgotten_customer_leaves_the_store_and_the_customers(tmp_path):
    path = tmp_path / "people.db"
    with SqliteStore(path) as store:
        resolver = shop(store=store)
        gone, stays, _ = seen(resolver, MEMBER, OTHER, ORDER)
        resolver.snapshot()
        assert resolver.forget(gone.customer, actor="privacy", reason="asked by letter 12", now=at(9)) == 2
        assert resolver.assignments() == {"members:M2": stays.customer}
        assert resolver.lookup(MEMBER, source="members") == ()
        assert Resolver.open(store).assignments() == resolver.assignments()
        assert set(resolver.as_of(at(5)).customer_of) == {"members:M1", "members:M2", "orders:O9"}
        again = resolver.observe(MEMBER, source="members", now=at(10))
        assert Resolver.open(store).customer_of("members:M1") == again.customer
        resolver.forget(again.customer, actor="privacy", reason="asked again", now=at(11))
        with pytest.raises(UnknownName):
            resolver.forget(again.customer, actor="privacy", reason="asked again", now=at(12))
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"Malee" in content or file != path
        assert not any(word in content for word in (b"Somchai", b"somchai@example.org", b"0812345678", b"81234"))


def test_a_person_whose_forgetting_was_interrupted_is_gone_when_the_store_is_opened(monkeypatch):
    store = MemoryStore()
    resolver = shop(store=store)
    gone, stays, _ = seen(resolver, MEMBER, OTHER, ORDER)

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        resolver.forget(gone.customer, actor="privacy", reason="asked", now=at(9))
    monkeypatch.undo()
    assert Resolver.open(store).assignments() == {"members:M2": stays.customer} == resolver.assignments()


def test_a_record_that_was_taken_back_can_be_observed_and_taken_back_again():
    store = MemoryStore()
    resolver = shop(store=store)
    for turn in range(3):
        seen = resolver.observe(MEMBER, source="members", now=at(2 * turn))
        assert seen.customer == resolver.customer_of("members:M1")
        resolver.undo(seen.event_id, actor="service", reason="wrong file", now=at(2 * turn + 1))
        assert len(resolver.customers()) == 0
    first = resolver.observe(MEMBER, source="members", now=at(10))
    second = resolver.observe(ORDER, source="orders", now=at(11))
    assert second.customer == first.customer
    assert Resolver.open(store).assignments() == resolver.assignments()
    resolver.snapshot()
    later = Resolver.open(store)
    assert later.assignments() == resolver.assignments()
    later.undo(first.event_id, actor="service", reason="wrong file", now=at(12))
    with pytest.raises(OutOfRange, match="taken back already"):
        later.undo(first.event_id, actor="service", reason="wrong file", now=at(13))
    assert set(later.assignments()) == {"orders:O9"}


def test_who_was_who_is_known_at_every_time():
    resolver = shop()
    first, other, _ = seen(resolver, MEMBER, OTHER, ORDER)  # minutes 0, 1, 2
    resolver.merge(first.customer, other.customer, actor="desk", reason="one person", now=at(10))
    assert len(resolver.as_of(at(0))) == 1
    assert resolver.as_of(at(1)).records_of(other.customer) == ("members:M2",)
    assert resolver.as_of(at(9)).records_of(first.customer) == ("members:M1", "orders:O9")
    assert len(resolver.as_of(at(10)).records_of(first.customer)) == 3
    with pytest.raises(NaiveDatetime):
        resolver.as_of(at(1).replace(tzinfo=None))


def test_a_customer_shows_its_raw_records():
    resolver = shop()
    first, *_ = seen(resolver, MEMBER, OTHER, ORDER)
    assert resolver.customer(first.customer) == {"members:M1": MEMBER, "orders:O9": ORDER}
    with pytest.raises(UnknownName):
        resolver.customer("c-nobody")


def test_a_store_with_a_resolver_is_opened_and_not_overwritten():
    store = MemoryStore()
    resolver = shop(store=store)
    seen(resolver, MEMBER, ORDER)
    with pytest.raises(StoreConflict):
        shop(store=store)
    with pytest.raises(EmptyInput):
        Resolver.open(store, stream="elsewhere")


def test_a_second_writer_is_told_and_goes_back_to_what_is_stored():
    store = MemoryStore()
    one = shop(store=store)
    seen(one, MEMBER)
    two = Resolver.open(store)
    seen(one, OTHER)
    with pytest.raises(StoreConflict):
        two.observe(ORDER, source="orders", now=at(5))
    assert two.assignments() == one.assignments()  # it has read again
    two.observe(ORDER, source="orders", now=at(6))
    assert len(two.assignments()) == 3


def filled(store, *, snapshot_after: int | None = None) -> Resolver:
    """A resolver over simulated records, with decisions of every sort on the way."""
    found = people()
    resolver = Resolver(found.model, plan=found.preparation.plan, store=store)
    rows = raw(found)
    random.Random(4).shuffle(rows)
    for i, (source, name, record) in enumerate(rows[:200]):
        resolver.observe(record, source=source, record_id=name, now=at(i))
        if i == 100:
            a, b = sorted({resolver.customer_of(r) for r in list(resolver.assignments())[:6]})[:2]
            merged = resolver.merge(a, b, actor="desk", reason="asked", now=at(i))
        if i == 120:
            big = max(resolver.customers(), key=lambda c: len(resolver.customer(c)))
            resolver.split(big, sorted(resolver.customer(big))[:1], actor="desk", reason="told", now=at(i))
        if i == 150:
            resolver.undo(merged, actor="desk", reason="wrong", now=at(i))
        if i == 160:
            resolver.undo(f"resolver:{rows[3][0]}:{rows[3][1]}", actor="desk", reason="test", now=at(i))
        if i == snapshot_after:
            resolver.snapshot()
    return resolver


@pytest.mark.parametrize("snapshot_after", [None, 110, 199])
def test_a_resolver_comes_back_from_its_events_and_its_snapshot(tmp_path, snapshot_after):
    with SqliteStore(tmp_path / "people.db") as store:
        resolver = filled(store, snapshot_after=snapshot_after)
        expected, decided, steps = resolver.assignments(), resolver.rules, resolver._history.steps
    with SqliteStore(tmp_path / "people.db") as store:
        again = Resolver.open(store)
        assert again.assignments() == expected
        assert again.rules == decided
        assert again._history.steps == steps
        source, name, record = raw(people())[-1]
        one, two = (r.lookup(record, source=source) for r in (again, again))
        assert one == two
        again.observe({**record}, source=source, record_id=f"{name}-new", now=at(999))
        assert Resolver.open(store).assignments() == again.assignments()


def test_a_batch_of_all_records_under_the_rules_gives_the_same_customers():
    resolver = filled(MemoryStore())
    batch = resolve(resolver.table(), schema=resolver.schema, model=resolver.model, rules=resolver.rules)
    # one pass over the table decides regions and blocked values anew, so the plan of the resolver is compared instead
    from crmcore.idic.identify.normalize import prepare
    from crmcore.linkage.linking import link

    records, _ = prepare(resolver.table(), resolver.schema, plan=resolver.plan)
    linked = link(records, model=resolver.model, constraints=resolver.rules.bind(records))
    labels = dict(zip(records.ids.tolist(), linked.labels.tolist(), strict=True))
    assert partition(labels) == partition(resolver.assignments())
    assert len(batch) == pytest.approx(len(resolver), rel=0.05)


def test_many_at_once_equal_one_by_one():
    found = people()
    one, many = (Resolver(found.model, plan=found.preparation.plan) for _ in range(2))
    rows = raw(found)[:150]
    for source, name, record in rows:
        one.observe(record, source=source, record_id=name, now=NOW)
    for source in dict.fromkeys(s for s, _, _ in rows):
        chosen = [(n, r) for s, n, r in rows if s == source]
        answers = many.observe_many([r for _, r in chosen], source=source, record_ids=[n for n, _ in chosen], now=NOW)
        assert [a.record_id for a in answers] == [f"{source}:{n}" for n, _ in chosen]
    assert partition(one.assignments()) == partition(many.assignments())
    assert Resolver.open(many._store).assignments() == many.assignments()


def test_a_resolver_goes_on_from_a_batch_with_its_customer_ids():
    found = people()
    resolver = Resolver.of(found, now=NOW)
    assert resolver.assignments() == found.profiles.assignments()
    source, name, record = raw(found)[0]
    again = resolver.observe(record, source=source, record_id=f"{name}-again", now=at(1))
    assert again.matches[0].record_id == f"{source}:{name}"
    assert again.customer == resolver.customer_of(f"{source}:{name}")


def test_a_large_batch_is_linked_as_a_whole_and_answers_the_same(monkeypatch):
    from crmcore.idic.identify import resolver as module

    found = people()
    rows = [r for r in raw(found) if r[0] == "members"]
    small, large = (Resolver(found.model, plan=found.preparation.plan) for _ in range(2))
    ids, records = [n for _, n, _ in rows], [r for _, _, r in rows]
    small.observe_many(records, source="members", record_ids=ids, now=NOW)
    monkeypatch.setattr(module, "BULK", 10)
    large.observe_many(records, source="members", record_ids=ids, now=NOW)
    assert small.assignments() == large.assignments()
    assert Resolver.open(large._store).assignments() == large.assignments()


def test_a_killed_process_loses_no_acknowledged_observation(tmp_path):
    script = textwrap.dedent(
        """
        import sys
        from datetime import UTC, datetime
        from crmcore.idic.identify.resolver import Resolver
        from crmcore.stores import SqliteStore

        resolver = Resolver(store=SqliteStore(sys.argv[1]), default_region="TH")
        for i in range(100_000):
            record = {"name": f"Ann{i % 7} Lee", "phone": f"08123{i % 50:05d}", "email": f"ann{i % 90}@example.org"}
            found = resolver.observe(record, source="desk", record_id=str(i), now=datetime(2026, 5, 1, tzinfo=UTC))
            print(found.record_id, found.customer, flush=True)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "people.db")], stdout=subprocess.PIPE, text=True
    )
    said = [child.stdout.readline().split() for _ in range(120)]
    os.kill(child.pid, signal.SIGKILL)
    said += [line.split() for line in child.stdout.read().splitlines()]
    child.stdout.close()
    child.wait()
    acknowledged = dict(s for s in said if len(s) == 2)
    with SqliteStore(tmp_path / "people.db") as store:
        resolver = Resolver.open(store)
        held = resolver.assignments()
        assert len(acknowledged) >= 120
        assert acknowledged.keys() <= held.keys()
        assert all(held[r] in (*resolver.became(c), c) for r, c in acknowledged.items())
        rebuilt = dict(resolver.as_of(NOW).customer_of.items())
        assert rebuilt == held
