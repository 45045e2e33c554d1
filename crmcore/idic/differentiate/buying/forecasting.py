"""What fitted models expect: purchases, chances of being there, counts; stable for any sound input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit, gammaln, logsumexp

from crmcore.idic.differentiate.buying import pareto
from crmcore.idic.differentiate.buying.erlang import Sample, _beta, _stages, _summed

__all__ = ["count_probability", "expected", "expected_new", "p_alive", "pareto_alive", "time_alive"]

Floats = NDArray[np.float64]
DROPOUT = {"nbd": "none", "bg": "repeat", "mbg": "any"}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
EDGE = 40.0  # a density is followed until it fell by exp(-40)
MERGED = 5000  # customers from which on equal ones are looked for
MOST = 4000  # purchases ahead that are summed one by one


Values = Floats | Sequence[Any]  # parameters: numbers, or all but the first one a customer


def p_alive(model: str, k: int, p: Values, x: Floats, t: Floats, end: Floats, ahead: float, /) -> Floats:
    """Probability of not having left at the end of observation, or later."""
    if model == "nbd":
        return np.ones(len(x))
    if model == "pareto":
        r, alpha, s, beta = p
        now = pareto_alive(r, alpha, s, beta, x, t, end)
        return np.asarray(now * np.exp(s * (np.log(beta + end) - np.log(beta + end + ahead))))
    _, stages, stay, gone = _terms(model, k, p, x, t, end)
    first, share = _summed(stages)
    now = np.where(np.isneginf(gone), 1.0, expit(first + stay - np.where(np.isneginf(gone), 0.0, gone)))
    if ahead == 0.0:
        return now
    r, alpha, a, b = p
    more = 1.0 if model == "mbg" else 0.0
    if k == 1:
        q, weight = _leaving(np.broadcast_to(a, x.shape), b + x + more)
        kept = np.exp(-(r + x)[:, None] * np.log1p(q * (ahead / (alpha + end))[:, None]))
        return np.asarray(now * (kept * weight).sum(axis=1))
    left = _erlang_ahead(k, r, alpha, a, b + x + more, x, end, share, ahead, survive=True)
    return now * left


def pareto_alive(
    r: float, alpha: float | Floats, s: float, beta: float | Floats, x: Floats, t: Floats, end: Floats, /
) -> Floats:
    """Probability of being there under Pareto/NBD; alpha and beta may differ between customers."""
    there, gone, *_ = pareto.alive_terms(r, alpha, s, beta, x, t, end)
    return np.asarray(expit(there - gone), np.float64)


def expected(model: str, k: int, p: Values, x: Floats, t: Floats, end: Floats, horizon: float, /) -> Floats:
    """Purchases in the next `horizon`, given the past."""
    r, alpha = p[:2]
    if model == "nbd" and k == 1:
        return np.asarray((r + x) * horizon / (alpha + end))
    if model == "pareto":
        s, beta = p[2:]
        rate = (r + x) / (alpha + end)
        return np.asarray(p_alive(model, k, p, x, t, end, 0.0) * rate * time_alive(s, beta + end, horizon))
    if model == "nbd":
        sample = _sample(x, t, end)
        _, share = _summed(_stages(sample, r + k * sample.x, np.log(alpha + end), k))
        return _erlang_ahead(k, r, alpha, 0.0, np.ones(len(x)), x, end, share, horizon, survive=False)
    a, b = p[2:]
    more = 1.0 if model == "mbg" else 0.0
    now = p_alive(model, k, p, x, t, end, 0.0)
    if k == 1:
        return np.asarray(now * _counted(r + x, alpha + end, np.broadcast_to(a, x.shape), b + x + more, horizon))
    _, stages, *_ = _terms(model, k, p, x, t, end)
    _, share = _summed(stages)
    return now * _erlang_ahead(k, r, alpha, a, b + x + more, x, end, share, horizon, survive=False)


def expected_new(model: str, k: int, p: Floats, times: Floats, /) -> Floats:
    """Repeat purchases of a new customer by each time."""
    r, alpha = p[:2]
    some = np.maximum(times, 1e-300)
    if model == "nbd" and k == 1:
        return np.asarray(r * times / alpha)
    if model == "pareto":
        s, beta = p[2:]
        return np.asarray(r / alpha * np.array([time_alive(s, np.array([beta]), h)[0] for h in some.tolist()]))
    zero, one = np.zeros(1), np.ones((k, 1))
    one[1:] = 0.0
    out = []
    for h in some.tolist():
        if model == "nbd":
            out.append(_erlang_ahead(k, r, alpha, 0.0, np.ones(1), zero, zero, one, h, survive=False)[0])
            continue
        a, b = p[2:]
        more = 1.0 if model == "mbg" else 0.0
        stays = b / (a + b) if model == "mbg" else 1.0
        if k == 1:
            out.append(stays * _counted(np.array([r]), np.array([alpha]), np.array([a]), np.array([b + more]), h)[0])
        else:
            ahead = _erlang_ahead(k, r, alpha, a, np.array([b + more]), zero, zero, one, h, survive=False)
            out.append(stays * ahead[0])
    return np.asarray(out, np.float64)


def count_probability(model: str, k: int, p: Floats, counts: Floats, time: float, /) -> Floats:
    """P(X(time) = count) of a new customer."""
    r, alpha = p[:2]
    odds = time / (alpha + time)

    def reached(n: Floats) -> Floats:
        """Probability that the n-th purchase would come within the time, were nobody to leave."""
        return np.where(n <= 0, 1.0, betainc(np.maximum(k * n, 1e-300), r, odds))

    if model == "nbd":
        return np.asarray(reached(counts) - reached(counts + 1))
    if model == "pareto":
        s, beta = p[2:]
        logs = gammaln(r + counts) - gammaln(r) - gammaln(counts + 1)

        def nbd(at: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                grown = np.where(counts[:, None] > 0, counts[:, None] * np.log(at / (alpha + at)), 0.0)
            return np.asarray(np.exp(logs[:, None] + r * np.log(alpha / (alpha + at)) + grown))

        span = np.log1p(time / beta)
        u = beta * np.expm1(span * NODES)
        gone = (nbd(u[None, :]) * s * np.exp(-s * span * NODES) * span * WEIGHTS).sum(axis=1)
        return np.asarray(nbd(np.array([[time]]))[:, 0] * np.exp(-s * span) + gone)
    a, b = p[2:]
    more = 1.0 if model == "mbg" else 0.0
    # alive after n purchases and no further one, or left at the n-th
    stay = np.exp(betaln(a, b + counts + more) - betaln(a, b))
    leave = np.where(
        counts + more > 0, np.exp(betaln(a + 1, np.maximum(b + counts - 1 + more, 1e-300)) - betaln(a, b)), 0.0
    )
    return np.asarray(stay * (reached(counts) - reached(counts + 1)) + leave * reached(counts))


def _sample(x: Floats, t: Floats, end: Floats) -> Sample:
    distinct, code = np.unique(x, return_inverse=True)
    return Sample(x=distinct, code=code, t=t, end=end, weight=np.ones(len(x)), constant=0.0, gaps=0.0)


def _terms(model: str, k: int, p: Values, x: Floats, t: Floats, end: Floats) -> tuple[Sample, Floats, Floats, Floats]:
    """Stages of the silence, log chances of having stayed, log of the term of those who left at the last purchase."""
    r, alpha, a, b = p
    own = any(np.ndim(v) for v in p)
    sample, more = Sample.each(x, t, end) if own else _sample(x, t, end), 1.0 if model == "mbg" else 0.0
    shape = r + k * sample.x
    stages = _stages(sample, shape, np.log(alpha + end), k)
    stay, _ = _beta(a, b, sample.x + more, 0)
    gone, _ = _beta(a, b, sample.x - 1.0 + more, 1)
    gone = np.where(sample.x + more > 0, gone, -np.inf)[sample.code]
    left = gone + gammaln(shape)[sample.code] - shape[sample.code] * np.log(alpha + t)
    return sample, stages, stay[sample.code], left


def time_alive(s: float, beta: Floats, horizon: float) -> Floats:
    """Expected time alive within the horizon: int_0^h (beta / (beta + u))^s du."""
    if abs(s - 1.0) < 1e-9:
        return np.asarray(beta * np.log1p(horizon / beta))
    return np.asarray(beta / (s - 1.0) * -np.expm1(-(s - 1.0) * np.log1p(horizon / beta)))


def _leaving(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """(n, nodes) probabilities of leaving and weights of a Beta(a, b).

    On the logit scale z the density fades like exp(a z) and exp(-b z); z = middle + spread sinh(u) stands close where
    it is high and strides out where it fades, and trapezoids in u are then exact to about 1e-12.
    """
    middle, spread = np.log(a) - np.log(b), np.sqrt(1.0 / a + 1.0 / b)
    low, high = np.arcsinh(8.0 + EDGE / a / spread), np.arcsinh(8.0 + EDGE / b / spread)
    u = -low[:, None] + (low + high)[:, None] * LINE
    a, b = a[:, None], b[:, None]
    z = np.clip(middle[:, None] + spread[:, None] * np.sinh(u), -700.0, 700.0)
    logs = a * -np.logaddexp(0.0, -z) + b * -np.logaddexp(0.0, z) + np.log(np.cosh(u))
    weight = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    return expit(z), weight


LINE = np.linspace(0.0, 1.0, 193)


def _counted(shape: Floats, rate: Floats, a: Floats, b: Floats, horizon: float) -> Floats:
    """Purchases within the horizon of somebody alive, k = 1: E over leaving q of (1 - (1 + q h / rate)^-shape) / q."""
    if len(shape) > MERGED:
        key, back = np.unique(np.stack([shape, rate, a, b], axis=1), axis=0, return_inverse=True)
        shape, rate, a, b = key.T
    else:
        back = np.arange(len(shape))
    # chances of leaving differ by a and b only: mostly a few dozen
    pairs, code = np.unique(a + 1j * b, return_inverse=True)
    out = np.empty(len(shape))
    few = len(pairs) < MERGED
    nodes = _leaving(pairs.real, pairs.imag) if few else None
    for start in range(0, len(shape), 20_000):
        cut = slice(start, start + 20_000)
        q, weight = _leaving(a[cut], b[cut]) if nodes is None else (nodes[0][code[cut]], nodes[1][code[cut]])
        with np.errstate(over="ignore"):
            grown = -np.expm1(-shape[cut, None] * np.log1p(q * (horizon / rate[cut])[:, None]))
        ratio = np.where(q > 1e-280, grown / np.maximum(q, 1e-280), (shape[cut] * horizon / rate[cut])[:, None])
        out[cut] = np.einsum("ij,ij->i", ratio, weight)
    return np.asarray(out[back.ravel()], np.float64)


def _erlang_ahead(
    k: int, r: float, alpha: float, a: float, b: Floats, x: Floats, end: Floats, share: Floats, horizon: float, *,
    survive: bool,
) -> Floats:  # fmt: skip
    """Purchases ahead (or the chance to survive them) of somebody alive, over the stage in which the gap stands.

    With the gap in stage j, the n-th purchase needs n k - j more stages, and stages come at a rate Gamma(r + kx + j,
    alpha + T); to get there one must have stayed n - 1 times: B(a, b + n - 1) / B(a, b).
    """
    odds = horizon / (alpha + end + horizon)
    out = np.zeros(len(x))
    kept = np.ones(len(x))  # E (1 - q)^(n - 1)
    most = np.full(len(x), 1.0)
    for n in range(1, MOST + 1):
        reach = np.zeros(len(x))
        for j in range(k):
            reach += share[j] * betainc(n * k - j, r + k * x + j, odds)
        if survive:
            later = kept * ((b + n - 1) / (a + b + n - 1) if a > 0 else 1.0)
            out += (kept - later) * reach
            kept = later
        else:
            out += kept * reach
            kept = kept * ((b + n - 1) / (a + b + n - 1)) if a > 0 else kept
        most = np.minimum(most, reach)
        if float((most * kept).max(initial=0.0)) < 1e-12:
            break
    return 1.0 - out if survive else out
