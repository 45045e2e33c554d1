"""Kinds of well-known sites, by their domains or by the names that campaign tags give them."""

# ruff: noqa: E501  (lists of names)

from __future__ import annotations

__all__ = ["SEARCH", "SHOPPING", "SOCIAL", "VIDEO", "site_kind"]

# a word is matched as the name itself and as a label of a domain: "google" fits google.co.th and google
SEARCH = frozenset(
    "google bing yahoo duckduckgo baidu yandex ecosia naver daum qwant seznam startpage sogou ask brave".split()
)
SOCIAL = frozenset(
    "facebook fb instagram ig tiktok twitter x t linkedin lnkd pinterest reddit threads snapchat tumblr vk weibo quora "
    "pantip mastodon bluesky bsky discord telegram xing kakao zalo".split()
)
VIDEO = frozenset("youtube youtu vimeo twitch dailymotion bilibili netflix hulu disneyplus".split())
SHOPPING = frozenset(
    "amazon ebay etsy shopee lazada aliexpress walmart rakuten mercadolibre zalando shopping alibaba".split()
)

_KINDS = {"search": SEARCH, "social": SOCIAL, "video": VIDEO, "shopping": SHOPPING}
_SECOND_LEVEL = frozenset("co com org net ac gov edu or ne go in".split())
_SHORT = frozenset({"x", "t", "fb", "ig", "vk", "ask", "brave", "daum"})  # too short or common to be any label
_HOSTS = {"x.com": "social", "t.co": "social", "fb.com": "social", "fb.me": "social", "vk.com": "social", "ask.com": "search",
          "search.brave.com": "search", "daum.net": "search", "search.daum.net": "search", "lnkd.in": "social"}  # fmt: skip


def site_kind(name: str) -> str | None:
    """Kind of a site; None where it is not known.

    Examples
    --------
    >>> site_kind("l.facebook.com"), site_kind("IG"), site_kind("news.example.org"), site_kind("x.com")
    ('social', 'social', None, 'social')
    """
    word = name.strip().casefold()
    if not word:
        return None
    if word in _HOSTS:
        return _HOSTS[word]
    labels = word.split(".")
    if len(labels) == 1:
        return next((kind for kind, names in _KINDS.items() if word in names), None)
    # the registered name: google.com, google.co.th; not google.example.org
    name_at = -3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else -2
    label = labels[name_at]
    return next((kind for kind, names in _KINDS.items() if label in names - _SHORT), None)
