"""Recommendation: what each customer may want next, with the purchases that speak for it.

`recommend(orders)` chooses settings inside the orders and fits; `found.top(10).where(eligible)` ranks, `explain` tells
what each purchase adds, `for_history` serves a basket that is known only now. `Ease`, `ItemNeighbours` and
`ImplicitAls` are the recipes, `Replenishment` knows what is bought again; `homepage` lays a page out, `Preferences`
ranks categories with probabilities, `evaluate` measures on hidden purchases, `save_model` keeps a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize.recommending.choosing import Choosing
    from crmcore.idic.customize.recommending.door import (
        Recommendations,
        explain_history,
        recommend,
        top_of_history,
    )
    from crmcore.idic.customize.recommending.evaluating import (
        Evaluation,
        Split,
        compare_lists,
        evaluate,
        random_split,
        time_split,
    )
    from crmcore.idic.customize.recommending.histories import Histories
    from crmcore.idic.customize.recommending.lists import TopItems
    from crmcore.idic.customize.recommending.model import RecommenderModel
    from crmcore.idic.customize.recommending.pages import Page, homepage
    from crmcore.idic.customize.recommending.reasons import Explanation, Scope
    from crmcore.idic.customize.recommending.recipes import Ease, ImplicitAls, ItemNeighbours
    from crmcore.idic.customize.recommending.repeats import Replenishment
    from crmcore.idic.customize.recommending.saving import load_model, save_model
    from crmcore.idic.customize.recommending.tastes import Preferences

_WHERE = {
    "Choosing": ".choosing",
    "Ease": ".recipes",
    "Evaluation": ".evaluating",
    "Explanation": ".reasons",
    "Histories": ".histories",
    "ImplicitAls": ".recipes",
    "ItemNeighbours": ".recipes",
    "Page": ".pages",
    "Preferences": ".tastes",
    "Recommendations": ".door",
    "RecommenderModel": ".model",
    "Replenishment": ".repeats",
    "Scope": ".reasons",
    "Split": ".evaluating",
    "TopItems": ".lists",
    "compare_lists": ".evaluating",
    "evaluate": ".evaluating",
    "explain_history": ".door",
    "homepage": ".pages",
    "load_model": ".saving",
    "random_split": ".evaluating",
    "recommend": ".door",
    "save_model": ".saving",
    "time_split": ".evaluating",
    "top_of_history": ".door",
}

__all__ = [
    "Choosing",
    "Ease",
    "Evaluation",
    "Explanation",
    "Histories",
    "ImplicitAls",
    "ItemNeighbours",
    "Page",
    "Preferences",
    "Recommendations",
    "RecommenderModel",
    "Replenishment",
    "Scope",
    "Split",
    "TopItems",
    "compare_lists",
    "evaluate",
    "explain_history",
    "homepage",
    "load_model",
    "random_split",
    "recommend",
    "save_model",
    "time_split",
    "top_of_history",
]

__getattr__ = lazy_names(__name__, _WHERE)
