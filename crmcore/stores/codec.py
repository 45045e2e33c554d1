"""The one encoding that the built-in stores share: events as rows, payloads as JSON text, times as microseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from crmcore.errors import DuplicateIds, EmptyInput, NaiveDatetime, OutOfRange, WrongType
from crmcore.stores.contract import Event, Redact

__all__ = [
    "Row",
    "check_version",
    "decode",
    "encode",
    "encode_state",
    "grouped",
    "instant",
    "micros",
    "misplaced",
    "payload",
    "redacted",
]

Row = tuple[int, str, int, str, str, int, str, str, str]
"""position, stream, version, id, type, time in microseconds since 1970 UTC, data as JSON text, actor, reason."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
NOT_UNICODE = ("text with half a character", "Unicode text", "decode the source correctly")
SCALARS = frozenset({str, int, float, bool, type(None)})


def _refuse(value: object, path: str) -> None:
    """Say where a payload is not plain JSON (json.dumps would bend integer keys and tuples silently)."""
    if type(value) in SCALARS:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise WrongType(f"a key of {path}", type(key).__name__, "str", "JSON objects have text keys")
            _refuse(item, f"{path}[{key!r}]")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _refuse(item, f"{path}[{i}]")
    elif not isinstance(value, (str, int, float)):
        hint = "write times as isoformat(), money as minor units, tuples and sets as lists"
        raise WrongType(path, type(value).__name__, "a JSON value", hint)


def _json(data: Mapping[str, object], path: str) -> str:
    plain = data if type(data) is dict else dict(data)
    for key, value in plain.items():
        if type(key) is not str:
            _refuse({key: value}, path)
        elif type(value) not in SCALARS:
            _refuse(value, f"{path}[{key!r}]")
    try:
        text = ENCODER.encode(plain)
        if not text.isascii():
            text.encode()  # half a character fails here, not inside the store
    except UnicodeEncodeError as error:
        raise OutOfRange(path, *NOT_UNICODE) from error
    except (ValueError, RecursionError) as error:
        raise OutOfRange(path, "NaN, infinity or a cycle", "finite numbers", "write None for missing") from error
    return text


def micros(time: datetime) -> int:
    """Microseconds since 1970 UTC."""
    gap = time - EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def payload(event: Event) -> str:
    """JSON text of what an event carries.

    Raises
    ------
    EmptyInput
        The event has no id.
    WrongType, OutOfRange
        The payload is not JSON.
    """
    if not event.id:
        raise EmptyInput("Event.id", "give each event an id of its own, such as the id of the message it came from")
    return _json(event.data, "data")


def encode(event: Event, stream: str, version: int, position: int) -> Row:
    """Turn an event into a row; see `payload` for what it refuses."""
    text = payload(event)
    return (position, stream, version, event.id, event.type, micros(event.time), text, event.actor, event.reason)


def encode_state(state: Mapping[str, object]) -> str:
    """Turn a snapshot's state into JSON text."""
    return _json(state, "state")


def decode(row: Row) -> Event:
    """Turn a row back into an event."""
    position, stream, version, id_, type_, time, text, actor, reason = row
    return Event(
        id=id_,
        type=type_,
        time=EPOCH + timedelta(microseconds=time),
        data=json.loads(text),
        stream=stream,
        version=version,
        position=position,
        actor=actor,
        reason=reason,
    )


def grouped(stream: str | None, events: Iterable[Event]) -> list[tuple[str, Event]]:
    """Pair each event with its stream: the one given, or its own.

    Raises
    ------
    EmptyInput
        An event names no stream.
    OutOfRange
        An event names another stream than the call, or some text is not Unicode.
    """
    pairs = [(stream or e.stream, e) for e in events]
    for name, event in pairs:
        if not name:
            raise EmptyInput(
                "stream", "append(stream, events), or name it in each event: Event(stream='customer:7', ...)"
            )
        if event.stream and event.stream != name:
            raise OutOfRange("Event.stream", event.stream, f"{name!r} or empty", "use append_many for several streams")
        words = name + event.id + event.type + event.actor + event.reason
        if not words.isascii():
            try:
                words.encode()
            except UnicodeEncodeError as error:
                raise OutOfRange("stream, id, type, actor, reason", *NOT_UNICODE) from error
    return pairs


def misplaced(positions: Iterable[int]) -> DuplicateIds:
    """Error for ids that already stand in another stream."""
    rows = tuple(positions)
    hint = "an event id is unique in the whole store: put the stream into the id, or make ids with uuid4"
    return DuplicateIds("events of another stream", len(rows), rows, hint)


def instant(until: datetime | None) -> int | None:
    """Microseconds since 1970 of an aware datetime."""
    if until is None:
        return None
    if until.utcoffset() is None:
        raise NaiveDatetime("until")
    return micros(until)


def check_version(version: int, head: int) -> None:
    """Refuse a snapshot of events that do not exist."""
    if not 1 <= version <= head:
        raise OutOfRange("version", version, f"1 to {head}", "snapshot the version of the last event that was folded")


def redacted(rows: Iterable[Row], redact: Redact) -> list[Row]:
    """Rows whose payload changes under `redact`, with the new payload."""
    changed = []
    for row in rows:
        text = encode_state(redact(json.loads(row[6])))
        if text != row[6]:
            changed.append((*row[:6], text, *row[7:]))
    return changed
