"""The rows of remedies and of what follows a recovery, through the public names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest

from crmcore.idic.differentiate.ladder import ladder
from crmcore.ledger import Ledger, spend
from crmcore.metrics.behaviour import automation_effect
from crmcore.metrics.stratified import stratified_difference
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
from crmcore.recovery.audit import audit_handling
from crmcore.recovery.cases.splitting import complaint_split
from crmcore.recovery.employees import AloneLimit, Empowerment
from crmcore.recovery.remedies import (
    TARP,
    Caps,
    CaseTable,
    FailedCase,
    GrantBook,
    Menu,
    ProtectedField,
    Remedy,
    RemedyFund,
    RemedyPolicy,
    audit_equal_treatment,
    forgiveness,
    relationship_strength,
    scripts,
    simulate_twins,
)
from crmcore.rules import Event, Facts, Rule, field
from crmcore.stores import MemoryStore, SqliteStore
from crmcore.values import Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEVERITIES = ("low", "normal", "high", "critical")


def usd(amount: float | str) -> Money:
    return Money.of(str(amount), "USD")


def laptop(**more: object) -> FailedCase:
    given: dict[str, object] = {"id": "c1", "customer": "ann", "failure": "defective product", "loss": usd(900)}
    return FailedCase(**{**given, **more})  # type: ignore[arg-type]


# --- 169 ----------------------------------------------------------------------------------------------------------


def test_row_169_three_of_ten_recovered_become_allies() -> None:
    closed = [NOW + timedelta(days=i) for i in range(10)]
    acts, when = ["c2", "c5", "c9", "stranger"], [NOW + timedelta(days=40)] * 4
    told = ally_rate([f"c{i}" for i in range(10)], closed, acts, when, small_sample_ok=True)
    assert told.rate.value == pytest.approx(0.3)
    assert told.allies == 3
    assert (told.rate.low, told.rate.high) == pytest.approx((0.1078, 0.6032), abs=1e-4)  # Wilson


def test_row_169_acts_before_the_closing_do_not_count_and_young_cases_wait() -> None:
    closed = [NOW, NOW + timedelta(days=80)]
    told = ally_rate(
        ["a", "b"], closed, ["a", "b", "b"], [NOW - timedelta(days=1), NOW, NOW + timedelta(days=81)],
        within_days=30, now=NOW + timedelta(days=90), small_sample_ok=True,
    )  # fmt: skip
    assert (told.allies, told.rate.n, told.open) == (0, 1, 1)


# --- 176 ----------------------------------------------------------------------------------------------------------


def test_row_176_the_same_case_gets_the_same_remedy_whoever_complains() -> None:
    policy = scripts.electronics_policy()
    cases = [laptop(id=f"c{i}", severity=s, loss=usd(100 * (1 + i))) for i in range(10) for s in SEVERITIES]
    cases = [attrs.evolve(c, id=f"{c.id}{c.severity}") for c in cases]

    def decide(case: FailedCase, group: str) -> float:
        own = attrs.evolve(case, customer=f"{group}:{case.id}")
        return policy.decide(own, now=NOW).cost.amount_minor

    twins = simulate_twins(decide, cases, ["women", "men"])
    assert twins.equal
    assert twins.p_value >= 0.05
    unfair = simulate_twins(lambda c, g: decide(c, g) * (0.8 if g == "women" else 1), cases, ["women", "men"])
    assert unfair.p_value < 0.001
    assert unfair.second_more == unfair.pairs


def test_row_176_worse_cases_never_get_less() -> None:
    policy = scripts.electronics_policy()
    for failure in policy.menu.failures:
        plans = [policy.decide(laptop(failure=failure, severity=s), now=NOW) for s in SEVERITIES]
        assert [p.effect for p in plans] == sorted(p.effect for p in plans)


def test_row_176_rules_and_facts_about_the_person_are_refused() -> None:
    rule = Rule("older", field("customer_age") >= 60)
    with pytest.raises(ProtectedField, match="customer_age"):
        Menu(
            name="m", currency="USD", failures={"x": "outcome"},
            remedies=[Remedy(id="a", part="answer", justice="interactional", effect=0.2, when=rule)],
        )  # fmt: skip
    with pytest.raises(ProtectedField, match="gender"):
        laptop(facts={"gender": "f"})


def test_row_176_a_planted_inequality_is_found_and_a_confounded_one_is_not() -> None:
    rng = np.random.default_rng(3)
    n = 2000
    group = rng.choice(["a", "b"], n)
    severe = rng.random(n) < np.where(group == "a", 0.7, 0.3)  # group a has worse failures
    severity = np.where(severe, "high", "low")
    cost = 500 + 2000 * severe + rng.normal(0, 300, n)
    fair = audit_equal_treatment(group, {"cost": cost}, strata={"severity": severity})
    assert fair.equal is True
    assert abs(fair.rows[0].crude) > 500
    unfair = audit_equal_treatment(group, {"cost": cost - 120 * (group == "b")}, strata={"severity": severity})
    assert unfair.equal is False
    few = audit_equal_treatment(group[:20], {"cost": cost[:20]}, strata={"severity": severity[:20]})
    assert all(r.small for r in few.rows)
    assert few.equal is None or not few.equal


# --- 179 ----------------------------------------------------------------------------------------------------------


def test_row_179_one_closing_moves_customer_causes_and_employee() -> None:
    event = CaseClosed(
        id="e1", case="c1", customer="ann", at=NOW, outcome="pleased", failure="late parcel",
        causes={"carrier": "C7"}, employee="bob", minutes=25.0, cost=usd(20), hard=True,
    )  # fmt: skip
    second = attrs.evolve(event, id="e2", case="c2", at=NOW + timedelta(days=1), outcome="lost")
    views = Views().after(event).after(second)
    assert views.customers["ann"].last == "lost"
    assert views.causes["carrier = C7"].content.n == 2
    assert (views.employees["bob"].cases, views.employees["bob"].minutes.mean, views.employees["bob"].hard) == (
        2,
        25,
        2,
    )
    again = views.after(second, event)
    replayed = Views.replay([second, event, second])
    for other in (again, replayed, Views.from_dict(views.to_dict())):
        assert (other.customers, other.causes, other.employees) == (views.customers, views.causes, views.employees)


# --- 185 ----------------------------------------------------------------------------------------------------------


def test_row_185_forgiveness_rises_with_tenure_and_the_remedy_never_falls() -> None:
    told = [forgiveness(TARP, "high", relationship_strength(years)) for years in (0, 1, 5, 20)]
    assert told == sorted(told)
    assert told[0] < told[-1]
    policy = scripts.electronics_policy()
    new, old = (policy.decide(laptop(relationship=r), now=NOW) for r in (None, relationship_strength(20)))
    assert old.given == new.given
    assert old.stay_without.value > new.stay_without.value
    assert old.stay_with.value > new.stay_with.value


# --- 186 ----------------------------------------------------------------------------------------------------------


def test_row_186_twenty_paired_scores_give_change_interval_and_verdict() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(1)
    before = rng.integers(1, 4, 20)
    after = before + rng.integers(0, 3, 20)
    told = before_after(before, after, small_sample_ok=True)
    peer = ttest_rel(after, before)
    assert told.change.p_value == pytest.approx(peer.pvalue)
    assert told.change.difference.low == pytest.approx(peer.confidence_interval().low)
    assert told.verdict == "improved"
    assert before_after(before, before + rng.choice([-1, 1], 20), small_sample_ok=True).verdict == "not shown"


def test_row_186_the_paradox_is_claimed_only_where_it_holds() -> None:
    rng = np.random.default_rng(2)
    n = 400
    recovered = np.arange(n) < 200
    outcomes = {
        "satisfaction": 4 + 0.6 * recovered + rng.normal(0, 1, n),
        "repurchase": (rng.random(n) < 0.5).astype(float),
        "word of mouth": (rng.random(n) < 0.3).astype(float),
        "image": rng.normal(3 - 0.8 * recovered, 1, n),
    }
    told = paradox(outcomes, recovered)
    assert told.holds() == ("satisfaction",)
    assert told["image"].verdict == "reversed"
    assert all(row.difference.n == n for row in told.rows)


def test_row_186_who_answered_and_who_they_are_is_said() -> None:
    rng = np.random.default_rng(6)
    n = 1200
    recovered = np.arange(n) < 600
    loyal = rng.random(n) < np.where(recovered, 0.8, 0.2)  # the loyal complain, and are recovered
    score = 3 + 1.5 * loyal + rng.normal(0, 0.7, n)
    score[recovered & (rng.random(n) < 0.5)] = np.nan
    told = paradox({"satisfaction": score}, recovered, strata={"loyal": loyal})
    assert told.rows[0].crude.conclusive
    assert told.holds() == ()
    assert any("answered" in w for w in told.rows[0].warnings)
    assert any("strata" in w for w in told.rows[0].warnings)


def test_row_186_follow_ups_fall_due_once() -> None:
    plan = FollowUpPlan(days=[2, 30], zone="Asia/Bangkok")
    closed = {"c1": ("ann", NOW), "c2": ("bob", NOW), "c3": ("cho", NOW)}
    later = NOW + timedelta(days=3)
    due = plan.due(closed, now=later, open_again=["c2"], not_asked=["cho"])
    assert [f.case for f in due] == ["c1"]
    assert not plan.due(closed, now=later, sent=[due[0].id], open_again=["c2"], not_asked=["cho"])
    assert "ann" not in repr(due)


def test_row_186_what_is_at_stake_has_its_prior_and_interval() -> None:
    kept = value_of_handling(100, usd(400), severity="low")
    assert kept.value == pytest.approx(100 * 40_000 * 0.49)
    assert kept.low < kept.value < kept.high
    assert "TARP 1986" in kept.method
    silent = cost_of_silence(690, usd(400), seed=1)
    assert silent.silent.value == pytest.approx(310)
    assert silent.silent.low < 310 < silent.silent.high
    assert silent.cost.low > 0


# --- 187 ----------------------------------------------------------------------------------------------------------


def test_row_187_a_defective_laptop_is_made_good_and_the_customer_becomes_regular() -> None:
    plan = scripts.electronics_policy().decide(laptop(), now=NOW)
    assert plan.remedies == ("apology", "new product", "discount 20 %")
    assert plan.cost == usd(720)
    bought = [Event(kind="purchase", time=NOW + timedelta(days=d)) for d in (-200, 20, 35, 50)]
    climbed = ladder().history(Facts(events=bought), until=NOW + timedelta(days=60))
    moments = [Moment(at=NOW, kind="failed", detail="defective product")]
    kinds = {"answer": "answered", "repair": "repaired", "extra": "extra"}
    moments += [Moment(at=NOW, kind=kinds[g.part], detail=g.remedy) for g in plan.given]
    moments += [Moment(at=NOW + timedelta(days=4), kind="pleased")]
    moments += [Moment(at=m.at, kind="step", detail=m.after) for m in climbed if m.at > NOW]
    chain = OutcomeChain(moments)
    assert chain.ends_in == "regular"
    assert chain.state == "kept"
    assert [m.kind.value for m in chain.moments] == ["failed", "answered", "repaired", "extra", "pleased", "step"]


# --- 188 ----------------------------------------------------------------------------------------------------------


def test_row_188_a_delay_of_five_hours_gives_180_passengers_each_thing_once(tmp_path: object) -> None:
    book = GrantBook(Ledger(SqliteStore(f"{tmp_path}/grants.db")), scripts.airline_delay())
    passengers = [f"p{i}" for i in range(180)]
    first = book.grant("AB12", passengers, 130, since=NOW)
    assert first.counts() == {"apology statement": 1, "meal voucher": 180}
    full = book.grant("AB12", passengers, 300, since=NOW)
    assert full.counts() == {"lounge": 180, "rebooking": 180}
    assert book.grant("AB12", passengers[::-1] * 2, 300, since=NOW).new == ()
    assert book.grant("AB12", passengers, 60, since=NOW).new == ()
    assert book.given("AB12") == {"apology statement": 1, "meal voucher": 180, "lounge": 180, "rebooking": 180}
    fresh = GrantBook(Ledger(SqliteStore(f"{tmp_path}/grants.db")), scripts.airline_delay())
    assert fresh.grant("AB12", [*passengers, "late"], 500, since=NOW).counts()["second meal voucher"] == 181
    account = fresh.account("AB12", "meal voucher", "p7")
    assert fresh.ledger.balance(account, as_of=NOW).active == 1500
    fresh.ledger.post(spend("lunch", account, usd(12), at=NOW, unit="USD"))
    assert fresh.ledger.balance(account, as_of=NOW).active == 300


def test_row_188_each_passenger_has_his_own_delay() -> None:
    book = GrantBook(Ledger(MemoryStore()), scripts.airline_delay())
    told = book.grant("AB12", ["a", "b", "c"], {"a": 310, "b": 125}, since=NOW)
    assert told.counts() == {"apology statement": 1, "meal voucher": 2, "lounge": 1, "rebooking": 1}


# --- 190 ----------------------------------------------------------------------------------------------------------


def extras(**caps: object) -> Menu:
    return Menu(
        name="m", currency="USD", failures={"defective product": "outcome"},
        remedies=[
            Remedy(id="apology", part="answer", justice="interactional", effect=0.2),
            Remedy(id="gift", part="extra", justice="distributive", effect=0.5, cost=usd(100), **caps),  # type: ignore[arg-type]
            Remedy(id="voucher", part="extra", justice="distributive", effect=0.2, cost=usd(20)),
        ],
    )  # fmt: skip


def test_row_190_expected_value_and_the_next_best_where_a_cap_is_hit() -> None:
    case = laptop(value=usd(1000), severity="low")
    plan = RemedyPolicy(menu=extras()).decide(case, now=NOW)
    gift = plan.step("extra")
    assert gift is not None
    assert gift.remedy == "gift"
    assert gift.expected == pytest.approx(100_000 * 0.5 * 0.49 - 10_000)  # value x effect x room - cost
    capped = RemedyPolicy(menu=extras(at_most=usd(50)), caps=Caps(approver="head of service")).decide(case, now=NOW)
    assert capped.remedies == ("apology", "voucher")
    assert str(capped.awaiting[0]) == "gift (100.00 USD) needs approval by head of service: at most 50.00 USD for gift"
    broke = RemedyPolicy(menu=extras()).decide(case, now=NOW, budget_left=usd(30))
    assert broke.remedies == ("apology", "voucher")
    assert "30.00 USD left in the budget" in str(broke.awaiting[0])
    poor = RemedyPolicy(menu=extras()).decide(attrs.evolve(case, value=usd(100)), now=NOW)
    assert poor.remedies == ("apology",)
    assert any("costs more than it keeps" in str(r) for r in poor.refused)


def test_row_190_grades_ask_the_grade_that_may() -> None:
    limits = [AloneLimit(grade=g, action=a, at_most=m) for g, a, m in (
        ("agent", "apology", None), ("agent", "voucher", usd(50)), ("agent", "gift", usd(50)), ("lead", "gift", None),
    )]  # fmt: skip
    policy = RemedyPolicy(menu=extras(), empowerment=Empowerment(["agent", "lead"], limits))
    plan = policy.decide(laptop(value=usd(1000)), now=NOW, grade="agent")
    assert plan.remedies == ("apology", "voucher")
    assert plan.awaiting[0].approver == "lead"


def test_row_190_a_fund_is_never_overdrawn_and_gives_back() -> None:
    fund = RemedyFund(Ledger(MemoryStore()), currency="USD", per_customer=usd(150), per="month")
    fund.load("june", usd(1000), at=NOW)
    policy = RemedyPolicy(menu=extras())
    first = fund.grant(policy, laptop(value=usd(2000)), now=NOW)
    assert first.remedies == ("apology", "gift")
    second = fund.grant(policy, laptop(id="c2", value=usd(2000)), now=NOW)
    assert second.remedies == ("apology", "voucher")  # 50 left for the customer: next best
    assert fund.left(as_of=NOW) == usd(880)
    assert fund.release("c1", at=NOW).state == "given back"
    assert fund.left_for("ann", as_of=NOW) == usd(130)
    assert fund.commit("c2", at=NOW) == fund.commit("c2", at=NOW + timedelta(hours=1))
    july = NOW + timedelta(days=31)
    assert fund.grant(policy, laptop(id="c3", value=usd(2000)), now=july).remedies == ("apology", "gift")


def test_row_190_a_table_of_cases_is_decided_at_once() -> None:
    frame = {
        "id": ["a", "b"], "customer": ["x", "y"], "failure": ["defective product", "rude staff"],
        "severity": ["high", "low"], "loss": ["900.00", None], "value": ["4000", "200"],
    }  # fmt: skip
    policy = scripts.electronics_policy()
    plans = policy.decide_all(CaseTable.from_frame(frame, currency="USD"), now=NOW)
    assert plans.given["repair"].to_list() == ["new product", None]
    assert plans[1].remedies == ("apology", "personal call")
    assert plans.share("apology").value == 1


# --- 193, 194, 195 ------------------------------------------------------------------------------------------------


def test_row_194_public_share_with_reach() -> None:
    public = [True] * 12 + [False] * 28
    reach = [1000.0] * 6 + [100.0] * 5 + [np.nan] + [0.0] * 28
    told = complaint_split(public, reach)
    assert told.share.value == pytest.approx(0.3)
    assert told.share.n == 40
    assert told.reach == 6500
    assert (told.half_from, told.reach_unknown) == (4, 1)


def test_row_195_automated_and_human_service_differ_with_interval() -> None:
    rng = np.random.default_rng(5)
    n = 600
    hard = rng.random(n) < 0.5
    automated = rng.random(n) < np.where(hard, 0.2, 0.8)  # easy cases are automated first
    score = np.where(hard, 2.5, 4.0) + rng.normal(0, 0.5, n)
    told = automation_effect(automated, score)
    assert told.scores.difference.low > 0.3  # looks as if machines were better
    like = stratified_difference(score, automated, np.where(hard, "hard", "easy"))
    assert not like.conclusive  # among like cases they are not


# --- ISO 10002 ----------------------------------------------------------------------------------------------------


def test_row_iso_10002_each_clause_has_evidence_or_is_for_a_person() -> None:
    n = 120
    opened = [NOW - timedelta(days=40 + i) for i in range(n)]
    frame = {
        "case": [f"c{i}" for i in range(n)], "opened_at": opened,
        "acknowledged_at": [t + timedelta(hours=1) for t in opened],
        "responded_at": [t + timedelta(hours=200) for t in opened],
        "closed_at": [t + timedelta(days=5) for t in opened], "channel": ["web", "phone"] * (n // 2),
        "owner": ["ann"] * n, "cause": ["carrier", None] * (n // 2), "explained": [True] * n,
    }  # fmt: skip
    told = audit_handling(frame, now=NOW)
    assert len(told.findings) == 28
    assert told["acknowledgement"].verdict == "met"
    assert told["responsiveness"].verdict == "not met"
    assert told["investigation"].verdict == "not met"
    assert told["commitment"].verdict == "manual"
    assert all(f.evidence is not None or f.note for f in told.findings)
    assert type(told).from_dict(told.to_dict()) == told
    assert len(told._repr_html_()) < 6000
    assert "met" in str(told)
    group = np.array(["a", "b"] * 60)
    fair = audit_equal_treatment(group, {"cost": np.tile([10.0, 10.0, 20.0, 20.0], 30)})
    assert audit_handling(frame, now=NOW, treatment=fair)["objectivity"].verdict == "met"
