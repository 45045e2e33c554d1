"""What a type checker must infer about configurations."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from crmcore.idic.customize.configuring import Configuration, Conflict, Product, ProductModel, configure, lint
from crmcore.idic.customize.configuring.linting import LintReport
from crmcore.values import Money


def configured(model: ProductModel) -> None:
    start = configure(model)
    assert_type(start, Configuration)
    assert_type(start.choose(seat="leather", width=2.05), Configuration)
    assert_type(start.domains, dict[str, tuple[str | bool | Decimal, ...]])
    assert_type(start.conflict(seat="leather"), Conflict | None)
    assert_type(start.cheapest(), Product)
    assert_type(start.price_range, tuple[Money, Money] | None)
    assert_type(lint(model), LintReport)
