"""What a person can be reached by, and how it is written: mailboxes, handles, LINE ids, numbers, streets."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Ints, Objects, children, draw, opaque_ids, texts
from crmcore.datasets.names import given_names, surnames
from crmcore.datasets.people import CHILD, FIRST_DAY, HEAD, TWIN, People
from crmcore.datasets.places import COUNTRIES, places

__all__ = ["Contacts", "phone_text", "simulate_contacts", "street_text"]

# Reserved names (RFC 2606): no letter can ever arrive anywhere.
DOMAINS = [
    "mail.example",
    "inbox.example",
    "postbox.example",
    "webmail.example",
    "letters.example",
    "box.example",
    "thaimail.example",
    "quickmail.example",
    "homepost.example",
    "freemail.example",
    "work.example",
    "office.example",
    "campus.example",
]
WORDS = [
    "sunny",
    "happy",
    "blue",
    "green",
    "little",
    "lucky",
    "silent",
    "golden",
    "rapid",
    "cosmic",
    "tiny",
    "wild",
    "rainy",
    "lazy",
    "magic",
    "urban",
    "cherry",
    "silver",
    "panda",
    "tiger",
    "lotus",
    "mango",
    "coffee",
    "moon",
    "river",
    "cloud",
    "star",
    "rabbit",
    "falcon",
    "orchid",
    "pixel",
    "noodle",
    "comet",
    "dragon",
    "biscuit",
    "ocean",
]


@attrs.frozen(eq=False, repr=False)
class Contacts:
    """(n,) columns beside `People`; None means the person has none."""

    email: Objects
    email_before: Objects
    family_mailbox: Objects  # the mailbox a person shares with the household
    handle: Objects
    line_id: Objects
    member_no: Objects

    def __repr__(self) -> str:
        return f"Contacts({len(self.email)} persons)"


def _local_parts(rng: np.random.Generator, people: People) -> list[str]:
    """Left sides of mailboxes: six habits, one of which says nothing about the name."""
    n = len(people)
    r = children(rng, "habit", "digits", "words", "nick")
    habit = draw(r["habit"], [0.26, 0.20, 0.12, 0.14, 0.10, 0.18], n).tolist()
    digits = r["digits"].integers(1, 1000, size=n).tolist()
    pick = r["words"].integers(len(WORDS), size=(n, 2)).tolist()
    given, surname = given_names().slug[people.given], surnames().slug[people.surname]
    nick = given_names().nicknamed(people.given, np.ones(n, dtype=bool), r["nick"])
    year = people.birth.astype("datetime64[Y]").astype(np.int64) + 1970
    made = []
    for h, d, (a, b), g, s, k, y in zip(habit, digits, pick, given, surname, nick, year.tolist(), strict=True):
        if h == 0:
            made.append(f"{g}.{s}")
        elif h == 1:
            made.append(f"{g}{s}{y % 100:02d}")
        elif h == 2:
            made.append(f"{g[:1]}{s}")
        elif h == 3:
            made.append(f"{g}_{y}")
        elif h == 4:
            k = k.lower() if k.isascii() and k.isalpha() else g
            made.append(f"{k}{d}")
        else:
            made.append(f"{WORDS[a]}{WORDS[b]}{d}")
    return made


def _distinct(words: Objects) -> Objects:
    """Append a number to every repeat, so that each address belongs to one holder."""
    order = np.argsort(words, kind="stable")
    same = np.concatenate([[False], words[order][1:] == words[order][:-1]])
    starts = np.flatnonzero(~same)
    nth = np.arange(len(words)) - np.repeat(starts, np.diff(np.append(starts, len(words))))
    for row, k in zip(order[nth > 0].tolist(), nth[nth > 0].tolist(), strict=True):
        words[row] = f"{words[row]}.{k + 1}"
    return words


def _mailboxes(rng: np.random.Generator, local: list[str], *, suffix: str = "") -> Objects:
    """Addresses from local parts, each distinct."""
    domain = np.array(DOMAINS, dtype=object)[
        draw(rng, [0.34, 0.16, 0.1, 0.08, 0.06, 0.05, 0.05, *[0.02] * 6], len(local))
    ]
    local = _distinct(texts(local)).tolist()
    return texts([f"{left}{suffix}@{right}" for left, right in zip(local, domain, strict=True)])


def simulate_contacts(people: People, *, rng: np.random.Generator) -> Contacts:
    """Give every person mailboxes, handles and numbers.

    Examples
    --------
    >>> from crmcore.datasets.people import simulate_people
    >>> people = simulate_people(500, rng=np.random.default_rng(1))
    >>> simulate_contacts(people, rng=np.random.default_rng(2))
    Contacts(500 persons)
    """
    n = len(people)
    r = children(rng, "local", "domain", "old", "none", "family", "handle", "line", "member", "old_domain")
    local = _local_parts(r["local"], people)
    email = _mailboxes(r["domain"], local)
    before = _mailboxes(r["old_domain"], _local_parts(r["old"], people), suffix="x")
    fate = r["none"].random((n, 2))
    email[fate[:, 0] < 0.10] = None
    before[fate[:, 1] > 0.14] = None
    heads = np.flatnonzero(people.role == HEAD)
    slugs = surnames().slug[people.surname[heads]]
    shared = _mailboxes(r["family"], [f"{s}.family" for s in slugs])
    family = shared[people.household]
    shares = r["family"].random(n) < np.where(np.isin(people.role, [CHILD, TWIN]), 0.30, 0.10)
    family[~shares] = None
    handle = _distinct(texts([f"@{w}" for w in _local_parts(r["handle"], people)]))
    code = r["line"].integers(1 << 62, size=(n, 2)).tolist()
    line = texts([f"U{a:016x}{b:016x}" for a, b in code])
    member = opaque_ids(r["member"], n)
    member[:] = [f"M{int(m, 16) % 10**5:05d}{i:07d}" for i, m in enumerate(member)]
    return Contacts(email, before, family, handle, line, r["member"].permutation(member))


def phone_text(rng: np.random.Generator, digits: Objects, country: Ints, *, style: NDArray[np.float64]) -> Objects:
    """Write national digits as people do: grouped, bare, with the country code, with a stray blank.

    `style` weighs: home groups with dashes, with blanks, bare, +CC bare, +CC grouped, CC without plus.
    """
    habit = draw(rng, style, len(digits)).tolist()
    made: list[str | None] = []
    for number, c, h in zip(digits.tolist(), country.tolist(), habit, strict=True):
        if number is None:
            made.append(None)
            continue
        rule = COUNTRIES[c]
        home = rule.trunk + number
        if h <= 1:
            at, parts = 0, []
            for size in rule.groups[:-1]:
                parts.append(home[at : at + size])
                at += size
            made.append(("-" if h == 0 else " ").join([*parts, home[at:]]))
        elif h == 2:
            made.append(home)
        elif h == 3:
            made.append(f"+{rule.calling}{number}")
        elif h == 4:
            made.append(f"+{rule.calling} {number[:2]} {number[2:5]} {number[5:]}")
        else:
            made.append(f"{rule.calling}{number}")
    return texts(made)


def street_text(rng: np.random.Generator, people: People, address: Ints, *, usual: float) -> Objects:
    """Write street, number and unit of addresses; with probability `usual` in the usual style of the street."""
    n = len(address)
    r = children(rng, "style", "unit")
    style = np.where(r["style"].random(n) < usual, 0, r["style"].integers(3, size=n))
    street = places().street_styles[people.address_street[address], style]
    number, unit = people.address_number[address].tolist(), people.address_unit[address].tolist()
    says_unit = (r["unit"].random(n) < 0.7).tolist()
    before = places().country[people.address_city[address]]
    number_first = np.array([c.code in {"TH", "GB", "US", "FR", "IN", "SG"} for c in COUNTRIES])[before].tolist()
    made = []
    for s, k, u, says, first in zip(street.tolist(), number, unit, says_unit, number_first, strict=True):
        s = s.replace("#", str(1 + k % 40))
        flat = f"/{u}" if u and says else ""
        made.append(f"{k}{flat} {s}" if first else f"{s} {k}{flat}")
    return texts(made)


def current(now: NDArray[np.datetime64], changed: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether the present value already held; true where nothing ever changed."""
    return ~(now.astype("datetime64[D]") < np.where(np.isnat(changed), FIRST_DAY, changed))
