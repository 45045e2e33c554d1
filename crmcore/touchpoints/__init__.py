"""Touchpoints: where customers meet the brand, how they wander, and which meeting deserves the credit."""
