"""Spark's column functions, imported at their first use: `from crmcore.spark import functions as sf`."""

from importlib import import_module
from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        functions = import_module("pyspark.sql.functions")
    except ModuleNotFoundError as error:
        # whoever only asks what this module holds (inspection, collectors of doctests) hears that it has no such name
        raise AttributeError(f"{name}: column functions need crmcore[spark]") from error
    return getattr(functions, name)
