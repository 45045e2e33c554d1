"""Read what was promised: "we call you tomorrow" is due at the end of the next open day; no date is told as such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from crmcore._base import aware, check_aware
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.zones import local

if TYPE_CHECKING:
    from crmcore.calendars import BusinessCalendar

__all__ = ["PromiseReading", "read_promise"]

FURTHEST_DAYS = 400  # a calendar that does not open within this many days is closed for good

NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
           "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30}  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
_NUMBER = rf"(?P<n>\d{{1,3}}|{'|'.join(NUMBERS)})"
_DAY = rf"(?:today|tonight|tomorrow|{'|'.join(DAYS)})"
PATTERNS = tuple(
    (name, re.compile(rf"\b(?:{pattern})\b"))
    for name, pattern in (
        ("span", rf"(?:within|in) (?:the next )?{_NUMBER} (?:more )?(?P<kind>business |working )?"
                 r"(?P<unit>minute|min|hour|hr|day|week)s?"),
        ("date", r"(?P<iso>\d{4}-\d{2}-\d{2})"),
        ("date", rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{'|'.join(MONTHS)})"),
        ("date", rf"(?P<m>{'|'.join(MONTHS)}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?"),
        ("hour", rf"(?P<day>{_DAY})?(?:\s|,)*(?:by|at|before) (?P<h>\d{{1,2}})(?::(?P<min>\d{{2}}))? ?(?P<half>am|pm)"
                 rf"(?: (?:on )?(?P<after>{_DAY}))?"),
        ("hour", rf"(?P<day>{_DAY})?(?:\s|,)*(?:by|at|before) (?P<h>\d{{1,2}}):(?P<min>\d{{2}})"
                 rf"(?: (?:on )?(?P<after>{_DAY}))?"),
        ("hour", rf"(?P<day>{_DAY})?(?:\s|,)*(?:by|at|before) (?P<noon>noon|midday)(?: (?:on )?(?P<after>{_DAY}))?"),
        ("day", r"(?P<word>the day after tomorrow|tomorrow|today|tonight|end of (?:the )?(?:business )?day)"),
        ("week", r"(?P<week>next week|this week|(?:by )?(?:the )?end of (?:the )?week)"),
        ("weekday", rf"(?:next |this )?(?P<weekday>{'|'.join(DAYS)})"),
    )
)  # fmt: skip
VAGUE = re.compile(r"\b(?:as soon as possible|asap|soon|shortly|in due course|right away|immediately|later|"
                   r"next month|in a (?:few|couple of) \w+|in a (?:bit|while|moment)|next \w+|"
                   r"this (?:month|year|\w+end))\b")  # fmt: skip
NOT_PROMISED = re.compile(r"\b(?:cannot|can't|won't|will not|unable|not able|(?:we|i) (?:do not|don't))\b")
WHO = re.compile(r"\b(?:we|i|our|my|you(?:'ll| will) (?:get|receive|hear|have)|will|shall|promise)\b|\b(?:we|i)'ll\b")


@attrs.frozen(kw_only=True)
class PromiseReading(Document):
    """What a text promises, as far as these rules understand it.

    Parameters
    ----------
    due : aware datetime, optional
        Until when; being done at that instant keeps it. None: no date was understood.
    phrase : text
        The words that were read as the date.
    reason : text
        How the instant was found.
    not_understood : tuple of text
        Words that speak of time and that no rule reads, and why a text is no promise.
    """

    due: datetime | None = attrs.field(default=None, validator=aware)
    phrase: str = ""
    reason: str = ""
    not_understood: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether there is a due instant."""
        return self.due is not None

    def __str__(self) -> str:
        rest = f"; not understood: {', '.join(self.not_understood)}" if self.not_understood else ""
        if self.due is None:
            return f"no due date{rest or '; no word that speaks of time'}"
        return f"due {self.due.isoformat(timespec='minutes')} ({self.phrase!r}: {self.reason}){rest}"


def read_promise(text: str, /, *, at: datetime, calendar: BusinessCalendar) -> PromiseReading:
    """Find until when an English sentence promises something, in business time.

    Parameters
    ----------
    text : text
        What was said to the customer.
    at : aware datetime
        When it was said.
    calendar : BusinessCalendar
        Its zone says what "tomorrow" is; its hours end the days.

    Notes
    -----
    Read are: today, tonight, tomorrow, the day after tomorrow, end of day; this, next and end of week; weekdays (the
    next one after the day of saying); dates such as 3 June or 2026-06-03; "by 5 pm" or "by noon", with a day or
    without; "within 2 hours", "in three working days". A day is over at its last closing; one that is not open moves to
    the next that is, which the reason tells. Minutes and hours are counted in opening hours. Of several dates the
    latest holds. A question and a sentence that denies ("we cannot call") are no promises. Other words (soon, in a few
    days) and other languages are not understood; `not_understood` quotes what was met.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar, local
    >>> office = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    >>> friday = local(2026, 6, 5, 10, zone="Asia/Bangkok")
    >>> print(read_promise("We call you tomorrow.", at=friday, calendar=office))
    due 2026-06-08T17:00+07:00 ('tomorrow': 2026-06-06 is not open, end of the next open day)
    >>> print(read_promise("We will call you soon.", at=friday, calendar=office))
    no due date; not understood: soon
    """
    if not isinstance(text, str):
        raise WrongType("text", f"a {type(text).__name__}", "text", "pass due=... where there is no text")
    check_aware(at, "at")
    found: list[PromiseReading] = []
    doubts: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        dates = list(_dates(sentence, at.astimezone(local(2000, 1, 1, zone=calendar.zone).tzinfo), calendar))
        vague = [m.group() for m in VAGUE.finditer(sentence) if not any(m.group() in d.phrase for d in dates)]
        doubts += vague
        if dates and sentence.rstrip().endswith("?"):
            doubts.append("a question promises nothing")
        elif dates and NOT_PROMISED.search(sentence):
            doubts.append("the sentence denies it")
        elif dates and not WHO.search(sentence):
            doubts.append("nobody says that they will do it")
        else:
            found += [d for d in dates if d.due is not None]
            doubts += [note for d in dates for note in d.not_understood]
    if not found:
        return PromiseReading(not_understood=tuple(dict.fromkeys(doubts)))
    last = max(found, key=lambda d: d.due)  # type: ignore[arg-type, return-value]
    if len(found) > 1:
        last = attrs.evolve(last, reason=f"{last.reason}; the latest of {len(found)} dates")
    return attrs.evolve(last, not_understood=tuple(dict.fromkeys(doubts)))


def _dates(sentence: str, at: datetime, calendar: BusinessCalendar) -> Iterator[PromiseReading]:
    """Every date in a sentence; what one pattern has read the next ones do not see."""
    left = sentence
    for name, pattern in PATTERNS:
        for match in pattern.finditer(left):
            phrase = match.group().strip(" ,")
            try:
                due, reason = _READ[name](match, at, calendar)
            except (ValueError, OverflowError):
                yield PromiseReading(not_understood=(phrase,))
            else:
                late = due < at
                yield PromiseReading(
                    due=None if late else due, phrase=phrase, reason=reason,
                    not_understood=(f"{phrase} is over",) if late else (),
                )  # fmt: skip
        left = pattern.sub(lambda m: " " * len(m.group()), left)


Read = tuple[datetime, str]


def _span(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    n = NUMBERS.get(match["n"]) or int(match["n"])
    unit = match["unit"]
    if unit in ("day", "week"):
        if not match["kind"]:
            return _end(at.date() + timedelta(days=n * (7 if unit == "week" else 1)), calendar)
        day = at.date()
        for _ in range(n * (5 if unit == "week" else 1)):
            day = _open_day(day + timedelta(days=1), calendar)
        return _end(day, calendar)
    minutes = n * (60 if unit in ("hour", "hr") else 1)
    return calendar.deadline(at, minutes=minutes), f"{minutes} minutes of opening hours"


def _date(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    groups = match.groupdict()
    if groups.get("iso"):
        return _end(date.fromisoformat(groups["iso"]), calendar)
    month, day = MONTHS.index(groups["m"]) + 1, int(groups["d"])
    year = at.year + ((month, day) < (at.month, at.day))
    return _end(date(year, month, day), calendar)


def _hour(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    groups = match.groupdict()
    hour, half = int(groups.get("h") or 12), groups.get("half")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (half == "pm")
    word = groups["day"] or groups["after"]
    day = at.date() if word is None else _day_of(word, at)
    due = local(day.year, day.month, day.day, hour, int(groups.get("min") or 0), zone=calendar.zone)
    if word is None and due < at:
        day += timedelta(days=1)
        due = local(day.year, day.month, day.day, hour, int(groups.get("min") or 0), zone=calendar.zone)
        return due, "that hour of the next day, as today's is over"
    return due, "the hour itself"


def _day(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    return _end(_day_of(match["word"], at), calendar)


def _week(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    sunday = at.date() + timedelta(days=6 - at.weekday() + (7 if match["week"] == "next week" else 0))
    for back in range(7):
        if _minutes(sunday - timedelta(days=back), calendar):
            return _end(sunday - timedelta(days=back), calendar)
    return _end(sunday, calendar)


def _weekday(match: re.Match[str], at: datetime, calendar: BusinessCalendar) -> Read:
    return _end(_day_of(match["weekday"], at), calendar)


_READ = {"span": _span, "date": _date, "hour": _hour, "day": _day, "week": _week, "weekday": _weekday}


def _day_of(word: str, at: datetime) -> date:
    if word in DAYS:
        ahead = (DAYS.index(word) - at.weekday() - 1) % 7 + 1
    else:
        ahead = {"tomorrow": 1, "the day after tomorrow": 2}.get(word, 0)
    return at.date() + timedelta(days=ahead)


def _midnight(day: date, calendar: BusinessCalendar) -> datetime:
    return local(day.year, day.month, day.day, zone=calendar.zone)


def _minutes(day: date, calendar: BusinessCalendar) -> float:
    return calendar.elapsed_minutes(_midnight(day, calendar), _midnight(day + timedelta(days=1), calendar))


def _open_day(day: date, calendar: BusinessCalendar) -> date:
    for ahead in range(FURTHEST_DAYS):
        if _minutes(day + timedelta(days=ahead), calendar):
            return day + timedelta(days=ahead)
    raise OutOfRange("calendar", f"closed for {FURTHEST_DAYS} days", "a calendar that opens", "check its windows")


def _end(day: date, calendar: BusinessCalendar) -> Read:
    """Last closing of a day, or of the next one that opens."""
    opened = _open_day(day, calendar)
    due = calendar.deadline(_midnight(opened, calendar), minutes=_minutes(opened, calendar))
    told = (
        f"end of {opened.isoformat()}" if opened == day else f"{day.isoformat()} is not open, end of the next open day"
    )
    return due, told
