"""Policies valued from logs: coverage on logs of known value, warnings, sentences of errors, a public log."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.customize.offers import DecisionLog, PolicyValue, policy_value

REWARD = np.array([[0.05, 0.10, 0.20, 0.02], [0.20, 0.05, 0.10, 0.10], [0.10, 0.10, 0.05, 0.15]])
LOGGED = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.3, 0.4, 0.2], [0.25, 0.25, 0.25, 0.25]])
POLICY = np.array([[0.05, 0.1, 0.8, 0.05], [0.6, 0.2, 0.1, 0.1], [0.05, 0.1, 0.15, 0.7]])
TRUE = float((POLICY * REWARD).sum(1).mean())


def simulated(seed: int, n: int = 1500) -> tuple[DecisionLog, Any]:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, n)
    a = (rng.random(n)[:, None] > LOGGED[x].cumsum(1)).sum(1)
    reward = (rng.random(n) < REWARD[x, a]).astype(float)
    return DecisionLog.of([f"a{i}" for i in a], LOGGED[x, a], reward, stratum=x), POLICY[x]


def test_intervals_cover_the_known_value_and_the_bias_is_below_a_standard_error() -> None:
    runs = [policy_value(*simulated(seed)) for seed in range(300)]
    for name in ("ips", "snips", "dr"):
        found = [getattr(run, name) for run in runs]
        covered = np.mean([e.low <= TRUE <= e.high for e in found])
        values = np.array([e.value for e in found])
        assert 0.92 <= covered <= 0.97, (name, covered)
        assert abs(values.mean() - TRUE) < values.std() / 3
    assert np.std([r.dr.value for r in runs]) <= np.std([r.ips.value for r in runs])


def test_leaving_a_row_out_equals_doing_it_row_by_row() -> None:
    from crmcore.idic.customize.offers.off_policy import PRIOR, _model

    log, p = simulated(1, n=40)
    q_policy, q_own, _ = _model(log, p)
    for i in range(len(log)):  # the slow twin
        rest = np.arange(len(log)) != i
        level = log.reward[rest].mean()
        q = []
        for a in range(len(log.actions)):
            cell = rest & (log.action == a) & (log.stratum == log.stratum[i])
            q.append((log.reward[cell].sum() + PRIOR * level) / (cell.sum() + PRIOR))
        assert q_own[i] == pytest.approx(q[log.action[i]])
        assert q_policy[i] == pytest.approx(float(np.dot(p[i], q)))


def test_the_policy_that_ran_is_worth_what_it_brought() -> None:
    log, _ = simulated(3)
    ran = LOGGED[log.stratum]
    found = policy_value(log, ran)
    assert found.snips.value == pytest.approx(found.logged.value)
    assert found.ips.value == pytest.approx(found.logged.value)
    assert found.effective_n == pytest.approx(len(log))
    assert found.warnings == ()


def test_what_the_log_cannot_tell_is_a_warning() -> None:
    log = DecisionLog.of(["a"] * 60 + ["b"], [0.99] * 60 + [0.01], [0.0] * 60 + [1.0], stratum=["x"] * 30 + ["y"] * 31)
    told = " ".join(policy_value(log, {"b": 1.0}).warnings)
    assert "only 1 effective decisions" in told
    assert "one decision holds 100% of the weight" in told
    assert "49.2% of the policy's decisions have no example in the log" in told
    assert "instead of 1" in told


def test_repeated_customers_widen_the_interval() -> None:
    log, p = simulated(5)
    many = DecisionLog.of(
        [log.actions[a] for a in log.action] * 3, np.tile(log.propensity, 3), np.tile(log.reward, 3),
        stratum=[log.strata[s] for s in log.stratum] * 3, customers=list(range(len(log))) * 3,
    )  # fmt: skip
    wide, narrow = policy_value(many, np.tile(p, (3, 1))).ips, policy_value(log, p).ips
    assert wide.width == pytest.approx(narrow.width, rel=0.02)


def test_results_leave_as_text_frame_picture_and_json() -> None:
    found = policy_value(*simulated(2))
    assert "effective decisions" in str(found)
    assert repr(found).startswith("PolicyValue(dr 0.1")
    assert len(found._repr_html_()) < 6000
    assert found.to_frame(backend="polars")["estimator"].to_list() == ["DR", "SNIPS", "IPS", "DM", "logged"]
    assert found.chart().spec
    assert PolicyValue.from_dict(found.to_dict()) == found


def test_logs_and_policies_that_cannot_be_are_refused_all_rows_at_once() -> None:
    with pytest.raises(BadRows) as caught:
        DecisionLog.of(["a", "b", "c"], [0.0, 0.5, 1.5], [1.0, float("nan"), 0.0])
    assert "propensity: not above 0 and at most 1 in 2 rows [0, 2]" in str(caught.value)
    assert "reward: not a finite number in 1 row [1]" in str(caught.value)
    with pytest.raises(EmptyInput):
        DecisionLog.of([], [], [])
    with pytest.raises(OutOfRange, match="3 entries, as action"):
        DecisionLog.of(["a"] * 3, [0.5] * 2, [1.0] * 3)
    log, _ = simulated(1)
    with pytest.raises(UnknownName, match="did you mean 'a1'"):
        policy_value(log, {"a1x": 1.0})
    with pytest.raises(BadRows, match="add up to 1"):
        policy_value(log, {"a1": 0.5})
    with pytest.raises(OutOfRange, match="decisions, actions"):
        policy_value(log, np.ones((2, 2)))


def test_a_public_log_values_the_policy_that_ran_beside_it(data_dir: Path) -> None:
    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(data_dir / "open_bandit_men" / f"{name}.csv.gz", "rt") as file:
            return list(csv.DictReader(file))

    thompson, random = rows("bts"), rows("random")

    def log_of(found: list[dict[str, str]]) -> DecisionLog:
        columns = {k: [float(r[k]) for r in found] for k in ("propensity_score", "click")}
        return DecisionLog.of([r["item_id"] for r in found], columns["propensity_score"], columns["click"],
                              stratum=[r["position"] for r in found])  # fmt: skip

    log = log_of(thompson)
    found = policy_value(log, {a: 1 / len(log.actions) for a in log.actions})
    ran = policy_value(log_of(random), dict.fromkeys(log.actions, 1 / 34)).logged
    for estimate in (found.dr, found.snips, found.ips):  # both sides are estimates: their intervals meet
        assert estimate.low < ran.high
        assert ran.low < estimate.high
    assert found.effective_n < 1000
