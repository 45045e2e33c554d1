"""What another policy would have brought, from the log of the one that ran: IPS, SNIPS, DM and DR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, OutOfRange, UnknownName
from crmcore.idic.customize.offers.logs import DecisionLog
from crmcore.metrics import Estimate, mean, ratio
from crmcore.metrics.estimates import check_level

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["PolicyValue", "policy_value"]

Floats = NDArray[np.float64]
PRIOR = 10.0  # decisions that the mean reward counts in each cell of the reward model
FEW = 100.0  # effective decisions; below, intervals of weighted means are too narrow
HEAVY = 0.05  # share of all weight on one decision


@attrs.frozen(kw_only=True, repr=False)
class PolicyValue(Document):
    """Mean reward of a decision under a policy that did not run.

    Attributes
    ----------
    dr : doubly robust: the model, corrected by weighted residuals; the one to quote
    ips, snips : rewards weighted by how much likelier the policy takes the action; the second divides by the weights
    dm : the reward model alone; biased where it is wrong, however narrow the interval
    logged : mean reward of the policy that ran
    effective_n : decisions that the weights leave, (sum w)^2 / sum w^2
    max_share : of the weight, on the heaviest decision
    unsupported : share of the policy's decisions that the log holds no example of
    warnings : what a reader must know; empty where there is nothing
    """

    dr: Estimate
    ips: Estimate
    snips: Estimate
    dm: Estimate
    logged: Estimate
    effective_n: float
    max_share: float
    unsupported: float
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"PolicyValue(dr {self.dr.value:.4g}, logged {self.logged.value:.4g}, effective n {self.effective_n:.0f})"
        )

    def _all(self) -> dict[str, Estimate]:
        return {"DR": self.dr, "SNIPS": self.snips, "IPS": self.ips, "DM": self.dm, "logged": self.logged}

    def __str__(self) -> str:
        lines = [f"{name}: {estimate}" for name, estimate in self._all().items()]
        lines.append(f"effective decisions: {self.effective_n:,.0f} of {self.logged.n:,}")
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"estimator": name, "value": e.value, "low": e.low, "high": e.high, "n": e.n}
            for name, e in self._all().items()
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an estimator: estimator, value, low, high, n."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)

    def chart(self) -> Chart:
        """Estimators with their intervals, beside what the log brought."""
        from crmcore.charts import dot_interval

        return dot_interval(list(self._all()), list(self._all().values()), title="Value of the policy",
                            description="Mean reward of a decision, with intervals.")  # fmt: skip

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption="; ".join(self.warnings) or repr(self))


def policy_value(
    log: DecisionLog, policy: Mapping[str, float] | NDArray[np.floating], /, *, level: float = 0.95
) -> PolicyValue:
    """Tell what a policy would have brought, from a log with propensities.

    Parameters
    ----------
    log : decisions
    policy : action to probability, or (n, actions) probabilities in the order of `log.actions`
        What the policy would do in each decision. Actions that it never takes may be left out of a mapping.
    level : share, of the intervals

    Notes
    -----
    With weights w = policy / propensity of the logged action: IPS is the mean of w r; SNIPS the sum of w r over the sum
    of w (delta interval); DM the mean of q over the policy, with q the mean reward of action and stratum, shrunk by ten
    decisions to the mean; DR the mean of q over the policy plus w (r - q), where q leaves the row itself out, so that
    the two parts are independent. Sources: Dudik, Langford, Li (2011), ICML; Swaminathan, Joachims (2015), NIPS.

    Raises
    ------
    UnknownName, OutOfRange, BadRows
        Actions that the log does not hold, shapes, probabilities that do not add up to 1.

    Examples
    --------
    >>> log = DecisionLog.of(["a", "b"] * 200, [0.5] * 400, ([1.0, 0.0] * 3 + [0.0, 1.0]) * 50)
    >>> found = policy_value(log, {"a": 1.0})
    >>> print(found.snips)
    0.75 [0.69, 0.81] (95 %, n = 400, delta)
    """
    check_level(level)
    p = _probabilities(log, policy)
    n, row = len(log), np.arange(len(log))
    weight = p[row, log.action] / log.propensity
    seen = _cells(log)[0] > 0
    q_policy, q_own, influence = _model(log, p)
    own: dict[str, Any] = {"level": level, "clusters": log.customers, "small_sample_ok": True}
    dr = mean(q_policy + weight * (log.reward - q_own), rule="reward a decision", **own)
    total = float(weight.sum())
    effective = total**2 / float((weight**2).sum()) if total else 0.0
    unsupported = float((p * ~seen[:, log.stratum].T).sum(1).mean())
    heaviest = float(weight.max()) / total if total else 0.0
    if total:
        snips = ratio(weight * log.reward, weight, rule="reward a decision", **own)
    else:
        snips = attrs.evolve(dr, value=float("nan"), low=float("nan"), high=float("nan"), method="delta")
    return PolicyValue(
        dr=dr, ips=mean(weight * log.reward, rule="reward a decision", **own), snips=snips,
        dm=mean(influence, rule="reward a decision, by the model", **own),
        logged=mean(log.reward, rule="reward a decision, as logged", **own),
        effective_n=effective, max_share=heaviest, unsupported=unsupported,
        warnings=_warnings(effective, heaviest, unsupported, total / n),
    )  # fmt: skip


def _probabilities(log: DecisionLog, policy: Mapping[str, float] | NDArray[np.floating]) -> Floats:
    """(n, actions) probabilities, checked."""
    k = len(log.actions)
    if isinstance(policy, Mapping):
        for name in policy:
            if name not in log.actions:
                raise UnknownName("action", str(name), log.actions)
        p = np.tile([float(policy.get(a, 0.0)) for a in log.actions], (len(log), 1))
    else:
        p = np.asarray(policy, np.float64)
        if p.shape != (len(log), k):
            wanted = f"({len(log)}, {k}): decisions, actions"
            raise OutOfRange("shape of the policy", p.shape, wanted, "columns in the order of log.actions")
    bad = ~((p >= 0).all(1) & (np.abs(p.sum(1) - 1) < 1e-6))
    if bad.any():
        problem = BadRow("policy", "no probabilities that add up to 1", tuple(np.flatnonzero(bad).tolist()))
        raise BadRows("the policy", (problem,), "divide each row by its sum")
    return p


def _cells(log: DecisionLog) -> tuple[Floats, Floats]:
    """(actions, strata) counts and summed rewards."""
    shape = len(log.actions), len(log.strata)
    cell = log.action * shape[1] + log.stratum
    size = shape[0] * shape[1]
    count = np.bincount(cell, minlength=size).reshape(shape).astype(np.float64)
    total = np.bincount(cell, weights=log.reward, minlength=size).astype(np.float64)
    return count, total.reshape(shape)


def _model(log: DecisionLog, p: Floats) -> tuple[Floats, Floats, Floats]:
    """For each row, without its own reward: q over the policy and q of its action; and the influence values of DM."""
    count, total = _cells(log)
    n, a, s = len(log), log.action, log.stratum
    others = (log.reward.sum() - log.reward) / max(n - 1, 1)  # the mean that cells are shrunk to, without the row
    known, share = (total / (count + PRIOR)).T, (PRIOR / (count + PRIOR)).T
    q_own = (total[a, s] - log.reward + PRIOR * others) / (count[a, s] - 1 + PRIOR)
    with_it = total[a, s] / (count[a, s] + PRIOR) + PRIOR / (count[a, s] + PRIOR) * others
    taken = p[np.arange(n), a]
    q_policy = (p * known[s]).sum(1) + (p * share[s]).sum(1) * others + taken * (q_own - with_it)
    q = (total + PRIOR * log.reward.mean()) / (count + PRIOR)
    wanted = np.zeros((len(log.strata), len(log.actions)))
    np.add.at(wanted, s, p)
    pull = wanted[s, a] / (count[a, s] + PRIOR)  # how much the reward of a row moves the mean of q
    influence = (p * q.T[s]).sum(1) + pull * (log.reward - q[a, s])
    centred: Floats = influence - influence.mean() + (p * q.T[s]).sum(1).mean()
    return q_policy, q_own, centred


def _warnings(effective: float, heaviest: float, unsupported: float, level: float) -> tuple[str, ...]:
    told = []
    if effective < FEW:
        told.append(f"only {effective:.0f} effective decisions: the intervals are too narrow, log more exploration")
    if heaviest > HEAVY:
        told.append(f"one decision holds {heaviest:.0%} of the weight")
    if unsupported > 0.001:
        told.append(f"{unsupported:.1%} of the policy's decisions have no example in the log: only the model speaks")
    if abs(level - 1) > 0.2:
        told.append(f"weights average {level:.2f} instead of 1: propensities are wrong, or actions lack")
    return tuple(told)
