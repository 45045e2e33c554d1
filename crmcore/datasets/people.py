"""People in households: who exists before any record is written."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Ints, Objects, children, draw, long_tail
from crmcore.datasets.names import CULTURES, FEMALE, MALE, given_names, surnames
from crmcore.datasets.places import COUNTRIES, national, places

__all__ = ["FIRST_DAY", "LAST_DAY", "People", "simulate_people"]

FIRST_DAY = np.datetime64("2023-01-01", "D")
LAST_DAY = np.datetime64("2025-12-31", "D")
HEAD, PARTNER, CHILD, TWIN, PARENT = range(5)
ROLES = ("head", "partner", "child", "twin", "parent")
Days = NDArray[np.datetime64]


@attrs.frozen(eq=False, repr=False)
class People:
    """n persons as columns; names and addresses are codes until a record is written. -1 means none.

    An address is a row of `address_*`; a household lives at one, a person who moved also has an old one.
    """

    household: Ints
    role: Ints
    country: Ints
    culture: Ints  # of CULTURES
    gender: Ints  # FEMALE or MALE
    birth: Days
    given: Ints  # code in given_names()
    middle: Ints
    surname: Ints  # code in surnames()
    surname_before: Ints
    surname_changed: Days  # NaT = never
    address: Ints
    address_before: Ints
    moved: Days
    mobile: Objects  # national digits
    mobile_before: Objects  # None = never changed
    mobile_changed: Days
    household_phone: Objects  # landline of the household, None = none
    borrows_phone: NDArray[np.bool_]  # gives a relative's mobile number
    relative: Ints  # the head of the household (itself for heads)
    address_city: Ints
    address_street: Ints
    address_number: Ints
    address_unit: Ints
    address_postcode: Objects

    def __len__(self) -> int:
        return len(self.household)

    def __repr__(self) -> str:
        return f"People({len(self)} persons, {int(self.household.max(initial=-1)) + 1} households)"


@attrs.frozen
class _Homes:
    """Who lives where, and what each address is."""

    address: Ints
    before: Ints
    moved: Days
    city: Ints
    street: Ints
    number: Ints
    unit: Ints
    postcode: Objects


def _household_sizes(rng: np.random.Generator, n: int) -> Ints:
    """Sizes 1 to 6 that sum to n."""
    sizes = draw(rng, [0.34, 0.28, 0.16, 0.13, 0.06, 0.03], n) + 1
    count = int(np.searchsorted(np.cumsum(sizes), n)) + 1
    sizes = sizes[:count]
    sizes[-1] -= int(sizes.sum()) - n
    return sizes[sizes > 0]


def _roles(rng: np.random.Generator, position: Ints, size: Ints, household: Ints) -> Ints:
    """Head, then mostly a partner, then children, now and then twins or a grandparent."""
    n = len(position)
    kind = rng.random(n)
    second = np.where(kind < 0.72, PARTNER, np.where(kind < 0.94, CHILD, PARENT))
    later = np.where(kind < 0.04, PARENT, CHILD)
    role = np.select([position == 0, position == 1], [HEAD, second], later)
    after_child = np.zeros(n, dtype=bool)
    after_child[1:] = (role[:-1] == CHILD) & (household[1:] == household[:-1])
    role[after_child & (role == CHILD) & (rng.random(n) < 0.06)] = TWIN
    return np.where(size == 1, HEAD, role)


def _births(rng: np.random.Generator, role: Ints, head: Ints) -> Days:
    """Birth dates: partners near the head, children 18 to 40 years younger, twins on the day of the child before."""
    n = len(role)
    shape = 18 + 62 * rng.beta(1.6, 2.4, n)
    age = shape.copy()
    has_child = np.zeros(n, dtype=bool)
    np.logical_or.at(has_child, head, (role == CHILD) | (role == TWIN))
    heads = role == HEAD
    age[heads & has_child] = 34 + 0.55 * (shape[heads & has_child] - 18)
    base, spread, low = age[head], rng.normal(0, 3.5, n), rng.random(n)
    # Who would be too young is drawn anew: cutting at a limit would pile thousands of birthdays on one day.
    partner = base + spread - 1
    age = np.where(role == PARTNER, np.where(partner < 18, 18 + 4 * low, partner), age)
    child = base - 20 - 18 * rng.beta(2, 2, n)
    child = np.where(child < 13, 13 + (np.clip(base - 18, 14, 25) - 13) * low, child)
    age = np.where((role == CHILD) | (role == TWIN), child, age)
    parent = base + 20 + 15 * rng.beta(2, 2, n)
    age = np.where(role == PARENT, np.where(parent > 96, 84 + 12 * low, parent), age)
    birth = LAST_DAY - np.round(age * 365.25).astype(np.int64).astype("timedelta64[D]")
    before = np.maximum.accumulate(np.where(role == TWIN, 0, np.arange(n)))  # triplets share the day too
    return birth[before]


def _draw_by_culture(rng: np.random.Generator, culture: Ints, gender: Ints | None) -> Ints:
    """Given names by culture and gender, or surnames where gender is None."""
    table = given_names() if gender is not None else surnames()
    codes = np.empty(len(culture), dtype=np.int64)
    for (c, g), child in zip(
        [(c, g) for c in range(len(CULTURES)) for g in (FEMALE, MALE)], rng.spawn(2 * len(CULTURES)), strict=True
    ):
        if gender is None and g == MALE:
            continue
        rows = np.flatnonzero((culture == c) & ((gender == g) if gender is not None else True))
        codes[rows] = table.draw(child, CULTURES[c], g, len(rows))
    return codes


def _within(rng: np.random.Generator, chosen: NDArray[np.bool_]) -> Days:
    """A day inside the observed years for chosen rows, NaT for the others."""
    span = int((LAST_DAY - FIRST_DAY).astype(int))
    day = FIRST_DAY + rng.integers(span, size=len(chosen)).astype("timedelta64[D]")
    return np.where(chosen, day, np.datetime64("NaT", "D"))


def simulate_people(n: int, *, rng: np.random.Generator) -> People:
    """Make n persons in households, with moves, marriages, twins and same-named parents and children.

    Examples
    --------
    >>> simulate_people(1000, rng=np.random.default_rng(1))
    People(1000 persons, 434 households)
    """
    r = children(
        rng,
        "sizes",
        "roles",
        "place",
        "culture",
        "birth",
        "gender",
        "given",
        "surname",
        "moves",
        "address",
        "phone",
        "changes",
        "recycled",
    )
    sizes = _household_sizes(r["sizes"], n)
    household = np.repeat(np.arange(len(sizes)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    head = first[household]
    role = _roles(r["roles"], np.arange(n) - head, sizes[household], household)
    country = draw(r["place"], [c.weight for c in COUNTRIES], len(sizes))[household]
    culture = _cultures(r["culture"], country[first])[household]
    birth = _births(r["birth"], role, head)
    gender = _genders(r["gender"], role, head)
    given, middle = _given(r["given"], culture, gender, role, head)
    surname, before, changed = _surnames(r["surname"], culture, gender, role, head)
    leavers, origin = _leavers(r["changes"], country * len(CULTURES) + culture, sizes[household] == 1, household)
    surname[leavers] = surname[first[origin]]
    before[leavers], changed[leavers] = -1, np.datetime64("NaT", "D")
    homes = _homes(r["address"], r["moves"], country[first], household, leavers, origin)
    phone = children(r["phone"], "mobile", "before", "landline", "who")
    who = children(phone["who"], "changed", "landline", "borrow", "day")
    new_number = who["changed"].random(n) < 0.12
    landline = national(phone["landline"], country[first], mobile=False)
    landline[who["landline"].random(len(sizes)) > 0.35] = None
    mobile_before = national(phone["before"], country, mobile=True)
    mobile_before[~new_number] = None
    mobile = _recycled(r["recycled"], national(phone["mobile"], country, mobile=True), mobile_before, country)
    young = (LAST_DAY - birth).astype(np.int64) < 17 * 365
    borrows = (role != HEAD) & (who["borrow"].random(n) < np.where(young | (role == PARENT), 0.5, 0.06))
    return People(
        household, role, country, culture, gender, birth, given, middle, surname, before, changed,
        homes.address, homes.before, homes.moved, mobile, mobile_before,
        _within(who["day"], new_number), landline[household], borrows, head,
        homes.city, homes.street, homes.number, homes.unit, homes.postcode,
    )  # fmt: skip


def _recycled(rng: np.random.Generator, mobile: Objects, before: Objects, country: Ints) -> Objects:
    """Hand one in eight of the numbers that were given up to somebody else in the same country."""
    given_up = np.flatnonzero(np.array([b is not None for b in before], dtype=bool))
    for c, child in zip(range(len(COUNTRIES)), rng.spawn(len(COUNTRIES)), strict=True):
        old = given_up[country[given_up] == c]
        old = child.permutation(old)[: len(old) // 8]
        heir = child.permutation(np.flatnonzero(country == c))[: len(old)]
        other = heir != old
        mobile[heir[other]] = before[old[other]]
    return mobile


def _cultures(rng: np.random.Generator, country: Ints) -> Ints:
    """Name culture of each household, by its country."""
    culture = np.empty(len(country), dtype=np.int64)
    for c, child in zip(range(len(COUNTRIES)), rng.spawn(len(COUNTRIES)), strict=True):
        rows = np.flatnonzero(country == c)
        mix = COUNTRIES[c].cultures
        codes = np.array([CULTURES.index(k) for k in mix])
        culture[rows] = codes[draw(child, list(mix.values()), len(rows))]
    return culture


def _genders(rng: np.random.Generator, role: Ints, head: Ints) -> Ints:
    """Even odds; partners mostly of the other gender."""
    gender = (rng.random(len(role)) < 0.5).astype(np.int64)
    other = rng.random(len(role)) < 0.96
    return np.where(role == PARTNER, np.where(other, 1 - gender[head], gender[head]), gender)


def _given(rng: np.random.Generator, culture: Ints, gender: Ints, role: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Given and middle names; 2 % of children carry the name of the head (Robert junior)."""
    r = children(rng, "given", "middle", "same", "has_middle")
    given = _draw_by_culture(r["given"], culture, gender)
    junior = (role == CHILD) & (gender == gender[head]) & (r["same"].random(len(role)) < 0.04)
    given = np.where(junior, given[head], given)
    western = np.isin(culture, [CULTURES.index(c) for c in ("english", "german", "french", "spanish")])
    has_middle = western & (r["has_middle"].random(len(role)) < 0.35)
    return given, np.where(has_middle, _draw_by_culture(r["middle"], culture, gender), -1)


def _surnames(rng: np.random.Generator, culture: Ints, gender: Ints, role: Ints, head: Ints) -> tuple[Ints, Ints, Days]:
    """Families share a surname; some partners keep theirs, some women changed it inside the observed years."""
    r = children(rng, "own", "keep", "married", "day")
    own = _draw_by_culture(r["own"], culture, None)
    keeps = r["keep"].random(len(role)) < np.where(role == PARTNER, 0.22, np.where(role == PARENT, 0.4, 0.03))
    surname = np.where(keeps, own, own[head])
    adult = (role == PARTNER) | (role == HEAD)
    changed = adult & (gender == FEMALE) & (own != surname) & (r["married"].random(len(role)) < 0.16)
    alone = (role == HEAD) & (gender == FEMALE) & (r["married"].random(len(role)) < 0.02)
    before = _draw_by_culture(r["day"], culture, None)
    changed |= alone
    return surname, np.where(changed, np.where(own != surname, own, before), -1), _within(r["day"], changed)


def _leavers(rng: np.random.Generator, group: Ints, single: NDArray[np.bool_], household: Ints) -> tuple[Ints, Ints]:
    """Grown children with a household of their own, and the household they left (same country and culture)."""
    r = children(rng, "who", "origin")
    rows = np.flatnonzero(single & (r["who"].random(len(single)) < 0.08))
    family = np.flatnonzero(~single)
    if not len(rows) or not len(family):
        return rows[:0], rows[:0]
    family = family[np.argsort(group[family], kind="stable")]
    low = np.searchsorted(group[family], group[rows], side="left")
    high = np.searchsorted(group[family], group[rows], side="right")
    turn = (r["origin"].random(len(rows)) * (high - low)).astype(np.int64)
    has = high > low
    return rows[has], household[family[(low + turn)[has]]]


def _homes(
    rng: np.random.Generator,
    moving: np.random.Generator,
    country: Ints,
    household: Ints,
    leavers: Ints,
    origin: Ints,
) -> _Homes:
    """Addresses: one per household, an old one for those that moved, some grown children from their parents."""
    k = len(country)
    r = children(rng, "city", "street", "number", "unit", "postcode", "shared")
    m = children(moving, "household", "day")
    where = np.tile(country, 2)  # rows 0..k-1 are today's homes, k..2k-1 the old ones
    city, street = np.empty(2 * k, dtype=np.int64), np.empty(2 * k, dtype=np.int64)
    for c, (a, b) in enumerate(zip(r["city"].spawn(len(COUNTRIES)), r["street"].spawn(len(COUNTRIES)), strict=True)):
        rows = np.flatnonzero(where == c)
        codes, weights = places().city_pools[c]
        city[rows] = codes[draw(a, weights, len(rows))]
        codes, weights = places().street_pools[c]
        street[rows] = codes[draw(b, weights, len(rows))]
    city[k:] = np.where(r["shared"].random(k) < 0.7, city[:k], city[k:])  # most moves stay in town
    number = 1 + draw(r["number"], long_tail(400, exponent=0.8, shift=20.0), 2 * k)
    unit = np.where(r["unit"].random(2 * k) < 0.25, 1 + r["unit"].integers(60, size=2 * k), 0)
    moved = (m["household"].random(k) < 0.14)[household]
    day = _within(m["day"], np.ones(k, dtype=bool))[household]
    address = household.copy()
    before = np.where(moved, k + household, -1)
    before[leavers], moved[leavers] = origin, True
    return _Homes(
        address, before, np.where(moved, day, np.datetime64("NaT", "D")), city, street, number, unit,
        _postcodes(r["postcode"], places().postcode[city]),
    )  # fmt: skip


def _postcodes(rng: np.random.Generator, patterns: Objects) -> Objects:
    """Fill patterns: `#` is a digit, `@` a letter; the empty pattern (no postcodes) gives None."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    draws = rng.integers(10**6, size=(len(patterns), 2)).tolist()
    made: list[str | None] = []
    for pattern, (digits, letter) in zip(patterns.tolist(), draws, strict=True):
        text, d = "", digits
        for ch in pattern:
            if ch == "#":
                text, d = text + str(d % 10), d // 10
            elif ch == "@":
                text, letter = text + letters[letter % 20], letter // 20
            else:
                text += ch
        made.append(text or None)
    return np.array(made, dtype=object)
