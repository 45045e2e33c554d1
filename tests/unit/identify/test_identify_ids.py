from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import WrongType
from crmcore.idic.identify.ids import Change, assign_ids, stable_id

R = ["r1", "r2", "r3", "r4", "r5"]


def told(ids):
    return [(e.customer, e.change.value, e.other, e.records) for e in ids.events]


def test_an_id_is_the_hash_of_the_smallest_record_id():
    ids = assign_ids(np.array([7, 7, 3]), ["r2", "r1", "r3"])
    assert ids.ids == (stable_id("r1"), stable_id("r3"))
    assert ids.labels.tolist() == [0, 0, 1]
    assert len(ids.events) == 0
    assert repr(ids) == "CustomerIds(2 customers, 3 records, IdentityEvents(none))"


def test_a_merge_keeps_the_larger_side_and_says_where_the_other_went():
    again = assign_ids(np.zeros(5, int), R, {"r1": "B", "r2": "B", "r3": "A", "r4": "A", "r5": "A"})
    assert again.ids == ("A",)
    assert told(again) == [("A", "kept", None, 3), ("B", "merged into", "A", 2)]


def test_a_split_keeps_the_id_on_the_larger_side():
    again = assign_ids(np.array([0, 0, 1, 1, 1]), R, dict.fromkeys(R, "A"))
    assert again.ids == (stable_id("r1"), "A")
    assert told(again) == [("A", "kept", None, 3), (stable_id("r1"), "split from", "A", 2)]


def test_a_split_never_takes_an_id_that_is_or_was_somebody_elses():
    first = assign_ids(np.zeros(3, int), R[:3])
    previous = dict.fromkeys(R[:3], first.ids[0])
    again = assign_ids(np.array([0, 1, 1]), R[:3], previous)  # r2 and r3 keep the id that was made from r1
    assert again.ids == (stable_id("r1", attempt=1), stable_id("r1"))


def test_records_that_change_sides_are_moved():
    again = assign_ids(np.array([0, 0, 0, 1, 1]), R, {"r1": "A", "r2": "A", "r3": "B", "r4": "B", "r5": "B"})
    assert told(again) == [("A", "kept", None, 2), ("A", "moved from", "B", 1), ("B", "kept", None, 2)]


def test_new_and_vanished_customers_are_told():
    again = assign_ids(np.array([0, 1]), ["r1", "r9"], {"r1": "A", "r2": "B"})
    assert told(again) == [("A", "kept", None, 1), ("B", "gone", None, 0), (stable_id("r9"), "new", None, 0)]
    assert again.events.of("B")[0].change is Change.GONE


def test_equal_overlap_is_decided_by_the_smaller_id():
    again = assign_ids(np.zeros(4, int), R[:4], {"r1": "B", "r2": "B", "r3": "A", "r4": "A"})
    assert again.ids == ("A",)


def test_events_become_a_frame():
    again = assign_ids(np.zeros(2, int), R[:2], {"r1": "B", "r2": "A"})
    assert again.events.to_frame() == {
        "customer": ["A", "B"],
        "change": ["kept", "merged into"],
        "other": [None, "A"],
        "records": [1, 1],
    }
    assert repr(again.events) == "IdentityEvents(1 kept, 1 merged into)"


def test_labels_and_records_must_have_one_length():
    with pytest.raises(WrongType, match="one per record"):
        assign_ids(np.zeros(2, int), R)
