"""What a token is: one compiled pattern for links, names, tags, emoticons, emoji, words, characters and marks.

Scripts that write without spaces (Thai, Lao, Burmese, Khmer, Tibetan, Chinese characters, kana) have no words that a
pattern could find. Each of their characters, with the marks that sit on it, is a token of its own: a phrase of such
tokens is then a substring, and their n-grams are character n-grams. Whoever has a dictionary hands a `Segmenter` to the
tokenizer.
"""

from __future__ import annotations

import enum
import html
import re
import unicodedata
from functools import cache

__all__ = ["END", "TokenKind", "cleaned", "kind_of", "normal", "pattern", "runs"]

END = "\x1e"  # between two texts of one stream; never part of a token
CUT = "\x1f"  # between two words that a segmenter found in a run of characters

# Letters, digits and marks of scripts that put spaces between words; punctuation inside these blocks is left out.
_SPACED = (
    "0-9A-Z_a-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0300-\u037d\u037f-\u0386\u0388-\u0588\u0591-\u05bd"
    "\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7-\u05f2\u0610-\u061a\u0620-\u0669\u066e-\u06d3\u06d5-\u0963\u0966-\u096f\u0971-\u0dff"
    "\u10a0-\u1360\u1369-\u166c\u166f-\u167f\u1681-\u177f\u1800-\u1fff\u200c\u200d\u2c00-\u2dff\ua640-\uabff\uac00-\ud7ff\ufb00-\ufd3d"
    "\ufd50-\ufdff\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\U00010280-\U0001cfff\U0001d400-\U0001d7ff"
)
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e4f-\u0e59\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0ed0-\u0edf\u0f00\u0f20-\u0f33"
    "\u0f40-\u0f6c\u1000-\u102a\u103f-\u1049\u1050-\u109f\u1780-\u17b3\u17d7\u17dc\u17e0-\u17e9\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003fffd"
)
_MARKS = (
    "\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
    "\u17dd\u3099\u309a\ufe00-\ufe0f"
)
_PICTURES = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b"
    "\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_TONES = "\U0001f3fb-\U0001f3ff"

_CLUSTER = rf"[{_UNSPACED}][{_MARKS}]*"
_EMOJI = (
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|"
    rf"[{_PICTURES}]\ufe0f?[{_TONES}]?(?:\u200d[{_PICTURES}\u2640\u2642]\ufe0f?[{_TONES}]?)*[\U000e0020-\U000e007f]*"
)
_LINK = r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\"'.,;:!?)\]}]"
_EMAIL = r"[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_EMOTICON = (
    r"<3+|</3+|[<>]?[:;=][-o^*']{0,2}(?:[)\](\[}{@|/\\*]+|[3DdPpXxOoSs](?!\w))|(?<!\w)[xX][dD]+(?!\w)|"
    r"\^[_.-]?\^|(?<!\w)-_+-|(?<!\w)[TtoO0]_[TtoO0](?!\w)|[(\[][-']?[:;](?!\w)"
)
_TAG = rf"[{_SPACED}{_UNSPACED}{_MARKS}]+"
_WORD = rf"(?:[A-Za-z]\.){{2,}}|[{_SPACED}]+(?:['\u2019\u02bc][{_SPACED}]+|(?<=[0-9])[.,:][0-9]+)*(?:(?<=[0-9])%)?"
_MARK = r"[!?\uff01\uff1f\u203c\u2049]+|\.{2,}|[^\s]"

_REMOVED = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BROKEN = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile(f"[{END}{CUT}]")
_LONG = re.compile(r"([^\W\d_])\1{2,}")
_RUN = re.compile(f"(?:{_CLUSTER})+")


class TokenKind(enum.IntEnum):
    """What kind of thing a token is."""

    WORD = 0
    NUMBER = 1
    CHARACTER = 2  # of a script without spaces, or a word that a segmenter found there
    HASHTAG = 3
    HANDLE = 4
    LINK = 5
    EMAIL = 6
    EMOJI = 7
    EMOTICON = 8
    PUNCTUATION = 9


@cache
def pattern(*, runs_whole: bool = False) -> re.Pattern[str]:
    """Pattern of one token; `runs_whole` takes runs of characters as they were cut by a segmenter."""
    character = f"(?:{_CLUSTER})+" if runs_whole else _CLUSTER
    ways = (END, _LINK, _EMAIL, rf"@{_TAG}", rf"#{_TAG}", _EMOTICON, _EMOJI, _WORD, character, _MARK)
    return re.compile("|".join(ways))


def runs() -> re.Pattern[str]:
    """Pattern of a run of characters of scripts that write without spaces."""
    return _RUN


def cleaned(text: str) -> str:
    r"""Text as the tokenizer reads it: entities resolved, invisible marks removed, broken surrogates replaced.

    Examples
    --------
    >>> cleaned("Tom &amp; Jerry\u200b!")
    'Tom & Jerry!'
    """
    if _BREAKS.search(text):
        text = _BREAKS.sub(" ", text)
    return without_noise(text)


def without_noise(stream: str) -> str:
    """What `cleaned` does, for a stream of texts that hold no separators themselves."""
    if "&" in stream:
        stream = html.unescape(stream)
    if _REMOVED.search(stream):
        stream = _REMOVED.sub("", stream)
    if _BROKEN.search(stream):
        stream = _BROKEN.sub("\ufffd", stream)
    return stream


@cache
def _emoji() -> re.Pattern[str]:
    return re.compile(_EMOJI)


@cache
def _emoticon() -> re.Pattern[str]:
    return re.compile(_EMOTICON)


def kind_of(form: str) -> TokenKind:
    """Kind of a token by its form.

    Examples
    --------
    >>> [kind_of(form).name for form in ("slow", "12:30", "#fail", "@shop", ":(", "!!")]
    ['WORD', 'NUMBER', 'HASHTAG', 'HANDLE', 'EMOTICON', 'PUNCTUATION']
    """
    first = form[0]
    if len(form) > 1 and first in "#@" and form[1] not in "\ufe0f\u20e3":
        return TokenKind.HASHTAG if first == "#" else TokenKind.HANDLE
    if form.startswith(("http://", "https://", "www.")) and len(form) > 4:
        return TokenKind.LINK
    if _emoticon().fullmatch(form):
        return TokenKind.EMOTICON
    if _emoji().fullmatch(form):
        return TokenKind.EMOJI
    if _RUN.match(form):
        return TokenKind.CHARACTER
    if "@" in form and len(form) > 1:
        return TokenKind.EMAIL
    if any(c.isalpha() for c in form):
        return TokenKind.WORD
    return TokenKind.NUMBER if any(c.isdigit() for c in form) else TokenKind.PUNCTUATION


def normal(form: str) -> str:
    r"""Form under which spellings of one token meet: case, width, apostrophes, drawn-out letters, emoji variants.

    Examples
    --------
    >>> normal("SOOOOO"), normal("Don\u2019t"), normal("#Fail"), normal("\u2764\ufe0f") == "\u2764"
    ('soo', "don't", '#fail', True)
    """
    if form.isascii():
        text = form.lower()
    else:
        text = unicodedata.normalize("NFKC", form).casefold().replace("\u2019", "'").replace("\u02bc", "'")
        text = unicodedata.normalize("NFKC", text.replace("\ufe0f", "").rstrip("\u200c\u200d")) or form
    return _LONG.sub(r"\1\1", text)
