"""Where a web visit came from: campaign tags, click identifiers and referrer, read by rules that are data."""

# ruff: noqa: E501  (rules read best as lines)

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.metrics.shares import ShareTable, share_table
from crmcore.tables import TextColumn
from crmcore.touchpoints.catalogue.kinds import Media
from crmcore.touchpoints.catalogue.sites import site_kind

__all__ = ["STANDARD_RULES", "Arrival", "ArrivalRule", "Arrivals", "arrivals", "read_arrival"]

UNASSIGNED = "unassigned"
_PAID = r"(.*cp.*|ppc|retargeting|paid.*)"
_CLICK_IDS = ("gclid", "gbraid", "wbraid", "msclkid", "ttclid", "li_fat_id", "twclid", "dclid")


def _pattern(_instance: Any, attribute: Any, value: str | None) -> None:
    if value is None:
        return
    try:
        re.compile(value)
    except re.error as error:
        raise OutOfRange(attribute.name, value, "a regular expression", f"{error}") from None


def _sites(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongType("site", "a text", "a list of site kinds", f"write site=[{given!r}]")
    return tuple(given)


@attrs.frozen(kw_only=True)
class ArrivalRule(Document):
    """One way to recognise where visits come from; all set conditions must hold, the first rule that fits wins.

    Parameters
    ----------
    channel : text
        What to call it: "paid search".
    media : Media
    touchpoint : text
        Entry of the catalogue that it is, "" for none in particular.
    source, medium, campaign : regular expressions, optional
        Matched whole, without case, against the campaign tags.
    site : list of text
        Kinds of site ("search", "social", "video", "shopping") of the source or the referrer, one of which must fit.
    click_id : list of text
        Query parameters that advertising systems add, one of which must be there.
    from_elsewhere : truth, optional
        True: there is a referrer outside one's own domains. False: there is neither tag, click identifier nor referrer.

    Examples
    --------
    >>> fair = ArrivalRule(channel="fair", media="owned", touchpoint="event", source="fair-2026")
    >>> read_arrival("https://shop.example/?utm_source=Fair-2026", rules=[fair, *STANDARD_RULES]).channel
    'fair'
    """

    channel: str
    media: Media = attrs.field(converter=Media)
    touchpoint: str = ""
    source: str | None = attrs.field(default=None, validator=_pattern)
    medium: str | None = attrs.field(default=None, validator=_pattern)
    campaign: str | None = attrs.field(default=None, validator=_pattern)
    site: tuple[str, ...] = attrs.field(default=(), converter=_sites)
    click_id: tuple[str, ...] = attrs.field(default=(), converter=_sites)
    from_elsewhere: bool | None = None

    def fits(self, visit: _Visit, /) -> bool:
        """Whether all conditions hold for what is known of a visit."""
        told = {"source": visit.source, "medium": visit.medium, "campaign": visit.campaign}
        for name, word in told.items():
            wanted = getattr(self, name)
            if wanted is not None and not re.fullmatch(wanted, word, re.IGNORECASE):
                return False
        if self.site and not set(self.site) & visit.sites:
            return False
        if self.click_id and not set(self.click_id) & set(visit.click_ids):
            return False
        return self.from_elsewhere is None or self.from_elsewhere == visit.from_elsewhere


@attrs.frozen(repr=False)
class _Visit:
    """What an address and a referrer say."""

    source: str
    medium: str
    campaign: str
    click_ids: tuple[str, ...]
    referrer: str  # host, "" = none or one's own

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(kind for kind in (site_kind(self.source), site_kind(self.referrer)) if kind)

    @property
    def from_elsewhere(self) -> bool | None:
        if self.referrer:
            return True
        return None if self.source or self.medium or self.click_ids else False


STANDARD_RULES: tuple[ArrivalRule, ...] = (
    ArrivalRule(channel="direct", media=Media.OWNED, touchpoint="website", from_elsewhere=False),
    ArrivalRule(channel="paid search", media=Media.PAID, touchpoint="Google Ads", click_id=("gclid", "gbraid", "wbraid", "msclkid")),
    ArrivalRule(channel="paid social", media=Media.PAID, touchpoint="sponsored post", click_id=("ttclid", "li_fat_id", "twclid")),
    ArrivalRule(channel="display", media=Media.PAID, touchpoint="display ad", click_id=("dclid",)),
    ArrivalRule(channel="paid shopping", media=Media.PAID, touchpoint="online advertisement", site=("shopping",), medium=_PAID),
    ArrivalRule(channel="paid shopping", media=Media.PAID, touchpoint="online advertisement", campaign=r"(.*(([^a-df-z]|^)shop|shopping).*)", medium=_PAID),
    ArrivalRule(channel="paid search", media=Media.PAID, touchpoint="Google Ads", site=("search",), medium=_PAID),
    ArrivalRule(channel="paid social", media=Media.PAID, touchpoint="sponsored post", site=("social",), medium=_PAID),
    ArrivalRule(channel="paid video", media=Media.PAID, touchpoint="YouTube Ads", site=("video",), medium=_PAID),
    ArrivalRule(channel="display", media=Media.PAID, touchpoint="display ad", medium=r"display|banner|expandable|interstitial|cpm"),
    ArrivalRule(channel="paid other", media=Media.PAID, touchpoint="online advertisement", medium=_PAID),
    ArrivalRule(channel="affiliates", media=Media.PAID, touchpoint="affiliate", medium=r"affiliates?"),
    ArrivalRule(channel="influencer", media=Media.SHARED, touchpoint="influencer", medium=r"influencers?|creators?|kol"),
    ArrivalRule(channel="e-mail", media=Media.OWNED, touchpoint="e-mail", medium=r"e[-_ ]?mail|newsletter"),
    ArrivalRule(channel="e-mail", media=Media.OWNED, touchpoint="e-mail", source=r"e[-_ ]?mail|newsletter"),
    ArrivalRule(channel="SMS", media=Media.OWNED, touchpoint="SMS", medium=r"sms"),
    ArrivalRule(channel="SMS", media=Media.OWNED, touchpoint="SMS", source=r"sms"),
    ArrivalRule(channel="push message", media=Media.OWNED, touchpoint="push message", medium=r".*push|.*mobile.*|.*notification.*"),
    ArrivalRule(channel="LINE OA", media=Media.OWNED, touchpoint="LINE OA", source=r"line|line[-_ ]?oa|liff\.line\.me|line\.me"),
    ArrivalRule(channel="audio", media=Media.PAID, touchpoint="online advertisement", medium=r"audio"),
    ArrivalRule(channel="organic shopping", media=Media.EARNED, touchpoint="review site", site=("shopping",)),
    ArrivalRule(channel="organic social", media=Media.SHARED, touchpoint="shared post", site=("social",)),
    ArrivalRule(channel="organic social", media=Media.SHARED, touchpoint="shared post", medium=r"social|social[-_ ]?(network|media)|sm"),
    ArrivalRule(channel="organic video", media=Media.SHARED, touchpoint="shared post", site=("video",)),
    ArrivalRule(channel="organic video", media=Media.SHARED, touchpoint="shared post", medium=r".*video.*"),
    ArrivalRule(channel="organic search", media=Media.EARNED, touchpoint="organic search", site=("search",)),
    ArrivalRule(channel="organic search", media=Media.EARNED, touchpoint="organic search", medium=r"organic"),
    ArrivalRule(channel="referral", media=Media.EARNED, touchpoint="referral", medium=r"referral|app|link"),
    ArrivalRule(channel="referral", media=Media.EARNED, touchpoint="referral", from_elsewhere=True),
)  # fmt: skip
"""Order and conditions follow what web analytics teaches as the default channel group: direct, paid before organic, then
the media by name, then who sent the visit. Read in the public help pages of web analytics; client-side details differ."""


@attrs.frozen(kw_only=True)
class Arrival:
    """Where one visit came from, and the rule that said so."""

    channel: str
    media: Media | None
    touchpoint: str
    rule: int  # position in the rules, -1 = none fitted

    def __str__(self) -> str:
        return f"{self.channel} ({self.media.value if self.media else 'unknown'})"


_NOWHERE = Arrival(channel=UNASSIGNED, media=None, touchpoint="", rule=-1)


def read_arrival(
    url: str,
    /,
    *,
    referrer: str | None = None,
    own_domains: Sequence[str] = (),
    rules: Sequence[ArrivalRule] | None = None,
) -> Arrival:
    """Where a visit came from, from the address that was opened and the page before it.

    Parameters
    ----------
    url : text
        With its campaign tags (`utm_source`, `utm_medium`, `utm_campaign`) and click identifiers; a bare path will do.
    referrer : text, optional
        Address of the page before.
    own_domains : list of text
        Referrers under these, and under the domain of `url` itself, are one's own pages and say nothing.
    rules : list of ArrivalRule, optional
        None takes `STANDARD_RULES`.

    Examples
    --------
    >>> print(read_arrival("https://shop.example/sale?utm_source=facebook&utm_medium=cpc"))
    paid social (paid)
    >>> print(read_arrival("/", referrer="https://www.google.co.th/"), read_arrival("/"), sep=", ")
    organic search (earned), direct (owned)
    """
    return _reader(own_domains, rules)(url, referrer)


def _reader(
    own_domains: Sequence[str], rules: Sequence[ArrivalRule] | None
) -> Callable[[str | None, str | None], Arrival]:
    if isinstance(own_domains, str):
        raise WrongType("own_domains", "a text", "a list of domains", f"write own_domains=[{own_domains!r}]")
    own = frozenset(_host(d if "//" in d else f"//{d}") for d in own_domains)
    listed = STANDARD_RULES if rules is None else tuple(rules)
    if not listed:
        raise EmptyInput("rules", "pass at least one rule, or None for the standard ones")

    def read(url: str | None, referrer: str | None) -> Arrival:
        visit = _visit(url or "", referrer or "", own)
        for i, rule in enumerate(listed):
            if rule.fits(visit):
                return Arrival(channel=rule.channel, media=rule.media, touchpoint=rule.touchpoint, rule=i)
        return _NOWHERE

    return lru_cache(maxsize=65_536)(read)


def _host(address: str) -> str:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:  # such as a broken IPv6 address
        return ""
    return host.removeprefix("www.").rstrip(".")


def _visit(url: str, referrer: str, own: frozenset[str]) -> _Visit:
    try:
        tags = {k.casefold(): v[-1].strip() for k, v in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        tags = {}
    came = _host(referrer if "//" in referrer else f"//{referrer}") if referrer else ""
    domains = own | ({_host(url)} - {""})
    if any(came == d or came.endswith("." + d) for d in domains):
        came = ""
    ids = tuple(name for name in _CLICK_IDS if tags.get(name))
    return _Visit(tags.get("utm_source", ""), tags.get("utm_medium", ""), tags.get("utm_campaign", ""), ids, came)


@attrs.frozen(eq=False, repr=False)
class Arrivals:
    """Where n visits came from; `arrivals[i]` is one of them."""

    of_row: tuple[Arrival, ...]

    def __len__(self) -> int:
        return len(self.of_row)

    def __getitem__(self, row: int) -> Arrival:
        return self.of_row[row]

    def __repr__(self) -> str:
        return f"Arrivals({len(self)} visits, {self.counts.get(UNASSIGNED, 0)} unassigned)"

    def __str__(self) -> str:
        wide = max(map(len, self.counts), default=0)
        return "\n".join(f"{channel:{wide}}  {n:,}" for channel, n in self.counts.items())

    @property
    def channel(self) -> TextColumn:
        """(n,) channels, to be put into an `EventTable`."""
        return TextColumn.of([a.channel for a in self.of_row])

    @property
    def counts(self) -> dict[str, int]:
        """Visits of each channel, the most frequent first."""
        found: dict[str, int] = {}
        for arrival in self.of_row:
            found[arrival.channel] = found.get(arrival.channel, 0) + 1
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def shares(self, *, level: float = 0.95) -> ShareTable:
        """Share of visits of each channel, all intervals right together."""
        return share_table(self.counts, level=level, small_sample_ok=True)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a visit: channel, media, touchpoint, rule."""
        rows = self.of_row
        return write_frame(
            {
                "channel": [a.channel for a in rows],
                "media": [a.media.value if a.media else None for a in rows],
                "touchpoint": [a.touchpoint or None for a in rows],
                "rule": [a.rule for a in rows],
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        return html_table([{"channel": c, "visits": n} for c, n in self.counts.items()], caption=repr(self))


def arrivals(
    urls: Sequence[str | None],
    referrers: Sequence[str | None] | None = None,
    *,
    own_domains: Sequence[str] = (),
    rules: Sequence[ArrivalRule] | None = None,
) -> Arrivals:
    """Where visits came from; see `read_arrival`. Addresses are read and forgotten: they may hold personal data.

    Raises
    ------
    BadRows
        Cells that are no text.
    OutOfRange
        Columns of two lengths.

    Examples
    --------
    >>> print(arrivals(["/?gclid=x", "/", None], [None, "https://t.co/a", None]).counts)
    {'direct': 1, 'organic social': 1, 'paid search': 1}
    """
    pages = list(urls)
    before: list[str | None] = [None] * len(pages) if referrers is None else list(referrers)
    if len(before) != len(pages):
        raise OutOfRange("referrers", len(before), f"{len(pages)}, one a visit", "pass None where there is none")
    columns = {"urls": pages, "referrers": before}
    odd = {
        name: tuple(i for i, cell in enumerate(cells) if not (cell is None or isinstance(cell, str)))
        for name, cells in columns.items()
    }
    problems = tuple(BadRow(name, "no text", rows) for name, rows in odd.items() if rows)
    if problems:
        raise BadRows("arrivals", problems, "pass text, None where an address is missing")
    read = _reader(own_domains, rules)
    return Arrivals(tuple(read(url, page) for url, page in zip(pages, before, strict=True)))
