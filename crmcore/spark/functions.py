"""Spark's column functions, imported at their first use: `from crmcore.spark import functions as sf`."""

from importlib import import_module
from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(import_module("pyspark.sql.functions"), name)
