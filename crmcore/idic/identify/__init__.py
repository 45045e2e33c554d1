"""Identify: who is behind a record, on every channel."""
