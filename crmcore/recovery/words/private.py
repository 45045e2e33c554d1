"""Private data in what everybody can read: found in many writings, blocked, and taken out; shown only masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import attrs

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.recovery.words.level import checked, level
from crmcore.recovery.words.private_patterns import (
    BARE,
    RUN,
    SPELT,
    PrivateKind,
    digit_words,
    harmless,
    keyed,
    phone_context,
)

__all__ = ["PrivateData", "PrivateFind", "find_private", "redact"]

SHORTEST = 7
"""Digits from which a run that nothing explains counts as private; with a word such as "call" before it, six."""

_WORD_OR_DIGIT = re.compile(r"[^\W\d_]+|\d")
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(map(re.escape, PrivateKind))})\]")
_GROUPS = re.compile(r"\d+")


@attrs.frozen
class PrivateFind:
    """One place with private data: what, where, and a mask of it; never the thing itself."""

    kind: PrivateKind
    start: int
    end: int
    masked: str

    def __str__(self) -> str:
        return f"{self.kind} {self.masked} at {self.start}"


@attrs.frozen(kw_only=True)
class PrivateData:
    """What a text gives away about somebody.

    Attributes
    ----------
    finds : tuple of PrivateFind
        In the order of the text, without overlaps.
    safe_text : text
        The text with every find replaced by its kind; not in the repr, for it is still the words of a draft.

    Examples
    --------
    >>> found = find_private("Hi Ann, we tried 081-234-5678 and anna at example dot com.")
    >>> print(found)
    blocked: telephone number •••78 at 17, e-mail address a••• at 34
    >>> found.safe_text
    'Hi Ann, we tried [telephone number] and [e-mail address].'
    """

    finds: tuple[PrivateFind, ...]
    safe_text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")

    @property
    def may_be_public(self) -> bool:
        """Whether nothing private was found."""
        return not self.finds

    def __bool__(self) -> bool:
        return bool(self.finds)

    def __str__(self) -> str:
        return f"blocked: {', '.join(map(str, self.finds))}" if self.finds else "nothing private found"

    def _rows(self) -> list[dict[str, object]]:
        return [{"kind": str(f.kind), "start": f.start, "end": f.end, "masked": f.masked} for f in self.finds]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{len(self.finds)} private places")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a place: kind, start, end, masked."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in ("kind", "start", "end", "masked")}, backend=backend)


def find_private(
    text: str, *, allowed: Iterable[str] = (), known: Iterable[str] = (), region: str | None = None
) -> PrivateData:
    """Find what must not stand in a public answer: ways to reach a person, numbers, codes, places, secrets.

    Numbers are found with spaces, dots, brackets and digits of any script between and in them, and spelt in words
    (English, German, French, Spanish, Italian, Thai). Prices, dates, hours, amounts, hashtags and links pass. A long
    number that nothing explains is blocked: a leak costs more than a second look.

    Parameters
    ----------
    text : text
        A draft as it would be published.
    allowed : texts
        What is public anyway: the hotline, the support address, the shop's own address. Telephone numbers meet in any
        writing.
    known : texts
        What the house knows of this customer (full name, street, member number), blocked in any spacing or case.
    region : ISO 3166 alpha-2, optional
        Country in which numbers without "+" are compared with `allowed`.

    Examples
    --------
    >>> find_private("Open 9:00-18:00, from 12.03.2026, only 1,250 THB #Sale2026").may_be_public
    True
    >>> print(find_private("Call us: 02 123 4567", allowed=["+66 2 123 4567"], region="TH"))
    nothing private found
    """
    from crmcore.text.patterns import without_noise  # entities such as &#48; hide digits from eyes, not from browsers

    original = checked(text, "text")
    if "&" in original:
        original = without_noise(original)
    plain = _PLACEHOLDER.sub(lambda m: "\n" * len(m[0]), level(original))
    public = _Allowed.of(listed(allowed, "allowed", str, what="texts", hint="['+66 2 123 4567']"), region)
    told = listed(known, "known", str, what="texts", hint="['Anna Berg', 'M-1234']")
    found: list[tuple[int, int, PrivateKind]] = []
    taken = [False] * len(plain)

    def add(start: int, end: int, kind: PrivateKind) -> None:
        while end > start and plain[end - 1] in " .,;:!?-(\"'":
            end -= 1
        if end <= start or any(taken[start:end]) or public.covers(plain[start:end]):
            return
        taken[start:end] = [True] * (end - start)
        found.append((start, end, kind))

    for start, end in _known(plain, told):
        add(start, end, PrivateKind.KNOWN)
    for kind, pattern in keyed():
        for match in pattern.finditer(plain):
            if not _is_false(kind, match[0], plain, match.start()):
                add(match.start(), match.end(), kind)
    rest = _without_harmless(plain, taken)
    for match in RUN.finditer(rest):
        run_kind = _kind_of_run(match[0], rest, match.start())
        if run_kind is not None:
            add(match.start(), match.end(), run_kind)
    for match in SPELT.finditer(plain):
        if len(_spelt_digits(match[0])) >= SHORTEST - 1:
            add(match.start(), match.end(), PrivateKind.PHONE)
    return _result(original, sorted(found))


def redact(text: str, *, allowed: Iterable[str] = (), known: Iterable[str] = (), region: str | None = None) -> str:
    """The text with private data replaced by its kind; see `find_private`.

    Examples
    --------
    >>> redact("Your booking X7KQ2P is safe, we will write to b.lee@example.com.")
    'Your [booking code] is safe, we will write to [e-mail address].'
    """
    return find_private(text, allowed=allowed, known=known, region=region).safe_text


def _result(text: str, found: Sequence[tuple[int, int, PrivateKind]]) -> PrivateData:
    finds, parts, at = [], [], 0
    for start, end, kind in found:
        piece = text[start:end]
        digits = "".join(c for c in level(piece) if c.isdigit())
        if kind is PrivateKind.EMAIL and re.fullmatch(r"\S+@\S+", piece):
            shown = mask(piece)
        elif len(digits) >= 6:
            shown = mask(digits)
        else:
            shown = mask(piece)
        finds.append(PrivateFind(kind, start, end, shown))
        parts += [text[at:start], f"[{kind}]"]
        at = end
    return PrivateData(finds=tuple(finds), safe_text="".join([*parts, text[at:]]))


def _known(plain: str, told: Sequence[str]) -> Iterable[tuple[int, int]]:
    """Places where letters and digits of something known follow each other, whatever stands between them."""
    for thing in told:
        signs = [c for c in level(thing) if c.isalnum()]
        if len(signs) >= 3:
            pattern = r"[\W_]{0,3}".join(map(re.escape, signs))
            for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", plain, re.IGNORECASE):
                yield match.span()


def _without_harmless(plain: str, taken: Sequence[bool]) -> str:
    """The text with prices, dates, hours and the like, and with what was found, blotted out.

    What only looks like a date or an hour because a longer number is broken there stays: "080 0) 1-1-00) 0".
    """
    signs = ["\n" if hidden else c for c, hidden in zip(plain, taken, strict=True)]
    worded = list(signs)  # with that alone blotted out which a word or a sign makes harmless
    rest = "".join(signs)
    for pattern in harmless():
        for match in pattern.finditer(rest):
            blot = "\n" * len(match[0])
            signs[match.start() : match.end()] = blot
            if not BARE.fullmatch(match[0]):
                worded[match.start() : match.end()] = blot
        rest = "".join(signs)
    for run in RUN.finditer("".join(worded)):
        left = [_digits(part) for part in rest[run.start() : run.end()].split("\n")]
        fits = (2, 0, -1)[_how_called(plain, run.start())]  # "12.03.2026 9" against "call 01-9-11-12) 01-2-99"
        if len(_digits(run[0])) >= SHORTEST and (sum(map(len, left)) > fits or any(p.startswith("0") for p in left)):
            signs[run.start() : run.end()] = run[0]
    return "".join(signs)


def _digits(run: str) -> str:
    """Digits of a run; letters that look like one count."""
    return "".join("0" if c in "oO" else "1" if c in "lI" else c for c in run if c.isdigit() or c in "oOlI")


def _is_false(kind: PrivateKind, piece: str, plain: str, start: int) -> bool:
    """What a pattern finds but what is no private thing."""
    if kind is PrivateKind.IBAN:
        return not (_iban_ok(piece) or re.match(r"(?i)iban|sort|rout|account|konto|bsb|swift|bic", piece))
    if kind is PrivateKind.REFERENCE:
        before = plain[max(0, start - 24) : start]
        if re.search(r"(?i)(?:promo|discount|voucher|coupon|use|gift)\s*(?:code)?:?\s*$", before) or re.search(
            r"(?i)\b(?:promo|discount|voucher|coupon)\b", piece
        ):
            return True
        token = re.split(r"[\s#:=\"'(]+", piece)[-1]
        year = re.fullmatch(r"(?:19|20)\d{2}(?:[/-]\d{2,4})?", token) is not None and "#" not in piece
        ordinary = re.fullmatch(r"\d{1,3}[a-z]{1,5}|\d{1,2}[-/]\d{1,3}[a-z]*|\d{1,2}-[a-z-]+", token, re.IGNORECASE)
        in_link = re.search(r"(?:https?://|www\.)\S*$", plain[:start]) is not None
        date = re.fullmatch(r"\d{4}-\d\d-\d\d|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}", token) is not None
        return year or ordinary is not None or in_link or date
    if kind is PrivateKind.BOOKING:
        token = re.split(r"[\s#:=\"'(]+", piece)[-1]
        named = re.search(r"(?i)code|number|no\b|ref|pnr|locator|#|:|is\s", piece) is not None
        word = token.isalpha() and not named and sum(c in "AEIOUY" for c in token) > 1  # codes are seldom pronounceable
        return word or bool(re.fullmatch(r"(?:19|20)\d{2}|\d{1,2}(?:am|pm|st|nd|rd|th)", token, re.IGNORECASE))
    return False


def _iban_ok(piece: str) -> bool:
    """Check digits of an account number (ISO 13616: the remainder of 97 is 1)."""
    signs = re.sub(r"\s", "", piece).upper()
    moved = signs[4:] + signs[:4]
    return moved.isalnum() and moved.isascii() and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _luhn_ok(digits: str) -> bool:
    """Check digit of a card number (ISO/IEC 7812: Luhn)."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _how_called(text: str, start: int) -> int:
    """How words before announce a telephone number: 0 not, 1 some words before, 2 with no word between."""
    before = text[max(0, start - 28) : start]
    ends = [match.end() for match in phone_context.finditer(before)]
    return 0 if not ends else 1 if any(c.isalnum() for c in before[ends[-1] :]) else 2


def _kind_of_run(run: str, rest: str, start: int) -> PrivateKind | None:
    digits = _digits(run)
    called = _how_called(rest, start) > 0
    if len(digits) < SHORTEST and not (called and len(digits) >= SHORTEST - 1):
        return None
    if not called and _counts_up(run):
        return None
    if 13 <= len(digits) <= 19 and _luhn_ok(digits):
        return PrivateKind.CARD
    return PrivateKind.PHONE if len(digits) <= 15 else PrivateKind.NUMBER


def _counts_up(run: str) -> bool:
    """Sizes, years or rooms in a row: three or more numbers with equal steps up."""
    groups = _GROUPS.findall(run)
    if run.startswith(("+", "0")) or len(groups) < 3 or any(g.startswith("0") for g in groups):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(groups)}
    return len(steps) == 1 and min(steps) > 0


def _spelt_digits(words: str) -> str:
    """Digits of a run of words: "double four" is 44."""
    known, times, out, named = digit_words(), 1, "", 0
    for name, digit in known.items():  # words of a script without spaces stand together
        if name > "\u0e00" and name in words:
            words = words.replace(name, f" {digit} ")
            named += 1
    for part in _WORD_OR_DIGIT.findall(words.casefold()):
        if part in ("double", "triple"):
            times = 2 if part == "double" else 3
        elif part.isdigit() or part in known:
            out += (part if part.isdigit() else known[part]) * times
            named += not part.isdigit()
            times = 1
    return out if named else ""


@lru_cache(maxsize=1024)
def _e164(number: str, region: str | None) -> str | None:
    import phonenumbers

    try:
        read = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


@attrs.frozen
class _Allowed:
    """What may stand in public: letters and digits of each thing, and its reading as a telephone number."""

    bare: frozenset[str]
    numbers: frozenset[str]
    region: str | None

    @classmethod
    def of(cls, allowed: Sequence[str], region: str | None) -> _Allowed:
        plain = [level(thing) for thing in allowed]
        read = (_e164(thing, region) for thing in plain)
        return cls(frozenset(map(_bare, plain)) - {""}, frozenset(n for n in read if n), region)

    def covers(self, piece: str) -> bool:
        bare = _bare(piece)
        if any(
            bare == thing or (len(thing) > 5 and thing in bare and len(bare) - len(thing) < 8) for thing in self.bare
        ):
            return True
        if not self.numbers:
            return False
        return _e164(piece, self.region) in self.numbers
