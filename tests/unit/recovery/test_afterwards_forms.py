"""What the rooms after a recovery print, refuse and keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmcore.errors import ConflictingConstraints, CrmError
from crmcore.recovery.afterwards import (
    CaseClosed,
    FollowUpPlan,
    Moment,
    OutcomeChain,
    Views,
    ally_rate,
    before_after,
    cost_of_silence,
    paradox,
    value_of_handling,
)
from crmcore.recovery.cases.splitting import complaint_split
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PERSON = "ann@example.com"
WORTH = Money.of("400", "USD")
CLOSED = CaseClosed(
    id="e1", case="c1", customer=PERSON, at=NOW, outcome="pleased", failure="<late>", causes={"carrier": "<C7>"},
    employee="e7", minutes=2.0, cost=Money.of("3", "USD"),
)  # fmt: skip


def results() -> list[Any]:
    happy = [4, 5, 5, 4] * 15 + [3, 4, 4, 3] * 15
    customers = [PERSON, *(f"c{i}" for i in range(40))]
    return [
        OutcomeChain([Moment(at=NOW, kind="failed", detail="<script>"), Moment(at=NOW, kind="pleased")]),
        before_after(list(range(40)), [*range(1, 40), 30]),
        paradox({"<i>happy": happy}, [True] * 60 + [False] * 60),
        ally_rate(customers, [NOW] * 41, ["c1"], [NOW + timedelta(days=1)]),
        cost_of_silence(690, WORTH, seed=1), complaint_split([True, False] * 30, [10.0, 0.0] * 30),
        Views().after(CLOSED),
    ]  # fmt: skip


def test_html_is_small_escaped_and_names_nobody() -> None:
    for result in results():
        html = result._repr_html_()
        assert 0 < len(html) < 6_000, result
        assert not any(tag in html for tag in ("<script>", "<i>", "<late>", "<C7>")), html
        assert PERSON not in html + repr(result) + str(result)


def test_results_have_frames_and_survive_json() -> None:
    for result in [*results(), CLOSED, FollowUpPlan(days=[2]).of("c1", PERSON, closed_at=NOW)[0]]:
        assert PERSON not in repr(result)
        if hasattr(result, "to_frame"):
            assert len(result.to_frame()) > 0
        assert type(result).from_dict(result.to_dict()) == result


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: OutcomeChain([Moment(at=NOW, kind="pleased")]), "starts with what failed"),
        (lambda: Moment(at=NOW, kind="sang"), "sang"),
        (lambda: FollowUpPlan(days=[]), "at once for the feeling"),
        (lambda: FollowUpPlan(days=[2], at="noon"), "a time of the day"),
        (lambda: attrs.evolve(CLOSED, minutes=-1.0), "None where nobody measured"),
        (lambda: attrs.evolve(CLOSED, outcome="sang"), "sang"),
        (lambda: Views().content_by_cause("carrier"), "cause"),
        (lambda: ally_rate([], [], [], []), "that were recovered"),
        (lambda: ally_rate(["a"], [NOW], [], [], within_days=9), "pass now"),
        (lambda: ally_rate(["a"], [NOW], [], [], within_days=0, now=NOW), "such as 90"),
        (lambda: before_after([1, 2], [2, 3], smallest_gain=-1, small_sample_ok=True), "smallest_gain"),
        (lambda: paradox({}, [True, False]), "outcomes"),
        (lambda: paradox({"x": [1]}, [True, False]), "columns of the same rows"),
        (lambda: paradox({"x": [1, 2]}, [True, False])["y"], "'x'"),
        (lambda: complaint_split([]), "at least one complaint"),
        (lambda: value_of_handling(1, Money.of("-1", "USD"), severity="low"), "net of service"),
        (lambda: value_of_handling(1, WORTH, severity="low", better="sang"), "sang"),
    ],
)
def test_what_is_wrong_is_said(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(CrmError, match=sentence) as found:
        call()
    assert PERSON not in str(found.value)


def test_one_id_cannot_close_twice_in_two_ways() -> None:
    views = Views().after(CLOSED)
    assert views.after(CLOSED) == views
    with pytest.raises(ConflictingConstraints, match="id of its own"):
        views.after(attrs.evolve(CLOSED, outcome="lost"))


def test_a_gain_below_the_smallest_that_counts_is_not_shown() -> None:
    before, after = [1, 2, 3, 4] * 10, [2, 3, 4, 4] * 10
    assert before_after(before, after).verdict == "improved"
    assert before_after(before, after, smallest_gain=0.7).verdict == "not shown"
    assert before_after(after, before).verdict == "worsened"
