"""Touchpoints: where customers meet the brand, how they wander, and which meeting deserves the credit.

`catalogue` says what a touchpoint is, `quality` how good it is and which to mend, `sessions` cuts visits under named
rules, `journeys` follows what comes after what, `attribution` shares conversions, `wandering` shows what is around a
customer. Import from these: `from crmcore.touchpoints.journeys import journeys`.
"""
