"""Picking one: texts, refusals, results out and in."""

from __future__ import annotations

import pytest

from crmcore.choice import Pick, pick
from crmcore.errors import BadRows, DuplicateIds, OutOfRange, WrongType


def test_nobody_to_pick_is_an_outcome_with_the_reasons() -> None:
    found = pick(["bob", "ann"], refused={"away": [True, True], "full": [True, False]})
    assert (found.chosen, found.decided_by, found.ranked) == (None, "nobody", ())
    assert str(found) == "nobody of 2, by nobody\n  not ann: away\n  not bob: away; full"
    assert pick([]).chosen is None


def test_equal_candidates_go_by_id_whatever_their_position() -> None:
    assert pick(["cho", "ann", "bob"], keys={"load": [1, 1, 1]}).ranked == ("ann", "bob", "cho")
    assert pick(["cho", "ann"]).decided_by == "id"
    assert pick(["cho"]).decided_by == "only one"


def test_results_go_out_and_come_back() -> None:
    found = pick(["bob", "ann"], refused={"away": [True, False]})
    assert Pick.from_dict(found.to_dict()) == found
    assert found.to_frame() == {"id": ["ann", "bob"], "rank": [1, None], "reasons": [None, "away"]}
    assert repr(found) == "Pick(one of 1, 1 refused, by only one)"
    assert repr(pick(["bob"], refused={"away": [True]}).refused[0]) == "Refused(id='b•••', reasons=('away',))"
    assert "<table>" in found._repr_html_()


def test_bad_candidates_are_refused() -> None:
    with pytest.raises(DuplicateIds):
        pick(["ann", "ann"])
    with pytest.raises(OutOfRange, match="give one entry a candidate"):
        pick(["ann"], refused={"away": [True, False]})
    with pytest.raises(BadRows, match="not finite"):
        pick(["ann"], keys={"load": [float("nan")]})
    with pytest.raises(WrongType):
        pick(["ann"], keys={"load": ["many"]})
    with pytest.raises(WrongType):
        pick("ann")
