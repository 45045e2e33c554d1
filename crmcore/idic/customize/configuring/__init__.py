"""Mass customization: a product model with rules, and configurations of it that are always explained.

`ProductModel` holds attributes (`Choice`, `Flag`, `Range`), rules (`requires`, `implies`, `excludes`, `must`, `table`)
and prices (`surcharge`, `bundle`). `configure(model).choose(trim="base")` narrows it step by step: what is left, what
follows and why, minimal conflicts with ranked repairs, prices, lead times, the best product for a taste. `lint` reads
a model for what nobody can ever buy, `recipe` keeps allergens out whatever the taste, `plan_line` batches orders over a
shared production line, and `Customisation` offers product, service and presentation as three levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize.configuring.attributes import Choice, Flag, NotOnOffer, Option, Range
    from crmcore.idic.customize.configuring.configuration import Configuration, configure
    from crmcore.idic.customize.configuring.explaining import Conflict, NotPossible, Repair
    from crmcore.idic.customize.configuring.levels import Adaptation, Customisation, Level
    from crmcore.idic.customize.configuring.linting import lint
    from crmcore.idic.customize.configuring.model import ProductModel
    from crmcore.idic.customize.configuring.offers import Product
    from crmcore.idic.customize.configuring.product_rules import (
        bundle,
        excludes,
        implies,
        must,
        requires,
        surcharge,
        table,
    )
    from crmcore.idic.customize.configuring.production import LineOrder, plan_line
    from crmcore.idic.customize.configuring.recipes import recipe

_WHERE = {
    "Adaptation": ".levels",
    "Choice": ".attributes",
    "Configuration": ".configuration",
    "Conflict": ".explaining",
    "Customisation": ".levels",
    "Flag": ".attributes",
    "Level": ".levels",
    "LineOrder": ".production",
    "NotOnOffer": ".attributes",
    "NotPossible": ".explaining",
    "Option": ".attributes",
    "Product": ".offers",
    "ProductModel": ".model",
    "Range": ".attributes",
    "Repair": ".explaining",
    "bundle": ".product_rules",
    "configure": ".configuration",
    "excludes": ".product_rules",
    "implies": ".product_rules",
    "lint": ".linting",
    "must": ".product_rules",
    "plan_line": ".production",
    "recipe": ".recipes",
    "requires": ".product_rules",
    "surcharge": ".product_rules",
    "table": ".product_rules",
}

__all__ = [
    "Adaptation",
    "Choice",
    "Configuration",
    "Conflict",
    "Customisation",
    "Flag",
    "Level",
    "LineOrder",
    "NotOnOffer",
    "NotPossible",
    "Option",
    "Product",
    "ProductModel",
    "Range",
    "Repair",
    "bundle",
    "configure",
    "excludes",
    "implies",
    "lint",
    "must",
    "plan_line",
    "recipe",
    "requires",
    "surcharge",
    "table",
]

__getattr__ = lazy_names(__name__, _WHERE)
