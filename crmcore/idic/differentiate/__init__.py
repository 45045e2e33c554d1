"""Differentiate: what customers are worth, what they need, and where they stand on the ladder.

`rfm` scores and segments, `buying` foretells purchases, `spending` and `contracts` money and renewals, `clv` joins them
to lifetime value, `propensity`, `hazards` and `uplift` foretell who will do what and whom it pays to ask, `worth` holds
profit, tiers, audiences, referrals and accounts, `ladder` the climb from stranger to superfan. Import from these:
`from crmcore.idic.differentiate.buying import Purchases`.
"""
