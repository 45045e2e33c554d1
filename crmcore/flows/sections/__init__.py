"""Sections of the report: each a pure function from a result to a `Section`."""
