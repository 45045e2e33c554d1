"""How much a customer spends per order: Gamma-Gamma, what it leaves open, and what is left after cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.spending.dependence import Dependence, spend_dependence
    from crmcore.idic.differentiate.spending.gamma_gamma import GammaGamma, GammaGammaModel
    from crmcore.idic.differentiate.spending.margins import contribution

__all__ = ["Dependence", "GammaGamma", "GammaGammaModel", "contribution", "spend_dependence"]

__getattr__ = lazy_names(
    __name__,
    {
        "Dependence": ".dependence",
        "GammaGamma": ".gamma_gamma",
        "GammaGammaModel": ".gamma_gamma",
        "contribution": ".margins",
        "spend_dependence": ".dependence",
    },
)
