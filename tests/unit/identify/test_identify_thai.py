"""Thai names and places in Latin letters: against the usual forms, which are facts."""

# ruff: noqa: E501  (tables of words read best as lines)

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from crmcore.idic.identify.cleaners import clean_names, clean_places
from crmcore.idic.identify.place_names import PLACES
from crmcore.idic.identify.thai import romanise_thai

COMMON = """สมชาย=somchai สมหญิง=somying สมศักดิ์=somsak ประเสริฐ=prasoet วิชัย=wichai สุชาติ=suchat มานะ=mana มานี=mani ชูใจ=chuchai ปิติ=piti
วีระ=wira สุรชัย=surachai อนันต์=anan นิรันดร์=niran ณัฐพล=natthaphon ณัฐวุฒิ=natthawut กิตติพงษ์=kittiphong ธนพล=thanaphon ธนากร=thanakon พรทิพย์=phonthip
อรพรรณ=oraphan วรรณา=wanna กมลวรรณ=kamonwan กนกวรรณ=kanokwan จันทร์เพ็ญ=chanphen ศิริพร=siriphon สุดา=suda มาลี=mali อัญชลี=anchali นงลักษณ์=nonglak
ปราณี=prani พิมพ์ใจ=phimchai ดวงใจ=duangchai รัตนา=rattana วัฒนา=watthana วิไล=wilai จินตนา=chintana สุนทร=sunthon มงคล=mongkhon ณรงค์=narong
บุญมี=bunmi ทองดี=thongdi แก้ว=kaeo ชัยวัฒน์=chaiwat อภิชาติ=aphichat เฉลิม=chaloem เจริญ=charoen ไพศาล=phaisan โชติ=chot เกษม=kasem
เกรียงศักดิ์=kriangsak วรวุฒิ=worawut สวัสดิ์=sawat ศรีสุข=sisuk แสงทอง=saengthong วงศ์ใหญ่=wongyai รุ่งเรือง=rungrueang ธรรมรัตน์=thammarat ปัญญา=panya
เสาวลักษณ์=saowalak ชลธิชา=chonthicha พงศกร=phongsakon สิทธิชัย=sitthichai เอกชัย=ekkachai""".split()

# gathered after the rules were made; two of the rules learned from it since
FRESH = """นิพนธ์=niphon พิชัย=phichai มนตรี=montri สมพงษ์=somphong อำนวย=amnuai อุไร=urai เพลินพิศ=phloenphit กาญจนา=kanchana สุภาพร=suphaphon
นันทวัน=nanthawan ปิยะ=piya พัชรี=phatchari ยุพิน=yuphin รัชนี=ratchani ละออง=laong วันเพ็ญ=wanphen ศุภชัย=suphachai สายใจ=saichai อุดม=udom
เบญจมาศ=benchamat ปกรณ์=pakon ทวีศักดิ์=thawisak ธีรพงษ์=thiraphong ประสิทธิ์=prasit ประยุทธ์=prayut ยิ่งลักษณ์=yinglak ทักษิณ=thaksin ชวน=chuan
เศรษฐา=settha อนุทิน=anuthin ชินวัตร=chinnawat จันทร์โอชา=chanocha หลีกภัย=likphai เวชชาชีวะ=wetchachiwa ศิลปอาชา=sinlapaacha ชมพู่=chomphu
อรวรรณ=orawan สุกัญญา=sukanya นิตยา=nittaya กัลยา=kanlaya เสกสรร=seksan บัวขาว=buakhao ลำดวน=lamduan กอบกุล=kopkun ขวัญใจ=khwanchai เทวี=thewi
พเยาว์=phayao วาสนา=watsana เยาวภา=yaowapha ฐิติมา=thitima""".split()


def skeleton(name: str) -> str:
    return re.sub("[aeiou]", "", name)


@pytest.mark.parametrize("names", [COMMON, FRESH], ids=["common", "fresh"])
def test_romanised_names_are_near_their_usual_form(names: list[str]) -> None:
    pairs = [(romanise_thai(thai), usual) for thai, usual in (pair.split("=") for pair in names)]
    near = sum(Levenshtein.distance(made, usual) <= 2 for made, usual in pairs) / len(pairs)
    same = sum(skeleton(made) == skeleton(usual) for made, usual in pairs) / len(pairs)
    assert near >= 0.95
    assert same >= 0.90


@given(st.text(alphabet=[chr(c) for c in range(0x0E01, 0x0E4F)], max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_run_of_thai_letters_is_read_in_latin_letters(text: str) -> None:
    read = romanise_thai(text)
    assert not read or (read.isascii() and read.isalpha())


def test_what_is_not_thai_stays_as_it_is() -> None:
    assert romanise_thai("Room 5, สมชาย & co.") == "Room 5, somchai & co."


def test_a_composed_and_a_decomposed_sara_am_are_one_vowel() -> None:
    assert romanise_thai("อำนวย") == romanise_thai("อํานวย") == "amnuai"


def test_thai_and_latin_writing_of_a_name_are_the_same_name() -> None:
    assert clean_names(["นายสมชาย", "Mr Somchai"]) == ["somchai", "somchai"]


def test_all_77_provinces_are_known_in_thai_and_english() -> None:
    forms = {PLACES[key] for key in PLACES}
    assert {"bangkok", "chiang mai", "nakhon ratchasima", "ubon ratchathani", "udon thani"} <= forms
    assert clean_places(["กรุงเทพฯ", "กทม.", "Krung Thep", "จ.เชียงใหม่", "ChiangMai", "โคราช"]) == [
        "bangkok", "bangkok", "bangkok", "chiang mai", "chiang mai", "nakhon ratchasima",
    ]  # fmt: skip


def test_large_cities_have_one_name_and_unknown_ones_keep_theirs() -> None:
    assert clean_places(["München", "Muenchen", "Wien", "Bath", "York"]) == [
        "munich",
        "munich",
        "vienna",
        "bath",
        "york",
    ]
