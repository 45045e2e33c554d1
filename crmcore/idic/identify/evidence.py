"""What a column's heading and its values say about its meaning: scores in [0, 1] with the reason for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from crmcore.idic.identify.folding import JUNK, checksum_sample, words
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.vocabulary import CALENDAR_WORDS, HEADINGS, NOT_THE_THING, WEAK_HEADINGS, fold_heading
from crmcore.idic.identify.wordlists import (
    CITIES,
    COUNTRIES,
    GENDERS,
    GIVEN_NAMES,
    OCCUPATIONS,
    ORGANISATION_WORDS,
    STATES,
    STREET_WORDS,
    SURNAMES,
)

__all__ = ["Evidence", "Look", "heading_evidence", "look_at", "value_evidence"]

SAMPLE = 2_000
"""Distinct values that are looked at; chosen by checksum, so the order of rows does not matter."""

UNIQUE = 0.9
"""Distinct values per filled row above which a column may number the rows."""

_EMAIL = re.compile(r"(?:[^@]*<)?[^@\s<]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(?:tel:?\s*)?[+(]?\d[\d\s().\-/]{5,20}\d(?:\s*(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})"
    r"|\d{1,2}[-\s.]+[^\W\d]{3,12}\.?[-\s,]+\d{2,4}"
    r"|[^\W\d]{3,9}\.? \d{1,2},? \d{4}|(?:1[6-9]|2[0-6])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[T ].*)?"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_POSTCODE = re.compile(
    r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|\d{4} ?[a-z]{2}|"
    r"\d{5}-\d{4}|\d{3}-\d{4}|\d{2}-\d{3}|\d{4,6}|[a-z]{1,2}\d{1,2}[a-z]?",
    re.IGNORECASE,
)
_NUMBER_STREET = re.compile(r"\d+[a-z]?(?:[/-]\d+)?,?\s+[^\W\d].*|[^\W\d][^\d]*\s\d+\s?[a-z]?", re.IGNORECASE)
_HOUSE = re.compile(r"(?:no\.?\s*)?\d{1,5}(?:\.0)?(?:\s?[a-z])?(?:\s?[/-]\s?\d{1,4}[a-z]?)?", re.IGNORECASE)
_HANDLE = re.compile(
    r"@[\w.]{2,30}|https?://(?:www\.)?(?:x|twitter|facebook|instagram|tiktok|linkedin)\.com/\S+", re.IGNORECASE
)
_STEM = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)


@attrs.frozen
class Evidence:
    """How strongly one side (heading or values) speaks for one meaning."""

    score: float
    reason: str


@attrs.frozen
class Look:
    """Shares over the distinct values of a column that `value_evidence` reads; no value itself is kept."""

    rows: int
    filled: float
    distinct: int
    unique: float
    shares: dict[str, float]

    def share(self, name: str) -> float:
        """Share of the sampled distinct values that pass the test of that name."""
        return self.shares.get(name, 0.0)


def _tokens(heading: str) -> list[str]:
    """Split a heading at case changes, digits and punctuation; fold accents but keep the script."""
    spaced = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", heading)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    return re.findall(r"\d+|[^\W\d_]+(?:[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e][^\W\d_]*)*", fold_heading(spaced))


def heading_evidence(heading: str) -> tuple[dict[Meaning, Evidence], int]:
    """Meanings that a heading suggests, and the part number it carries (address_2: 2; 1 where none).

    Examples
    --------
    >>> found, part = heading_evidence("address_2")
    >>> [(m.value, e.score) for m, e in found.items()], part
    ([('address', 0.85)], 2)
    """
    tokens = _tokens(heading)
    numbers = [int(t) for t in tokens if t.isdigit() and len(t) < 3]
    part = numbers[-1] if numbers and numbers[-1] > 0 else 1
    letters = [t for t in tokens if not t.isdigit()]
    if letters and letters[-1] == "c" and len(letters) > 1:
        letters = letters[:-1]  # fname_c1: "component 1"
    whole = "".join(letters)
    aside = NOT_THE_THING.intersection(letters)
    if aside and whole not in HEADINGS:
        word = next(t for t in letters if t in aside)
        return {
            Meaning.IGNORE: Evidence(0.8, f"heading {heading!r} is a property ({word}), not the thing itself")
        }, part
    if whole in WEAK_HEADINGS:
        reason = f"heading {heading!r} can mean this"
        return {m: Evidence(0.45, reason) for m in WEAK_HEADINGS[whole]}, part
    if whole in CALENDAR_WORDS:  # the year of what? of birth only beside its month and day, and seldom then
        return {CALENDAR_WORDS[whole]: Evidence(0.3, f"heading {heading!r} may belong to any date")}, part
    if whole in HEADINGS:
        return {HEADINGS[whole]: Evidence(0.85, f"heading {heading!r}")}, part
    return _inside(heading, letters), part


def _inside(heading: str, letters: list[str]) -> dict[Meaning, Evidence]:
    """Longest run of tokens that is a known heading; among equals the last."""
    for size in range(len(letters) - 1, 0, -1):
        for start in range(len(letters) - size, -1, -1):
            run = "".join(letters[start : start + size])
            if run in HEADINGS and (size > 1 or len(run) > 2 or run == "id" or not run.isascii()):
                weak = run in WEAK_HEADINGS or run in {"name", "time", "date", "id", "key", "number"}
                return {HEADINGS[run]: Evidence(0.5 if weak else 0.7, f"heading {heading!r} contains {run!r}")}
    for thai in sorted((w for w in HEADINGS if not w.isascii() and len(w) > 2), key=len, reverse=True):
        if thai in "".join(letters):
            return {HEADINGS[thai]: Evidence(0.65, f"heading {heading!r} contains {thai!r}")}
    return {}


def _int_between(low: int, high: int) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        number = value[:-2] if value.endswith(".0") else value
        return number.isascii() and number.isdigit() and low <= int(number) <= high

    return test


def _is_any(words_known: frozenset[str] | dict[str, str]) -> Callable[[str], bool]:
    return lambda value: (
        not words_known.keys().isdisjoint([value]) if isinstance(words_known, dict) else value in words_known
    )


def look_at(values: Sequence[str], *, rows: int, filled: int) -> Look:
    """Measure a column from its distinct values.

    Parameters
    ----------
    values : distinct texts
        Raw; words for "nothing" are left out of every share.
    rows, filled : counts
        Rows of the source, and how many of them hold a value.
    """
    real = [v for v in checksum_sample(values, SAMPLE) if v.strip().casefold() not in JUNK]
    n = max(len(real), 1)
    raw = [v.strip() for v in real]
    plain = words(raw)
    tokens = [p.split() for p in plain]

    def of(test: Callable[[str], object], cells: Sequence[str] = raw) -> float:
        return sum(1 for c in cells if test(c)) / n

    def of_tokens(test: Callable[[list[str]], object]) -> float:
        return sum(1 for t in tokens if t and test(t)) / n

    shares = {
        "email": of(_EMAIL.fullmatch),
        "phone": of(lambda v: _PHONE.fullmatch(v) and 7 <= sum(map(str.isdigit, v)) <= 15),
        "phone mark": of(
            lambda v: _PHONE.fullmatch(v) and (v[0] in "+(" or v[:1] == "0") and sum(map(str.isdigit, v)) >= 9
        ),
        "date": of(_DATE.fullmatch),
        "clock": of(_CLOCK.search),
        "year": of(_int_between(1700, 2600)),
        "month": of(_int_between(1, 12)),
        "day": of(_int_between(1, 31)),
        "postcode": of(_POSTCODE.fullmatch),
        "letter postcode": of(lambda v: _POSTCODE.fullmatch(v) and any(map(str.isalpha, v)) and len(v) > 4),
        "house": of(_HOUSE.fullmatch),
        "number and street": of(_NUMBER_STREET.fullmatch),
        "handle": of(_HANDLE.fullmatch),
        "digits": of(lambda v: any(map(str.isdigit, v)) and not any(map(str.isalpha, v))),
        "has digit": of(lambda v: any(map(str.isdigit, v))),
        "letters": of(lambda v: any(map(str.isalpha, v)) and not any(map(str.isdigit, v)) and "@" not in v),
        "gender": of(lambda v: v.casefold() in GENDERS),
        "country": of(lambda v: v in COUNTRIES, plain),
        "country name": of(lambda v: len(v) > 3 and v in COUNTRIES, plain),
        "state": of(lambda v: v in STATES, plain),
        "comma": of(lambda v: "," in v),
        "one word": of_tokens(lambda t: len(t) == 1),
        "two to four words": of_tokens(lambda t: 2 <= len(t) <= 4),
        "many words": of_tokens(lambda t: len(t) > 7),
        "given name": of_tokens(lambda t: t[0] in GIVEN_NAMES),
        "any given name": of_tokens(lambda t: not GIVEN_NAMES.isdisjoint(t)),
        "surname": of_tokens(lambda t: t[-1] in SURNAMES and t[-1] not in GIVEN_NAMES),
        "city": of_tokens(lambda t: not CITIES.isdisjoint(t)),
        "street word": of_tokens(
            lambda t: len(t) > 1 and not STREET_WORDS.keys().isdisjoint(w for w in t[1:] if len(w) > 1)
        ),
        "organisation": of_tokens(lambda t: len(t) > 1 and not ORGANISATION_WORDS.isdisjoint(t)),
        "occupation": of_tokens(lambda t: not OCCUPATIONS.isdisjoint(t)),
        "long": of(lambda v: len(v) > 60),
        "short": of(lambda v: len(v) <= 4),
        "seven digits": of(lambda v: sum(map(str.isdigit, v)) >= 6),
    }
    return Look(rows, filled / max(rows, 1), len(values), len(values) / max(filled, 1), shares if real else {})


# What a column of each meaning must at least look like; a heading that the values contradict loses most of its weight.
_MUST: dict[Meaning, Callable[[Look], bool]] = {
    Meaning.GIVEN_NAME: lambda k: k.share("letters") > 0.6 and k.share("long") < 0.2,
    Meaning.SURNAME: lambda k: k.share("letters") > 0.6 and k.share("long") < 0.2,
    Meaning.FULL_NAME: lambda k: k.share("letters") > 0.5 and k.share("long") < 0.3,
    Meaning.BIRTH_DATE: lambda k: k.share("date") > 0.4 or k.share("seven digits") > 0.5,
    Meaning.BIRTH_YEAR: lambda k: k.share("year") > 0.8,
    Meaning.BIRTH_MONTH: lambda k: k.share("month") > 0.8 or (k.share("letters") > 0.8 and k.distinct <= 40),
    Meaning.BIRTH_DAY: lambda k: k.share("day") > 0.8,
    Meaning.EMAIL: lambda k: k.share("email") > 0.3,
    Meaning.PHONE: lambda k: k.share("phone") > 0.3 or (k.share("digits") > 0.6 and k.share("date") < 0.5),
    Meaning.STREET: lambda k: (
        k.share("email") < 0.1 and (k.share("digits") < 0.5 or k.share("number and street") > 0.2)
    ),
    Meaning.STREET_NUMBER: lambda k: k.share("house") > 0.4 and k.share("seven digits") < 0.5,
    Meaning.ADDRESS: lambda k: k.share("email") < 0.1 and k.share("digits") < 0.5,
    Meaning.POSTCODE: lambda k: k.share("postcode") > 0.3 or (k.share("has digit") > 0.5 and k.share("long") < 0.1),
    Meaning.CITY: lambda k: k.share("letters") > 0.5 and k.share("long") < 0.2,
    Meaning.STATE: lambda k: k.share("digits") < 0.5 and k.share("long") < 0.2,
    Meaning.COUNTRY: lambda k: k.share("digits") < 0.5 and k.share("long") < 0.2,
    Meaning.OCCUPATION: lambda k: k.share("letters") > 0.5 and k.share("long") < 0.3 and k.share("short") < 0.9,
    Meaning.GENDER: lambda k: k.share("gender") > 0.5 or k.distinct <= 6,
    Meaning.IDENTIFIER: lambda k: k.share("has digit") > 0.3 or k.unique > 0.5,
    Meaning.HANDLE: lambda k: k.share("email") < 0.5 and k.share("many words") < 0.1,
    Meaning.ORGANISATION: lambda k: k.share("digits") < 0.5 and k.share("email") < 0.2,
    Meaning.TEXT: lambda k: True,
    Meaning.RECORD_ID: lambda k: k.unique > UNIQUE and k.filled > 0.9,
    Meaning.UPDATED_AT: lambda k: k.share("date") > 0.5 or k.share("clock") > 0.5 or k.share("digits") > 0.9,
    Meaning.IGNORE: lambda k: True,
}


def fits(meaning: Meaning, look: Look) -> bool:
    """Whether the values could be of that meaning at all."""
    return _MUST[meaning](look)


def names_a_person(heading: str) -> bool:
    """Whether a heading numbers people rather than rows (customer_id, not row_id)."""
    return (
        re.search(r"cust|client|person|contact|member|kunde|user|lead|respondent|ลูกค้า", heading.casefold()) is not None
    )


def value_evidence(look: Look) -> dict[Meaning, Evidence]:
    """Meanings that the values alone suggest.

    Birth dates, record ids and membership numbers are never concluded from values: any day could be an order, any
    number a price.
    """
    if not look.shares:
        return {}
    s = look.share
    found: dict[Meaning, Evidence] = {}

    def say(meaning: Meaning, score: float, reason: str) -> None:
        if score > 0.0:
            found[meaning] = Evidence(round(min(score, 0.95), 3), reason)

    if s("email") > 0.5:
        say(Meaning.EMAIL, s("email"), f"{s('email'):.0%} of values are addresses with @")
    if s("phone mark") > 0.4 and s("date") < 0.3:
        say(Meaning.PHONE, 0.3 + 0.6 * s("phone mark"), f"{s('phone mark'):.0%} look like telephone numbers")
    if s("letter postcode") > 0.6:
        say(Meaning.POSTCODE, 0.85 * s("letter postcode"), f"{s('letter postcode'):.0%} have the form of a postcode")
    if s("handle") > 0.5:
        say(Meaning.HANDLE, 0.9 * s("handle"), f"{s('handle'):.0%} start with @ or name a social network")
    if s("gender") > 0.9 and look.distinct <= 8:
        say(Meaning.GENDER, 0.7, f"{look.distinct} values, all words for a gender")
    if s("number and street") > 0.4 and s("street word") > 0.3:
        say(
            Meaning.ADDRESS,
            0.5 + 0.4 * s("street word"),
            f"{s('street word'):.0%} hold a street word, {s('number and street'):.0%} a number",
        )
    elif s("street word") > 0.5:
        say(Meaning.STREET, 0.7 * s("street word"), f"{s('street word'):.0%} hold a street word")
    if s("state") > 0.7 and look.distinct <= 80 and s("letters") > 0.7:
        say(Meaning.STATE, 0.65 * s("state"), f"{s('state'):.0%} are names or codes of states")
    if s("country name") > 0.5 or (s("country") > 0.9 and look.distinct <= 60):
        say(Meaning.COUNTRY, 0.8 * s("country"), f"{s('country'):.0%} are names or codes of countries")
    if s("organisation") > 0.3:
        say(
            Meaning.ORGANISATION,
            0.4 + 0.6 * s("organisation"),
            f"{s('organisation'):.0%} hold a legal form or a word of organisations",
        )
    _say_words(look, say)
    return found


def _say_words(look: Look, say: Callable[[Meaning, float, str], None]) -> None:
    """Evidence from word lists: names, places, occupations; lists are short, so a fifth of hits is much."""
    s = look.share
    if s("letters") < 0.6:
        return
    if s("many words") > 0.3 or s("long") > 0.3:
        say(Meaning.TEXT, 0.7, "long texts of many words")
        return
    if (
        s("two to four words") > 0.6
        and s("any given name") > 0.2
        and s("organisation") < 0.2
        and s("street word") < 0.2
    ):
        say(
            Meaning.FULL_NAME,
            0.4 + 0.6 * s("any given name"),
            f"{s('two to four words'):.0%} have 2 to 4 words, {s('any given name'):.0%} a given name",
        )
    elif s("one word") > 0.6:
        if s("given name") > 0.1 and s("given name") >= s("surname"):
            say(Meaning.GIVEN_NAME, 0.35 + 1.2 * s("given name"), f"{s('given name'):.0%} are known given names")
        elif s("surname") > 0.1:
            say(Meaning.SURNAME, 0.35 + 1.2 * s("surname"), f"{s('surname'):.0%} are known surnames")
    if s("city") > 0.2:
        say(Meaning.CITY, 0.4 + 0.5 * s("city"), f"{s('city'):.0%} are known cities")
    if s("occupation") > 0.2:
        say(Meaning.OCCUPATION, 0.4 + 0.5 * s("occupation"), f"{s('occupation'):.0%} are known occupations")
