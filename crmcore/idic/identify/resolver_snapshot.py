"""The state of a resolver as JSON-ready data: arrays packed, so that a million records reopen in seconds."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Column, Records
from crmcore.tables import TextColumn

__all__ = ["pack_array", "pack_records", "pack_texts", "unpack_array", "unpack_records", "unpack_texts"]

FAST = 1  # zlib level: size hardly falls above it, time does


def pack_array(values: NDArray[Any]) -> dict[str, str]:
    """Array as text.

    Examples
    --------
    >>> unpack_array(pack_array(np.array([3, 1]))).tolist()
    [3, 1]
    """
    raw = zlib.compress(np.ascontiguousarray(values).tobytes(), FAST)
    return {"type": values.dtype.str, "data": base64.b64encode(raw).decode("ascii")}


def unpack_array(held: Mapping[str, str]) -> NDArray[Any]:
    """Array that `pack_array` wrote."""
    return np.frombuffer(zlib.decompress(base64.b64decode(held["data"])), held["type"]).copy()


def pack_texts(values: Sequence[str]) -> dict[str, Any]:
    """Texts as one packed text, with their lengths.

    Examples
    --------
    >>> unpack_texts(pack_texts(["a", "", "caf\u00e9"]))
    ['a', '', 'café']
    """
    raw = zlib.compress("".join(values).encode("utf-8", "surrogatepass"), FAST)
    sizes = np.fromiter(map(len, values), np.int32, len(values))
    return {"sizes": pack_array(sizes), "data": base64.b64encode(raw).decode("ascii")}


def unpack_texts(held: Mapping[str, Any]) -> list[str]:
    """Texts that `pack_texts` wrote."""
    whole = zlib.decompress(base64.b64decode(held["data"])).decode("utf-8", "surrogatepass")
    ends = np.cumsum(unpack_array(held["sizes"])).tolist()
    return [whole[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def pack_records(records: Records) -> dict[str, Any]:
    """Records as JSON-ready data."""
    return {
        "ids": pack_texts(records.ids.tolist()),
        "source": pack_array(records.source),
        "sources": list(records.sources),
        "columns": [
            {"name": c.name, "kind": c.kind.value, "codes": pack_array(c.codes), "values": pack_texts(c.values)}
            for c in records.columns
        ],
    }


def unpack_records(held: Mapping[str, Any]) -> Records:
    """Records that `pack_records` wrote."""
    columns = tuple(
        Column(c["name"], Kind(c["kind"]), TextColumn(unpack_array(c["codes"]), tuple(unpack_texts(c["values"]))))
        for c in held["columns"]
    )
    ids = np.array(unpack_texts(held["ids"]), object)
    return Records(ids, unpack_array(held["source"]), tuple(held["sources"]), columns)
