"""Which platform serves which purpose: capabilities as data, needs of purposes as data, a ranking with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.touchpoints.catalogue.entries import plain_name

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CAPABILITIES", "PURPOSES", "Platform", "PlatformChoice", "PlatformMatrix", "platform_matrix"]

CAPABILITIES = (
    "reach of strangers",
    "messages to known customers",
    "one-to-one talk",
    "members among themselves",
    "shop and payment",
    "coupons and cards",
    "short video",
    "long content",
    "reviews",
    "targeted advertising",
)
"""What a platform can do; 0 (not at all) to 3 (it is made for that)."""

PURPOSES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "awareness": {"reach of strangers": 3, "short video": 2, "targeted advertising": 2},
        "discovery": {"short video": 3, "reach of strangers": 2, "reviews": 1},
        "consideration": {"reviews": 3, "long content": 2, "one-to-one talk": 1},
        "first purchase": {"shop and payment": 3, "targeted advertising": 2, "reviews": 1},
        "repeat purchase": {"messages to known customers": 3, "coupons and cards": 3, "one-to-one talk": 1},
        "loyalty": {"coupons and cards": 3, "messages to known customers": 2, "members among themselves": 1},
        "service": {"one-to-one talk": 3, "messages to known customers": 1},
        "community": {"members among themselves": 3, "long content": 1},
        "advocacy": {"members among themselves": 2, "reviews": 2, "short video": 1},
        "education": {"long content": 3, "members among themselves": 1},
    }
)
"""How much of each capability a purpose needs, 0 to 3."""


@attrs.frozen
class Platform:
    """A platform with what it can do; a capability that is not named is 0.

    Examples
    --------
    >>> Platform("Our app", {"messages to known customers": 3, "coupons and cards": 3}).can["coupons and cards"]
    3
    """

    name: str
    can: Mapping[str, float]

    def __attrs_post_init__(self) -> None:
        for word, degree in self.can.items():
            if word not in CAPABILITIES:
                raise UnknownName("capability", word, CAPABILITIES)
            if not isinstance(degree, int | float) or not 0 <= degree <= 3:
                raise OutOfRange(f"{self.name}: {word}", degree, "0 to 3", "0 is not at all, 3 is made for that")


def _listed() -> tuple[Platform, ...]:
    table = {
        "Facebook page": (2, 1, 2, 1, 1, 1, 1, 2, 2, 3),
        "Facebook group": (1, 1, 1, 3, 0, 0, 1, 2, 1, 0),
        "Instagram": (2, 1, 2, 1, 2, 0, 2, 1, 1, 3),
        "TikTok": (3, 0, 1, 1, 2, 1, 3, 0, 1, 3),
        "YouTube": (2, 1, 0, 1, 0, 0, 2, 3, 1, 3),
        "LINE OA": (0, 3, 3, 0, 1, 3, 1, 1, 0, 1),
        "WhatsApp Business": (0, 2, 3, 1, 1, 0, 0, 0, 0, 0),
        "X": (2, 1, 2, 1, 0, 0, 1, 1, 1, 2),
        "LinkedIn": (2, 1, 1, 2, 0, 0, 1, 2, 0, 3),
        "Marketplace shop": (2, 1, 2, 0, 3, 2, 1, 1, 3, 2),
        "Website": (1, 0, 1, 1, 3, 1, 1, 3, 1, 0),
        "E-mail": (0, 3, 1, 0, 0, 2, 0, 2, 0, 0),
    }
    return tuple(Platform(name, dict(zip(CAPABILITIES, row, strict=True))) for name, row in table.items())


@attrs.frozen(kw_only=True)
class PlatformChoice:
    """One platform for one purpose: how well it fits, from 0 to 1, and through what."""

    platform: str
    purpose: str
    fit: float
    because: tuple[str, ...]
    lacks: tuple[str, ...]

    def __str__(self) -> str:
        why = f": {', '.join(self.because)}" if self.because else ""
        return f"{self.platform} {self.fit:.2f}{why}" + (f"; lacks {', '.join(self.lacks)}" if self.lacks else "")


def _platforms(given: Iterable[Platform]) -> tuple[Platform, ...]:
    return tuple(given)


def _purposes(given: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
    return {name: dict(needs) for name, needs in given.items()}


@attrs.frozen(repr=False)
class PlatformMatrix(Document):
    """Platforms and purposes; the fit is the share of what a purpose needs that a platform gives.

    ``fit = sum(need * can) / (3 * sum(need))``. The shipped numbers are our judgement of what the platforms offer to
    brands: edit them with `with_platform` and `with_purpose`.

    Examples
    --------
    >>> matrix = platform_matrix()
    >>> matrix.best("repeat purchase").platform, matrix.best("community").platform
    ('LINE OA', 'Facebook group')
    >>> print(matrix.rank("service")[0])
    LINE OA 1.00: one-to-one talk, messages to known customers
    """

    platforms: tuple[Platform, ...] = attrs.field(converter=_platforms)
    purposes: Mapping[str, Mapping[str, float]] = attrs.field(converter=_purposes)

    def __attrs_post_init__(self) -> None:
        names = [plain_name(p.name) for p in self.platforms]
        again = tuple(i for i, name in enumerate(names) if name in names[:i])
        if again:
            raise DuplicateIds("platforms", len(again), again, "use with_platform(...) to change one")
        bad = [
            f"{name}: {word}"
            for name, needs in self.purposes.items()
            for word, need in needs.items()
            if word not in CAPABILITIES or not 0 <= need <= 3
        ]
        if bad:
            row = BadRow(
                "purposes", f"not a capability with a need of 0 to 3: {', '.join(bad)}", tuple(range(len(bad)))
            )
            raise BadRows("PlatformMatrix", (row,), f"capabilities are {', '.join(CAPABILITIES)}")
        empty = [name for name, needs in self.purposes.items() if not sum(needs.values())]
        if empty:
            raise EmptyInput(f"needs of {', '.join(empty)}", "a purpose needs at least one capability")

    def __repr__(self) -> str:
        return f"PlatformMatrix({len(self.platforms)} platforms, {len(self.purposes)} purposes)"

    def __str__(self) -> str:
        return "\n".join(f"{name}: {self.rank(name)[0]}" for name in self.purposes)

    def with_platform(self, *platforms: Platform) -> PlatformMatrix:
        """Matrix with more platforms; one of the same name gives way."""
        new = {plain_name(p.name) for p in platforms}
        kept = [p for p in self.platforms if plain_name(p.name) not in new]
        return attrs.evolve(self, platforms=(*kept, *platforms))

    def with_purpose(self, name: str, needs: Mapping[str, float]) -> PlatformMatrix:
        """Matrix with one more purpose, or one purpose changed."""
        return attrs.evolve(self, purposes={**self.purposes, name: needs})

    def fit(self, platform: str, purpose: str) -> PlatformChoice:
        """How well one platform serves one purpose."""
        named = {plain_name(p.name): p for p in self.platforms}
        found = named.get(plain_name(platform))
        if found is None:
            raise UnknownName("platform", platform, tuple(p.name for p in self.platforms))
        return self._fit(found, self._needs(purpose), purpose)

    def _needs(self, purpose: str) -> Mapping[str, float]:
        if purpose not in self.purposes:
            raise UnknownName("purpose", purpose, tuple(self.purposes))
        return self.purposes[purpose]

    def _fit(self, platform: Platform, needs: Mapping[str, float], purpose: str) -> PlatformChoice:
        parts = {word: need * platform.can.get(word, 0) for word, need in needs.items() if need}
        fit = sum(parts.values()) / (3 * sum(needs.values()))
        strong = [w for w, _ in sorted(parts.items(), key=lambda item: -item[1]) if platform.can.get(w, 0) >= 2]
        lacks = [w for w in parts if platform.can.get(w, 0) == 0]
        return PlatformChoice(
            platform=platform.name, purpose=purpose, fit=fit, because=tuple(strong), lacks=tuple(lacks)
        )

    def rank(self, purpose: str, *, among: Sequence[str] | None = None) -> tuple[PlatformChoice, ...]:
        """Platforms for a purpose, the best first, ties by name; `among` keeps those that the brand has."""
        needs = self._needs(purpose)
        chosen = self.platforms
        if among is not None:
            wanted = {plain_name(self.fit(name, purpose).platform) for name in among}
            chosen = tuple(p for p in self.platforms if plain_name(p.name) in wanted)
        fits = [self._fit(p, needs, purpose) for p in chosen]
        return tuple(sorted(fits, key=lambda c: (-c.fit, c.platform)))

    def best(self, purpose: str, *, among: Sequence[str] | None = None) -> PlatformChoice:
        """The first of `rank`."""
        ranked = self.rank(purpose, among=among)
        if not ranked:
            raise EmptyInput("platforms", "name at least one platform")
        return ranked[0]

    def to_frame(self, backend: Any = None) -> Any:
        """One row a purpose and platform: purpose, platform, fit, because, lacks."""
        rows = [choice for purpose in self.purposes for choice in self.rank(purpose)]
        return write_frame(
            {
                "purpose": [c.purpose for c in rows],
                "platform": [c.platform for c in rows],
                "fit": [c.fit for c in rows],
                "because": [", ".join(c.because) for c in rows],
                "lacks": [", ".join(c.lacks) for c in rows],
            },
            backend=backend,
        )

    def chart(self) -> Chart:
        """Fit of every platform for every purpose, as a heat map."""
        from crmcore.charts import heat_map

        cells = [[self._fit(p, needs, name).fit for p in self.platforms] for name, needs in self.purposes.items()]
        return heat_map(
            list(self.purposes),
            [p.name for p in self.platforms],
            cells,
            title="Which platform serves which purpose",
            description=f"Fit from 0 to 1.\n{self}",
            row_title="",
            column_title="",
        )

    def _repr_html_(self) -> str:
        tops = ((name, self.rank(name)[:3]) for name in self.purposes)
        rows = [{"purpose": n, **{f"{i}.": f"{c.platform} {c.fit:.2f}" for i, c in enumerate(t, 1)}} for n, t in tops]
        return html_table(rows, caption=repr(self))


def platform_matrix() -> PlatformMatrix:
    """The shipped matrix of well-known platforms and purposes.

    Examples
    --------
    >>> [choice.platform for choice in platform_matrix().rank("awareness")[:2]]
    ['TikTok', 'Instagram']
    """
    return PlatformMatrix(_listed(), PURPOSES)
