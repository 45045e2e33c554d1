"""Differentiate: what customers are worth, what they need, and where they stand on the ladder."""
