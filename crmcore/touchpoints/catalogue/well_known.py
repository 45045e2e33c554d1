"""Touchpoints and platforms that most brands know, as data to start from and to edit."""

from __future__ import annotations

from functools import lru_cache

from crmcore.touchpoints.catalogue.entries import Catalogue, Touchpoint

__all__ = ["standard"]

# name; media; form; phase ("" = time tells); other names
_LISTED = """
website; owned; digital; ; websites, web, site, homepage, www, landing page
application; owned; digital; ; applications, app, mobile app, ios app, android app
web shop; owned; digital; ; online store, e-shop, webstore
checkout; owned; digital; during; cart, payment, payment details, shipping details, basket
e-mail; owned; digital; ; email, newsletter, mail
SMS; owned; digital; ; text message
push message; owned; digital; ; push, push notification, web push
live chat; owned; digital; ; webchat, chat, chatbot, support chat
customer portal; owned; digital; after; self-service, help centre, faq
social media; owned; digital; ; social, social network
Facebook page; owned; digital; ; facebook, fb, fb page, page inbox, fan page, messenger
Instagram profile; owned; digital; ; instagram, ig
TikTok profile; owned; digital; ; tiktok
TikTok shop; owned; digital;
YouTube channel; owned; digital; ; youtube
LINE OA; owned; digital; ; line, line official account, line friend, line chat
WhatsApp; owned; digital; ; whatsapp business
X profile; owned; digital; ; x, twitter
LinkedIn page; owned; digital; ; linkedin
blog; owned; digital; ; content hub, magazine
webinar; owned; digital;
marketplace shop; owned; digital; ; shopee, lazada, amazon, marketplace, shopee compare
storefront; owned; physical; ; storefronts, store, shop, branch, outlet
sales staff; owned; physical; ; salesperson, sales visit, sales representative
product display; owned; physical; ; product displays, shelf, showroom
packaging; owned; physical; after; package, box, unboxing
cash desk; owned; physical; during; till, point of sale, pos, counter
call centre; owned; physical; ; call center, hotline, telephone, phone, service line
delivery; owned; physical; after; courier, pick-up
event; owned; physical; ; fair, trade fair, pop-up store
catalogue in print; owned; physical; ; brochure, flyer, leaflet, direct mail, letter
loyalty card; owned; physical; ; member card, membership card
lounge; owned; physical; after; airport lounge
check-in; owned; physical; after; check in desk, reception
online booking; owned; digital; during; booking
review; earned; digital; ; reviews, product review, customer review, google review, ratings
review site; earned; digital; ; comparison site, price comparison, trustpilot, tripadvisor
reviews in groups; earned; digital; ; group review, reviews in group
TikTok review; earned; digital; ; tiktok reviews, video review
word of mouth; earned; physical; ; friend, a friend's opinion, recommendation, family
referral; earned; digital; ; refer a friend, invitation
press; earned; physical; ; newspaper, magazine article, journalist, television report
online press; earned; digital; ; news site, viral article
organic search; earned; digital; ; search, seo, google search, google, bing
mention; earned; digital; ; mentions, tag, hashtag
influencer; shared; digital; ; influencers, creator, key opinion leader, kol
Facebook group; shared; digital; ; group, facebook community
community; shared; digital; ; forum, community forum, discord, reddit, pantip
user content; shared; digital; ; ugc, user-generated content
shared post; shared; digital; ; share, repost, retweet
Google Ads; paid; digital; before; google ad, adwords, paid search, sem, search ad
YouTube Ads; paid; digital; before; youtube ad, video ad
Facebook ad; paid; digital; before; facebook ads, meta ads, fb ad
Instagram ad; paid; digital; before; instagram ads
TikTok ad; paid; digital; before; tiktok ads
LINE ad; paid; digital; before; line ads
display ad; paid; digital; before; banner, display, programmatic, retargeting
online advertisement; paid; digital; before; online advertisements, online ad, ads, advertisement
sponsored post; paid; digital; before; paid social, promoted post
paid influencer; paid; digital; before; sponsored creator, paid partnership
affiliate; paid; digital; before; affiliate link, affiliates
television ad; paid; physical; before; tv, tv ad, commercial
radio ad; paid; physical; before; radio
print ad; paid; physical; before; newspaper ad, magazine ad
outdoor ad; paid; physical; before; billboard, out-of-home, ooh
cinema ad; paid; physical; before; cinema
"""


@lru_cache(maxsize=1)
def standard() -> Catalogue:
    """Catalogue of well-known touchpoints; yours is this one with `with_`, `replace` and `without`.

    The classes are the common reading: a page that the brand runs is owned, what others say of their own accord is
    earned, where people pass things on is shared, bought reach is paid. An influencer stands under shared; one who is
    paid is "paid influencer". A name that could be several things, such as "facebook" or "search", stands for the most
    usual one: replace it where your data say more.

    Examples
    --------
    >>> catalogue = standard()
    >>> [catalogue[name].media.group for name in ("website", "influencers", "YouTube Ads")]
    ['owned', 'earned and shared', 'paid']
    """
    return Catalogue(tuple(_entry(line) for line in _LISTED.strip().splitlines()))


def _entry(line: str) -> Touchpoint:
    name, media, form, phase, *also = (part.strip() for part in line.split(";"))
    others = [word.strip() for word in (also[0].split(",") if also else ()) if word.strip()]
    return Touchpoint(name, media, form, phase or None, also=others)
