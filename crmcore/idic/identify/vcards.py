"""vCards (versions 2.1, 3.0 and 4.0) to records and back.

RFC 2426 (3.0) and RFC 6350 (4.0); of 2.1 what old telephones write: quoted-printable text and its own character set.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

from crmcore.errors import BadRow, BadRows, UnknownName, WrongType

__all__ = ["read_vcards", "write_vcards"]

_PLAIN = {
    "EMAIL": "email",
    "ORG": "organisation",
    "TITLE": "occupation",
    "NOTE": "note",
    "UID": "id",
    "REV": "updated_at",
}
_ADDRESS = ("street", "city", "state", "postcode", "country")
_ADR_PLACES = {"street": 2, "city": 3, "state": 4, "postcode": 5, "country": 6}
_LINE = re.compile(r"(?:[\w-]+\.)?([\w-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)*):(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_vcards(source: str | PathLike[str]) -> list[dict[str, object]]:
    r"""Read cards as records.

    Parameters
    ----------
    source : text or path
        Text that holds `BEGIN:VCARD`, or the path of a file in UTF-8.

    Returns
    -------
    list of dicts
        Keys of what a card holds: `id`, `name`, `given_name`, `surname`, `phone`, `phone_2`, ..., `email`, `email_2`,
        ..., `birth_date`, `street`, `city`, `state`, `postcode`, `country`, `organisation`, `occupation`,
        `gender`, `note`,
        `updated_at`. What a card lacks is not in its dict; other properties are left out.

    Errors
    ------
    BadRows
        Cards without end, or lines that are no property: all of them, by card number from 0.
    WrongType
        The text holds no card.

    Examples
    --------
    >>> cards = read_vcards("BEGIN:VCARD\nVERSION:3.0\nFN:Ann Lee\nTEL:081-234-5678\nTEL:02 123 4567\nEND:VCARD")
    >>> cards
    [{'name': 'Ann Lee', 'phone': '081-234-5678', 'phone_2': '02 123 4567'}]
    """
    text = str(source) if isinstance(source, str) and "BEGIN:VCARD" in source.upper() else _file(source)
    cards: list[dict[str, object]] = []
    problems: dict[str, list[int]] = {}
    card: dict[str, object] | None = None
    for line in _unfolded(text):
        found = _LINE.fullmatch(line)
        key = found[1].upper() if found else ""
        if found and key == "BEGIN":
            if card is not None:
                problems.setdefault("no END:VCARD", []).append(len(cards))
                cards.append(card)
            card = {}
        elif found and key == "END" and card is not None:
            cards.append(card)
            card = None
        elif card is not None and found:
            _property(card, key, found[2], found[3])
        elif card is not None and line.strip():
            problems.setdefault("a line that is no property", []).append(len(cards))
    if card is not None:
        problems.setdefault("no END:VCARD", []).append(len(cards))
    if problems:
        rows = tuple(BadRow("card", why, tuple(dict.fromkeys(where))) for why, where in problems.items())
        raise BadRows("the vCards", rows, "export the cards again; every card runs from BEGIN:VCARD to END:VCARD")
    return cards


def _file(source: str | PathLike[str]) -> str:
    path = Path(source)
    if isinstance(source, str) and ("\n" in source or not path.exists()):
        raise WrongType("source", "text without a card", "vCard text or a path", "the text must hold BEGIN:VCARD")
    return path.read_text("utf-8-sig")


def _unfolded(text: str) -> list[str]:
    """Logical lines: a line that begins with a blank continues the one before, as does one after a soft break (=)."""
    lines: list[str] = []
    soft = False
    for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")):
        if soft:
            lines[-1] = lines[-1][:-1] + line
        elif line[:1] in {" ", "\t"} and lines:
            lines[-1] += line[1:]
        else:
            lines.append(line)
        head = lines[-1].partition(":")[0].upper()
        soft = "QUOTED-PRINTABLE" in head and lines[-1].endswith("=")
    return lines


def _decoded(parameters: str, value: str) -> str:
    if "QUOTED-PRINTABLE" in parameters.upper():
        charset = re.search(r"CHARSET=\"?([\w-]+)", parameters, re.IGNORECASE)
        raw = quopri.decodestring(value.encode("utf-8"))
        try:
            return raw.decode(charset[1] if charset else "utf-8")
        except (LookupError, UnicodeDecodeError):
            return raw.decode("latin-1")
    return value


def _plain(value: str) -> str:
    r"""Undo escapes: \n is a line break, \\, and \\; are themselves."""
    return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value).strip()


def _split(value: str) -> list[str]:
    parts, begin = [], 0
    for found in re.finditer(r"\\.|;", value, re.DOTALL):  # an escaped sign is no separator, nor is it half of one
        if found[0] == ";":
            parts.append(value[begin : found.start()])
            begin = found.end()
    return [_plain(p) for p in [*parts, value[begin:]]]


def _next(card: Mapping[str, object], key: str) -> str:
    """First free name: phone, phone_2, phone_3, ..."""
    n = 1
    while (key if n == 1 else f"{key}_{n}") in card:
        n += 1
    return key if n == 1 else f"{key}_{n}"


def _property(card: dict[str, object], key: str, parameters: str, value: str) -> None:
    value = _decoded(parameters, value)
    if not value.strip(" ;"):
        return
    if key == "FN":
        card.setdefault("name", _plain(value))
    elif key == "N":
        family, given, middle, *_ = [*_split(value), "", "", ""]
        names = {"surname": family, "given_name": " ".join(filter(None, (given, middle)))}
        card.update({k: v for k, v in names.items() if v})
    elif key == "TEL":
        card[_next(card, "phone")] = re.sub(r"^tel:", "", _plain(value), flags=re.IGNORECASE).partition(";")[0]
    elif key == "EMAIL":
        card[_next(card, "email")] = re.sub(r"^mailto:", "", _plain(value), flags=re.IGNORECASE)
    elif key == "BDAY":
        card.setdefault("birth_date", _plain(value).partition("T")[0])
    elif key == "GENDER":
        card.setdefault("gender", _split(value)[0])
    elif key == "ADR":
        parts = [*_split(value), *[""] * 7]
        if not any(name in card for name in _ADDRESS):  # the first address is the main one
            card.update({name: parts[place] for name, place in _ADR_PLACES.items() if parts[place]})
    elif key == "ORG":
        card.setdefault("organisation", _split(value)[0])
    elif key in _PLAIN:
        card.setdefault(_PLAIN[key], _plain(value))


def write_vcards(records: Iterable[Mapping[str, object]], *, version: str = "4.0") -> str:
    """Write records as cards; reading them gives the same records.

    Parameters
    ----------
    records : mappings
        With the keys that `read_vcards` gives. None and other keys are left out.
    version : "3.0" or "4.0"

    Returns
    -------
    text
        Lines end in CRLF and are folded at 75 bytes. A record without `name` gets one from its parts, as the
        standards demand a name.

    Errors
    ------
    UnknownName
        The version is not one of these.

    Examples
    --------
    >>> read_vcards(write_vcards([{"name": "Ann; Lee", "phone": "1", "phone_2": "2"}]))
    [{'name': 'Ann; Lee', 'phone': '1', 'phone_2': '2'}]
    """
    if version not in {"3.0", "4.0"}:
        raise UnknownName("vCard version", version, ("3.0", "4.0"))
    lines: list[str] = []
    for record in records:
        cells = {k: str(v) for k, v in record.items() if v is not None and str(v)}
        lines += ["BEGIN:VCARD", f"VERSION:{version}", *_card_lines(cells, version), "END:VCARD"]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _card_lines(cells: Mapping[str, str], version: str) -> list[str]:
    whole = " ".join(filter(None, (cells.get("given_name"), cells.get("surname"))))
    lines = [f"FN:{_escape(cells.get('name') or whole or cells.get('organisation', ''))}"]
    if whole:
        lines.append(f"N:{_escape(cells.get('surname', ''))};{_escape(cells.get('given_name', ''))};;;")
    elif version == "3.0":
        lines.append("N:;;;;")
    lines += [f"TEL:{_escape(v)}" for v in _series(cells, "phone")]
    lines += [f"EMAIL:{_escape(v)}" for v in _series(cells, "email")]
    if "birth_date" in cells:
        lines.append(f"BDAY:{_escape(cells['birth_date'])}")
    if "gender" in cells and version == "4.0":
        lines.append(f"GENDER:{_escape(cells['gender'])}")
    if any(name in cells for name in _ADDRESS):
        lines.append("ADR:;;" + ";".join(_escape(cells.get(name, "")) for name in _ADDRESS))
    lines += [f"{key}:{_escape(cells[name])}" for key, name in _PLAIN.items() if key != "EMAIL" and name in cells]
    return lines


def _series(cells: Mapping[str, str], key: str) -> Sequence[str]:
    numbered = sorted((int(k[len(key) + 1 :]), v) for k, v in cells.items() if re.fullmatch(rf"{key}_\d+", k))
    return [*([cells[key]] if key in cells else []), *(v for _, v in numbered)]


def _escape(value: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", value).replace("\r\n", "\\n").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Break a line at 75 bytes, never inside a character."""
    out, size = [], 0
    for char in line:
        width = len(char.encode("utf-8"))
        if size + width > 75:
            out.append("\r\n ")
            size = 1
        out.append(char)
        size += width
    return "".join(out)
