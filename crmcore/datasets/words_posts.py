"""What people say in public: sentences by aspect and tone, written for the simulated brand."""

# ruff: noqa: E501

from __future__ import annotations

__all__ = ["ASPECTS", "BRANDS", "BURST_TEXTS", "CLOSINGS", "FACES", "OPENINGS", "SENTENCES", "SPAM_TEXTS"]

BRANDS = ("Lumora", "Kasten & Co", "Petrichor")  # ours, rival a, rival b: all made up
ASPECTS = ("delivery", "price", "quality", "service", "packaging", "app")

# aspect -> (negative, neutral, positive); `{b}` is the brand
SENTENCES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "delivery": (
        (
            "{b} delivery is terribly late again, three weeks and no parcel",
            "still waiting for my {b} order, nobody knows where it is",
            "{b} ส่งของช้ามาก รอเป็นอาทิตย์แล้ว",
            "the courier of {b} left my box in the rain, awful",
        ),
        ("does {b} deliver on Sundays?", "my {b} parcel was sent yesterday", "{b} ส่งต่างจังหวัดกี่วันคะ"),
        (
            "{b} delivered overnight, amazing speed",
            "so happy, the {b} parcel came a day early",
            "{b} ส่งไวมาก ประทับใจ",
            "great delivery from {b}, perfectly on time",
        ),
    ),
    "price": (
        (
            "{b} raised prices again, way too expensive",
            "not worth the money, {b} is a rip-off now",
            "{b} แพงเกินไป ไม่คุ้มเลย",
        ),
        ("how much is the multipack at {b}?", "{b} lists the set at 590", "{b} ราคาเท่าไหร่คะ"),
        ("great price at {b}, best deal this month", "love the {b} discount, good value", "{b} ราคาดี คุ้มมาก"),
    ),
    "quality": (
        (
            "my {b} broke after two days, bad quality",
            "disappointed, the {b} set feels cheap and flimsy",
            "{b} คุณภาพแย่ พังง่าย",
        ),
        ("is the {b} set made of steel?", "{b} has a new colour", "{b} รุ่นใหม่ออกแล้ว"),
        (
            "the {b} set is beautiful and solid, excellent quality",
            "three years and my {b} still works perfectly",
            "{b} คุณภาพดีมาก ชอบ",
            "I love my {b}, wonderful product",
        ),
    ),
    "service": (
        (
            "{b} support is rude and useless",
            "called {b} four times and got no answer, horrible service",
            "{b} แอดมินตอบช้า แย่มาก",
        ),
        ("what are the opening hours of {b}?", "I asked {b} by chat", "{b} ติดต่อทางไหนได้บ้าง"),
        (
            "{b} staff were so kind and helpful",
            "thank you {b}, the problem was solved in minutes, great service",
            "{b} พนักงานบริการดีมาก น่ารัก",
        ),
    ),
    "packaging": (
        (
            "the {b} box arrived crushed and leaking, terrible packaging",
            "so much plastic around one {b} item, awful",
            "{b} กล่องบุบ ของแตก แย่",
        ),
        ("{b} has a new box", "which box does {b} use for gifts?", "{b} ใช้กล่องแบบไหน"),
        ("lovely gift box from {b}, beautifully packed", "{b} packs with paper only, love it", "{b} แพ็คของดีมาก"),
    ),
    "app": (
        ("the {b} app crashes all the time, worst app", "cannot log in to {b}, so annoying", "แอป {b} ค้างตลอด น่าเบื่อ"),
        ("is there a {b} app for tablets?", "{b} updated the app", "แอป {b} โหลดที่ไหน"),
        ("the {b} app is fast and easy, great work", "ordering in the {b} app is a joy", "แอป {b} ใช้ง่ายมาก ชอบ"),
    ),
}
OPENINGS = ("", "", "", "ok so ", "honestly, ", "just saying: ", "update: ", "hmm, ", "wow, ", "today: ", "guys, ")
CLOSINGS = ("", "", "", " :)", " #shopping", " ...", " what do you think?", " ครับ", " anyone else?")
FACES = (" 😡", "", " 😍")  # negative, neutral, positive
BURST_TEXTS = (
    "has anyone tried the new refill pouch? {b} should make one", "refill pouch is everywhere now, I want the {b} one", "saving plastic with a refill pouch, when at {b}?",
    "refill pouch > bottle, change my mind {b}", "อยากได้ถุงรีฟิล refill pouch ของ {b}",
)  # fmt: skip
SPAM_TEXTS = (
    "WIN a free voucher now!!! click bit.example/{k} {b}", "earn 5000 a day from home, ask me how bit.example/{k} {b} {b}", "cheap followers best price bit.example/{k} #{b}", "100% real, five stars, best product ever {b} buy now {k}",
)  # fmt: skip
