"""Which model? All are fitted, the best is taken, and the reasons are said in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from crmcore._base import Progress, html_table, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.idic.differentiate.buying.model import MODELS, BuyingModel, RepeatBuying
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics.estimates import frame_of

__all__ = ["ModelChoice", "choose_model"]

ALIKE = 2.0  # difference of AIC below which the simpler model is taken (Burnham and Anderson 2002)
MOST = 6  # stages of regularity that are tried


@attrs.frozen(kw_only=True)
class ModelChoice(Document):
    """Fitted models, best first, and why the first was taken."""

    model: BuyingModel
    candidates: tuple[BuyingModel, ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"  {m.title:12} log-likelihood {m.log_likelihood:>14,.2f}  AIC {m.aic:>14,.2f}"
            f"{'  at a boundary' * m.boundary}"
            for m in self.candidates
        ]
        return "\n".join([str(self.model), *self.reasons, *lines])

    def __repr__(self) -> str:
        return f"ModelChoice({self.model.title} of {len(self.candidates)})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a model: model, log_likelihood, aic, bic, boundary."""
        rows = [
            {"model": m.title, "log_likelihood": m.log_likelihood, "aic": m.aic, "bic": m.bic, "boundary": m.boundary}
            for m in self.candidates
        ]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"model": m.title, "AIC": m.aic, "boundary": m.boundary} for m in self.candidates]
        return html_table(rows, caption="; ".join((str(self.model), *self.reasons)))


def choose_model(
    purchases: Purchases, /, *, models: Sequence[str] = MODELS, regular: bool = True, progress: Progress | bool = False
) -> ModelChoice:
    """Fit models and take the best by AIC; among alike, the simplest. Never fails on sound purchases.

    NBD is always fitted: where no dropout can be seen, the others end at a boundary, and NBD says so plainly.

    Parameters
    ----------
    purchases : Purchases
    models : names
    regular : truth
        Also try Erlang-k gaps, as long as they improve: buyers with a rhythm.
    progress : callable or bool

    Examples
    --------
    >>> bought = Purchases.of([2, 0, 5, 1, 0, 3], [30, 0, 35, 5, 0, 20], [39, 39, 39, 38, 38, 37])
    >>> choose_model(bought)
    ModelChoice(NBD of 4)
    """
    if not isinstance(purchases, Purchases) or not len(purchases):
        raise EmptyInput("purchases", "pass Purchases.of_orders(orders)")
    odd = [m for m in models if m not in MODELS]
    if odd:
        raise UnknownName("model", odd[0], MODELS)
    tell, names = reporter(progress), list(dict.fromkeys(("nbd", *models)))
    found: list[BuyingModel] = []
    for i, name in enumerate(names):
        found += _with_rhythm(name, purchases, regular=regular and bool(purchases.log_gaps.any()))
        tell("models", i + 1, len(names))
    ranked = sorted(found, key=lambda m: (m.aic, len(m.theta)))
    best = ranked[0]
    alike = [m for m in ranked if m.aic - best.aic <= ALIKE]
    taken = min(alike, key=lambda m: (len(m.theta), m.boundary, m.aic))
    return ModelChoice(model=taken, candidates=tuple(ranked), reasons=_reasons(taken, best, ranked))


def _with_rhythm(name: str, purchases: Purchases, *, regular: bool) -> list[BuyingModel]:
    """The model at k = 1, and at higher k while that is better."""
    found = [RepeatBuying(model=name).fit(purchases)]
    while regular and name != "pareto" and found[-1].k < MOST:
        more = RepeatBuying(model=name, k=found[-1].k + 1).fit(purchases)
        if more.aic >= found[-1].aic:
            break
        found.append(more)
    return found


def _reasons(taken: BuyingModel, best: BuyingModel, ranked: list[BuyingModel]) -> tuple[str, ...]:
    told = []
    if taken is best:
        second = next((m for m in ranked if m.title.split("-")[0] != taken.title.split("-")[0]), None)
        if second is not None:
            told.append(f"{taken.title} is best; {second.title} is {second.aic - taken.aic:,.1f} worse by AIC")
    else:
        told.append(f"{best.title} is {taken.aic - best.aic:.1f} better by AIC, too little for what it adds")
    if taken.model == "nbd":
        told.append("no dropout can be seen in these purchases: everybody counts as a customer still")
    if taken.k > 1:
        told.append(f"gaps are regular (k = {taken.k}): silence says more than it would otherwise")
    if taken.boundary:
        told.append("the best parameters lie at a boundary: intervals hold those of the parameters that can be seen")
    return tuple(told)
