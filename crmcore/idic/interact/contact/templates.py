"""Texts of a message for each channel, filled in for one contact."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

import attrs

from crmcore._base import mask
from crmcore.documents import Document
from crmcore.errors import BadDocument, EmptyInput, MissingColumn, UnknownName, WrongType
from crmcore.idic.interact.consents.statements import ANY

__all__ = ["Template"]


def _texts(value: Mapping[str, str]) -> dict[str, str]:
    given: object = value
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise WrongType("texts", f"a {type(given).__name__}", "texts by channel", "write {'*': 'Hello {name}'}")
    if not value:
        raise EmptyInput("texts", "write one for each channel, or '*' for all")
    return dict(value)


@attrs.frozen(hash=False)
class Template(Document):
    """What a message says on each channel; `{name}` is filled in, `{{` is a brace.

    Parameters
    ----------
    id : text
    texts : mapping of channel to text
        "*" is every other channel.

    Raises
    ------
    BadDocument
        A text whose braces are no plain names.

    Examples
    --------
    >>> ready = Template("ready", {"*": "Dear {name}, {order} is ready to be picked up.", "sms": "{order} is ready"})
    >>> ready.fill("sms", {"name": "Ann", "order": "A-17"})
    'A-17 is ready'
    """

    id: str
    texts: Mapping[str, str] = attrs.field(converter=_texts, repr=lambda texts: f"<{', '.join(texts)}>")

    def __attrs_post_init__(self) -> None:
        problems = []
        for channel, text in self.texts.items():
            try:
                odd = [name for name in _names(text) if not name.isidentifier()]
            except ValueError as error:
                problems.append(f"{channel}: {error}")
                continue
            problems += [f"{channel}: {{{name}}} is no plain name" for name in odd]
        if problems:
            raise BadDocument("Template", tuple(problems), "write {name}, and {{ where a brace is meant")

    @property
    def fields(self) -> tuple[str, ...]:
        """Names that are filled in, over all channels."""
        return tuple(dict.fromkeys(name for text in self.texts.values() for name in _names(text)))

    def fill(self, channel: str, values: Mapping[str, object]) -> str:
        """Text for one contact on one channel.

        Raises
        ------
        UnknownName
            There is no text for the channel.
        MissingColumn
            A value is not given, or None: nobody gets a text with a hole in it.
        """
        text = self.texts.get(channel, self.texts.get(ANY))
        if text is None:
            raise UnknownName("channel of the template", channel, tuple(self.texts))
        for name in _names(text):
            if values.get(name) is None:
                raise MissingColumn(name, tuple(values), "the values")
        return "".join(
            literal + ("" if name is None else str(values[name])) for literal, name, _, _ in Formatter().parse(text)
        )

    def preview(self, channel: str, values: Mapping[str, object]) -> str:
        """The same text with every value masked, for logs."""
        return self.fill(channel, {name: None if value is None else mask(value) for name, value in values.items()})


def _names(text: str) -> list[str]:
    names = []
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            names.append(name if not (form or conversion) else f"{name}:")
    return names
