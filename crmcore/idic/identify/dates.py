"""Birth dates in the ways people write them, as eight digits YYYYMMDD.

Years: four digits as written; from 2400 to 2700 they are Buddhist and lose 543 (2530 is 1987). Two digits: up to the
pivot 26 they are 20xx, above it 19xx. Days that no calendar has (1852-15-01) are missing, or keep their digits on
request: for linkage a typing error must stay comparable with the true date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

__all__ = ["Order", "date_order", "parse_dates", "parse_parts"]

Order = Literal["dmy", "mdy"]

PIVOT = 26
"""Two-digit years up to this are 20xx. A constant and not the clock: the same file reads the same next year."""

_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari มกราคม ม.ค. มค",
            "february feb februar fevrier février febrero febbraio fevereiro februari fév กุมภาพันธ์ ก.พ. กพ",
            "march mar märz maerz marz mars marzo março marco maart มีนาคม มี.ค. มีค",
            "april apr avril abril aprile avr abr เมษายน เม.ย. เมย",
            "may mai mayo maggio maio mei พฤษภาคม พ.ค. พค",
            "june jun juni juin junio giugno junho มิถุนายน มิ.ย. มิย",
            "july jul juli juillet julio luglio julho กรกฎาคม ก.ค. กค",
            "august aug août aout agosto augustus สิงหาคม ส.ค. สค",
            "september sep sept septembre septiembre settembre setembro กันยายน ก.ย. กย",
            "october oct oktober okt octobre octubre ottobre outubro ตุลาคม ต.ค. ตค",
            "november nov novembre noviembre novembro พฤศจิกายน พ.ย. พย",
            "december dec dezember dez décembre decembre diciembre dicembre dezembro ธันวาคม ธ.ค. ธค",
        ),
        1,
    )
    for word in words.split()
}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_YMD = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[T ].*)?")
_XXY = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?:[T ]\d.*)?")
_EIGHT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\.0)?")
_TAIL = re.compile(r"(\d\d)(\d\d)(\d{4})(?:\.0)?")
_WORDY = re.compile(r"[\s,/\-]+")
_DIGITS = str.maketrans({0x0E50 + i: str(i) for i in range(10)} | {0x0660 + i: str(i) for i in range(10)})


def _valid(year: int, month: int, day: int) -> str | None:
    """YYYYMMDD of a real day between the years 1000 and 2199, or None."""
    if 2400 <= year <= 2700:
        year -= 543
    if not (1000 <= year < 2200 and 1 <= month <= 12 and 1 <= day <= _LENGTHS[month - 1]):
        return None
    if month == 2 and day == 29 and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        return None
    return f"{year:04d}{month:02d}{day:02d}"


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year <= PIVOT else 1900)


def date_order(values: Iterable[str]) -> tuple[Order, int, int]:
    """Decide whether a column writes the day or the month first.

    Parameters
    ----------
    values : texts

    Returns
    -------
    order, n_day_first, n_month_first
        The counts are the values that can only be read one way; the larger wins. A tie (such as no evidence) reads the
        day first, as most of the world writes.

    Examples
    --------
    >>> date_order(["03/25/1990", "04/05/1990"])
    ('mdy', 0, 1)
    """
    day_first = month_first = 0
    for value in values:
        found = _XXY.fullmatch(value.strip()) or (
            _TAIL.fullmatch(value.strip()) if not _is_eight(value.strip()) else None
        )
        if found:
            a, b = int(found[1]), int(found[2])
            day_first += a > 12 >= b
            month_first += b > 12 >= a
    return ("mdy" if month_first > day_first else "dmy"), day_first, month_first


def _is_eight(value: str) -> bool:
    found = _EIGHT.fullmatch(value)
    return bool(found) and _valid(int(found[1]), int(found[2]), int(found[3])) is not None  # type: ignore[index]


def parse_dates(
    values: Sequence[str], *, order: Order, impossible: Literal["drop", "keep"] = "drop"
) -> list[str | None]:
    """Read dates.

    Parameters
    ----------
    values : texts
        ISO (with or without time), `D/M/Y` or `M/D/Y` with `/ - .` or blank, eight digits, month names (English,
        German, French, Spanish, Italian, Portuguese, Dutch, Thai), Thai digits.
    order : "dmy" or "mdy"
        How to read `03/04/1990`; a value that has only one reading takes that one.

    impossible : "drop" or "keep"
        What becomes of a day that no calendar has, where year, month and day can be told apart: missing, or its eight
        digits. Days without month and day (1990-00-00) are missing either way.

    Returns
    -------
    list of YYYYMMDD, None where the text is no real day.

    Examples
    --------
    >>> parse_dates(["1990-04-03", "3/4/2533", "3 April 1990", "31/02/1990"], order="dmy")
    ['19900403', '19900403', '19900403', None]
    """
    if impossible == "drop":
        return [_parse(v, order) for v in values]
    return [_parse(v, order) or _digits(v) for v in values]


def _digits(value: str) -> str | None:
    """Eight digits of a date whose month or day is wrong; None where they could be read as another, real day."""
    text = value.strip()
    found = _EIGHT.fullmatch(text) or _YMD.fullmatch(text)
    last = None if found else _XXY.fullmatch(text)
    if found:
        year, month, day = found[1], found[2], found[3]
    elif last and len(last[3]) == 4:
        day, month, year = last[1], last[2], last[3]
    else:
        return None
    if not 1000 <= int(year) < 2200 or int(month) == int(day) == 0:
        return None
    kept = f"{year}{int(month):02d}{int(day):02d}"
    return kept if _parse(kept, "dmy") is None and _parse(kept, "mdy") is None else None


def _parse(value: str, order: Order) -> str | None:
    text = value.strip()
    if not text.isascii():
        text = text.translate(_DIGITS)
    found = _EIGHT.fullmatch(text) or _YMD.fullmatch(text)
    if found:
        read = _valid(int(found[1]), int(found[2]), int(found[3]))
        if read:
            return read
    found = _XXY.fullmatch(text) or _TAIL.fullmatch(text)
    if found:
        a, b, year = int(found[1]), int(found[2]), _year(found[3])
        day, month = (b, a) if order == "mdy" else (a, b)
        return _valid(year, month, day) or _valid(year, day, month)
    return _worded(text)


def _worded(text: str) -> str | None:
    """`3 April 1990`, `Apr 3, 1990`, `3-Apr-90`, `3 เมษายน 2533`."""
    parts = [p for p in _WORDY.split(text.casefold().replace("พ.ศ.", " ").replace("วันที่", " ")) if p]
    if len(parts) != 3:
        return None
    month = next((_MONTHS[w] for p in parts if (w := p if p in _MONTHS else p.rstrip(".")) in _MONTHS), None)
    numbers = [n for p in parts if (n := re.sub(r"(?<=\d)(?:st|nd|rd|th)$|\.$", "", p)).isascii() and n.isdigit()]
    if month is None or len(numbers) != 2:
        return None
    day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else numbers
    return _valid(_year(year), month, int(day)) if len(year) in {2, 4} else None


def parse_parts(year: str | None, month: str | None, day: str | None) -> str | None:
    """Join a birth date that is split over columns; any part missing or impossible makes it missing.

    Examples
    --------
    >>> parse_parts("1949", "7", "22.0"), parse_parts("1949", None, "22")
    ('19490722', None)
    """
    if not (year and month and day):
        return None
    y, m, d = (p.strip().casefold().removesuffix(".0") for p in (year, month, day))
    number = _MONTHS.get(m) or (int(m) if m.isascii() and m.isdigit() else 0)
    if not (y.isascii() and y.isdigit() and d.isascii() and d.isdigit() and len(y) in {2, 4}):
        return None
    return _valid(_year(y), number, int(d))
