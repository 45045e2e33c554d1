"""Results that go through JSON and come back equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from crmcore import _json

__all__ = ["Document"]


class Document:
    """What every result of this package can do: leave as plain JSON values, and come back."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = _json.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; fields that are missing, unknown or of another type are refused."""
        return _json.from_dict(cls, dict(fields))
