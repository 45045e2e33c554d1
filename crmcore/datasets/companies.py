"""Company records with truth: one firm written in many ways, and sister firms that look alike but are not the same."""

from __future__ import annotations

import attrs
import numpy as np

from crmcore.datasets import noise as slips
from crmcore.datasets.columns import Columns, Ints, Objects, children, draw, long_tail, opaque_ids, shuffled, texts
from crmcore.datasets.places import COUNTRIES, national, places
from crmcore.errors import OutOfRange

__all__ = ["OrganisationSet", "organisations"]

HEADS = [
    "Al",
    "Ar",
    "Bal",
    "Bor",
    "Cal",
    "Cer",
    "Dan",
    "Del",
    "El",
    "Fer",
    "Gal",
    "Gran",
    "Hel",
    "Hol",
    "In",
    "Jor",
    "Kal",
    "Kor",
    "Lan",
    "Lum",
    "Mar",
    "Mer",
    "Nor",
    "Nov",
    "Or",
    "Pal",
    "Per",
    "Quin",
    "Ros",
    "Sal",
    "Sol",
    "Tal",
    "Ter",
    "Tor",
    "Ul",
    "Val",
    "Ver",
    "Vol",
    "Wes",
    "Xan",
    "Yor",
    "Zen",
]
TAILS = [
    "ada",
    "aro",
    "axis",
    "bex",
    "cora",
    "dane",
    "dex",
    "dora",
    "era",
    "eon",
    "field",
    "fina",
    "gate",
    "gon",
    "gard",
    "ica",
    "ion",
    "iva",
    "kor",
    "land",
    "lia",
    "line",
    "mark",
    "mont",
    "mora",
    "nex",
    "nova",
    "on",
    "ora",
    "pex",
    "port",
    "ra",
    "rex",
    "ria",
    "rion",
    "ris",
    "sen",
    "ta",
    "tec",
    "tis",
    "tor",
    "ura",
    "va",
    "ven",
    "via",
    "vist",
    "wick",
    "yx",
]
TRADES = (
    "Foods",
    "Logistics",
    "Trading",
    "Engineering",
    "Textiles",
    "Pharma",
    "Electronics",
    "Packaging",
    "Motors",
    "Consulting",
    "Energy",
    "Travel",
    "Media",
    "Software",
    "Construction",
    "Chemicals",
)
SHORTER = {
    "International": ("Intl", "Int'l"),
    "Engineering": ("Eng.", "Engrg"),
    "Manufacturing": ("Mfg", "Mfg."),
    "Technology": ("Tech",),
    "Logistics": ("Log.",),
    "Consulting": ("Consult.",),
    "Construction": ("Constr.",),
    "Electronics": ("Elec.",),
    "Pharma": ("Pharmaceuticals",),
    "and": ("&", "+"),
    "Group": ("Grp",),
    "Trading": ("Trdg",),
}
LEGAL = {  # country -> forms, each with its spellings
    "TH": (("Co., Ltd.", "Company Limited", "Co.,Ltd", "Co Ltd", "จำกัด"), ("Public Company Limited", "PCL", "Plc.")),
    "GB": (("Ltd", "Limited", "Ltd."), ("PLC", "plc"), ("LLP",)),
    "US": (("Inc.", "Inc", "Incorporated"), ("LLC", "L.L.C."), ("Corp.", "Corporation")),
    "DE": (("GmbH", "G.m.b.H.", "Gesellschaft mbH"), ("AG",), ("GmbH & Co. KG", "GmbH und Co KG")),
    "FR": (("SARL", "S.A.R.L."), ("SA", "S.A."), ("SAS",)),
    "ES": (("S.L.", "SL"), ("S.A.", "SA")),
    "IN": (("Pvt. Ltd.", "Private Limited", "Pvt Ltd"), ("Limited", "Ltd")),
    "AE": (("LLC", "L.L.C"), ("FZE",)),
    "SG": (("Pte. Ltd.", "Pte Ltd", "Private Limited"),),
}  # fmt: skip


@attrs.frozen(eq=False, repr=False)
class OrganisationSet:
    """Company records and whose they are: row i of everything is the same record."""

    records: Columns
    organisation: Ints  # (n,) the firm
    group: Ints  # (n,) the family of firms; members of one group are different firms

    def __len__(self) -> int:
        return len(self.organisation)

    def __repr__(self) -> str:
        return f"OrganisationSet({len(self)} records, {len(set(self.organisation.tolist()))} organisations)"


def _groups(rng: np.random.Generator, n: int) -> tuple[Ints, Objects, Objects]:
    """Group, stem and trade of each firm: three in ten groups have two to four sister firms with other trades."""
    r = children(rng, "size", "stem", "trade", "extra")
    size = np.where(r["size"].random(n) < 0.7, 1, r["size"].integers(2, 5, size=n))
    group = np.repeat(np.arange(n), size)[:n]
    stems = len(HEADS) * len(TAILS)
    # Stems may repeat once all are used: then two firms of one name stand in different cities.
    pick = np.concatenate([r["stem"].permutation(stems) for _ in range(1 + n // stems)])[:n]
    stem = texts([f"{HEADS[p // len(TAILS)]}{TAILS[p % len(TAILS)]}" for p in pick.tolist()])
    nth = np.arange(n) - np.searchsorted(group, group)
    turn = (r["trade"].integers(len(TRADES), size=n)[group] + nth) % len(TRADES)  # sisters differ in their trade
    extra = texts(["", " International", " Group", " and Sons", " Technology"])[
        draw(r["extra"], [0.7, 0.1, 0.08, 0.07, 0.05], n)
    ]
    return group, stem[group] + extra[group], texts(list(TRADES))[turn]


def organisations(
    n: int, *, seed: int | np.random.Generator, duplicates: float = 0.8, noise: float = 1.0
) -> OrganisationSet:
    """Make n firms and the records that systems hold about them.

    Parameters
    ----------
    n : firms
        At least 1. About half belong to a group of firms with the same stem ("Norvia Foods", "Norvia Logistics").
    seed : int or Generator
        The same seed gives the same records.
    duplicates : records per firm
        Mean number of records beyond the first.
    noise : factor
        Scales slips and missing cells; rival spellings of legal forms stay.

    Raises
    ------
    OutOfRange
        If a number is negative or there is no firm.

    Examples
    --------
    >>> firms = organisations(100, seed=1, duplicates=0.0)
    >>> firms
    OrganisationSet(100 records, 100 organisations)
    """
    for name, value, low in (("n", n, 1), ("duplicates", duplicates, 0), ("noise", noise, 0)):
        if not value >= low:
            raise OutOfRange(name, value, f"{low} or more", "see the parameters of organisations")
    r = children(
        np.random.default_rng(seed),
        "groups",
        "country",
        "legal",
        "phone",
        "tax",
        "count",
        "write",
        "slip",
        "ids",
        "order",
        "city",
        "street",
        "drop",
    )
    group, stem, trade = _groups(r["groups"], n)
    country = draw(r["country"], [c.weight for c in COUNTRIES], n)[group]
    legal = r["legal"].integers(6, size=n)
    phone = national(r["phone"], country, mobile=False)
    tax = opaque_ids(r["tax"], n)
    city = np.empty(n, dtype=np.int64)
    for c, child in zip(range(len(COUNTRIES)), r["city"].spawn(len(COUNTRIES)), strict=True):
        rows = np.flatnonzero(country == c)
        codes, weights = places().city_pools[c]
        city[rows] = codes[draw(child, weights, len(rows))]
    times = 1 + np.minimum(r["count"].poisson(duplicates * r["count"].gamma(0.7, 1 / 0.7, n)), 30)
    firm = np.repeat(np.arange(n), times)
    names = _written(r["write"], stem[firm], trade[firm], country[firm], legal[firm])
    names = slips.recase(r["slip"], slips.mistype(r["slip"], names, 0.04 * noise), lower=0.04, upper=0.14)
    calling = [c.calling for c in COUNTRIES]
    numbers = texts([f"+{calling[c]} {p}" for c, p in zip(country[firm].tolist(), phone[firm].tolist(), strict=True)])
    sites = texts(
        [f"www.{s.lower().replace(' ', '')}-{t.lower()}.example" for s, t in zip(stem[firm], trade[firm], strict=True)]
    )
    drops = children(r["drop"], "phone", "tax", "site", "city")
    columns: Columns = {
        "record_id": opaque_ids(r["ids"], len(firm), prefix="c-"),
        "organisation": names,
        "tax_id": slips.drop(
            drops["tax"], texts([f"{int(t, 16) % 10**13:013d}" for t in tax[firm]]), 0.55 * min(noise, 1.0)
        ),
        "phone": slips.drop(drops["phone"], numbers, 0.20 * min(noise, 1.0)),
        "website": slips.drop(drops["site"], sites, 0.50 * min(noise, 1.0)),
        "city": slips.drop(drops["city"], places().city[city[firm]], 0.10 * min(noise, 1.0)),
        "country": texts([c.code for c in COUNTRIES])[country[firm]],
    }
    columns, order = shuffled(r["order"], columns)
    return OrganisationSet(columns, firm[order], group[firm][order])


def _written(rng: np.random.Generator, stem: Objects, trade: Objects, country: Ints, legal: Ints) -> Objects:
    """A firm's name as one clerk writes it: legal form in one of its spellings or left out, long words shortened."""
    n = len(stem)
    spins = rng.random((n, 4)).tolist()
    weights = np.cumsum(long_tail(5, exponent=1.2, shift=0.5))
    made = []
    for s, t, c, form, (a, b, d, e) in zip(stem, trade, country.tolist(), legal.tolist(), spins, strict=True):
        forms = LEGAL[COUNTRIES[c].code]
        spellings = forms[form % len(forms)]
        ending = spellings[min(int(np.searchsorted(weights, a)), len(spellings) - 1)]
        words = [*s.split(), t]
        if b < 0.25:
            words = [SHORTER[w][int(d * len(SHORTER[w]))] if w in SHORTER else w for w in words]
        if e < 0.12:
            made.append(" ".join(words))
        elif e < 0.18 and ending != "จำกัด":
            made.append(f"{' '.join(words)}, {ending}")
        elif ending == "จำกัด":
            made.append(f"บริษัท {' '.join(words)} จำกัด")
        else:
            made.append(f"{' '.join(words)} {ending}")
    return texts(made)
