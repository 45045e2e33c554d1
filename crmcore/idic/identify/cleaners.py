"""One function per kind of field: distinct raw values in, normal forms out (None = missing).

Every function is idempotent: cleaning a clean value changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crmcore.idic.identify.folding import JUNK, fold, unspelled, words
from crmcore.idic.identify.place_names import PLACES, place_key
from crmcore.idic.identify.wordlists import (
    GENDERS,
    LEGAL_FORMS,
    PARTICLES,
    STREET_WORDS,
    SUFFIXES,
    TITLE_PREFIXES,
    TITLES,
)

__all__ = [
    "clean_emails",
    "clean_genders",
    "clean_handles",
    "clean_identifiers",
    "clean_names",
    "clean_organisations",
    "clean_places",
    "clean_postcodes",
    "clean_street_numbers",
    "clean_streets",
    "clean_text",
    "has_lost_zeros",
    "split_full_names",
    "split_streets",
]

Cleaned = list[str | None]

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~@-]+@[a-z0-9@._-]*[a-z0-9][a-z0-9@._-]*")
_PLUS = frozenset(
    "gmail.com outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com fastmail.com protonmail.com "
    "proton.me pm.me".split()
)
"""Providers that deliver `name+tag@` to `name@`."""
_NO_ONE = frozenset(
    "none na n/a null noemail no-email nomail no unknown test noreply no-reply donotreply example xxx asdf".split()
)
_UK = re.compile(r"([a-z]{1,2}\d[a-z\d]?) ?(\d[a-z]{2})")
_CANADA = re.compile(r"([a-z]\d[a-z]) ?(\d[a-z]\d)")
_ZIP4 = re.compile(r"(\d{5})-? ?\d{4}")
_DIGIT = re.compile(r"[0-9]+")
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_NETWORK_NAME = re.compile(r"@?(?=\S*[0-9_])[A-Za-z0-9._\-]+")
SHORTEST_NAME, LONGEST_NAME = 3, 9
"""Letters before the digits of a network name that may be a given name; longer runs are several words."""
_HOUSE = re.compile(r"\d+[a-z]?")
_NO_NUMBER_AFTER = frozenset(
    "soi moo highway hwy route rt km unit apt flat room floor fl level lot box no suite ste block blk sr cr".split()
)
_THAI_STREET = (
    ("ถนน", " rd "),
    ("ซอย", " soi "),
    ("หมู่ที่", " moo "),
    ("หมู่บ้าน", " mooban "),
    ("หมู่", " moo "),
    ("ม.", " moo "),
    ("ถ.", " rd "),
    ("ซ.", " soi "),
)
_NO_CODE = dict.fromkeys(i for i in range(128) if not chr(i).isalnum() and chr(i) != "\n")
_OF_PLACE = re.compile(r"^\s*(?:จังหวัด|จ\.|อำเภอเมือง|อำเภอ|อ\.|เขต)\s*")
"""Thai words for province and district in front of the name."""
_SOCIAL = re.compile(r"(?:https?://)?(?:www\.|m\.)?[a-z]+\.(?:com|me|net|org)/(?:in/|@|user/)?([^/?#\s]+).*")


def _known(values: Sequence[str], cleaned: Sequence[str | None]) -> Cleaned:
    """Blank out what means "nothing", before and after cleaning ("x -" is "x")."""
    gone = unspelled(values)
    return [None if bare or not new or new in JUNK else new for new, bare in zip(cleaned, gone, strict=True)]


def clean_text(values: Sequence[str]) -> Cleaned:
    """Words of any field without rules of its own (occupation, text).

    Examples
    --------
    >>> clean_text(["  Caf\u00e9 ", "n/a"])
    ['cafe', None]
    """
    return _known(values, words(values))


def clean_places(values: Sequence[str]) -> Cleaned:
    """Cities and states in words, provinces of Thailand and some large cities in one form.

    Examples
    --------
    >>> clean_places(["\u0e01\u0e17\u0e21.", "Krung Thep", "Chiangmai", "M\u00fcnchen", "Bath"])
    ['bangkok', 'bangkok', 'chiang mai', 'munich', 'bath']
    """
    bare = [v if v.isascii() else _OF_PLACE.sub("", v) for v in values]
    return _known(values, [PLACES.get(place_key(w), w) for w in words(bare)])


def _untitled(name: str) -> str:
    parts = name.split()
    if len(parts) < 2:
        return name
    while len(parts) > 1 and parts[0] in TITLES:
        parts = parts[1:]
    while len(parts) > 1 and parts[-1] in SUFFIXES:
        parts = parts[:-1]
    return " ".join(parts)


def _unprefixed(value: str) -> str:
    """Drop Thai honorifics, which are written without a blank."""
    text = value.strip()
    for prefix in TITLE_PREFIXES:
        if text.startswith(prefix) and len(text) > len(prefix) + 2:
            return text[len(prefix) :].strip()
    return text


def clean_names(values: Sequence[str]) -> Cleaned:
    """Given names and surnames: words without titles, degrees and digits; initials stay.

    Examples
    --------
    >>> clean_names(["Dr. Jos\u00e9", "O'Brien, Jr.", "\u0e04\u0e38\u0e13\u0e2a\u0e21\u0e0a\u0e32\u0e22"])
    ['jose', 'obrien', 'somchai']
    >>> clean_names(["J.", "anna_84"])
    ['j', 'anna']
    """
    bare = [v if v.isascii() else _unprefixed(v) for v in values]
    return _known(values, [_untitled(n) for n in _unnumbered(words(bare))])


def _unnumbered(names: Sequence[str]) -> list[str]:
    """Take digits out of names: a year of birth or a counter is no part of them."""
    blob = "\n".join(names)
    if not _DIGIT.search(blob):
        return list(names)
    return [" ".join(_DIGIT.sub(" ", n).split()) if _DIGIT.search(n) else n for n in names]


def _of_handle(value: str) -> str:
    """Name in one word with a digit or an underscore: two parts, or a few letters before digits; else empty."""
    parts = [p for p in re.split(r"[._\-\d]+", value.lstrip("@")) if p]
    if len(parts) == 2 and min(map(len, parts)) > 1:
        return " ".join(parts)
    first = parts[0] if parts else ""
    return first if SHORTEST_NAME <= len(first) <= LONGEST_NAME and _VOWEL.search(first) else ""


def _spelled_out(values: Sequence[str]) -> list[str]:
    """Names for what looks like a name on a network; all other texts as they are."""
    return [_of_handle(v) if _NETWORK_NAME.fullmatch(v) else v for v in values]


def split_full_names(values: Sequence[str]) -> tuple[Cleaned, Cleaned]:
    """Given names and surnames of full names.

    `Last, First` turns around; the last word is the surname, with the particles before it (van, de, bin ...); one word
    alone is a given name. A name on a network (`anna_84`) gives a given name where 3 to 9 letters stand in front.

    Examples
    --------
    >>> split_full_names(["Mr Somchai Jaidee", "van Gogh, Vincent", "Ludwig van Beethoven", "Cher"])
    (['somchai', 'vincent', 'ludwig', 'cher'], ['jaidee', 'van gogh', 'van beethoven', None])
    >>> split_full_names(["anna_84", "silentpanda99", "ann.lee"])
    (['anna', None, 'ann'], [None, None, 'lee'])
    """
    bare = _spelled_out([v if v.isascii() else _unprefixed(v) for v in values])
    given: Cleaned = []
    last: Cleaned = []
    gone = unspelled(values)
    # the comma must survive the folding, so both of its sides are folded on their own
    sides = [v.replace("\uff0c", ",").split(",", 1) for v in bare]
    left = _unnumbered(words([s[0] for s in sides]))
    right = _unnumbered(words([s[1] if len(s) > 1 else "" for s in sides]))
    for before, after, missing in zip(left, right, gone, strict=True):
        first, family = _two(before, after)
        given.append(None if missing else first or None)
        last.append(None if missing else family or None)
    return given, last


def _two(before: str, after: str) -> tuple[str, str]:
    behind = [w for w in after.split() if w not in SUFFIXES]
    if behind and before:
        return _untitled(" ".join(behind)), _untitled(before)
    parts = _untitled(before or after).split()
    if len(parts) < 2:
        return " ".join(parts), ""
    cut = len(parts) - 1
    while cut > 1 and parts[cut - 1] in PARTICLES:
        cut -= 1
    return " ".join(parts[:cut]), " ".join(parts[cut:])


def clean_emails(values: Sequence[str]) -> Cleaned:
    """Addresses in lower case; what the provider ignores is taken off; what is no address is missing.

    Plus tags go for providers that deliver them to the same box, dots in the local part for Gmail alone; googlemail.com
    is gmail.com. Fillers (`noreply@`, `test@`, `none@`) and what has no @ or hardly a letter are missing; of several
    addresses the first counts. A misspelled address (`ann.lee@gmailcom`) stays: it is still near the true one.

    Examples
    --------
    >>> clean_emails(["Anna.B+shop@GoogleMail.com", "mailto:bo@example.org", "bo.example.org", "none@none.com"])
    ['annab@gmail.com', 'bo@example.org', None, None]
    """
    joined = "\n".join([v.replace("\n", " ") for v in values]).lower()
    out: Cleaned = []
    match = _EMAIL.fullmatch
    for line in joined.split("\n") if values else []:
        address = line if match(line) else _one_address(line)
        local, _, domain = address.rpartition("@")
        if domain == "googlemail.com":
            domain = "gmail.com"
        if domain in _PLUS:
            local = local.partition("+")[0] or local
            if domain == "gmail.com":
                local = local.replace(".", "") or local
        bad = not local or local in _NO_ONE or len(local) + len(domain) < 5
        out.append(None if bad else f"{local}@{domain}")
    return out


def _one_address(line: str) -> str:
    """First address in a text such as `Ann <ann@example.org>; bo@example.org`; empty where there is none."""
    for word in re.split(r"[\s,;<>()\[\]\"]+", line):
        bare = word.strip("'").removeprefix("mailto:")
        if _EMAIL.fullmatch(bare):
            return bare
    return ""


def has_lost_zeros(values: Sequence[str]) -> bool:
    """Whether a column of five-digit codes went through a spreadsheet that ate leading zeros.

    Examples
    --------
    >>> has_lost_zeros(["10115", "10117", "20095", "80331", "1067", "50667", "60311"])
    True
    """
    digits = [c for c in map(_postcode, fold(values)) if c and c.isdigit()]
    return len(digits) > 4 and sum(len(c) == 5 for c in digits) > 0.8 * len(digits)


def clean_postcodes(values: Sequence[str], *, padded: bool | None = None) -> Cleaned:
    """Postcodes in lower case: British and Canadian ones with one blank, all others without.

    ZIP+4 loses its tail. In a column of five-digit codes, four digits get back the leading zero that a spreadsheet ate;
    `padded` says whether it is one, None asks the values.

    Examples
    --------
    >>> clean_postcodes(["LA141NW", "k1a-0b1", "10 110", "12345-6789", "D-10115", "2000.0"])
    ['la14 1nw', 'k1a 0b1', '10110', '12345', 'd10115', '2000']
    """
    flat = [_postcode(v) for v in fold(values)]
    if has_lost_zeros(values) if padded is None else padded:
        flat = ["0" + c if len(c) == 4 and c.isdigit() else c for c in flat]
    return _known(values, flat)


def _postcode(folded: str) -> str:
    tail = _ZIP4.fullmatch(folded)
    if tail:
        return tail[1]
    text = "".join(c for c in folded.removesuffix(".0") if c.isalnum())
    spaced = _UK.fullmatch(text) or _CANADA.fullmatch(text)
    return f"{spaced[1]} {spaced[2]}" if spaced else text


def clean_genders(values: Sequence[str]) -> Cleaned:
    """Words for a gender as m, f or x (neither); anything else is missing.

    Examples
    --------
    >>> clean_genders(["Male", "Frau", "\u0e2b\u0e0d\u0e34\u0e07", "divers", "?"])
    ['m', 'f', 'f', 'x', None]
    """
    return [GENDERS.get(v.strip().strip(".").casefold()) for v in values]


def clean_identifiers(values: Sequence[str]) -> Cleaned:
    """Letters and digits alone, in lower case; numbers lose a float's tail; one character repeated is missing.

    Examples
    --------
    >>> clean_identifiers(["AB-123 456", "7989054.0", "000000"])
    ['ab123456', '7989054', None]
    """
    flat = "\n".join([v.removesuffix(".0") for v in fold(values)]).translate(_NO_CODE).split("\n") if values else []
    return _known(values, [None if len(set(v)) == 1 and len(v) > 3 else v for v in flat])


def clean_handles(values: Sequence[str]) -> Cleaned:
    """Names on social networks without `@` and without the address of the network.

    Examples
    --------
    >>> clean_handles(["@Anna_B", "https://twitter.com/anna_b?lang=th"])
    ['anna_b', 'anna_b']
    """
    out = []
    for folded in fold(values):
        found = _SOCIAL.fullmatch(folded)
        name = (found[1] if found else folded).lstrip("@ ").rstrip("/ ")
        out.append(name)
    return _known(values, out)


def clean_organisations(values: Sequence[str]) -> Cleaned:
    """Company names without their legal form.

    Examples
    --------
    >>> clean_organisations(["Siam Trading Co., Ltd.", "M\u00fcller GmbH & Co. KG", "Bangchak Public Company Limited"])
    ['siam trading', 'muller', 'bangchak']
    """
    thai = [
        v.replace("บริษัท", " ").replace("จำกัด", " ").replace("(มหาชน)", " ").replace("ห้างหุ้นส่วน", " ")
        if not v.isascii()
        else v
        for v in values
    ]
    return _known(
        values, [_without_form(v) for v in words([v.replace("&", " and ").replace(" + ", " and ") for v in thai])]
    )


def _without_form(name: str) -> str:
    changed = True
    while changed:
        changed = False
        for form in LEGAL_FORMS:
            if name.endswith(" " + form):
                name = name[: -len(form) - 1]
                changed = True
                break
        if name.endswith(" and"):
            name, changed = name[:-4], True
    return name


def clean_streets(values: Sequence[str]) -> Cleaned:
    """Streets in words, with the usual abbreviations in one short form.

    Examples
    --------
    >>> clean_streets(["Melbourne Avenue", "Hauptstra\u00dfe", "Sukhumvit Road"])
    ['melbourne ave', 'hauptstr', 'sukhumvit rd']
    """
    thai = [_thai_street(v) if not v.isascii() else v for v in values]
    lines = words(thai)
    # a first "st", "n" or "dr" is a saint, an initial or a doctor; only whole words are shortened there
    short, first = STREET_WORDS.get, {w: s for w, s in STREET_WORDS.items() if len(w) > 3}.get
    out = []
    for line in lines:
        parts = [short(w, w) for w in line.split()]
        if parts:
            head = line.partition(" ")[0]
            parts[0] = first(head, head)
        out.append(" ".join([_german(w) for w in parts] if "strasse" in line else parts))
    return _known(values, out)


def clean_street_numbers(values: Sequence[str]) -> Cleaned:
    """House numbers: "No. 12 A" is `12a`, floats lose their tail, parts of a range stay apart.

    Examples
    --------
    >>> clean_street_numbers(["12 A", "No. 7", "99/1", "11.0", "-"])
    ['12a', '7', '99 1', '11', None]
    """
    bare = [v.strip().removesuffix(".0") for v in values]
    lines = [re.sub(r"^(?:(?:no|nr) )+", "", w) for w in words(bare)]
    return _known(values, [re.sub(r"(?<=\d) (?=[a-z]$)", "", w) for w in lines])


def _thai_street(value: str) -> str:
    for word, short in _THAI_STREET:
        value = value.replace(word, short)
    return value


def _german(word: str) -> str:
    """Shorten the street at the end of a German compound."""
    return word[:-7] + "str" if word.endswith("strasse") else word


def split_streets(values: Sequence[str | None]) -> tuple[Cleaned, Cleaned]:
    """Street and house number of cleaned one-line streets.

    Numbers in front and at the end are the house number; the number of a soi, moo, highway or flat stays.

    Examples
    --------
    >>> split_streets(["193 vicuwodu rd", "hauptstr 5a", "sukhumvit soi 11", None])
    (['vicuwodu rd', 'hauptstr', 'sukhumvit soi 11', None], ['193', '5a', None, None])
    """
    streets: Cleaned = []
    numbers: Cleaned = []
    for value in values:
        street, number = _number_off(value.split()) if value else ("", "")
        streets.append(street or None)
        numbers.append(number or None)
    return streets, numbers


def _number_off(parts: list[str]) -> tuple[str, str]:
    cut = 0
    while cut < len(parts) and _HOUSE.fullmatch(parts[cut]):
        cut += 1
    end = len(parts)
    while end > cut + 1 and _HOUSE.fullmatch(parts[end - 1]) and parts[end - 2] not in _NO_NUMBER_AFTER:
        end -= 1
    return " ".join(parts[cut:end]), " ".join(parts[:cut] + parts[end:])
