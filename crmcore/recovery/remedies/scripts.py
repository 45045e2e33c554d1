"""Two recoveries as definitions: a defective laptop made good, and a delayed flight looked after."""

from __future__ import annotations

from crmcore.recovery.remedies.deciding import RemedyPolicy
from crmcore.recovery.remedies.entitlements import Entitlement, Entitlements
from crmcore.recovery.remedies.menu import Menu, Remedy
from crmcore.values import Money

__all__ = ["airline_delay", "electronics_menu", "electronics_policy"]


def electronics_menu(*, currency: str = "USD") -> Menu:
    """Menu of a shop of electronics: apology at once, a new product for a defective one, a discount that hurts.

    Examples
    --------
    >>> print(electronics_menu())
    electronics, in USD
      answer  apology: interactional, free
      repair  faster answer: procedural, free
      repair  new product: distributive, 60 % of the loss
      extra   discount 10 %: distributive, 10 % of the loss
      extra   discount 20 %: distributive, 20 % of the loss
      extra   personal call: interactional, 5.00 USD
    """
    five = Money.of(5, currency)
    return Menu(
        name="electronics",
        currency=currency,
        failures={
            "defective product": "outcome", "wrong product": "outcome", "late delivery": "outcome",
            "slow answer": "process", "rude staff": "process",
        },
        remedies=[
            Remedy(id="apology", part="answer", justice="interactional", effect=0.2),
            Remedy(
                id="new product", part="repair", justice="distributive", effect=0.5, percent_of_loss=60,
                failures=["defective product", "wrong product"],
            ),
            Remedy(
                id="faster answer", part="repair", justice="procedural", effect=0.3,
                failures=["slow answer", "late delivery"],
            ),
            Remedy(id="discount 10 %", part="extra", justice="distributive", effect=0.15, percent_of_loss=10),
            Remedy(
                id="discount 20 %", part="extra", justice="distributive", effect=0.3, percent_of_loss=20,
                from_severity="normal",
            ),
            Remedy(
                id="personal call", part="extra", justice="interactional", effect=0.25, cost=five, kinds=["process"],
            ),
        ],
    )  # fmt: skip


def electronics_policy(*, currency: str = "USD", usual_value: str = "3000") -> RemedyPolicy:
    """Policy of the shop: its menu, and what a customer of unknown value counts as, in major units.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.recovery.remedies import FailedCase
    >>> laptop = FailedCase(id="c1", customer="ann", failure="defective product", loss=Money.of(900, "USD"))
    >>> electronics_policy().decide(laptop, now=datetime(2026, 6, 1, tzinfo=UTC)).remedies
    ('apology', 'new product', 'discount 20 %')
    """
    return RemedyPolicy(menu=electronics_menu(currency=currency), usual_value=Money.of(usual_value, currency))


def airline_delay(*, currency: str = "USD") -> Entitlements:
    """Entitlements of passengers by minutes of delay: words at once, meals by the hour, lounge, rebooking.

    Examples
    --------
    >>> print(airline_delay())
    airline delay, in minutes of delay
      from 0: apology statement, once an incident
      from 120: meal voucher (15.00 USD), once a customer
      from 180: lounge, once a customer
      from 300: rebooking, once a customer
      from 480: second meal voucher (20.00 USD), once a customer
    """
    return Entitlements(
        name="airline delay", measure="minutes of delay", currency=currency,
        items=[
            Entitlement(id="apology statement", at_least=0, once="incident"),
            Entitlement(id="meal voucher", at_least=120, amount=Money.of(15, currency)),
            Entitlement(id="lounge", at_least=180),
            Entitlement(id="rebooking", at_least=300),
            Entitlement(id="second meal voucher", at_least=480, amount=Money.of(20, currency)),
        ],
    )  # fmt: skip
