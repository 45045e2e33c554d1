"""The five systems of the simulated brand: what each asks for, how it writes it, and what goes wrong there."""

# ruff: noqa: E501  (tables of words and of columns read best as lines)

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crmcore.datasets import noise
from crmcore.datasets.columns import Columns, Ints, Objects, children, draw, texts
from crmcore.datasets.contacts import Contacts, current, phone_text, street_text
from crmcore.datasets.names import CULTURES, given_names, surnames
from crmcore.datasets.people import FIRST_DAY, People
from crmcore.datasets.places import COUNTRIES, places

__all__ = ["WRITERS"]

SHOP_PHONE = "02-221-4567"
SHOP_MAILBOX = "shop@brand.example"
JUNK_PHONES = ("0000000000", SHOP_PHONE, "-", "1234567890", "N/A", "0999999999")
JUNK_NAMES = ("test", "N/A", "ลูกค้า", "Guest", "asdf", "ทดสอบ", "-", "Walk-in")
JUNK_MAILBOXES = (SHOP_MAILBOX, "noemail@brand.example", "test@test.example", "-", "none")
JUNK_DATES = ("1900-01-01", "1970-01-01", "2000-01-01")
Times = NDArray[np.datetime64]
Writer = Callable[[np.random.Generator, People, Contacts, Ints, Times, float], Columns]


def _names(
    rng: np.random.Generator,
    people: People,
    who: Ints,
    time: Times,
    *,
    native: float,
    rival: float,
    nick: float,
    initial: float,
) -> tuple[Objects, Objects]:
    """Given names and surnames as they stand in one system; the surname is that of the time."""
    n = len(who)
    r = children(rng, "native", "rival", "nick", "initial", "given", "surname", "pick")
    given_code = people.given[who]
    held = current(time, people.surname_changed[who])
    surname_code = np.where(held | (people.surname_before[who] < 0), people.surname[who], people.surname_before[who])
    given = given_names().spelled(given_code, r["rival"].random(n) < rival, r["given"])
    surname = surnames().spelled(surname_code, r["surname"].random(n) < rival, r["pick"])
    in_native = r["native"].random(n) < native
    own_given, own_surname = given_names().native[given_code], surnames().native[surname_code]
    both = in_native & np.array(
        [a is not None and b is not None for a, b in zip(own_given, own_surname, strict=True)], bool
    )
    given[both], surname[both] = own_given[both], own_surname[both]
    by_nick = (r["nick"].random(n) < nick) & ~both
    given[by_nick] = given_names().nicknamed(given_code, by_nick, r["nick"])[by_nick]
    short = np.flatnonzero((r["initial"].random(n) < initial) & ~both)
    given[short] = [f"{g[:1]}." for g in given[short].tolist()]
    return given, surname


def _full(rng: np.random.Generator, people: People, who: Ints, given: Objects, surname: Objects) -> Objects:
    """One cell for the whole name: order by culture, a middle initial now and then, sometimes no surname at all."""
    n = len(who)
    r = children(rng, "order", "middle", "alone")
    chinese = people.culture[who] == CULTURES.index("chinese")
    order = r["order"].random(n)
    last_first = np.where(chinese, order < 0.6, order < 0.03).tolist()
    comma = (order < 0.02).tolist()
    middle = people.middle[who]
    shown = (middle >= 0) & (r["middle"].random(n) < 0.4)
    initials = given_names().latin[middle]
    initials[~shown] = None
    alone = (r["alone"].random(n) < 0.03).tolist()
    made = []
    for g, s, m, swap, cut, one in zip(given, surname, initials, last_first, comma, alone, strict=True):
        if one:
            made.append(g)
        elif cut:
            made.append(f"{s}, {g}")
        elif swap:
            made.append(f"{s}{g}" if not s.isascii() and "\u4e00" <= s[0] <= "\u9fff" else f"{s} {g}")
        else:
            made.append(f"{g} {m[:1]}. {s}" if m else f"{g} {s}")
    return texts(made)


def _phones(
    rng: np.random.Generator, people: People, who: Ints, time: Times, *, landline: float, style: tuple[float, ...]
) -> Objects:
    """The number given at that time: one's own, a relative's, or the line of the household."""
    r = children(rng, "landline", "borrow", "style")
    n = len(who)
    asks = people.borrows_phone[who] & (r["borrow"].random(n) < 0.8)
    holder = np.where(asks, people.relative[who], who)
    held = current(time, people.mobile_changed[holder])
    digits = people.mobile[holder]
    old = people.mobile_before[holder]
    stale = ~held & np.array([o is not None for o in old], bool)
    digits[stale] = old[stale]
    home = people.household_phone[who]
    by_home = (r["landline"].random(n) < landline) & np.array([h is not None for h in home], bool)
    digits[by_home] = home[by_home]
    return phone_text(r["style"], digits, people.country[who], style=np.array(style))


def _emails(rng: np.random.Generator, contacts: Contacts, who: Ints, time: Times) -> Objects:
    """The mailbox given at that time; an old one lives on in old records, families share one."""
    r = children(rng, "family", "old")
    n = len(who)
    email = contacts.email[who]
    age = (time - FIRST_DAY.astype("datetime64[us]")).astype(np.float64)
    early = age < 0.55 * age.max(initial=1.0)
    before = contacts.email_before[who]
    old = early & np.array([b is not None for b in before], bool)
    email[old] = before[old]
    family = contacts.family_mailbox[who]
    shared = np.array([f is not None for f in family], bool) & (r["family"].random(n) < 0.75)
    email[shared] = family[shared]
    return email


def _address(people: People, who: Ints, time: Times) -> Ints:
    """Address code that held at that time."""
    held = current(time, people.moved[who])
    return np.where(held | (people.address_before[who] < 0), people.address[who], people.address_before[who])


def _cities(rng: np.random.Generator, people: People, address: Ints, *, native: float) -> Objects:
    """City names, in native script at a share of rows."""
    code = people.address_city[address]
    own = places().city_native[code]
    pick = (rng.random(len(code)) < native) & np.array([o is not None for o in own], bool)
    return np.where(pick, own, places().city[code])


def _country_names(people: People, address: Ints) -> Objects:
    codes = places().country[people.address_city[address]]
    return texts([c.code for c in COUNTRIES])[codes]


def _members(rng: np.random.Generator, people: People, contacts: Contacts, who: Ints, time: Times, z: float) -> Columns:
    """Loyalty system: split names, ISO birth dates (some in the Buddhist era), a member number."""
    r = children(rng, "names", "first", "last", "swap", "birth", "swapped", "era", "phone", "phone_noise", "email", "email_noise",
                 "street", "street_noise", "city", "postcode", "gender", "number", "case", "joined")  # fmt: skip
    n = len(who)
    given, surname = _names(r["names"], people, who, time, native=0.5, rival=0.10, nick=0.03, initial=0.01)
    given = noise.mistype(r["first"], given, 0.025 * z)
    surname = noise.mistype(r["last"], surname, 0.03 * z)
    swap = r["swap"].random(n) < 0.015 * z
    given[swap], surname[swap] = surname[swap], given[swap]
    surname = noise.recase(r["case"], surname, lower=0.01, upper=0.03)
    birth = texts(people.birth[who].astype(str).tolist())
    birth = noise.drop(r["swapped"], noise.swap_day_month(r["swapped"], birth, 0.02 * z), 0.08 * z)
    birth = noise.junk(r["birth"], noise.mistype(r["birth"], birth, 0.0), 0.008 * z, JUNK_DATES)
    birth = _era(r["era"], birth, people.country[who] == 0)
    phone = _phones(r["phone"], people, who, time, landline=0.05, style=(0.45, 0.1, 0.35, 0.06, 0.02, 0.02))
    phone = noise.drop(r["phone_noise"], noise.mistype(r["phone_noise"], phone, 0.012 * z), 0.03 * z)
    phone = noise.junk(r["phone_noise"], phone, 0.012 * z, JUNK_PHONES)
    email = noise.drop(
        r["email_noise"], noise.mistype(r["email_noise"], _emails(r["email"], contacts, who, time), 0.01 * z), 0.25 * z
    )
    email = noise.junk(r["email_noise"], email, 0.01 * z, JUNK_MAILBOXES)
    address = _address(people, who, time)
    street = noise.drop(
        r["street_noise"],
        noise.mistype(r["street_noise"], street_text(r["street"], people, address, usual=0.6), 0.03 * z),
        0.12 * z,
    )
    postcode = noise.drop(
        r["postcode"], noise.mistype(r["postcode"], people.address_postcode[address], 0.01 * z), 0.1 * z
    )
    number = contacts.member_no[who]
    seen = np.zeros(n, dtype=bool)
    seen[np.unique(who, return_index=True)[1]] = True
    again = np.flatnonzero(~seen)  # who registers again gets a new card
    number[again] = [f"M{k:012d}" for k in r["number"].choice(10**11, len(again), replace=False).tolist()]
    gender = noise.drop(r["gender"], texts(["F", "M"])[people.gender[who]], 0.06 * z)
    joined = time - (r["joined"].exponential(200.0, n) * 86_400).astype(np.int64).astype("timedelta64[s]")
    return {
        "member_no": number, "first_name": given, "last_name": surname, "gender": gender, "birth_date": birth, "mobile": phone, "email": email,
        "address": street, "city": _cities(r["city"], people, address, native=0.4), "postcode": postcode, "country": _country_names(people, address),
        "joined": np.maximum(joined, np.datetime64("2015-01-01", "us")).astype("datetime64[D]"), "updated_at": time,
    }  # fmt: skip


def _era(rng: np.random.Generator, birth: Objects, thai: NDArray[np.bool_]) -> Objects:
    """Write 12 % of Thai dates as dd/mm/yyyy of the Buddhist era (year + 543)."""
    rows = np.flatnonzero(thai & (rng.random(len(birth)) < 0.12))
    for row in rows.tolist():
        if birth[row] is not None:
            year, month, day = birth[row].split("-")
            birth[row] = f"{day}/{month}/{int(year) + 543}"
    return birth


def _web_orders(
    rng: np.random.Generator, people: People, contacts: Contacts, who: Ints, time: Times, z: float
) -> Columns:
    """Web shop: one name cell, an e-mail, where to ship; one record per checkout."""
    r = children(
        rng,
        "names",
        "full",
        "noise",
        "case",
        "phone",
        "phone_noise",
        "email",
        "email_noise",
        "street",
        "street_noise",
        "city",
        "postcode",
        "order",
    )
    given, surname = _names(r["names"], people, who, time, native=0.25, rival=0.18, nick=0.06, initial=0.05)
    name = noise.mistype(r["noise"], _full(r["full"], people, who, given, surname), 0.03 * z)
    name = noise.junk(r["noise"], noise.recase(r["case"], name, lower=0.10, upper=0.02), 0.004 * z, JUNK_NAMES)
    phone = _phones(r["phone"], people, who, time, landline=0.02, style=(0.15, 0.1, 0.5, 0.15, 0.05, 0.05))
    phone = noise.drop(r["phone_noise"], noise.mistype(r["phone_noise"], phone, 0.01 * z), 0.06 * z)
    phone = noise.junk(r["phone_noise"], phone, 0.006 * z, JUNK_PHONES)
    email = noise.drop(
        r["email_noise"], noise.mistype(r["email_noise"], _emails(r["email"], contacts, who, time), 0.015 * z), 0.02 * z
    )
    email = noise.junk(r["email_noise"], email, 0.004 * z, JUNK_MAILBOXES)
    address = _address(people, who, time)
    street = noise.drop(
        r["street_noise"],
        noise.mistype(r["street_noise"], street_text(r["street"], people, address, usual=0.5), 0.03 * z),
        0.03 * z,
    )
    number = texts([f"W{k:011d}" for k in r["order"].choice(10**10, len(who), replace=False).tolist()])
    return {
        "order_no": number, "customer_name": name, "email": email, "ship_phone": phone, "ship_address": street,
        "ship_city": _cities(r["city"], people, address, native=0.2),
        "ship_postcode": noise.drop(r["postcode"], people.address_postcode[address], 0.03 * z),
        "ship_country": texts([c.name for c in COUNTRIES])[places().country[people.address_city[address]]], "ordered_at": time,
    }  # fmt: skip


MESSAGES = (
    "Hi, is this still in stock?", "สวัสดีค่ะ สนใจสินค้าตัวนี้ค่ะ", "How long is delivery?", "ขอราคาหน่อยครับ", "Can I change my order?",
    "มีสีอื่นไหมคะ", "My parcel has not arrived yet", "ของยังไม่มาเลยค่ะ", "Do you have this in size M?", "Bonjour, livrez-vous en France ?",
)  # fmt: skip
CALL_BACK = ("please call {}", "เบอร์ {} ค่ะ", "my number is {}", "โทร {}", "tel {}")


def _page_inbox(
    rng: np.random.Generator, people: People, contacts: Contacts, who: Ints, time: Times, z: float
) -> Columns:
    """Social page: a handle, a display name, free text with a number now and then."""
    r = children(rng, "names", "full", "noise", "style", "phone", "says", "text", "handle")
    n = len(who)
    given, surname = _names(r["names"], people, who, time, native=0.3, rival=0.2, nick=0.25, initial=0.03)
    name = _full(r["full"], people, who, given, surname)
    style = r["style"].random(n)
    name[style < 0.20] = given[style < 0.20]  # only a given name or nickname
    handle = contacts.handle[who]
    as_handle = style > 0.88
    name[as_handle] = [h[1:] for h in handle[as_handle].tolist()]
    name = noise.mistype(r["noise"], name, 0.01 * z)
    phone = _phones(r["phone"], people, who, time, landline=0.02, style=(0.35, 0.15, 0.4, 0.05, 0.03, 0.02))
    says = r["says"].random(n) < 0.60
    opening = texts(list(MESSAGES))[draw(r["text"], np.ones(len(MESSAGES)), n)]
    ask = texts(list(CALL_BACK))[draw(r["text"], np.ones(len(CALL_BACK)), n)]
    message = texts(
        [f"{o} {a.format(p)}" if s else o for o, a, p, s in zip(opening, ask, phone, says.tolist(), strict=True)]
    )
    return {"handle": handle, "display_name": name, "message": message, "last_message_at": time}


def _call_centre(
    rng: np.random.Generator, people: People, contacts: Contacts, who: Ints, time: Times, z: float
) -> Columns:
    """Telephone: the number that calls, a name as the agent heard it, a member number if it is at hand."""
    r = children(rng, "names", "full", "heard", "phone", "phone_noise", "member", "city", "birth", "call", "short")
    n = len(who)
    given, surname = _names(r["names"], people, who, time, native=0.35, rival=0.25, nick=0.12, initial=0.02)
    full = _full(r["full"], people, who, given, surname)
    only = r["short"].random(n) < 0.22
    full[only] = given[only]
    name = noise.junk(r["heard"], noise.misheard(r["heard"], full, 0.35 * z), 0.004 * z, JUNK_NAMES)
    phone = _phones(r["phone"], people, who, time, landline=0.15, style=(0.0, 0.0, 0.7, 0.2, 0.0, 0.1))
    phone = noise.junk(r["phone_noise"], noise.drop(r["phone_noise"], phone, 0.05 * z), 0.01 * z, JUNK_PHONES)
    year = texts(people.birth[who].astype("datetime64[Y]").astype(str).tolist())
    return {
        "call_ref": texts([f"C-{k:010d}" for k in r["call"].choice(10**9, n, replace=False).tolist()]), "caller_phone": phone, "spoken_name": name,
        "birth_year": noise.drop(r["birth"], year, 0.6),
        "member_no": noise.drop(r["member"], contacts.member_no[who], 0.75),
        "caller_city": noise.drop(r["city"], _cities(r["city"], people, _address(people, who, time), native=0.3), 0.4), "called_at": time,
    }  # fmt: skip


def _line_oa(rng: np.random.Generator, people: People, contacts: Contacts, who: Ints, time: Times, z: float) -> Columns:
    """LINE official account: an opaque user id, any display name, a phone or mailbox if the person linked one."""
    r = children(rng, "names", "full", "style", "phone", "phone_link", "email", "email_link", "line", "new")
    n = len(who)
    given, surname = _names(r["names"], people, who, time, native=0.45, rival=0.2, nick=0.45, initial=0.02)
    name = _full(r["full"], people, who, given, surname)
    style = r["style"].random(n)
    name[style < 0.45] = given[style < 0.45]
    decorated = np.flatnonzero(style > 0.92)
    name[decorated] = [f"✨{g}✨" for g in given[decorated].tolist()]
    line = contacts.line_id[who]
    fresh = np.flatnonzero(r["new"].random(n) < 0.08)  # a new telephone, a new account
    line[fresh] = [f"U{a:016x}{b:016x}" for a, b in r["line"].integers(1 << 62, size=(len(fresh), 2)).tolist()]
    phone = _phones(r["phone"], people, who, time, landline=0.0, style=(0.0, 0.0, 0.3, 0.7, 0.0, 0.0))
    return {
        "line_user_id": line, "display_name": name, "linked_phone": noise.drop(r["phone_link"], phone, 0.40),
        "linked_email": noise.drop(r["email_link"], _emails(r["email"], contacts, who, time), 0.72), "linked_at": time,
    }  # fmt: skip


WRITERS: dict[str, Writer] = {
    "members": _members,
    "web_orders": _web_orders,
    "page_inbox": _page_inbox,
    "call_centre": _call_centre,
    "line_oa": _line_oa,
}
