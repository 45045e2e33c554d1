"""Signs of distress, in English and in Thai: families of words with what they weigh (1 is enough for a person)."""

from __future__ import annotations

from crmcore.recovery.words.english import ENGLISH
from crmcore.recovery.words.reading import Language, Signal

__all__ = ["DISTRESS"]


def _sign(name: str, says: str, points: float, *patterns: str, negatable: bool = True) -> Signal:
    return Signal(name, says, patterns, urgency=points, anywhere=True, negatable=negatable)


_SLOTS = {
    "kin": r"(?:mother|mum|mom|mommy|father|dad|daddy|husband|wife|son|daughter|brother|sister|child|children|kids?|baby|babies|toddler|newborn|infant|grand\w+|gran|grandma|grandpa|nan|uncle|aunt|partner|friend|twins?|boy|girl|parents?|family|fianc\w+|nephew|niece)",
    "no_laugh": r"(?![^.!?\n]*\b(?:laugh\w*|lol|haha\w*|beautiful|happy\stears|so\sgood|joy|love\sit|hilarious|funny)\b)",
    "pet": r"(?:dog|cat|puppy|kitten|pet|horse|rabbit)",
    "ill": r"(?:ill|sick|dying|hurt|injured|bleeding|unconscious|in\s(?:\w+\s)?pain|in\s(?:the\s)?hospital|in\sintensive\scare|disabled|very\sweak|vomiting|poisoned|burn(?:t|ed)|not\sbreathing|diabetic|allergic|swollen|fainted|collapsed)",
    "much": r"(?:\s(?:so|very|really|absolutely|extremely|completely|totally|just|still|beyond|more\sthan|fucking|bloody|truly|sick\sand|literally|utterly|now|all|both|quite|terribly|getting|feeling|too))*",
    "be": r"(?:am|'m|m|was|were|is|'s|are|'re|feel|felt|feeling|been)",
}

_ENGLISH = Language(
    code="en",
    signals=(
        _sign("danger", "danger to life or safety", 2.0,
            r"\b(?:kill(?:ing)?\smyself|end\s(?:my|it)\s(?:life|all)|want\sto\sdie|suicid\w+|harm\s(?:myself|me)|hurt\smyself|don'?t\swant\sto\s(?:live|be\shere)|no\sreason\sto\slive|can'?t\sgo\son|better\soff\sdead|self-?harm)\b",
            r"\b(?:can'?t|cannot|can\snot|couldn'?t|could\snot|trouble|difficulty|struggl\w+(?:\sto)?|not)\sbreath\w*{no_laugh}",
            r"\b(?:gas\sleak|smell(?:s|ing)?\s(?:of\s)?gas|on\sfire|caught\sfire|smoke\scoming|sparks?\s(?:coming|flying)|electric(?:al)?\sshock|electrocuted|carbon\smonoxide|explod\w+|explosion|brakes?\s(?:failed|don'?t\swork|stopped|gave))\b",
            r"\b(?:he|she|they|someone|husband|partner|ex|driver|man|guy|neighbou?r|stalker|landlord)\b[^.!?]{0,24}\b(?:threaten\w*|attack\w*|beat(?:s|ing)?\sme|hit(?:s|ting)?\sme|following\sme|stalk\w*|assault\w*|touched\s(?:me|her|my\s\w+)|grop\w+|raped?)\b|\b(?:i|we|my\s\w+)\s(?:was|were|am|have\sbeen|got|'m|'ve\sbeen)\s(?:being\s)?(?:assaulted|attacked|threatened|stalked|harassed|molested|raped|locked\sin|trapped)\b|\btrapped\sin\b|\btouched\sme\b(?!\sdeeply)|\b(?:ceiling|roof|balcony|wall|elevator|lift|stairs?|shelf|sign)\s(?:\w+\s)?(?:collapsed|fell|dropped|came\sdown|crashed)\b|\b(?:follow(?:ed|s|ing))\s(?:me|us|her|my\s\w+)\s(?:home|to|into|around)",
            r"\b(?:overdos\w+|heart\sattack|stroke|seizure|anaphyla\w+|unconscious|not\sbreathing|ambulance|life-?threatening|(?:could|might|may|will|going\sto|almost|nearly)\s(?:have\s)?(?:die|died|be\skilled|kill\s(?:me|him|her|us|them|someone|somebody))(?!\s(?:laughing|of\slaughter|for\sthis)))\b",
            r"\b(?:stranded|stuck|lost)\b[^.!?]{0,40}\b(?:alone|at\snight|in\sthe\sdark|2\s?am|3\s?am|snow|motorway|nowhere)\b"),
        _sign("death", "bereavement", 1.2,
            r"\b(?:my|our|his|her|late)\s(?:\w+\s){0,2}{kin}(?:'s)?\b[^.!?]{0,40}\b(?:died|passed(?:\saway)?|death|dead|funeral|deceased|buried|killed|suicide|gone\sforever|stillborn)\b",
            r"\b(?:my|our)\slate\s{kin}|\b(?:funeral(?!\s(?:museum|home\sad|insurance|plan))|bereave\w+|widow(?:ed|er)?|miscarriage|death\scertificate|grieving|mourning|stillbirth|lost\s(?:my|our)\s{kin}|passed\saway|(?:the\s)?ashes\sof)\b|\b(?:dead|deceased)\s{kin}|\bburied\s(?:my|our)\b|\b(?:our|my)\s{pet}\s(?:\w+\s)?(?:died|passed|was\skilled|is\sdead)"),
        _sign("ill", "somebody ill", 0.8,
            r"\b(?:{kin}|i|he|she|wife|who)(?:\s(?:is|was|are|has\sbeen|gets?|got|feels?|became|'s|am)|'m|'s){much}\s{ill}\b|\b(?:sick|ill|dying|injured)\s{kin}\b",
            r"\b(?:asthma|epilep\w+|heart\scondition|surgery|operation|emergency\sroom|broken\s(?:leg|arm|hip|ankle|bone)|miscarr\w+|fainted|collapsed|panic\sattacks?|severe\spain|in\s(?:a\slot\sof|terrible|constant|so\smuch|agony|such)\s?(?:pain)?|chest\spain)\b"),
        _sign("health", "health at stake", 1.0,
            r"\b(?:insulin|inhaler|epi-?pen|oxygen|medicines?|medications?|meds|pills|prescriptions?|antibiotics|treatment|wheelchair|pacemaker|formula|breast\spump)\b[^.!?]{0,50}\b(?:not|n't|never|without|late|missing|wrong|expired|ran\sout|run\sout|running\sout|enough\sfor|lost|stuck|broken|gone|left|out\sof)\b",
            r"\b(?:no|without|ran\sout\sof|run\sout\sof|running\sout\sof|out\sof|need(?:s)?|waiting\sfor|wrong|missing|only\s\w+\s\w+\sof)\s(?:\w+\s){0,2}(?:insulin|inhaler|epi-?pen|oxygen|medicines?|medications?|meds|pills|antibiotics|blood\spressure)\b",
            r"\b(?:allergic\sreaction|food\spoisoning|poisoned|made\s(?:me|us|him|her|my\s\w+)\s(?:\w+\s)?(?:sick|ill)|burned\smy|burnt\smy|i'?m\sbleeding|infected|choked|choking|glass\sin|mou?ld|(?:no|without)\s(?:any\s)?(?:heating|heat|hot\swater|running\swater|electricity|power)\b[^.!?]{0,50}\b(?:baby|newborn|children|kids|winter|freezing|elderly|days?|weeks?|-\d|old))|\b(?:newborn|baby|children|kids|elderly|old|mother|father)\b[^.!?]{0,40}\b(?:no|without)\s(?:any\s)?(?:heating|heat|food|running\swater|electricity|power)\b"),
        _sign("serious", "serious illness", 1.0,
            r"\b(?:cancer|chemo\w*|dialysis|leuk\w+|tumou?r|intensive\scare|palliative|hospice|terminally|transplant|life\ssupport|miscarr\w+|in\sthe\sicu)\b"),
        _sign("unsafe", "fear", 1.0,
            r"\b(?:i|we|she|he|they|my\s\w+){much}(?:\s|')?(?:am|'m|m|was|were|are|is|feel|felt|re)?{much}\s(?:scared|afraid|terrified|frightened|unsafe|shaking|trembling|petrified|panicking|in\spanic|traumati[sz]ed)\b(?!\s(?:to\sask|i\s(?:can|have|must)|that\sthe\scolou?r))",
            r"\b(?:fear(?:ing)?\sfor\s(?:my|our|her|his)|scared\sto\sdeath|afraid\sto\s(?:go|sleep|leave|open)|don'?t\sfeel\ssafe|not\sfeel(?:ing)?\ssafe|left\salone\s(?:in|at|for))\b", negatable=False),
        _sign("money", "money for living", 1.0,
            r"\b(?:can'?t|cannot|can\snot|couldn'?t|unable\sto|no\smoney\s(?:to|for)|how\s(?:am\si|are\swe|do\si)\s(?:supposed\s)?to)\s(?:\w+\s)?(?:pay|afford|buy|feed|cover)\b[^.!?]{0,40}\b(?:rent|food|groceries|bills?|kids|children|mortgage|heating|medicine|eat|family|baby|electricity|nappies|diapers)\b",
            r"\b(?:evict\w*|homeless|bankrupt\w*|lose\s(?:my|our)\s(?:home|house|job|flat|apartment)|lost\smy\s(?:job|home|house)|foreclos\w+|starv\w+|nothing\sto\seat|no\s(?:food|milk|formula)\s(?:\w+\s){0,2}for|(?:and|with|have|had|without)\s(?:no|any)\smoney|no\smoney\s(?:left|for\s(?:food|rent|medicine))|emptied\s(?:it|my|our|the\saccount)|life\ssavings|all\s(?:my|our)\ssavings|last\s(?:money|penny|cent|dollars?)|debt\scollectors?|overdrawn|my\s(?:whole\s|entire\s)?(?:salary|wages|pension|benefits?)\b[^.!?]{0,30}\b(?:not|n't|never|late|missing|gone|blocked|frozen)|(?:money|account)\s(?:is|was|has\sbeen)\s(?:\w+\s)?(?:stolen|drained|emptied)|ruin\w*\s(?:me|us|my\slife|financially))\b"),
        _sign("vulnerable", "somebody who depends on others", 0.4,
            r"\b(?:my|our|the|a|with\s(?:a|two|three|my)|sick|small|little)\s(?:\w+\s){0,2}(?:baby|newborn|toddler|infant|premature)\b|\b(?:pregnant|disabled|disability|wheelchair|blind|deaf|dementia|alzheimer\w*|autis\w+|elderly|single\s(?:mother|mom|mum|father|dad|parent)|special\sneeds|carer|housebound|refugee)\b|\b(?:[7-9]\d|10\d)[-\s]?(?:years?[-\s]old|yo|y/o|yr\sold)\b|\b(?:is|he's|she's|aged)\s(?:[7-9]\d|10\d)\b|\b(?:mother|father|mum|dad|grand\w+)\sof\s[7-9]\d\b"),
        _sign("despair", "despair", 1.0,
            r"\b(?:i|we|she|he){much}(?:\s|')?(?:{be})?{much}\s(?:desperate|hopeless|helpless|heartbroken|devastated|broken|suicidal|despair\w*|at\s(?:my|our)\swit'?s?\send|at\smy\slimit|crying|in\stears|falling\sapart|losing\s(?:my\smind|it)|sobbing|distraught|inconsolable|at\sbreaking\spoint|overwhelmed|burnt\sout)\b",
            r"\b(?:i\s(?:can'?t|cannot)\s(?:take|bear|cope|do\sthis|stop\scrying|sleep|go\son)|crying\s(?:all|every|for)|cried\s(?:all|for|every|myself|the\swhole)|(?:made|had)\s(?:me|her|him|us|my\s\w+)\s(?:\w+\s)?(?:cry|crying|in\stears){no_laugh}|begging\syou|i\sbeg\s(?:you|of)|please,?\s(?:please|i\sbeg|help\sme|somebody|someone)|nervous\sbreakdown|(?:i|we|she|he)\s(?:broke|am\sbreaking|'m\sbreaking)\sdown|so\shumiliat\w+|never\sbeen\sso\s\w+|don'?t\sknow\swhat\s(?:else\s)?to\sdo|no\sone\s(?:will|would|is)\shelp\w*|nobody\s(?:will|would|is)?\s?help\w*|desperate(?:ly)?|ruined\s(?:my|our|her|his|the)\s(?:\w+\s)?(?:life|wedding|day|honeymoon|funeral|birthday)|destroyed\smy|worst\sday\sof|nightmare)\b", negatable=False),
        _sign("anger", "strong anger", 1.0,
            r"\b(?:{be}){much}\s(?:furious|livid|enraged|outraged|fuming|seething|raging|beside\smyself|boiling|disgusted|sick\sof|sick\sand\stired|fed\sup)\b|\b(?:furious|livid|enraged|outraged|seething)\b",
            r"\b(?:how\sdare\syou|rot\sin\shell|go\sto\shell|screw\syou|fuck\w*|bastards?|scum(?:bags?)?|bullshit|criminals|thieves|you\s(?:people\s)?(?:are\s)?(?:liars|crooks|monsters)|i\shate\s(?:you|your|this\scompany)|never\sforgive|see\syou\sin\scourt|my\slawyer|sue\syou|suing|police|disgrace(?:ful)?|ashamed\sof\syourselves|shame\son\syou)\b"),
        _sign("cross", "anger", 0.5,
            r"\b(?:{be}){much}\s(?:angry|mad\sat|annoyed|upset|cross|disappointed|frustrated|let\sdown|unhappy|pissed\s?(?:off)?|humiliated|insulted|ignored|worried|stressed|exhausted|cheated|sad)\b|\b(?:so|very|really|extremely)\s(?:angry|upset|frustrat\w+|disappointed|annoy\w+|worried|stressed|rude)\b|\b(?:unacceptable|outrageous|appalling|shocking|horrific|ridiculous|terrible\sservice|worst\s(?:company|service|experience)|what\sthe\shell|wtf|scandal\w*|pathetic)\b"),
        _sign("again", "not the first time", 0.3,
            r"\b(?:(?:third|fourth|fifth|sixth|seventh|tenth|\d+(?:th|rd))\stime|(?:three|four|five|six|seven|ten|\d+)\s(?:times|emails?|e-mails?|calls|letters)|again\sand\sagain|over\sand\sover|called\sand\scalled|no\sone\s(?:answers|replies|responds|cares)|nobody\s(?:answers|replies|responds|cares))\b", negatable=False),
    ),
    slots=_SLOTS,
    negations=ENGLISH.negations - {"nobody", "none", "cannot", "cant"},
    refusals=frozenset(),
    reach_ends=ENGLISH.reach_ends,
    condition="(?!)",
    hypothesis="(?!)",
    rule="(?!)",
    abbreviations=ENGLISH.abbreviations,
)

_THAI = Language(
    code="th",
    signals=(
        _sign("danger", "danger to life or safety", 2.0, "ฆ่าตัวตาย|อยากตาย|ไม่อยากอยู่|หายใจไม่ออก|ไฟไหม้|แก๊สรั่ว|ไฟดูด|ทำร้ายร่างกาย|ถูกทำร้าย|โดนทำร้าย|หมดสติ|รถพยาบาล", negatable=False),
        _sign("death", "bereavement", 1.2, "(?<!ไม่)เสียชีวิต|(?:แม่|พ่อ|ลูก|สามี|ภรรยา|ยาย|ตา|ปู่|ย่า)(?:เพิ่ง)?(?:เสีย|ตาย)|งานศพ|จากไปแล้ว"),
        _sign("ill", "somebody ill", 0.8, "(?<!ไม่)ป่วย(?:หนัก)?|เข้าโรงพยาบาล|บาดเจ็บ|มะเร็ง|แพ้(?:ยา|อาหาร)|อาหารเป็นพิษ|เลือดออก"),
        _sign("health", "health at stake", 1.0, "ยา(?:หมด|ไม่มา|ขาด)|อินซูลิน|เครื่องช่วยหายใจ"),
        _sign("unsafe", "fear", 1.0, "(?<!ไม่)(?<!ไม่ได้)(?:กลัวมาก|หวาดกลัว|ตกใจมาก|ไม่ปลอดภัย)"),
        _sign("money", "money for living", 1.0, "ไม่มีเงิน(?:กิน|ซื้อ|จ่าย)|หมดตัว|เงินเก็บทั้งหมด|ไม่มีกิน|โดนโกง|ถูกโกง"),
        _sign("vulnerable", "somebody who depends on others", 0.4, "ทารก|ลูกเล็ก|ตั้งครรภ์|คนท้อง|ผู้พิการ|คนแก่|ผู้สูงอายุ|ผู้ป่วยติดเตียง"),
        _sign("despair", "despair", 1.0, "ร้องไห้|หมดหวัง|สิ้นหวัง|ทนไม่ไหว|ไม่ไหวแล้ว|ช่วยด้วย|ขอร้อง|เครียดมาก"),
        _sign("anger", "strong anger", 1.0, "(?<!ไม่)(?<!ไม่ได้)(?:โกรธมาก|โมโหมาก|เดือดมาก|แจ้งความ|ฟ้องร้อง|เลวมาก|ห่วยแตก|รับไม่ได้)"),
        _sign("cross", "anger", 0.5, "(?<!ไม่)(?<!ไม่ได้)(?:โกรธ|โมโห|ผิดหวัง|หงุดหงิด|แย่มาก|เสียใจมาก)(?!มาก)"),
    ),
    slots={},
    negations=frozenset(),
    refusals=frozenset(),
    reach_ends=frozenset(),
    condition="(?!)",
    hypothesis="(?!)",
    rule="(?!)",
)

DISTRESS: dict[str, Language] = {"en": _ENGLISH, "th": _THAI}
