"""Identify: records of many sources become customers, each with one golden record, one id and one view."""
