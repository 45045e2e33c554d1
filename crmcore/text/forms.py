"""Vocabulary of token forms, and tables of what is known about each form: computed once per form, read by position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from crmcore.text.patterns import TokenKind, kind_of, normal

if TYPE_CHECKING:
    from typing import Self

__all__ = ["FormTable", "Vocabulary"]

S = TypeVar("S", bound=np.generic)


class _Codes(dict[str, int]):
    """Codes of forms; a form that is asked for and unknown is the next one."""

    __slots__ = ("forms",)

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[str] = []

    def __missing__(self, form: str) -> int:
        code = len(self.forms)
        self[form] = code
        self.forms.append(form)
        return code


class Vocabulary(Sequence[str]):
    """Forms of tokens in the order in which they were first seen; a code never changes its meaning.

    It grows as texts are read. What is computed about its forms (`FormTable`) grows with it, each form once.

    Examples
    --------
    >>> words = Vocabulary()
    >>> words.code("slow"), words.code("refund"), words.code("slow"), len(words)
    (0, 1, 0, 2)
    """

    __slots__ = ("__weakref__", "_codes", "_columns", "_normals")

    def __init__(self) -> None:
        self._codes = _Codes()
        self._columns: WeakKeyDictionary[FormTable[Any], tuple[NDArray[Any], int]] = WeakKeyDictionary()
        self._normals: Vocabulary | None = None

    @classmethod
    def of(cls, forms: Sequence[str]) -> Self:
        """Vocabulary of forms that are known from the start."""
        made = cls()
        for form in forms:
            made.code(form)
        return made

    def __len__(self) -> int:
        return len(self._codes.forms)

    def __getitem__(self, code: Any) -> Any:
        return self._codes.forms[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes.forms)

    def __contains__(self, form: object) -> bool:
        return form in self._codes

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} forms)"

    def code(self, form: str) -> int:
        """Code of a form, which is learned where it is new."""
        return self._codes[form]

    def codes(self, forms: Sequence[str]) -> NDArray[np.int32]:
        """(n,) codes of forms, which are learned where they are new."""
        return np.fromiter(map(self._codes.__getitem__, forms), np.int32, len(forms))

    def find(self, form: str) -> int:
        """Code of a form, -1 where no text had it."""
        return self._codes.get(form, -1)

    @property
    def normals(self) -> Vocabulary:
        """Vocabulary of the normal forms of these forms; of normal forms, itself."""
        if self._normals is None:
            self._normals = Vocabulary()
            self._normals._normals = self._normals
        return self._normals


class FormTable(Generic[S]):
    """One fact about each form of a vocabulary, such as its valence or whether it negates.

    Parameters
    ----------
    compute
        From k forms to k values (k,) or rows (k, m); a pure function of each form alone.

    Examples
    --------
    >>> lengths = FormTable(lambda forms: np.array([len(f) for f in forms], np.int32))
    >>> words = Vocabulary.of(["slow", "ok"])
    >>> lengths.on(words)
    array([4, 2], dtype=int32)
    """

    __slots__ = ("__weakref__", "_compute")

    def __init__(self, compute: Callable[[Sequence[str]], NDArray[S]]) -> None:
        self._compute = compute

    def on(self, vocabulary: Vocabulary, /) -> NDArray[S]:
        """(n_forms,) or (n_forms, m) values; only forms that are new since the last call are computed."""
        n = len(vocabulary)
        kept, done = vocabulary._columns.get(self, (None, 0))
        if kept is not None and done == n:
            return kept[:n]
        fresh = np.asarray(self._compute(vocabulary[done:n]))
        if kept is None or len(kept) < n:
            room = np.empty((max(1024, 2 * n), *fresh.shape[1:]), fresh.dtype)
            if kept is not None:
                room[:done] = kept[:done]
            kept = room
        kept[done:n] = fresh
        vocabulary._columns[self] = (kept, n)
        return kept[:n]


KINDS: FormTable[np.int8] = FormTable(lambda forms: np.array([kind_of(form) for form in forms], np.int8))
NORMALS: FormTable[np.object_] = FormTable(lambda forms: np.array([normal(form) for form in forms] + [""], object)[:-1])


def kinds(vocabulary: Vocabulary, /) -> NDArray[np.int8]:
    """(n_forms,) kinds of forms, codes of `TokenKind`."""
    return KINDS.on(vocabulary)


def normal_codes(vocabulary: Vocabulary, /) -> NDArray[np.int32]:
    """(n_forms,) codes of the normal forms in `vocabulary.normals`."""
    if vocabulary.normals is vocabulary:
        return np.arange(len(vocabulary), dtype=np.int32)
    return vocabulary.normals.codes(NORMALS.on(vocabulary).tolist())


IS_WORD = np.array([kind != TokenKind.PUNCTUATION for kind in TokenKind])
