"""Thai in Latin letters as people write it: the Royal Thai General System of Transcription, by rule.

Thai writes no blanks between syllables and leaves many vowels out, so a letter-by-letter spelling (สมชาย: smchay) looks
like no name that anybody writes. Here each syllable is read from left to right, and short vowels that the script
leaves out are put in: `o` in a closed syllable (สม: som), `a` in an open one (สกุล: sakun). Some frequent elements of
names are read by heart (`ELEMENTS`): no rule can know that วร opens (wora) where พร closes (phon).

Source of the letter values: Royal Institute, "Principles of romanization for Thai script by transcription method" (1999).
"""

# ruff: noqa: E501  (tables of words read best as lines)

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["romanise_thai", "romanise_words"]

INITIAL: dict[str, str] = {
    **dict.fromkeys("ขฃคฅฆ", "kh"), **dict.fromkeys("จ", "ch"), **dict.fromkeys("ฉชฌ", "ch"), **dict.fromkeys("ซศษส", "s"),
    **dict.fromkeys("ญย", "y"), **dict.fromkeys("ฎด", "d"), **dict.fromkeys("ฏต", "t"), **dict.fromkeys("ฐฑฒถทธ", "th"),
    **dict.fromkeys("ณน", "n"), **dict.fromkeys("ผพภ", "ph"), **dict.fromkeys("ฝฟ", "f"), **dict.fromkeys("ลฬ", "l"),
    **dict.fromkeys("หฮ", "h"), "ก": "k", "ง": "ng", "บ": "b", "ป": "p", "ม": "m", "ร": "r", "ว": "w", "อ": "",
}  # fmt: skip
"""What a consonant is at the start of a syllable."""

FINAL: dict[str, str] = {
    **dict.fromkeys("กขฃคฅฆ", "k"), **dict.fromkeys("จฉชซฌฎฏฐฑฒดตถทธศษส", "t"), **dict.fromkeys("ญณนรลฬ", "n"),
    **dict.fromkeys("บปผฝพฟภ", "p"), "ง": "ng", "ม": "m", "ย": "i", "ว": "o", "ห": "", "ฮ": "", "อ": "",
}  # fmt: skip
"""What it is at the end."""

CLUSTERS: dict[str, str] = {
    a + b: INITIAL[a] + INITIAL[b]
    for a, seconds in {"ก": "รลว", "ข": "รลว", "ค": "รลว", "ต": "ร", "ป": "รล", "พ": "รล", "ผ": "ล"}.items()
    for b in seconds
} | {"ห" + b: INITIAL[b] for b in "งญนมยรลว"} | {"ทร": "s"}  # fmt: skip
"""Two consonants that begin one syllable; a leading ห is silent."""

ELEMENTS: dict[str, str] = {
    name: sound
    for name, _, sound in (
        pair.partition("=")
        for pair in (
            "วร=wora ธน=thana ชน=chana อร=ora จิร=chira ธีร=thira วีร=wira สุร=sura ศุภ=supha ปิย=piya สิร=sira นร=nara "
            "ชย=chaya รัตน=rattana วัฒน=watthana พัฒน=phatthana ณัฐ=nattha ภัทร=phatthra จักร=chakkra นพ=noppha พงศ=phongsa "
            "ราช=ratcha จันทร=chanthra อินทร=inthra วิทย=witthaya อัครา=akkhara อัคร=akkhara ศักย=sakkaya บวร=bowon ทรง=song "
            "ธรรม=thamma นนท=nontha มหา=maha"
        ).split()
    )
}
"""Elements of names before another consonant or a leading vowel, and their reading there."""

_FIRST = frozenset(word[0] for word in ELEMENTS)

_WHOLE = (
    (re.compile("(เกีย)ร(ติ|ต)"), "\\1ต"),
    (re.compile("(ชา|ญา|ธา|เห|โช)ต[ิุ]"), "\\1ต"),
    (re.compile("(ภู)มิ"), "\\1ม"),
    (re.compile("([ัา])([ตดฒ])ิ$", re.MULTILINE), "\\1\\2"),
    (re.compile("(วุ)ฒิ$", re.MULTILINE), "\\1ฒ"),
    (re.compile("([ิุั]|เ[ก-ฮ])([ตทกช])ร$", re.MULTILINE), "\\1\\2"),
    (re.compile("เพชร"), "เพช|"),
    (re.compile("สมุทร"), "สมุท|"),
    (re.compile("เกษม"), "กะเสม"),
    (re.compile("(เอก)(?=[ก-ฮ])"), "\\1กะ"),
    (re.compile("ษตร$", re.MULTILINE), "ต"),
    (re.compile("วิทยา"), "วิททะยา"),
    (re.compile("(ั)ต(?=น)"), "\\1ตตะ"),
    (re.compile("(ั)ฒ(?=น)"), "\\1ฒฒะ"),
    (re.compile("(ั)ท(?=[นมร][าีิ])"), "\\1ททะ"),
    (re.compile("([ัิุา])([ชส])(?=[นมร][าีิ])"), "\\1\\2\\2ะ"),
    (re.compile("([ัิ])([ตล])(?=ย[าี])"), "\\1\\2\\2ะ"),
    (re.compile("ศรี"), "สี"),
    (re.compile("สร(?=\u0e49)"), "ส"),
    (re.compile("เสริ"), "เสิ"),
    (re.compile("รรม(?=[ะาิีุู])"), "รรมม"),
)
"""Spellings with silent signs, or with a consonant that is read twice, rewritten as they are read."""

_TONES = re.compile("[\u0e48-\u0e4b\u0e4d\u0e4e\u0e2f]")
_SILENT = re.compile("([\u0e01-\u0e2e])[\u0e34\u0e38]?\u0e4c")
_BEFORE_SILENT = re.compile("([ัาิีึืุู][\u0e01-\u0e2e])(?:[ทตดฏ](?=ร\u0e4c)|ษ(?=[ณม]\u0e4c))")
_RUN = re.compile("[\u0e01-\u0e47|]+")
_SIGNS = frozenset("ะัาำิีึืุู็")
_LEADING = frozenset("เแโไใ")
_RHYMES: dict[str, str] = {
    "ะ": "a",
    "า": "a",
    "ำ": "am",
    "ิ": "i",
    "ี": "i",
    "ึ": "ue",
    "ื": "ue",
    "ุ": "u",
    "ู": "u",
    "ั": "a",
    "็": "o",
}


def romanise_thai(text: str) -> str:
    """Write the Thai parts of a text in Latin letters (lower case); the rest stays.

    Examples
    --------
    >>> [romanise_thai(name) for name in ("สมชาย", "กิตติพงษ์", "ทองดี", "เชียงใหม่")]
    ['somchai', 'kittiphong', 'thongdi', 'chiangmai']
    """
    parts = re.split("([\u0e01-\u0e4e]+)", text)
    return "".join(word for pair in zip(parts[::2], [*romanise_words(parts[1::2]), ""], strict=True) for word in pair)


def romanise_words(words: Sequence[str]) -> list[str]:
    """Write runs of Thai letters in Latin letters; much faster than one by one.

    Examples
    --------
    >>> romanise_words(["กมล", "พร"])
    ['kamon', 'phon']
    """
    if not words:
        return []
    text = "\n".join(words).replace("\u0e4d\u0e32", "\u0e33")  # ํ + า is what NFKC makes of ำ
    text = _BEFORE_SILENT.sub("\\1", text)  # what stands between final and silent letter is silent too (จันทร์)
    text = _SILENT.sub("|", text).replace("\u0e4c", "")
    for pattern, read in _WHOLE:
        text = pattern.sub(read, text)
    text = re.sub("(?<=[กตทปศส])ฤ", "ริ", re.sub("^ฤ(?=ท)", "ริ", text, flags=re.MULTILINE))
    text = _TONES.sub("", text.replace("ฤๅ", "รึ").replace("ฤา", "รึ").replace("ฤ", "รึ").replace("ฦ", "ลึ"))
    return [
        "".join([_Reader(part).read() for run in _RUN.findall(word) for part in run.split("|") if part])
        for word in text.split("\n")
    ]


def _consonant(sign: str) -> bool:
    return "\u0e01" <= sign <= "\u0e2e"


class _Reader:
    """Reads the syllables of one run of Thai letters from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.free = [_consonant(sign) and not self.bears(i) for i, sign in enumerate(text)]  # without a vowel

    def sign(self, ahead: int = 0) -> str:
        """Letter so many places ahead; empty behind the end."""
        place = self.at + ahead
        return self.text[place] if 0 <= place < len(self.text) else ""

    def bare(self, ahead: int = 0) -> int:
        """How many consonants without a vowel of their own stand ahead, before the next syllable or the end."""
        begin = end = self.at + ahead
        while end < len(self.free) and self.free[end]:
            end += 1
        n = end - begin
        if n and end < len(self.text):
            pair = self.text[end - 1 : end + 1]
            if pair in CLUSTERS and pair != "ทร" and (n > 1 or pair[0] == "ห"):
                return n - 1  # the last of them begins the next syllable together with its bearer
        return n

    def bears(self, place: int) -> bool:
        """Whether a vowel is written for a consonant: a sign, อ, or the doubled ร."""
        behind = self.text[place + 1 : place + 4]
        if not behind:
            return False
        if behind[0] == "อ":
            return self.text[place] != "อ" and (len(behind) < 2 or behind[1] not in _SIGNS)
        return behind[0] in _SIGNS or (behind[:2] == "รร" and (len(behind) < 3 or behind[2] not in _SIGNS))

    def read(self) -> str:
        out = []
        while self.at < len(self.text):
            out.append(self.syllable())
        return "".join(out)

    def element(self) -> str:
        """Reading of an element that stands here before another syllable."""
        if self.sign() not in _FIRST:
            return ""
        for size in (5, 4, 3, 2):
            word = self.text[self.at : self.at + size]
            behind = self.sign(size)
            if len(word) == size and word in ELEMENTS and (_consonant(behind) or behind in _LEADING) and behind:
                if self.sign(size + 1) == "" or (word[-1] == behind == "ร"):
                    continue  # the consonant is the final of this element, or its ร is doubled
                self.at += size
                return ELEMENTS[word]
        return ""

    def syllable(self) -> str:
        known = self.element()
        if known:
            return known
        sign = self.sign()
        if sign in _LEADING:
            return self.leading(sign)
        if not _consonant(sign):
            self.at += 1
            return ""
        bare, pair = self.bare(), self.text[self.at : self.at + 2]
        if pair in CLUSTERS and self.free[self.at] and not self.free[self.at + 1] and bare < 2:
            self.at += 2
            return CLUSTERS[pair] + self.rhyme()
        if bare == 0:
            self.at += 1
            return INITIAL[sign] + self.rhyme()
        return self.implied(bare)

    def implied(self, bare: int) -> str:
        """A syllable whose vowel is not written."""
        onset, second = INITIAL[self.sign()], self.sign(1)
        if second == "ว" and bare >= 3 and bare % 2:  # ดวง, นวล
            final = FINAL[self.sign(2)]
            self.at += 3
            return f"{onset}ua{final}"
        pair = self.text[self.at : self.at + 2]
        if bare >= 3 and bare % 2 and pair in CLUSTERS and pair != "ทร":
            final = FINAL[self.sign(2)]
            self.at += 3
            return f"{CLUSTERS[pair]}o{final}"
        if bare % 2 == 0:
            self.at += 2
            return f"{onset}o{FINAL[second]}"
        self.at += 1
        return f"{onset}a"

    def rhyme(self) -> str:
        """Vowel and final behind an onset that was read."""
        sign = self.sign()
        if self.text[self.at : self.at + 2] == "รร":
            self.at += 2
            return "a" + self.final() if self.bare() % 2 else "an"
        if sign == "อ":
            self.at += 1
            return "o" + self.final()
        self.at += 1
        following = self.sign()
        if sign == "ะ" or sign == "ำ":
            return _RHYMES[sign]
        if sign == "ั":
            if following == "ว":
                self.at += 1
                return "ua"
            if not following:
                return "a"
            self.at += 1
            return "a" + FINAL.get(following, "")
        if sign == "ื" and following == "อ":
            self.at += 1
            return "ue"
        return _RHYMES.get(sign, "") + self.final()

    def final(self) -> str:
        """Final consonant, where the letters ahead leave one over."""
        bare = self.bare()
        if not bare:
            return ""
        opens = bare >= 3 and self.text[self.at : self.at + 2] in CLUSTERS  # วิกรม: wi-krom
        if opens or (bare % 2 == 0 and not (bare == 2 and self.sign(2))):  # วิมล: wi-mon, but จินตนา: chin-ta-na
            return ""
        sign = self.sign()
        self.at += 1
        return FINAL[sign]

    def leading(self, vowel: str) -> str:
        """A syllable whose vowel is written before its consonant."""
        self.at += 1
        if not _consonant(self.sign()):
            return {"เ": "e", "แ": "ae", "โ": "o", "ไ": "ai", "ใ": "ai"}[vowel]
        pair = self.text[self.at : self.at + 2]
        behind = self.sign(2)
        if (
            pair in CLUSTERS
            and pair != "ทร"
            and not (pair[1] == "ว" and vowel in "เแ" and pair[0] != "ห")
            and (behind or vowel != "เ")
        ):
            onset = CLUSTERS[pair]
            self.at += 2
        elif vowel == "เ" and len(pair) == 2 and _consonant(pair[1]) and behind in {"ิ"}:
            onset = INITIAL[pair[0]] + "a" + INITIAL[pair[1]]  # เฉลิม, เจริญ
            self.at += 2
        else:
            onset = INITIAL[pair[0]]
            self.at += 1
        return onset + self.around(vowel)

    def around(self, vowel: str) -> str:
        """What the signs behind the consonant make of a leading vowel."""
        rest = self.text[self.at : self.at + 2]
        if vowel in "ไใ":
            if rest[:1] == "ย" and self.sign(1) not in _SIGNS:
                self.at += 1
            return "ai"
        if vowel == "เ":
            for signs, read in (("ีย", "ia"), ("ือ", "uea"), ("าะ", "o"), ("อะ", "oe")):
                if rest == signs:
                    self.at += 2
                    return read + (self.final() if signs in {"ีย", "ือ"} else "")
            for signs, read in (("า", "ao"), ("ิ", "oe"), ("อ", "oe")):
                if rest[:1] == signs and (signs != "อ" or self.sign(1) not in _SIGNS or not self.sign(1)):
                    self.at += 1
                    return read + (self.final() if signs != "า" else "")
            if rest[:1] == "ย" and self.sign(1) not in _SIGNS:
                self.at += 1
                return "oei"
        main = {"เ": "e", "แ": "ae", "โ": "o"}[vowel]
        if rest[:1] == "ะ":
            self.at += 1
            return main
        if rest[:1] == "็":
            self.at += 1
        return main + self.closed()

    def closed(self) -> str:
        """Final behind e, ae, o: any consonant ahead that bears no vowel of its own."""
        if not self.bare():
            return ""
        if self.bare() == 2 and not self.sign(2) and self.sign(1) not in "ร":
            return ""
        sign = self.sign()
        self.at += 1
        return FINAL[sign]
