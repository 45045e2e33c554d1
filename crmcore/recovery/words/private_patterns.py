"""What private data looks like: patterns as data, by kind, and what looks like it but is harmless.

The patterns read levelled text (`level`), so digits of all scripts are 0 to 9. A pattern is tried in the order of this
table; the first that finds a place names its kind.
"""

from __future__ import annotations

import enum
import re
from functools import cache

__all__ = ["RUN", "SPELT", "PrivateKind", "digit_words", "harmless", "keyed", "phone_context"]


class PrivateKind(enum.StrEnum):
    """What kind of private data something is."""

    EMAIL = "e-mail address"
    PHONE = "telephone number"
    CARD = "card number"
    IBAN = "bank account"
    NATIONAL_ID = "identity number"
    REFERENCE = "order or customer number"
    BOOKING = "booking code"
    ADDRESS = "postal address"
    PLACE = "position"
    BIRTH_DATE = "date of birth"
    SECRET = "password or code"
    HANDLE = "private account"
    DEVICE = "network address"
    KNOWN = "known of this customer"
    NUMBER = "long number"


_AT = r"(?:\s*(?:@|[\[({<]\s*(?:at|@)\s*[\])}>])\s*|\s+(?:at|arroba|arobase|chiocciola|\u0e41\u0e2d\u0e17)\s+)"
_DOT = (
    r"(?:\s*[\[({<]\s*(?:d|dot|\.|punkt|punto|point)\s*[\])}>]\s*|\s+(?:d|dot|punkt|punto|point|\u0e14\u0e2d\u0e17)\s+|"
    r"\s*\.\s?)"
)
_SPELT_DOT = (
    r"(?:\s*[\[({<]\s*(?:d|dot|\.|punkt|punto|point)\s*[\])}>]\s*|\s+(?:d|dot|punkt|punto|point|\u0e14\u0e2d\u0e17)\s+)"
)
_HARD_AT = r"\s*(?:@|[\[({<]\s*(?:at?|@|\u00e4t)\s*[\])}>]|\b_at_\b)\s*"
_PROVIDER = (
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|proton(?:mail)?|gmx|web|aol|live|msn|me|"
    r"mail|yandex|qq|163|zoho)"
)
_TLD = (
    r"(?:com|org|net|info|biz|edu|gov|io|me|co|app|dev|shop|eu|de|fr|es|it|nl|be|ch|at|uk|ie|pl|pt|se|no|dk|fi|ru|th|"
    r"jp|cn|kr|in|id|my|sg|vn|ph|au|nz|us|ca|mx|br|ar|cl|za|tr|gr|cz|hu|ro|ua|il|ae|sa|tw|hk)"
)
_LOCAL = r"[\w.+'-]+(?:(?:\s+(?:dot|punkt|punto|underscore|minus|dash)\s+|\s?\.\s?|\s*[\[(]d(?:ot)?[\])]\s*)[\w+-]+)*"

_NO = r"(?:\s*(?:numbers?|num|no|nr|n\u00b0|code|ref(?:erence)?|id|key|is|was|under|with|called|:|#|\.|=|-))*\s*"
_ORDER = (
    r"orders?|purchase|shipments?|parcels?|packages?|deliver(?:y|ies)|track(?:ing)?|consignment|"
    r"invoices?|receipts?|tickets?|cases?|"
    r"ref(?:erence)?s?|refs?|accounts?|acct|customers?|clients?|members?(?:hip)?|loyalty|"
    r"polic(?:y|ies)|claims?|contracts?|transactions?|"
    r"payments?|serial|imei|rma|sku|meter|registration|student|patient|employee|visa|request|confirmation|"
    r"bestellung|bestellnummer|kundennummer|kunden|rechnung|auftrag|vorgang|sendung|pedido|"
    r"cliente|factura|commande|facture|"
    r"ordine|ordre|\u0e2d\u0e2d\u0e40\u0e14\u0e2d\u0e23\u0e4c|"
    r"\u0e04\u0e33\u0e2a\u0e31\u0e48\u0e07\u0e0b\u0e37\u0e49\u0e2d|"
    r"\u0e40\u0e25\u0e02\u0e17\u0e35\u0e48|\u0e40\u0e25\u0e02\u0e1e\u0e31\u0e2a\u0e14\u0e38|"
    r"\u0e40\u0e25\u0e02\u0e2a\u0e21\u0e32\u0e0a\u0e34\u0e01"
)
_BOOKING = (
    r"bookings?|reservations?|pnr|(?:record\s+)?locator|confirmation|itinerary|e-?tickets?|"
    r"check-?in|buchung(?:scode|snummer)?|"
    r"reserva|r\u00e9servation|\u0e01\u0e32\u0e23\u0e08\u0e2d\u0e07|\u0e23\u0e2b\u0e31\u0e2a\u0e08\u0e2d\u0e07"
)
_TOKEN = r"(?=[A-Za-z0-9/_-]*\d)[A-Za-z0-9](?:[A-Za-z0-9]|[/_-](?=[A-Za-z0-9])){3,23}(?![\w%])"
_DATE = (
    r"(?:\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}|\d{4}-\d{2}-\d{2}|"
    r"\d{1,2}(?:st|nd|rd|th)?\.?\s(?:of\s)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s\d{2,4}|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4})"
)
_STREET = (
    r"(?:street|str|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|"
    r"terrace|crescent|close|way|"
    r"square|sq|gardens|grove|hill|parkway|pkwy|highway|hwy|mews|walk|row)"
)
_CAP = r"(?-i:[A-Z\u00c0-\u00de])[\w'.-]*"

_KEYED: tuple[tuple[PrivateKind, str], ...] = (
    (PrivateKind.EMAIL, rf"{_LOCAL}\s*@\s*[\w-]+(?:{_DOT}[\w-]+)*{_DOT}[a-z]{{2,}}"),
    (PrivateKind.EMAIL, rf"{_LOCAL}{_HARD_AT}[\w-]+(?:{_DOT}[\w-]+)*{_DOT}[a-z]{{2,}}"),
    (PrivateKind.EMAIL, r"[\w.+-]+_at_[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}"),
    (PrivateKind.HANDLE, r"(?:https?://)?(?:wa\.me|api\.whatsapp\.com|t\.me)/\S*\d{7,}\S*"),
    (PrivateKind.EMAIL, rf"{_LOCAL}{_HARD_AT}{_PROVIDER}(?:{_DOT}[a-z]{{2,}})?\b"),
    (PrivateKind.EMAIL, rf"{_LOCAL}{_AT}[\w-]+(?:{_DOT}[\w-]+)*?{_SPELT_DOT}{_TLD}\b(?:{_DOT}{_TLD}\b)?"),
    (
        PrivateKind.EMAIL,
        rf"{_LOCAL}\s+at\s+(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|protonmail|gmx)(?:\.[a-z]+)"
        rf"*\b",
    ),
    (
        PrivateKind.EMAIL,
        rf"(?:(?<=mail )|(?<=mail: )|(?<=mail is )|(?<=mail to )|(?<=write to )|(?<=address )|(?<=address is ))"
        rf"(?!(?:us|me|you|them|him|her|it|team|support|address|is|or|and|more)\b)"
        rf"[\w.+-]+\sat\s[\w-]+(?:\.[\w-]+)*\.{_TLD}\b",
    ),
    (PrivateKind.DEVICE, r"(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.]*\d)"),
    (PrivateKind.PLACE, r"(?<![\d.])-?\d{1,3}\.\d{4,}\s?,\s?-?\d{1,3}\.\d{4,}"),
    (
        PrivateKind.BIRTH_DATE,
        rf"(?:born|d\.?o\.?b\.?|date of birth|birth\s?date|birthday|geb(?:oren|\.)?)\W{{0,3}}(?:on|is|"
        rf"was|am|in)?\W{{0,3}}{_DATE}",
    ),
    (
        PrivateKind.SECRET,
        r"\b(?:pass\s?word|passcode|pwd|pin(?:\s?code)?|otp|cvv2?|cvc|security code|verification code|"
        r"one-time code|access code|tan)\b"
        r"\s*(?:is|was|:|=|number|-)*\s*(?=\S*\d)[^\s,;]{3,}",
    ),
    (
        PrivateKind.HANDLE,
        r"\b(?:line|whats\s?app|telegram|wechat|skype|signal|viber|snapchat|kakao\w*)\s*(?:(?:id|"
        r"user(?:name)?|handle|name)\s*(?:is|:|=)?|[:=])\s*"
        r"@?(?!\+?\d)[\w.-]{4,}",
    ),
    (PrivateKind.IBAN, r"\b(?!ISO)[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b"),
    (
        PrivateKind.IBAN,
        r"\b(?:iban|sort code|routing(?: number)?|account number|kontonummer|bsb|swift|bic)"
        r"\W{0,3}(?:is\s|no\.?\s)?(?=[A-Z0-9 -]*\d)[A-Z0-9][A-Z0-9 -]{4,32}[A-Z0-9]",
    ),
    (PrivateKind.NATIONAL_ID, r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
    (PrivateKind.NATIONAL_ID, r"(?<![\d-])\d-\d{4}-\d{5}-\d{2}-\d(?![\d-])"),
    (PrivateKind.NATIONAL_ID, r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"),
    (PrivateKind.NATIONAL_ID, r"\b(?-i:[A-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D])\b"),
    (PrivateKind.NATIONAL_ID, r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b"),
    (PrivateKind.NATIONAL_ID, r"\b(?-i:[A-Z])\d{7,8}(?-i:[A-Z])\b|\b\d{8}-?(?-i:[A-Z])\b"),
    (PrivateKind.NATIONAL_ID, r"(?<![\d-])\d{6}[-+]\d{4}(?![\d-])"),
    (
        PrivateKind.NATIONAL_ID,
        r"\b(?:passport|ssn|social security|national id|id card|identity card|identity|driv(?:er|ing)"
        r"'?s? licen[cs]e|licen[cs]e plate|plate|tax id|nino|nric|"
        r"aadhaar|bsn|pesel|dni|cpf|personal code|insurance|medical record|mrn|"
        r"\u0e1a\u0e31\u0e15\u0e23\u0e1b\u0e23\u0e30\u0e0a\u0e32\u0e0a\u0e19|"
        rf"\u0e1e\u0e32\u0e2a\u0e1b\u0e2d\u0e23\u0e4c\u0e15){_NO}(?=[A-Z0-9 -]*\d)[A-Z0-9](?:[A-Z0-9]|"
        rf"[ -](?=[A-Z]?\d)){{3,19}}\b",
    ),
    (
        PrivateKind.CARD,
        r"\b(?:cards?|visa|mastercard|amex|accounts?)\b[^.!?\n]{0,24}\b(?:ending|ends?|last (?:four|4)"
        r"(?: digits)?)\b\W*(?:in|with|on|are|is)?\W*\d{3,4}\b",
    ),
    (PrivateKind.CARD, r"[x*\u2022\u00b7]{2,}[ -]?(?:[x*\u2022]{2,4}[ -]?)*\d{4}\b"),
    (PrivateKind.BOOKING, rf"\b(?:{_BOOKING})\b{_NO}[\"'(]?(?-i:[A-Z0-9]{{5,8}})\b"),
    (PrivateKind.BOOKING, rf"\b(?:{_BOOKING})\b{_NO}[\"'(]?(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{{5,8}}\b"),
    (
        PrivateKind.BOOKING,
        rf"\b(?:{_BOOKING})\b(?:\s+\w+){{0,4}}\s+(?-i:(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{{5,8}})"
        rf"\b",
    ),
    (
        PrivateKind.BOOKING,
        rf"\b(?-i:(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{{6}})\b(?=\W+(?:\w+\W+)"
        rf"{{0,3}}(?:{_BOOKING})\b)",
    ),
    (PrivateKind.REFERENCE, rf"\b(?:{_ORDER}|{_BOOKING}){_NO}[\"'(]?{_TOKEN}"),
    (
        PrivateKind.REFERENCE,
        rf"(?:{_ORDER})\s*(?:\w+\s+){{0,3}}(?:number|no\.?|nr\.?|id|code|#)\s*(?:is|was|:)"
        rf"?\s*#?{_TOKEN}",
    ),
    (PrivateKind.REFERENCE, r"(?<![\w&/])#\d[\d-]{3,}\b"),
    (
        PrivateKind.REFERENCE,
        r"(?<![\w#/])(?=[A-Za-z0-9-]*[A-Za-z])(?=(?:[A-Za-z-]*\d){6})[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\b",
    ),
    (
        PrivateKind.ADDRESS,
        rf"\b\d{{1,5}}[a-z]?,?\s(?:{_CAP}\s){{1,4}}{_STREET}\b\.?(?:,?\s(?:apt|apartment|flat|unit|"
        rf"suite|#)\.?\s?\w+)?",
    ),
    (
        PrivateKind.ADDRESS,
        rf"\b(?:{_CAP}[ -])?[\w-]*(?:stra(?:\u00dfe|sse)|str\.|weg|gasse|allee|platz|straat|laan|gatan|"
        rf"vej|veien)\s\d{{1,4}}\s?[a-z]?(?:,?\s\d{{4,5}}\s{_CAP})?\b",
    ),
    (
        PrivateKind.ADDRESS,
        rf"\b\d{{1,4}}(?:\s?bis)?,?\s(?:rue|avenue|boulevard|chemin|impasse|all\u00e9e|quai)\s(?:de\s|"
        rf"du\s|des\s|la\s|l')*{_CAP}(?:\s{_CAP})?",
    ),
    (
        PrivateKind.ADDRESS,
        rf"\b(?:calle|avenida|avda|via|viale|piazza|corso|rua|travessa|ulica|ul\.|jalan|jl\.|soi)"
        rf"\s(?:de\s|la\s|del\s|da\s|do\s)*{_CAP}(?:\s{_CAP})?,?\s(?:n\.?\u00ba?\s?|no\.?\s?)"
        rf"?\d{{1,4}}\b",
    ),
    (PrivateKind.ADDRESS, r"\b(?:p\.?\s?o\.?\s?box|postfach|apartado)\s\d+"),
    (
        PrivateKind.ADDRESS,
        r"\b(?:apt|apartment|flat|unit)\.?\s(?:no\.?\s)?#?\d{1,4}\s?[a-z]?\b(?=,|\s+(?:at|in|on)\s+\d)",
    ),
    (PrivateKind.ADDRESS, r"\b(?-i:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})\b"),
    (PrivateKind.ADDRESS, rf"\b{_CAP}(?:\s{_CAP})?,\s(?-i:[A-Z]{{2}})\s\d{{5}}(?:-\d{{4}})?\b"),
    (
        PrivateKind.ADDRESS,
        r"(?:\u0e1a\u0e49\u0e32\u0e19\u0e40\u0e25\u0e02\u0e17\u0e35\u0e48|\u0e0b\u0e2d\u0e22|"
        r"\u0e16\u0e19\u0e19|\u0e2b\u0e21\u0e39\u0e48(?:\u0e17\u0e35\u0e48)?)"
        r"\s?[\u0e01-\u0e4e]*\s?\d+(?:/\d+)?",
    ),
    (PrivateKind.ADDRESS, r"\b(?:live|lives|living|resid\w+|address)\b[^.!?\n]{0,20}\b\d{1,5}[a-z]?\s[A-Z][\w'-]+"),
)
_CASED = frozenset({PrivateKind.IBAN})

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_AMOUNT = r"(?:[1-9]\d{0,2}(?:[ ,.']\d{3})+|[1-9]\d{0,6}|0)(?:[.,]\d{1,2})?(?!\d)"
_UNIT = (
    r"(?:%|percent|followers?|downloads?|views?|likes?|customers?|people|guests?|members?|users?|"
    r"passengers?|visitors?|reviews?|orders?|"
    r"parcels?|units?|items?|pieces?|products?|seats?|rooms?|km|m|cm|mm|g|kg|mg|l|ml|mb|gb|tb|mah|"
    r"kwh|w|hz|sqm|m2|miles?|steps?|"
    r"trees?|meals?|points?|times|words|years?|days?|hours?|minutes?|seconds?|employees|shops?|stores?|households?)"
)
_CURRENCY = (
    r"(?:[$\u20ac\u00a3\u00a5\u0e3f\u20b9\u20a9\u20ab\u20b1\u20ba\u20bd]|\b(?:thb|usd|eur|gbp|chf|"
    r"jpy|cny|inr|idr|vnd|krw|sgd|myr|aud|cad|nzd|brl|mxn|sek|nok|dkk|pln|czk|huf|"
    r"zar|rs\.?|rp\.?|baht|euros?|dollars?|pounds?|yen|rupees?|rupiah|dong|won|francs?|crowns?|"
    r"bucks|cents?|million|billion)\b|\u0e1a\u0e32\u0e17)"
)
_DAYS = r"(?:0?[1-9]|[12]\d|3[01])"
_DATED = rf"{_DAYS}(?:\.{_DAYS}\.|/{_DAYS}/|-{_DAYS}-)(?:19|20)?\d{{2}}"
_HOUR = r"(?:[01]?\d|2[0-4])"
_TO = r"[0-5]\d(?:\s?(?:am|pm|h|uhr))?(?:\s?(?:-|to)\s?"
_TO_END = r"[0-5]\d(?:\s?(?:am|pm|h|uhr))?)?(?![\d:]|[.\-/]\d| \d{3})"
_EDGE = r"(?<![\d+])(?<![\d][ .\-/])"
_HARMLESS = (
    r"https?://\S+|\bwww\.\S+|#(?=\w*[A-Za-z\u0e01-\u0e5b])(?!\w*\d{6})\w+",
    rf"{_EDGE}{_CURRENCY}\s?{_AMOUNT}(?:\s?(?:-|to)\s?{_CURRENCY}?\s?{_AMOUNT})?",
    rf"{_EDGE}(?:{_AMOUNT}\s?(?:-|to)\s?)?{_AMOUNT}\s?{_CURRENCY}",
    rf"{_EDGE}(?:between\s|from\s)?(?:{_AMOUNT}\s?(?:-|to|and)\s?)?{_AMOUNT}\+?[\s-]?(?:[a-z]+\s)?{_UNIT}(?![\w])",
    rf"{_EDGE}\b(?:between|from)\s{_AMOUNT}\s?(?:-|to|and)\s?{_AMOUNT}",
    r"(?<![\d+])(?<!\d[.\-/])(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T "
    r"]\d{2}:\d{2}(?::\d{2})?)?(?![\d./-]*\d)",
    rf"(?<![\d+])(?<!\d[ ./])(?<!\d - )(?<!\d-)(?:{_DAYS}\.?\s?-\s?)?{_DATED}(?:\s?-\s?{_DATED})?"
    r"(?:(?=\s\d{1,2}[:h]\d{2})|(?![ ./-]{0,3}\d))",
    rf"\b{_DAYS}(?:st|nd|rd|th|\.)?(?:\s?(?:-|to)\s?{_DAYS}(?:st|nd|rd|th|\.)?)?\s(?:of\s)"
    rf"?{_MONTH},?(?:\s(?:19|20)\d{{2}})?(?!\d)",
    rf"\b{_MONTH}\s{_DAYS}(?:st|nd|rd|th)?(?:\s?(?:-|to)\s?{_DAYS}(?:st|nd|rd|th)?)?(?:,?\s(?:19|20)\d{{2}})?(?!\d)",
    r"(?<![\d+])(?<!\d[ .\-/])(?:19|20)\d{2}(?:\s?[-/]\s?(?:19|20)\d{2}|\s?[-/]\s?\d{2})?(?![ .\-/]?\d)",
    rf"(?<![\d:])(?<!\d[.\-/]){_HOUR}[:h]{_TO}{_HOUR}[:h]{_TO_END}",
    rf"(?<![\d:])(?<!\d[ .\-/]){_HOUR}\.{_TO}{_HOUR}\.{_TO_END}",
    r"(?<![\d+])(?<!\d[ .\-/])[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d])(?![ \-]\d)",
    r"\biso\s?\d{4,5}(?:[:-]\d{4})?\b|\b24/7\b",
)

_DIGIT_WORDS = {
    "0": "zero oh null nought cero z\u00e9ro zero nul \u0e28\u0e39\u0e19\u0e22\u0e4c",
    "1": "one eins ein uno un \u0e2b\u0e19\u0e36\u0e48\u0e07",
    "2": "two zwei zwo dos deux due \u0e2a\u0e2d\u0e07",
    "3": "three drei tres trois tre \u0e2a\u0e32\u0e21",
    "4": "four vier cuatro quatre quattro \u0e2a\u0e35\u0e48",
    "5": "five f\u00fcnf fuenf cinco cinq cinque \u0e2b\u0e49\u0e32",
    "6": "six sechs seis sei \u0e2b\u0e01",
    "7": "seven sieben siete sept sette \u0e40\u0e08\u0e47\u0e14",
    "8": "eight acht ocho huit otto \u0e41\u0e1b\u0e14",
    "9": "nine neun nueve neuf nove niner \u0e40\u0e01\u0e49\u0e32",
}


@cache
def digit_words() -> dict[str, str]:
    """Words of digits in the languages that callers spell numbers in."""
    return {name: digit for digit, names in _DIGIT_WORDS.items() for name in names.split()}


_PAUSE = r"[\s.\-/()\[\]{}_*\u00b7\u2022~|+\u200b'\":;]"
RUN = re.compile(
    rf"(?<![A-Za-z0-9])(?:\+|\(\+?)?\d(?:(?:{_PAUSE}{{0,4}}|,)(?:\d|(?<=[\d.\- ])[oOlI](?=[\d.\- ]|"
    rf"$))){{4,}}(?![A-Za-z0-9])|"
    rf"(?<![A-Za-z0-9])[oO](?=[\d.\- ]*\d)(?:{_PAUSE}{{0,3}}\d){{6,}}(?![A-Za-z0-9])"
)
"""A run of digits with what people write between them."""
BARE = re.compile(rf"(?:\d|,|(?!:){_PAUSE})*")
"""Digits and what people write between them, but no colon: "9:00" is an hour."""

_WORD_ALT = "|".join(
    sorted(map(re.escape, {n for names in _DIGIT_WORDS.values() for n in names.split()}), key=len, reverse=True)
)
_LATIN_EDGE = r"(?<![A-Za-z\u00c0-\u024f])"
SPELT = re.compile(
    rf"{_LATIN_EDGE}(?:(?:double|triple)?[\s,-]*(?:(?:{_WORD_ALT})|\d{{1,4}}|(?:dash|hyphen|space|"
    rf"plus|dot|point)(?=\W))(?:(?<=\d)|(?![A-Za-z\u00c0-\u024f]))[\s,.\-/\u2026]*){{5,}}",
    re.IGNORECASE,
)
"""A run of words for digits, with digits and "double" among them."""

phone_context = re.compile(
    r"\b(?:call|phone|tel(?:efon|\u00e9fono|\.)?|ring|text|sms|whats\s?app|mobile|cell|number|fax|"
    r"dial|hotline|reach|contact|line)\b|"
    r"\u0e42\u0e17\u0e23|\u0e40\u0e1a\u0e2d\u0e23\u0e4c",
    re.IGNORECASE,
)
"""Words that announce a telephone number."""


@cache
def keyed() -> tuple[tuple[PrivateKind, re.Pattern[str]], ...]:
    """Compiled patterns of everything that has a shape or a word of its own."""
    return tuple(
        (kind, re.compile(p, 0 if kind in _CASED and "iban|" not in p else re.IGNORECASE)) for kind, p in _KEYED
    )


@cache
def harmless() -> tuple[re.Pattern[str], ...]:
    """Compiled patterns of prices, dates, hours, amounts, links and tags."""
    return tuple(re.compile(p, re.IGNORECASE) for p in _HARMLESS)
