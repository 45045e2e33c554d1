"""Does an agent ask for what is on file? Ways to ask in English, and a vocabulary of fields that can be extended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

import attrs

from crmcore._base import aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, WrongType
from crmcore.idic.interact.conversations.messages import Message, references_in, same_reference
from crmcore.values import Direction

__all__ = ["FIELDS", "AskedField", "OnFile", "RedundantQuestion", "asked_fields", "redundant_questions"]


def _words(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "words", str, what="texts", hint="write ['order number', 'order no']")


@attrs.frozen
class AskedField(Document):
    """A field that agents ask for, and the words that mean it.

    Parameters
    ----------
    name : text
        As the field is called on file.
    words : texts
        How people name it, such as "order number", "order no".
    questions : texts
        Whole ways to ask for it that do not name it, such as "when were you born".
    personal : truth
        Whether its value is masked wherever it is shown.
    """

    name: str
    words: tuple[str, ...] = attrs.field(converter=_words)
    questions: tuple[str, ...] = attrs.field(default=(), converter=_words)
    personal: bool = True

    def __attrs_post_init__(self) -> None:
        if not self.name or not (self.words or self.questions) or not all(map(str.strip, self.words)):
            raise EmptyInput("words of an AskedField", "AskedField('shoe size', ['shoe size'])")


def _number(kind: str) -> AskedField:
    words = [f"{kind} {tail}" for tail in ("number", "no", "no.", "nr", "id", "reference", "ref")]
    return AskedField(f"{kind} number", words, [f"which {kind} (?:is|are) (?:this|it|you|that)"], personal=False)


FIELDS: tuple[AskedField, ...] = (
    *(_number(kind) for kind in ("order", "booking", "case", "ticket", "invoice")),
    AskedField("name", ["name", "full name", "first name", "last name", "surname"], ["who am i (?:speaking|talking)"]),
    AskedField("email", ["email"]),
    AskedField(
        "phone",
        ["phone", "phone number", "telephone number", "mobile number", "contact number"],
        ["(?:what|which) number can (?:i|we) (?:call|reach)"],
    ),
    AskedField(
        "address",
        ["address", "home address", "postal address", "delivery address", "shipping address"],
        ["where do you live", "where should (?:we|i) (?:deliver|ship|send)"],
    ),
    AskedField("postcode", ["postcode", "post code", "postal code", "zip", "zip code"]),
    AskedField(
        "date of birth", ["date of birth", "birth date", "birthday", "dob"], ["when were you born", "how old are you"]
    ),
    AskedField("customer number", ["customer number", "account number", "member number", "membership number"]),
)
"""What agents ask most; pass your own tuple, or `(*FIELDS, AskedField(...))`, to know more."""

_ASK = (
    r"(?:what(?:'s| is| was| are)?|which)(?: (?:the|your|is|exact))*",
    r"(?:tell|giv|provid|shar|confirm|enter|typ|spell|quot|stat|repeat|remind|read|send|text|dm)(?:e|ing)?"
    r"(?: (?:me|us|out|again|with|of|over|back))*(?: (?:your|the|an|a|that))?",
    r"let (?:me|us) (?:have|know)(?: (?:your|the))?",
    r"(?:can|could|may|might|shall|would) (?:i|we) (?:please )?(?:just )?(?:also )?"
    r"(?:have|get|take|see|check|ask(?: you)? for|know)"
    r"(?: (?:your|the))?",
    r"(?:do you have|have you got|did you get|do you know|can you find)(?: (?:your|the|an|a))?",
    r"(?:i|we)(?:'ll|'d| will| would| do| just| also| still)* "
    r"(?:need|require|want|like|am missing|are missing|miss|ask for)"
    r"(?: (?:to (?:know|have|see)|also))?(?: (?:your|the))?",
    r"(?:with|under|for|on) (?:what|which)(?: (?:the|your))?",
    r"please(?: (?:your|the))?",
)
_KIND = r"(?:full|correct|current|new|exact|own|complete|mobile|home)"
_BARE = r"^(?:(?:hi|hello|ok|okay|sure|and|so|thanks|thank you|great|sorry|first|well|yes)[ ,]+)*(?:(?:your|the) )?"
_NOT = re.compile(
    r"(?:\bno need|(?:\bnot|n't|\bnever) (?:\w+ )?"
    r"(?:need|have to|send|share|give|tell|post|require|ask|necessary|required)"
    r"|\bneedn't|\bnever|\bwithout|\balready (?:have|got|know|see)"
    r"|\binstead of|\brather than|\bno longer need|\bnot required)\b"
)
_SENTENCE = re.compile(r"[^.!?\n;]+(?:\.(?=[a-z0-9])[^.!?\n;]+)*[.!?;]*", re.IGNORECASE)
_MAIL = re.compile(r"\be-?mail address(?:es)?\b|\bmail address\b|\be-mail\b")  # else "address" would be read in it
_SHORT = re.compile(r"\b(no|nr|ref)\.", re.IGNORECASE)


@lru_cache(maxsize=512)
def _patterns(field: AskedField) -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = "|".join(re.escape(w.lower().rstrip(".")) for w in sorted(field.words, key=lambda w: (-len(w), w)))
    end = r"(?![\w-]| (?:field|change|changed|page|form|box|list))"
    more = rf"(?: {_KIND})*"
    ask = "|".join(_ASK)
    framed = rf"\b(?:{ask}){more} (?:{names}){end}(?! is [\w-]*\d| of (?:the|that|this)\b)" if names else r"(?!)"
    other = "|".join(field.questions)
    either = framed + (rf"|\b(?:{other})\b" if other else "")
    bare = rf"{_BARE}(?:{_KIND} )*(?:{names})(?: please|, please| again| at hand| here)*\s*[?:]"
    bare += rf"|{_BARE}(?:{names}),? please"
    return re.compile(either), re.compile(bare if names else r"(?!)")


def asked_fields(text: str, /, *, fields: Iterable[AskedField] = FIELDS) -> tuple[str, ...]:
    """Names of the fields that a text asks for.

    A sentence asks when it puts a field into a way to ask ("could I have your ...", "please send ...", "your ...?").
    What is negated ("no need to send ...") or stated ("your order number is A-17") asks nothing. English.

    Examples
    --------
    >>> asked_fields("Hello! Could you give me your order number?"), asked_fields("Your order no. is A-17.")
    (('order number',), ())
    """
    if not isinstance(text, str):
        raise WrongType("text", f"a {type(text).__name__}", "text", "pass what the agent wrote")
    found: list[str] = []
    plain = _MAIL.sub("email", _SHORT.sub(r"\1", text.replace("\u2019", "'")).lower())
    for sentence in _SENTENCE.findall(plain):
        said = " ".join(sentence.split())
        found.extend(f.name for f in fields if f.name not in found and _asks(f, said))
    return tuple(found)


def _asks(field: AskedField, sentence: str) -> bool:
    framed, bare = _patterns(field)
    hit = framed.search(sentence) or bare.search(sentence)
    if hit is None:
        hit = _in_a_list(field, sentence)
    return hit is not None and _NOT.search(sentence[: hit.end()]) is None


def _in_a_list(field: AskedField, sentence: str) -> re.Match[str] | None:
    """Second field of "your name and (your) order number": joined to what is asked for by a comma, "and" or "or"."""
    names = "|".join(re.escape(w.lower().rstrip(".")) for w in sorted(field.words, key=lambda w: (-len(w), w)))
    if not names:
        return None
    item = r"(?:(?:your|the) )?[\w-]+(?: [\w-]+){0,2}"
    return re.search(
        rf"\b(?:{'|'.join(_ASK[:-1])}) {item}(?:(?:,| and| or|, and|, or) {item})*?"
        rf"(?:,| and| or|, and|, or) (?:your |the )?(?:{names})(?=[?.!,;]| please| and | or |$)",
        sentence,
    )


@attrs.frozen
class OnFile(Document):
    """A value that is known, and from where; the value is out of the repr.

    Examples
    --------
    >>> OnFile("A-17", source="web shop")
    OnFile(value=A•••, source='web shop', at=None)
    """

    value: str = attrs.field(repr=mask)
    source: str = "file"
    at: datetime | None = attrs.field(default=None, validator=aware)


@attrs.frozen(kw_only=True)
class RedundantQuestion(Document):
    """A question for what was known when it was asked.

    Parameters
    ----------
    message : text
        Id of the message that asks.
    field, value, source : text
        What was asked for, what is known (masked where the field is personal), and where it stands.
    """

    message: str
    field: str
    value: str
    source: str

    def __str__(self) -> str:
        return f"{self.message} asks for the {self.field}: it is {self.value} ({self.source})"


def redundant_questions(
    messages: Iterable[Message],
    *,
    on_file: Mapping[str, OnFile | str] | None = None,
    fields: Iterable[AskedField] = FIELDS,
) -> tuple[RedundantQuestion, ...]:
    """Questions of ours for what is on file, or what the conversation had already named.

    Parameters
    ----------
    messages : iterable of Message
        Of one conversation, in any order. Only outbound ones are looked at; what earlier ones name (order, booking,
        case, ticket, invoice) counts as known.
    on_file : mapping of field name to OnFile or text, optional
        A value that has a time is known from then on.
    fields : iterable of AskedField
        The vocabulary.

    Examples
    --------
    >>> from datetime import UTC
    >>> asked = Message(id="m2", contact="c7", at=datetime(2026, 6, 1, tzinfo=UTC), channel="chat",
    ...                 direction="outbound", text="Your order number?")
    >>> print(*redundant_questions([asked], on_file={"order number": OnFile("A-17", "web shop")}))
    m2 asks for the order number: it is A-17 (web shop)
    """
    known = {n: v if isinstance(v, OnFile) else OnFile(str(v)) for n, v in (on_file or {}).items()}
    vocabulary = {f.name: f for f in listed(fields, "fields", AskedField, what="AskedField", hint="see FIELDS")}
    named: dict[str, OnFile] = {}
    found: list[RedundantQuestion] = []
    for m in sorted(messages, key=lambda m: m.place):
        if m.direction is Direction.OUTBOUND:
            for name in asked_fields(m.text, fields=vocabulary.values()):
                value = known.get(name)
                if value is None or (value.at is not None and value.at > m.at):
                    value = named.get(name)
                if value is None or _confirms(m.text, value.value):
                    continue
                shown = mask(value.value) if vocabulary[name].personal else value.value
                found.append(RedundantQuestion(message=m.id, field=name, value=shown, source=value.source))
        for reference in (*m.references, *references_in(m.text)):
            kind, _, code = reference.rpartition(":")
            if kind and same_reference(reference):
                named.setdefault(f"{kind} number", OnFile(code, f"{m.channel} message {m.id}", m.at))
    return tuple(found)


def _confirms(text: str, value: str) -> bool:
    """Whether the question says the value itself: "is A-17 still right?" asks for a yes, not for the number."""
    return (
        bool(value.strip()) and re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", text.casefold()) is not None
    )
