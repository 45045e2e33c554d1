"""Public holidays of a country, from the optional library `holidays`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

from crmcore.errors import EmptyInput, MissingExtra, UnknownName

__all__ = ["holidays_of"]


def holidays_of(
    country: str, years: Iterable[int] | int, *, subdivision: str | None = None, language: str | None = None
) -> dict[date, str]:
    """Dates and names of public holidays, ready for `BusinessCalendar(holidays=...)`.

    Parameters
    ----------
    country : ISO 3166 code
        Two letters, such as "TH".
    years : numbers
        Governments announce and move holidays late, so ask again each year.
    subdivision : code, optional
        State or province with holidays of its own.
    language : code, optional
        Of the names, such as "en_US"; None is the country's own.

    Raises
    ------
    MissingExtra
        The library is not installed: `pip install 'crmcore[holidays]'`.
    UnknownName, EmptyInput
        No such country or subdivision; no year.

    Examples
    --------
    >>> holidays_of("TH", 2026, language="en_US")[date(2026, 4, 13)]  # doctest: +SKIP
    'Songkran Festival'
    """
    try:
        import holidays
    except ImportError:
        raise MissingExtra("holidays_of", "holidays") from None
    wanted = [years] if isinstance(years, int) else sorted(set(years))
    if not wanted:
        raise EmptyInput("years", "name the years that the calendar will be used for")
    known: dict[str, list[str]] = holidays.list_supported_countries()
    if country not in known:
        near = get_close_matches(country.upper(), sorted(known), n=5, cutoff=0.3)  # not all five hundred
        raise UnknownName("country", country, tuple(near))
    if subdivision is not None and subdivision not in known[country]:
        raise UnknownName(f"subdivision of {country}", subdivision, tuple(known[country]))
    found = holidays.country_holidays(country, subdiv=subdivision, years=wanted, language=language)
    return {day: str(name) for day, name in sorted(found.items())}
