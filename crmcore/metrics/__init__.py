"""Estimates with their uncertainty: value, interval, n, rule and method."""
