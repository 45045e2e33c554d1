"""Countries, cities, streets, postcodes and telephone numbers: made-up addresses in the shape of each country."""

# ruff: noqa: E501  (tables of words and of columns read best as lines)

from __future__ import annotations

from functools import lru_cache

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Ints, Objects, long_tail, texts

__all__ = ["COUNTRIES", "Country", "Places", "national", "places"]


@attrs.frozen
class Country:
    """What an address and a number look like in one country.

    `mobile` and `landline` are national prefixes without the trunk digit, `digits` how many follow them; `cultures`
    weighs the name cultures of its people; `#` in a postcode is a digit, `@` a letter.
    """

    code: str
    name: str
    calling: str
    trunk: str
    mobile: tuple[str, ...]
    mobile_digits: int
    landline: tuple[str, ...]
    landline_digits: int
    groups: tuple[int, ...]  # digit groups of a mobile number as written at home, trunk included
    weight: float
    cultures: dict[str, float]
    cities: tuple[str, ...]  # "native=Latin:postcode pattern:region"
    streets: tuple[str, ...]
    types: tuple[str, ...]  # "{} Road/{} Rd"


def _w(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES: tuple[Country, ...] = (
    Country(
        "TH", "Thailand", "66", "0", _w("81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 61 62 63 64 65"), 7, _w("221 225 291 382 384 532 538 432 742 762"), 5,
        (3, 3, 4), 0.46, {"thai": 0.88, "chinese": 0.05, "english": 0.03, "indian": 0.02, "german": 0.02},
        _w("กรุงเทพ=Bangkok:10##0:central นนทบุรี=Nonthaburi:11##0:central สมุทรปราการ=Samut_Prakan:10##0:central เชียงใหม่=Chiang_Mai:50##0:north ขอนแก่น=Khon_Kaen:40##0:north "
           "ชลบุรี=Chonburi:20##0:south ภูเก็ต=Phuket:83##0:south หาดใหญ่=Hat_Yai:90##0:south นครราชสีมา=Nakhon_Ratchasima:30##0:north อุดรธานี=Udon_Thani:41##0:north ระยอง=Rayong:21##0:south เชียงราย=Chiang_Rai:57##0:north"),
        _w("สุขใจ=Sukchai ลาดสวน=Lat_Suan พระจันทร์=Phra_Chan รามอินทรา=Ram_Inthra เจริญนคร=Charoen_Nakhon ราชวิถี=Ratchawithi พหลทอง=Phahon_Thong บางรัก=Bang_Rak ทองสุข=Thong_Suk สีเขียว=Si_Khiao ประชาสุข=Pracha_Suk เพชรงาม=Phet_Ngam "
           "ห้วยแก้ว=Huai_Kaeo ท่าเรือ=Tha_Ruea มิตรภาพ=Mittraphap นิมมาน=Nimman ตลาดใหม่=Talat_Mai วิภา=Wipha สาทร=Sathon อโศก=Asok"),
        ("Soi {} #/ซอย {} #/{} Soi #", "{} Road/ถนน{}/Thanon {}", "Moo # {}/หมู่ # {}/M.# {}"),
    ),
    Country(
        "GB", "United Kingdom", "44", "0", _w("7400 7411 7512 7533 7712 7725 7740 7785 7801 7815 7860 7890 7901 7917 7930 7976"), 6, _w("2072 2083 1612 1214 1312 1132"), 6,
        (5, 6), 0.16, {"english": 0.80, "indian": 0.10, "arabic": 0.04, "chinese": 0.03, "french": 0.03},
        _w("London:SE#_#@@:south London:NW#_#@@:south Manchester:M#_#@@:north Birmingham:B#_#@@:central Leeds:LS#_#@@:north Bristol:BS#_#@@:south Glasgow:G#_#@@:north Edinburgh:EH#_#@@:north Cardiff:CF#_#@@:south Liverpool:L#_#@@:north Bath:BA#_#@@:south York:YO#_#@@:north"),
        _w("High Station Church Park Victoria Green Mill Queens Kings Manor London Albert Alexandra Grange North South West School Springfield New Highfield Grove Chapel Orchard Windsor Stanley Chestnut Elm Oak Beech Willow Ash Birch Maple Rectory"),
        ("{} Road/{} Rd/{} Rd.", "{} Street/{} St/{} Str", "{} Lane/{} Ln", "{} Avenue/{} Ave", "{} Close/{} Cl", "{} Drive/{} Dr"),
    ),
    Country(
        "US", "United States", "1", "", _w("2122 3053 4152 6175 7132 2064 3126 4044 6023 3037 5125 7025 8184 9165 2155"), 6, _w("2123 3054 4153 6176 7133 2065"), 6,
        (3, 3, 4), 0.14, {"english": 0.62, "spanish": 0.20, "chinese": 0.06, "indian": 0.06, "german": 0.04, "arabic": 0.02},
        _w("New_York:100##:east Los_Angeles:900##:west Chicago:606##:central Houston:770##:south Phoenix:850##:west Philadelphia:191##:east San_Antonio:782##:south Dallas:752##:south Austin:787##:south Seattle:981##:west Denver:802##:west Boston:021##:east Miami:331##:south"),
        _w("Main Oak Pine Maple Cedar Elm View Washington Lake Hill Walnut Spring North Ridge Lincoln Church Willow Mill Sunset Railroad Jefferson Center Highland Forest Jackson River Meadow Chestnut Franklin Dogwood Hickory Laurel Valley"),
        ("{} Street/{} St/{} St.", "{} Avenue/{} Ave/{} Av", "{} Drive/{} Dr", "{} Boulevard/{} Blvd", "{} Court/{} Ct"),
    ),
    Country(
        "DE", "Germany", "49", "0", _w("151 152 157 160 170 171 172 173 175 176 179"), 8, _w("30 40 89 69 221"), 7, (4, 8), 0.10,
        {"german": 0.86, "arabic": 0.05, "english": 0.03, "spanish": 0.03, "french": 0.03},
        _w("Berlin:10###:east Hamburg:20###:north München:80###:south Köln:50###:west Frankfurt:60###:west Stuttgart:70###:south Düsseldorf:40###:west Leipzig:04###:east Dortmund:44###:west Dresden:01###:east Nürnberg:90###:south Freiburg:79###:south"),
        _w("Haupt Schul Garten Bahnhof Dorf Berg Birken Linden Kirch Wald Ring Schiller Goethe Wiesen Buchen Feld Mühlen Rosen Blumen Park Eichen Tannen Sonnen Mozart Amsel Lerchen Kastanien Ahorn Brunnen See"),
        ("{}straße/{}str./{}strasse", "{}weg/{}-Weg", "{}platz/{}pl.", "{}allee/{}-Allee"),
    ),
    Country(
        "FR", "France", "33", "0", _w("61 62 64 66 67 68 76 77 78"), 7, _w("1 4 5"), 8, (2, 2, 2, 2, 2), 0.04, {"french": 0.84, "arabic": 0.10, "spanish": 0.03, "german": 0.03},
        _w("Paris:750##:north Marseille:130##:south Lyon:690##:east Toulouse:310##:south Nice:060##:south Nantes:440##:west Strasbourg:670##:east Bordeaux:330##:west Lille:590##:north Rennes:350##:west"),
        _w("Église Gare Moulin Château Fontaine Paix République Victor Hugo Pasteur Écoles Jardins Lilas Tilleuls Forêt Marché Rosiers Prés Vignes Chênes"),
        ("rue de la {}/r. de la {}/Rue {}", "avenue {}/av. {}", "boulevard {}/bd {}", "place {}/pl. {}"),
    ),
    Country(
        "ES", "Spain", "34", "", _w("61 62 63 65 66 67 68 69"), 7, _w("91 93 95 96"), 7, (3, 3, 3), 0.04, {"spanish": 0.92, "arabic": 0.05, "english": 0.03},
        _w("Madrid:280##:central Barcelona:080##:east Valencia:460##:east Sevilla:410##:south Zaragoza:500##:north Málaga:290##:south Murcia:300##:south Bilbao:480##:north Granada:180##:south Vigo:362##:north"),
        _w("Mayor Iglesia Sol Nueva Real Constitución Fuente Colón Cervantes Rosario Norte Olivo Molino Jardines Carmen Luna Palma Río Goya Prado"),
        ("Calle {}/C/ {}/C. {}", "Avenida {}/Avda. {}/Av. {}", "Plaza {}/Pl. {}", "Paseo {}/Pº {}"),
    ),
    Country(
        "IN", "India", "91", "0", _w("981 982 984 987 990 991 994 995 996 997 998 999 886 880"), 7, _w("222 112 802"), 7, (5, 6), 0.03, {"indian": 0.96, "english": 0.02, "arabic": 0.02},
        _w("Mumbai:4000##:west Delhi:1100##:north Bengaluru:5600##:south Chennai:6000##:south Kolkata:7000##:east Pune:4110##:west Hyderabad:5000##:south Jaipur:3020##:north"),
        _w("Gandhi Nehru Station Temple Market Park Lake Garden Tilak Patel Ashoka Shivaji Rajaji Subhash Church Hill Palace Residency Brigade Commercial"),
        ("{} Road/{} Rd", "{} Marg", "{} Nagar/{}nagar", "# Main, {} Layout/#th Main {} Lyt"),
    ),
    Country(
        "AE", "United Arab Emirates", "971", "0", _w("50 52 54 55 56 58"), 7, _w("42 43 44 26 65"), 6, (3, 3, 4), 0.02, {"arabic": 0.62, "indian": 0.26, "english": 0.12},
        _w("Dubai::east Abu_Dhabi::west Sharjah::east Ajman::east"),
        _w("Marina Palm Creek Rashid Zayed Khalifa Corniche Falcon Pearl Desert Garden Jumeira Karama Naif Safa Wasl"),
        ("{} Street/{} St", "Al {} Road/Al {} Rd", "{} Tower #/{} Twr #"),
    ),
    Country(
        "SG", "Singapore", "65", "", _w("81 82 83 84 85 86 87 90 91 92 93 94 96 97 98"), 6, _w("62 63 64 65 67"), 6, (4, 4), 0.01, {"chinese": 0.74, "indian": 0.12, "english": 0.08, "arabic": 0.06},
        _w("Singapore:1#####:east Singapore:3#####:central Singapore:5#####:west Singapore:7#####:north"),
        _w("Orchid Tampines Bedok Clementi Jurong Bishan Serangoon Yishun Punggol Geylang Queenstown Redhill Holland Bukit Marine Katong"),
        ("{} Road/{} Rd", "{} Avenue #/{} Ave #", "{} Street #/{} St #", "Blk # {} Drive/#{} Dr"),
    ),
)  # fmt: skip


@attrs.frozen(eq=False, repr=False)
class Places:
    """Cities and streets of all countries as columns; an address is a city, a street and a number."""

    country: Ints  # (cities,)
    city: Objects
    city_native: Objects  # None outside Thailand
    postcode: Objects  # pattern
    region: Objects
    city_pools: tuple[tuple[Ints, NDArray[np.float64]], ...]  # by country
    street_styles: NDArray[np.object_]  # (streets, 3) rival ways to write it
    street_pools: tuple[tuple[Ints, NDArray[np.float64]], ...]

    def __repr__(self) -> str:
        return f"Places({len(self.city)} cities, {len(self.street_styles)} streets)"


@lru_cache(maxsize=1)
def places() -> Places:
    """Cities and streets of all countries, made once.

    Examples
    --------
    >>> places().city[0], places().postcode[0]
    ('Bangkok', '10##0')
    """
    cities: list[tuple[int, str, str | None, str, str]] = []
    streets: list[tuple[str, str, str]] = []
    city_pools: list[tuple[Ints, NDArray[np.float64]]] = []
    street_pools: list[tuple[Ints, NDArray[np.float64]]] = []
    for c, country in enumerate(COUNTRIES):
        begin = len(cities)
        for token in country.cities:
            name, postcode, region = token.replace("_", " ").split(":")
            native, _, latin = name.rpartition("=")
            cities.append((c, latin, native or None, postcode, region))
        city_pools.append((np.arange(begin, len(cities)), long_tail(len(cities) - begin, exponent=0.9)))
        begin = len(streets)
        streets += [_styles(word.replace("_", " "), kind) for kind in country.types for word in country.streets]
        order = np.random.default_rng(c).permutation(np.arange(begin, len(streets)))
        street_pools.append((order, long_tail(len(order), exponent=0.5)))
    country_code, city, native_name, pattern, zone = zip(*cities, strict=True)
    styles = np.empty((len(streets), 3), dtype=object)
    styles[:] = streets
    return Places(
        np.array(country_code, dtype=np.int64),
        texts(city),
        texts(native_name),
        texts(pattern),
        texts(zone),
        tuple(city_pools),
        styles,
        tuple(street_pools),
    )


def _styles(word: str, kind: str) -> tuple[str, str, str]:
    """Three ways to write one street, the usual one repeated where there are fewer."""
    native, _, latin = word.rpartition("=")
    made = []
    for form in kind.split("/", 2) if "C/" not in kind else ["Calle {}", "C/ {}", "C. {}"]:
        thai = any("\u0e00" <= ch <= "\u0e7f" for ch in form)
        made.append(form.replace("{}", native if thai else latin))
    return (made[0], made[1 % len(made)], made[2 % len(made)])


def national(rng: np.random.Generator, country: Ints, *, mobile: bool) -> Objects:
    """One telephone number each, as national digits without the trunk digit; mobile numbers are distinct."""
    numbers = np.empty(len(country), dtype=object)
    for c, child in zip(range(len(COUNTRIES)), rng.spawn(len(COUNTRIES)), strict=True):
        rows = np.flatnonzero(country == c)
        rule = COUNTRIES[c]
        prefixes, digits = (rule.mobile, rule.mobile_digits) if mobile else (rule.landline, rule.landline_digits)
        span = 10**digits
        picks = child.choice(len(prefixes) * span * 9 // 10, len(rows), replace=False)
        # The first digit after the prefix is never 0: some plans do not allow it.
        first, rest = np.divmod(picks, span * 9 // 10)
        ends = rest + span // 10
        numbers[rows] = [f"{prefixes[p]}{e}" for p, e in zip(first.tolist(), ends.tolist(), strict=True)]
    return numbers
