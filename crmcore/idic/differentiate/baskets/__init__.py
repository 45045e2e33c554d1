"""What is bought together: exact frequent item sets and rules with intervals and corrected p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.baskets.rules import BasketRule, BasketRules, basket_rules

__all__ = ["BasketRule", "BasketRules", "basket_rules"]

__getattr__ = lazy_names(__name__, {"BasketRule": ".rules", "BasketRules": ".rules", "basket_rules": ".rules"})
