"""Thai: short lists of phrases for the same signals as in English; enough for a checklist, not for fine shades."""

from __future__ import annotations

from crmcore.recovery.words.reading import Language, Signal

__all__ = ["THAI"]

_SLOTS = {
    "no": "(?<!ไม่)(?<!ไม่ได้)(?<!ยังไม่)(?<!ไม่สามารถ)",
    "day": "วัน(?:จันทร์|อังคาร|พุธ|พฤหัส(?:บดี)?|ศุกร์|เสาร์|อาทิตย์)",
    "unit": "(?:นาที|ชั่วโมง|ชม\\.?|วัน(?:ทำการ)?|สัปดาห์|อาทิตย์)",
}

THAI = Language(
    code="th",
    signals=(
        Signal("apology", "says sorry for what happened", ("(?:{no}ขอโทษ|{no}ขออภัย|เสียใจเป็นอย่างยิ่ง|กราบขออภัย)(?!หาก|ถ้า|ในความไม่สะดวก)",), empathy=0.9),
        Signal("conditional_apology", "is sorry only if, or for any", ("(?:ขอโทษ|ขออภัย)(?:มา ณ ที่นี้)?\\s?(?:หาก|ถ้า|ในความไม่สะดวก)",), empathy=-0.9, anywhere=True),
        Signal("understanding", "puts itself in the other's place", ("{no}เข้าใจ(?:ความรู้สึก|ว่า|ดี|เป็นอย่างดี)|เห็นใจ|คง(?:เหนื่อย|ลำบาก|กังวล|ผิดหวัง|หงุดหงิด|เสียใจ)|เป็นเราก็",), empathy=1.1),
        Signal("ownership", "admits the own mistake", ("(?<!ไม่ใช่)(?:เป็น)?ความผิด(?:พลาด)?ของ(?:เรา|ทางเรา|ทางร้าน|บริษัท|ร้าน)|(?<!ไม่ได้)(?:เรา|ทางเรา|ทางร้าน)(?:ทำ)?ผิดพลาด|{no}รับผิดชอบ",), empathy=0.7),
        Signal("cause", "names the cause", ("เนื่องจาก|เพราะ|สาเหตุ(?:คือ|มาจาก|เกิดจาก)|เกิดจาก",), empathy=0.2, urgency=0.2),
        Signal("checking", "says that the cause is being looked for", ("(?:กำลัง|จะ)(?:เร่ง)?(?:ตรวจสอบ|หาสาเหตุ|สอบสวน)|ยังไม่ทราบสาเหตุ",), urgency=0.4),
        Signal("repaired", "says what has been done", ("(?<!ไม่)ได้(?:ดำเนินการ|ส่ง|คืน|โอน|แก้ไข|ยกเลิก|จัด|แจ้ง|เปลี่ยน|ซ่อม)[^\\n]{0,40}(?:แล้ว|เรียบร้อย)|(?:คืนเงิน|ส่งของ|โอน|แก้ไข)[^\\n]{0,20}(?:แล้ว|เรียบร้อย)",), urgency=1.1),
        Signal("will_do", "promises a step", ("(?<!ไม่)จะ(?:รีบ|เร่ง)?(?:โทร|ส่ง|คืน|โอน|เปลี่ยน|ซ่อม|ติดต่อ|จัดส่ง|ดำเนินการ|แก้ไข|ชดเชย)",), urgency=0.8),
        Signal("remedy", "makes good", ("(?<!ไม่)(?<!ไม่สามารถ)(?<!ไม่ได้)(?:คืนเงิน|ชดเชย|เปลี่ยน(?:สินค้า|ชิ้น|ตัว)?ใหม่|ส่งชิ้นใหม่|ฟรี|ไม่คิดค่าใช้จ่าย|ซ่อมให้|ส่วนลด|ส่งของใหม่)",), urgency=0.7, empathy=0.3),
        Signal("time", "names a day or an hour", ("วันนี้|คืนนี้|พรุ่งนี้|เย็นนี้|บ่ายนี้|ภายใน\\s?\\d+\\s?{unit}|ใน\\s?\\d+\\s?{unit}|{day}|ก่อน\\s?\\d{1,2}(?:[:.]\\d{2})?\\s?(?:น\\.|โมง|นาฬิกา)|วันที่\\s?\\d{1,2}|เวลา\\s?\\d{1,2}[:.]\\d{2}",), urgency=0.7),
        Signal("at_once", "acts at once", ("ทันที|ด่วน|เดี๋ยวนี้|โดยเร็วที่สุด|ตอนนี้",), urgency=0.5),
        Signal("boilerplate", "uses phrases that fit any case", ("ขอบคุณที่(?:ติดต่อ|ใช้บริการ|ให้ความสนใจ|แจ้ง)|ความไม่สะดวก|โอกาสหน้า|พัฒนา(?:การ)?บริการ",), empathy=-0.6, urgency=-0.3, anywhere=True),
        Signal("refusal", "refuses or hides behind rules", ("ไม่สามารถ|ไม่รับผิดชอบ|ตามนโยบาย|ตามเงื่อนไข|ไม่คืนเงิน",), empathy=-0.7, urgency=-0.4, anywhere=True),
    ),
    slots=_SLOTS,
    negations=frozenset(),  # Thai negates inside the phrase: the patterns look behind themselves
    refusals=frozenset(),
    reach_ends=frozenset(),
    condition="ถ้า|หาก|เว้นแต่|สมมติ",
    hypothesis="(?!)",
    rule="ตามนโยบาย|ตามเงื่อนไข|โดยทั่วไป",
)
