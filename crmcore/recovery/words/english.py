"""English: families of words, and the signals of replies that are made of them.

Each signal is a family of wordings, not a list of sentences: who acts, what is done, what is felt, when. Points are
log-odds by judgement (0.5 a hint, 1 a clear sign, 2 decisive), chosen on half of the labelled pairs.
"""

from __future__ import annotations

from crmcore.recovery.words.reading import Language, Signal

__all__ = ["ENGLISH", "STEPS"]

_NUMBER = (
    r"\d+(?:[.,]\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|sixty|"
    r"half an|a couple of|the next(?: \w+)?|the"
)
_SLOTS = {
    "adverb": r"(?:\s(?:\w+ly|also|already|just|now|both|all|even|still|once|again|then|therefore|today|at once|right away))*",
    "much": r"(?:\s(?:not|never|so|very|really|truly|deeply|sincerely|terribly|extremely|incredibly|awfully|genuinely|more|most|all|honestly|too|both|again|also|just|and|ashamed|embarrassed))*",
    "who": r"i|we|our\s\w+(?:\s\w+)?|my\s\w+|the\s(?:\w+\s)?(?:team|manager|director|owner|captain|chef|engineer|fitter|mechanic|technician|courier|driver|crew|"
    r"surveyor|specialist|pharmacist|supervisor|doctor|sister|colleague|volunteer|inspector|head|department)|(?-i:Mr|Mrs|Ms|Dr|Professor)\.?\s\w+|"
    r"(?-i:(?!You\b|The\b|This\b|That\b|It\b|There\b|They\b|What\b|All\b|Your\b|Our\b|Please\b|Orders?\b|Customers?\b|Drivers?\b|Guests?\b|Passengers?\b|Cards?\b|Items?\b|Payments?\b|Appeals?\b)[A-Z][a-z]+)|"
    r"a\s(?:\w+\s){0,2}(?:team|manager|engineer|fitter|mechanic|technician|courier|driver|crew|surveyor|specialist|pharmacist|colleague|volunteer|helper|person)|someone|somebody|she|he|they",
    "we": r"i|we|our\s\w+(?:\s\w+)?|my\s(?:colleague|team|boss|manager)s?(?:\s\w+)?",
    "doing": r"ask|escalat|refund|reimburs|replac|re-?send|send|ship|dispatch|order|arrang|book|re-?book|reserv|schedul|cancel|revers|credit|return|repair|fix|correct|updat|"
    r"remov|delet|add|put|call|phon|ring|contact|visit|meet|speak|talk|check|look|investigat|review|trac|track|search|find|pull|stop|clos|re-?open|unlock|freez|block|restor|"
    r"reset|notif|inform|alert|tell|writ|messag|e-?mail|pay|cover|waiv|giv|hold|sav|set|chang|train|hir|mov|upgrad|process|approv|authoris|authoriz|releas|issu|bring|tak|handl|"
    r"prioriti[sz]|mak|see|sort|deal|help|stay|keep|monitor|follow|com|collect|pick|deliver|offer|print|listen|transfer|confirm|assign|appoint|suspend|fly|driv|walk|go|paint|clean|"
    r"inspect|examin|rais|flag|launch|start|begin|open|pack|prepar|let|get|run|extend|honou?r|match|treat|personally|sit|finish|install|switch|work|report|apply|secur|retriev|recover|rush|tighten|provid|redo|remak|re-?issu|swap|exchang|discuss|explain|connect|coordinat|adjust|resolv|rectif",
    "done": r"asked|escalated|refunded|reimbursed|replaced|re-?sent|sent|shipped|dispatched|ordered|arranged|booked|re-?booked|reserved|scheduled|re-?scheduled|cancelled|canceled|reversed|credited|"
    r"returned|repaired|fixed|corrected|updated|removed|deleted|added|put|called|phoned|rung|contacted|visited|met|spoken|spoke|talked|checked|looked|investigated|reviewed|traced|"
    r"tracked|searched|found|pulled|stopped|closed|re-?opened|unlocked|frozen|blocked|restored|reset|notified|informed|alerted|told|written|wrote|messaged|e-?mailed|paid|covered|"
    r"waived|given|gave|held|saved|set|changed|trained|hired|moved|upgraded|processed|approved|authori[sz]ed|released|issued|brought|taken|took|handled|prioriti[sz]ed|made sure|seen to|"
    r"sorted|dealt|stayed|kept|collected|picked|delivered|offered|printed|listened|transferred|confirmed|assigned|appointed|suspended|apologised|painted|cleaned|inspected|raised|flagged|"
    r"launched|started|begun|opened|packed|prepared|extended|got|run|taken off|hidden|treated|noted|reported|started|switched|secured|retrieved|recovered|rushed|resolved|rectified|adjusted|swapped|exchanged|shared|involved",
    "feel": r"frustrat\w*|upset(?:ting)?|annoy\w*|awful|terrible|scary|scared|frighten\w*|worr(?:y|ied|ying|ies)|stress\w*|exhaust\w*|pain(?:ful)?|disappoint\w*|embarrass\w*|"
    r"humiliat\w*|unacceptable|not\sacceptable|not\s(?:right|fair|okay|ok|good\senough|on)|unfair|hard|horrible|heavy|sad|nightmare|distress\w*|"
    r"ang(?:ry|er)|cross|fum(?:ing|e)|hurt\w*|difficult|rotten|dreadful|hopeless|helpless|alarming|tricked|cheated|let\sdown|devastat\w*|heartbreak\w*|unsettling|tiring|"
    r"disrespectful|rough|unbearable|inconvenient|concern(?:ing|ed)|unpleasant|miserable|infuriat\w*|maddening|shock(?:ing)?|serious|tough|lonely|anxi\w*|overwhelm\w*|a lot|racing|dangerous|unsafe|ridiculous|silly|gross|wears",
    "n": _NUMBER,
    "unit": r"(?:seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?|nights?|months?)",
    "day": r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)day",
    "month": r"(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)",
    "clock": r"(?:\d{1,2}(?:[:.]\d{2})?\s?(?:am|pm|a\.m|p\.m|o'clock|h)\b|\d{1,2}[:.]\d{2}\b|(?:noon|midday|midnight)\b)",
    "time": r"today|tonight|tomorrow(?:\s(?:morning|afternoon|evening|night|noon))?|this\s(?:morning|afternoon|evening|weekend|week)|(?:the\s)?(?:same|next|following)\s(?:day|morning|week|working\sday)|"
    r"within\s(?:the\s|about\s|at\smost\s)?{n}(?:\s{n})?[\s-]?(?:working\s|business\s|full\s)?{unit}|in\s(?:about\s|around\s|roughly\s|less\sthan\s|the\snext\s|under\s)?{n}\s?(?:to\s\d+\s)?(?:working\s|business\s)?{unit}|"
    r"(?:by|on|before|until|from|next|this|coming|for|no\slater\sthan|till|every)\s(?:the\s|coming\s|next\s)*{day}|{day}\b|"
    r"(?:by|on|before|until|from|for|no\slater\sthan)?\s?(?:the\s)?\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?{month}\b(?:\s\d{4})?|{month}\s\d{1,2}(?:st|nd|rd|th)?\b|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|"
    r"(?:by|on|before|until)\sthe\s\d{1,2}(?:st|nd|rd|th)|(?:by\s)?(?:the\s)?end\sof\s(?:the\s|this\s)?(?:day|week|month|business)|\beod\b|"
    r"(?:at|by|before|after|around|about|from|until|till|between)\s(?:about\s)?{clock}|(?:at|by|before|from|between|until)\s\d{1,2}(?=\s|[,.]|$)(?!\s(?:%|percent|degrees|euros?|dollars?|out))|{clock}|next\sweek|first\sthing",
    "at_once": r"right\snow|this\s(?:minute|second|instant|moment|very\smoment)|just\snow|straight\s?away|right\saway|at\sonce|immediately|as\sof\s(?:now|today)|a\sminute\sago|an\shour\sago|"
    r"(?:within|in)\sthe\shour|urgent(?:ly)?|emergency|top\spriority|without\sdelay|minutes?\saway|on\s(?:his|her|its|their|the)\sway|ten\sminutes|as\swe\sspeak|while\swriting",
    "again": r"(?:us|again|our\s(?:team|support|office|customer)|support|customer|the\s(?:sender|seller|manufacturer|store|airport|bank|front|office|complaints|technical))",
    "wrong": r"mistakes?|faults?|errors?|failures?|failings?|oversights?|slip|mess|blunder|mix-?up|bug|typo|poor\splanning|negligence|responsibility",
}

STEPS = ("repaired", "doing", "will_do", "remedy", "promise_back")
"""Signals of a step, beside which a day or an hour is a promise and not a memory."""

_APOLOGY = Signal(
    "apology",
    "says sorry for what happened",
    (
        r"\b(?:i|we)(?:\s(?:am|are|do|must|want\sto|wanted\sto|would\slike\sto|can\sonly)|'m|'re|'d\slike\sto)?{much}{adverb}\s(?:sorry|apologi[sz]e)\b"
        r"(?!\s(?:if|you\sfeel|you\sthink|you\sare|you're|to\ssee|to\slearn|to\shear|to\sread|but|for\s(?:any|your\sexperience|how\syou\sfeel|the\sway\syou\sfeel|your\sloss)|that\syou\s(?:feel|think|believe|consider|were\sunhappy|are\sunhappy|did\snot\senjoy)))",
        r"(?:^|(?<=[.!?:,]\s)|(?<=[.!?:,]))\s*(?:so\s|very\s|really\s|truly\s|oh\s|oh\sno,?\s|hi\W\s?|ouch,?\s|and\s|again,?\s){0,2}(?:sorry|apologies)(?=\s(?:about|for|that|we|i|i'm|it|your|the|this)\b|[.!,]|$)(?!\s(?:for\s(?:any|your\sloss|how\syou)|that\syou\s(?:feel|think|believe)|you))",
        r"\b(?:my|our)(?:\s\w+){0,3}\sapolog(?:ies|y)\b(?!\s(?:if|for\sany))|\baccept\s(?:my|our|this)(?:\s\w+){0,3}\sapolog(?:ies|y)\b(?!\s(?:if|for\sany))",
        r"\bapologi[sz](?:e|ing)\b(?=\s(?:sincerely|unreservedly|for\s(?!any)|that|to\s(?:you|her|him|them)|properly))",
        r"\b(?:i|we){adverb}\sregret\s(?:our|the|this|that\swe)\b",
        r"\bask\s(?:for\s)?your\sforgiveness|\bplease\sforgive\s(?:us|me)",
    ),
    empathy=0.9,
    whole=True,
)

_REPLIES = (
    _APOLOGY,
    Signal("deep", "means the apology", (r"\b(?:so|very|truly|deeply|really|sincerely|terribly)\s(?:very\s)?sorry\b(?!\s(?:if|to\shear|you\sfeel))|\bsincere(?:st)?\sapolog|\bapologi[sz]e\ssincerely|\bno\sexcuse|\bashamed\b|\bembarrassed\b",), empathy=0.5),
    Signal("sympathy", "is sorry for a loss, or hopes for the best", (
        r"\bsorry\sfor\s(?:your|the)\sloss\b|\bsorry\s(?:you're|you\sare)\s(?:hurt|ill|unwell|in\spain)|\bcondolences?\b",
        r"\b(?:how\s(?:is|are|'s)|how's)\s(?:you|your|his|her|he|she|the\s(?:baby|little|child))\b(?!\ssatisf)|\bare\syou\s(?:ok|okay|all\sright|alright|hurt|safe|well)|\bis\syour\s\w+\s(?:ok|okay|all\sright|well|safe)",
        r"\b(?:glad|relieved|hope)\s(?:that\s)?(?:you|she|he|they|your\s\w+)(?:'re|'s|\sare|\sis)\s(?:not\s)?(?:safe|ok|okay|all\sright|in\stoo|better|well)",
        r"\bwhen\syou\s(?:feel\sup\sto|have\sthe\senergy|are\sready)",
    ), empathy=1.1, asked=True, negatable=False),
    Signal("understanding", "puts itself in the other's place", (
        r"\b(?:i|we)(?:\s(?:can|do|could|fully|completely|totally|truly|really|well|only|both|hardly|quite|certainly))*\s(?:(?:understand|imagine|appreciate|realise|realize)\b(?=\s(?:how|why|that|what|it|this|your\s(?:worry|concern|anger|pain)|these|you(?:'re|\sare)|and\sshare|a\s))|(?:see|get|know|hear|share)\b(?=\s(?:how|why|what|it[,.]|that[,.]|you'?(?:re|\sare)|these|your\s(?:worry|concern|pain))))",
        r"\b(?:that|this|it|which|what\shappened)(?:'s|\sis|\swas|\swould|\smust(?:'ve|\shave)?|\ssounds|\sfeels|\shurts|\swears|\shas|\sbe|\sbeen|\shave|\scan|\scould|\sended|\sfeel|\sjust|\sin)*(?:\s(?:so|very|really|truly|such|every|far|too|just|a|an|and|badly|plain|not|quite|how|absolutely|completely|clearly|extremely|incredibly|simply|utterly|neither|serious\s\w+))*\s(?:{feel})",
        r"\b(?:i|we|anyone|anybody|everyone|any\sof\sus)(?:'d|\swould)(?:\s(?:be|have|feel|also|all|not))*\s(?:\w+\s){0,3}(?:too|the\ssame|as\swell)\b|\bi'd\sbe\s\w+",
        r"\b(?:is|was|are|were|be|been)\s(?:so\s|very\s|really\s|simply\s|just\s|truly\s|deeply\s|such\sa\s)?(?:awful|terrible|horrible|miserable|unacceptable|not\sacceptable|frightening|exhausting|infuriating|maddening|humiliating|unfair|dreadful|heavy|frustrating|upsetting|annoying|stressful|painful|worrying|disappointing|devastating|scary|unbearable)\b",
        r"\bhow\s(?:\w+\s)?{feel}\b",
        r"\bno\swonder\b|\bof\scourse\syou\b|\bevery\sparent's\b",
        r"\b(?:nobody|no\sone|none\sof\sus|no\s(?:customer|guest|patient|parent|child|family))\s(?:should|ever|deserves|wants|would)\b",
        r"\byou\s(?:must|may|might|probably|surely)\s(?:be|have\sbeen|feel|have\sfelt)\b",
        r"\b(?:feels?|feeling|felt)\slike\b|\bthat's\snot\s(?:how|what|the)\b|\bthat\sis\snot\s(?:how|what|the)\b",
        r"\b(?:oh\sno|oh\sdear|ouch|yikes|yuck|oof)\b",
    ), empathy=1.1, negatable=False),
    Signal("validation", "says that the other is right", (
        r"\byou(?:'re|\sare|\swere)\s(?:\w+\s)?right\b|\byou\sdeserved?\b(?!\sthe\sbest)|\b(?:rightly|rightfully|with\sgood\sreason|every\sright|have\sa\spoint|fair\spoint|wrong\sthing\sto\ssay)\b",
        r"\byou\s(?:should\s(?:not|never)|shouldn't)\s(?:have\s(?:had\sto|to|been)|need)|\byou\sshould(?:'ve|\shave)\s(?:heard|been|received|had|gotten|got)\b",
        r"\b(?:this|that|it|such\sthings?|things)\s(?:should|must)(?:n't|\snot|\snever)\s(?:have\s)?(?:ever\s)?happen",
        r"\byou\s(?:trusted|relied|counted\son|did\s(?:everything|nothing\swrong)|told\sus\sclearly|planned|came\sto|waited|booked|paid|expected|asked\sfor|wanted|took|came)\b(?=[^.!?]*\b(?:and|but|for|only|then|what|a\sdate)\b)",
        r"\b(?:our\smess|not\syours|not\syour\sfault|don't\s(?:have|need)\sto|do\snot\s(?:have|need)\sto|no\sneed\sto|nothing\selse\syou)\b",
    ), empathy=0.9, negatable=False),
    Signal("thanks", "thanks for telling", (r"\bthank(?:s|\syou)\sfor\s(?:telling|letting|bringing|raising|pointing|flagging|alerting|speaking|your\shonest)",), empathy=0.2),
    Signal("in_person", "speaks as a person who takes it over", (
        r"\b(?:i|we)\s(?:am\s|will\s|have\s|'ll\s)?personally\b|\bpersonally\b|\bmyself\b|\bin\sperson\b|\bmy\sdirect\b|\bme\sdirectly\b|\bdirectly\b(?=[.!,]|\sor|\sby)|\bto\sme\b|\bcall\sme\b|\bask\sfor\s(?-i:[A-Z])",
        r"\b(?:i'm|i\sam|this\sis|my\sname\sis|it's\sme)\b[^.!?]{0,12}(?-i:[A-Z][a-z]+)\b|\bi'm\sthe\s(?:\w+\s)?(?:manager|director|owner|head|one)|\bi\s(?:own|run|manage)\b|\b(?:it's|it\sis)\s(?:mine|my\s\w+)\snow",
        r"\bi(?:'ll|\swill)\s(?:stay|be\son|remain|not\srest|only\sclose|look\safter)|\byour\sown\scontact|\bname(?:'s|\sis)\s(?-i:[A-Z])|\bi\sstay\b|\bmy\scolleague\s(?-i:[A-Z])",
    ), empathy=0.5, urgency=0.6, asked=True),
    Signal("i", "speaks in the first person", (r"\bi(?:'m|'ve|'ll|'d)?\b",), empathy=0.25, urgency=0.15, anywhere=True, negatable=False),
    Signal("ownership", "admits the own mistake", (
        r"\b(?:our|my)\s(?:(?!no\b|not\b)\w+\s){0,2}?(?:{wrong})\b(?!\scode)",
        r"\b(?:i|we)(?:'ve|\shave)?{adverb}\s(?:made|caused)\s(?:a|an|this|the)\s(?:\w+\s){0,2}(?:{wrong})\b",
        r"\b(?:i|we)(?:'ve|\shave|\sclearly|\sreally|\ssimply|\sboth)*\s(?:let\s(?:you|her|him|them|your\s\w+)(?:\s\w+)?\sdown|failed(?:\s(?:you|to|him|her|them|your|in)\b|\b)|fell\sshort|got\s(?:it|this|that)\s(?:\w+\s)?wrong|messed\sup|broke\s(?:that|your|our)|dropped\sthe\sball|were\swrong|was\swrong|neglected|overlooked|forgot)\b",
        r"\b(?:i|we)\s(?:should|ought\sto)(?:'ve|\shave)\b|\b(?:i|we)\s(?:should|must)(?:n't|\snot)\shave\b",
        r"\b(?:take|takes|taking|accept|bear|assume)\s(?:the\s|full\s|complete\s|all\s|this\s)*(?:responsibility|blame)\b",
        r"\b(?:that's|this\sis|it's|that\sis|it\sis|entirely|all)\son\s(?:us|me)\b|\b(?:on|at|from)\sour\s(?:side|end|part)\b|\bour\sfault\b|\bours?\salone\b",
        r"\b(?:i|we)\s(?:promised|told\syou|said|did\snot|didn't|never|put\syou|scared|booked|planned|took|sent\syou|left\syou|lost|damaged|charged|gave\s(?:you|your))\b(?=[^.!?]*\b(?:not|n't|wrong|late|twice|never|danger|nobody|without|keep|too\smany|nothing|like\sthis|from\syou|away|your|act|stand)\b)",
        r"\b(?:you\sshould'?(?:ve|\shave)\sheard\sfrom\sus|because\sof\sus|by\sour\s\w+\smistake|system\sworks\sso\sbadly|was\swrong\sto|closing\sit\swas\swrong|our\s\w+(?:\s\w+)?\sfailed|our\s(?:site|system|check|app|bot|van|work|part)\b[^.!?]{0,30}\b(?:failed|wrong|fault|wrongly|hit|didn't|not\sgood))",
    ), empathy=0.7),
    Signal("cause", "names the cause", (
        r"\b(?:because|due\sto|caused\sby|owing\sto|as\sa\sresult\sof|resulted\sfrom|on\saccount\sof|thanks\sto|as\sa\sconsequence\sof)\b(?!\s(?:you\s(?:are|need|deserve|told|wrote|trust)|(?:i|we)\s(?:want|would|value|care|know)|(?:the\s)?(?:high|higher)\s))",
        r"\b(?:the\s(?:root\s)?(?:cause|reason|problem|fault|issue)(?:\sfor\s\w+(?:\s\w+){0,3}|\sbehind\s\w+(?:\s\w+)?)?\s(?:was|is|lies|lay)\b)|\b(?:what\s(?:went\swrong|happened)\s(?:is|was))|\bhappened\s(?:when|after|since|as)\b|\bwhat\shappened:",
        r"\b(?!you\b|your\b)(?:(?:our|the|a|an|one\sof\sour|two|his|her)\s(?:\w+\s){0,3}?\w+|we|i|someone|he|she|they|it)\s(?:(?:had|has|have|was|were|got|been|did|simply|both|wrongly)\s)*(?:mixed\sup|swapped|mis\w+|fell\sill|off\ssick|broke(?:n)?\sdown|crashed|went\sdown|failed(?!\s(?:you|him|her|them)\b)|overlooked|forgot(?:ten)?|ran\sout|double[-\s]booked|overbooked|delayed\s(?:by|in|at)|damaged\s(?:by|in|at|during)|lost\s(?:in|at|by|during)|wrongly\s\w+|sent\sto\sthe\swrong|entered\s(?:\w+\s){0,2}(?:wrong|twice)|left\soff|not\sentered|not\spassed\son|stuck\s(?:in|at)|held\sup\s(?:in|at|by)|labell?ed|planned\stoo\smany|booked\s(?:\w+\s){0,2}twice|sent\s(?:two|the\swrong|twice)|written\sdown\swrong)\b",
        r"\b(?:the|our|a|an|one\sof\s(?:our|the))\s(?:[\w'-]+\s){1,2}?(?:(?:had|has|have|then|accidentally|unfortunately|simply)\s)*(?:lost|misplaced|dropped|mishandled|misrouted|damaged|jammed|leaked|flooded|missed\s(?:the|a|your|our)|broke\b(?!\s(?:your|that))|cancelled\son\sus|let\sus\sdown|"
        r"was\s(?:\w+\s)?(?:ill|sick|late|broken|faulty|defective|stuck|overloaded|out\sof\s(?:order|stock)|down|on\sstrike|closed|too\sfull|unwell|absent)\b|had\s(?:an?\s)?(?:\w+\s)?(?:accident|breakdown|flat|problem|failure|outage)|did\s?n(?:'t|ot)\s(?:scan|pass|check|notice|update|wake|show\sup))",
        r"\b(?:short\sof\sstaff|short-?staffed|understaffed|power\scut|power\soutage|software\s(?:error|bug|fault)|system\s(?:error|outage|failure|fault)|human\serror|typing\serror|wrong\slabel|server\soutage|(?:an?\s)?(?:error|fault|bug|mistake|mix-?up)\s(?:in|at|by|during|on)\s(?:our|the|a)\b|our\stypo|poor\splanning)",
    ), empathy=0.2, urgency=0.2),
    Signal("checking", "says that the cause is being looked for", (
        r"\b(?:check|look|find|work|investigat|examin|establish|clarif|review|analy[sz]|trac|explain|learn|understand|determin|inquir|enquir|figur)\w*\s(?:\w+\s){0,4}?(?:why|what\s(?:went|happened|caused|exactly|came)|how\s(?:this|that|it)|where\sit\swent|the\s(?:cause|reason)|(?:in)?to\s(?:this|it|your|the\s(?:matter|case|ride)))\b",
        r"\b(?:do\snot|don't|cannot|can't)\s(?:yet\s)?know\s(?:yet\s)?(?:why|what|how|the\scause)|\bnot\s(?:yet\s)?(?:clear|confirmed|known)\b|\buntil\swe\sknow\b|\bwhat\swe\s(?:know|found)\b|\b(?:we're|we\sare|i\sam|i'm)\s(?:still\s)?(?:checking|investigating|looking\sinto)\b",
    ), urgency=0.4, negatable=False),
    Signal("repaired", "says what has been done", (
        r"\b(?:i|we|my\s\w+|our\s\w+(?:\s\w+)?)(?:'ve|\shave|\shas)(?:\s(?:now|already|just|also|personally|today|immediately|therefore|both|all|since|even))*\s(?:{done})\b(?!\syour\s(?:comments?|feedback|message|complaint|case\scarefully|remarks)|\sreceived)",
        r"\b(?:i|we)(?:\s(?:now|already|just|also|personally|immediately))*\s(?:asked|refunded|replaced|sent|booked|cancelled|reversed|checked|found|pulled|stopped|closed|looked|fixed|put|moved|removed|printed|escalated|called|froze|unlocked|arranged|issued|credited|told|spoke|reopened|waived)\b",
        r"(?<!\byou\s)\b(?:was|were)(?:\s(?:now|already|just|also|both|all))*\s(?:refunded|reimbursed|reversed|credited|released|re-?opened|corrected|approved|issued|restored|repaired|fixed|replaced|waived|alerted|shipped|dispatched|taken\soff)\b",
        r"(?<!\bnot\sbeen\s)(?<!\byou\s)\b(?:has|have|'s|is|are)(?:\s(?:now|already|just|also|both|all|since|being))*(?:\sbeen)?(?:\s(?:now|already|just))*\s(?:refunded|reimbursed|replaced|re-?sent|sent|shipped|dispatched|booked|re-?booked|cancelled|canceled|reversed|credited|repaired|fixed|corrected|removed|pulled|stopped|closed|re-?opened|unlocked|restored|alerted|informed|told|waived|moved|upgraded|approved|released|issued|assigned|suspended|packed|prepared|set\saside|taken\s(?:off|out)|frozen|deleted|escalated|arranged|scheduled|reserved|traced|attached|ready|open\sagain)\b",
        r"\b(?:i|we)(?:'ve|\shave)\s(?:it|them|you|your\s\w+|both|the\s\w+)\s(?:\w+\s){0,4}(?:in\sfront|on|open|put|set|aside|booked)\b|\b(?:is|are|'s|lies?)\s(?:now\s)?(?:ready|waiting|there|with\s(?:you|him|her)|on\s(?:its|their|his|her|the)\sway|at\sthe\s\w+)\b(?!\s(?:and\ssee|to\shelp|more))",
    ), urgency=1.1, negatable=True),
    Signal("doing", "says what is being done", (
        r"\b(?:{who})(?:'m|'re|'s|\sam|\sare|\sis)(?:\s(?:now|already|just|also|personally|both|all|currently|working))*\s(?:(?:{doing})\w*ing|leaving|coming|sending|getting|putting|giving|taking|making|writing|driving|tracing|calling|issuing|moving|holding|stopping|shipping|arranging|freezing|closing|rearranging|walking|joining|shaping)\b(?!\s(?:forward|everything\swe\scan|to\simprove|on\sfinding|hard|into\saccount))",
        r"\b(?:goes|leaves?|arrives?|comes|come|starts|begins|takes\sover|rings|phones|calls|visits|joins|returns|departs|reaches|listens|collects|ships|gets|looks|meets|brings|delivers)\b(?=[^.!?]*\b(?:{time}|{at_once}|you)\b)(?:\s(?!and\b)\w+){0,3}",
        r"\b(?:i|we)\s(?:keep|hold|stay|pay|cover|take|send|repair|replace|put)\b(?!\s(?:all|your|every|it\svery|pride|this\svery|our|care\b))",
        r"(?:^|(?<=[.!:]\s))\s*(?:fixed|cancelled|canceled|refunded|done|sorted|booked|sent|replaced|reopened|approved|reversed|solved|unlocked)\b",
    ), urgency=1.0),
    Signal("will_do", "promises a step", (
        r"\b(?:{who})(?:'ll|\swill|\sam\sgoing\sto|\sare\sgoing\sto|\scan(?!\s(?:see|understand|imagine|get|hear|only|well|certainly|assure))|'d\slike\sto|\swould\slike\sto|\swant\sto|'d\sbe\s(?:glad|happy)\sto|'re\sgoing\sto)(?:\s(?:now|also|personally|both|all|gladly|then|immediately|at\sonce))*\s(?:be\s(?:at|with|there|on|calling|sending|in\stouch)|have|{doing})\w*\b(?!\s(?:back\sto\syou(?!\s(?:by|on|at|before|today|tomorrow|within|tonight|this))|forward|to\simprove|you\sas\ssoon|into\s(?:it|this|the\smatter)|sure|the\smatter|it\son\sboard|our\s(?:very\s)?best|to\sour\steam))(?<!\bbe\sin\stouch)",
        r"\b(?:may|can|could|shall)\s(?:i|we)\s(?:\w+\s)?(?:call|phone|ring|meet|visit|speak|talk|send|come|offer|bring)\b",
        r"\byou(?:'ll|\swill|\scan|\sshould)?\s(?:now\s)?(?:have|get|receive|see|hear|walk\sout|be\scalled|be\srefunded|find\sit)\b(?!\s(?:more|in\sdue|the\s(?:faq|help)|a\ssurvey|information|further))",
        r"\b(?:refund|money|replacement|payment|parcel|part|fee|engineer|technician|courier|van|order|letter|bill|invoice|card|mechanic|fine|transfer|price|amount|rest|crew|reader|system|line|version|dress|set|set|new\sone|gift|it)\s(?:will|should)\s(?:now\s)?(?:be|arrive|come|reach|leave|go|show|land|appear|stay)\b(?!\s(?:processed\sin\sthe\sorder|handled\sin|forwarded|considered|noted))",
        r"\b(?:back\s(?:on|in|with)\s(?:your|you)|(?<!come\s)(?<!get\s)back\sto\syou|on\s(?:its|their)\sway\sback|yours\b)",
    ), urgency=0.8, asked=True),
    Signal("remedy", "makes good", (
        r"(?<!\bno\s)(?<!non\s)(?<!non-)\b(?:refund(?:ed|ing|s)?|reimburs\w+|(?:your|the|full|all\s(?:of\s)?your|all\sthe|its|her|his)\s(?:\w+\s)?(?:money|price|payment|deposit|fee|fare|amount)(?:\s\w+){0,3}\s(?:back|returned|returns|refunded)|money\s(?:back|goes\sback|is\son\sits\sway|is\swith)|paid\sback|pay\s(?:\w+\s)?back|give\s(?:\w+\s)?back|giving\sback|(?:giv|send|pay|credit|refund|return|transfer)\w*\s(?:\S+\s){1,4}?back(?!\sto\sus)|(?:give|offer|pay|credit|send|transfer)\w*\s(?:you|them|her|him)\s(?:an?\s|the\s)?(?:[$\u20ac\u00a3\u0e3f]\s?\d|\d+\s?(?:eur|usd|gbp|thb|baht|euros?|dollars?|pounds?|%))|(?:half|all|everything)\s(?:of\s)?(?:\w+\s){0,5}back)\b",
        r"\b(?:replac(?:e|ed|ing|ement|ements)|(?:a\s|the\s|your\s|brand\s)?(?:new|right|correct|complete|sealed|missing)\s(?:\w+\s){0,2}?(?:one|ones|set|item|pair|bottle|box|part|copy|phone|device|order|books?|things|tyres|cake|things?)\b|re-?sen[dt]|sent?\sagain|the\sstronger\smodel)\b",
        r"\b(?:compensat\w+|goodwill|credit(?:ed|ing)?\s(?:you|your|to|of)|voucher|gift\scard|complimentary|free\sof\scharge|for\sfree|(?<!gluten\s)(?<!toll\s)free(?=[,.!]|\s(?:replacement|night|month|of|for)|$)|at\sno\s(?:extra\s|further\s)?(?:cost|charge)|no\s(?:extra\s)?(?:charge|cost)\s(?:to|for)\syou|nothing\sto\spay|no\sfee|you\spay\snothing|on\s(?:us|the\shouse|me)(?=[.!,]|$)|(?:we|i)(?:'ll|\swill)?\s(?:\w+\s)?(?:pay|cover|bear)\b|at\sour\s(?:cost|expense)|waiv\w+|discount\w*|upgrad\w+|loan\s(?:car|device))",
        r"\b(?:taken|take|taking)\s(?:\w+\s){0,4}off\b|\b(?:fine|charge|fee|bill|invoice|payments?)\s(?:\w+\s){0,2}(?:cancelled|canceled|reversed|waived|removed|stopped)\b|\b(?:revers(?:ed|ing)|cancell?ed|removed|stopped|corrected)\s(?:the|it|your|this)\b",
        r"\b(?:repair(?:ed|ing)?\s(?:it|your|the|this)|fix(?:ed|ing)?\s(?:it|your|this|the)|paint\sit\sagain|redo|remake|repeat\s\w+|make\s(?:it|this)\s(?:up|right|good)|put\s(?:it|this|that|things)\sright|correct(?:ed|ing)?\s(?:your|the|one|bill|invoice|it))\b",
        r"\b(?:re-?booked|new\s(?:appointment|flight|date|seat|room|ticket|delivery)|room\s\d+\sis|price\sback|extended\syour|honou?r\sthe)\b",
    ), urgency=0.7, empathy=0.3),
    Signal("promise_back", "will report back", (
        r"\b(?:i|we)(?:'ll|\swill|'m\sgoing\sto)\s(?:\w+\s)?(?:let\syou\sknow|keep\syou\s(?:posted|informed|updated)|update\syou|confirm|write\sto\syou|call\syou|phone\syou|ring\syou|message\syou|tell\syou|report|get\sback\sto\syou|e-?mail\syou|be\sback)\b(?!\ssoon|\sas\ssoon|\sshortly|\sin\sdue|\swhen\spossible)",
    ), urgency=0.5, empathy=0.2),
    Signal("time", "names a day or an hour", (r"\b(?:{time})",), urgency=0.7, empathy=0.1, negatable=False, asked=True, beside=STEPS),
    Signal("at_once", "acts at once", (r"\b(?:{at_once})\b(?!\sas\s)",), urgency=0.9, negatable=True, asked=True, beside=STEPS),
    # what takes away
    Signal("conditional_apology", "is sorry only if, or for any", (
        r"\b(?:sorry|apologi[sz]e|regret|apologies)\b[^.!?]{0,20}?(?:\bif\b|\byou\sfeel\b|\bhow\syou\sfeel\b|\bthe\sway\syou\sfeel\b|\bthat\syou\s(?:feel|think|believe|consider)\b|\bfor\sany\b|\bany\s(?:inconvenience|trouble|upset|offen[cs]e|confusion)\b|\bthat\syou\s(?:were|are)\s(?:unhappy|dissatisfied|not\ssatisfied|disappointed|offended|upset))",
        r"\bregret\s(?:the\s|any\s|that\s)|\bsorry\syou\s(?:didn't|did\snot)\s(?:enjoy|like)|\bsorry,?\sbut\b",
    ), empathy=-0.9, anywhere=True, negatable=False),
    Signal("sorry_to_hear", "is sorry to hear it, which is no apology", (r"\b(?:sorry|sad|disappointed)\sto\s(?:hear|learn|read|see)\b",), empathy=0.1, anywhere=True, negatable=False),
    Signal("boilerplate", "uses phrases that fit any case", (
        r"\bthank(?:s|\syou)(?:\s(?:very|so)\smuch)?\sfor\s(?:contacting|reaching|getting\sin\stouch|your\s(?:message|e-?mail|letter|feedback|enquiry|inquiry|patience|understanding|interest|comments?|report|review|continued|loyalty|kind|business|cooperation)|writing|choosing|being|taking\sthe\stime|the\s(?:feedback|report)|sharing|visiting|shopping)|\bthanks\sfor\syour\b|\bthank\syou\sin\sadvance",
        r"\byour\s(?:\w+\s)?(?:feedback|satisfaction|opinion|experience|comments?|safety|business|loyalty|concerns?)\s(?:is|are|means|matters?)\b|\b(?:we|i)\s(?:\w+\s)?(?:value|appreciate|thank)\s(?:your|the|our|you|residents|all|every|passengers|guests|it)\b|\bpatient\sexperience\smatters|\bmeans\sa\slot\sto\sus",
        r"\bdear\s(?:sir|madam|customer|valued|user|guest|client|applicant|passenger)|\bvalued\s(?:customer|guest|member|client)|\bto\swhom\sit\smay",
        r"\b(?:rest\sassured|please\sbe\s(?:informed|assured|advised)|kindly|assuring\syou|would\slike\sto\sassure|bear\swith\sus|at\syour\sdisposal|do\snot\shesitate|as\spreviously|please\sbe\spatient|we\sremain)\b",
        r"\b(?:inconvenience|inconvenienced)\b|\b(?:high(?:est)?\s(?:standards?|quality|priority)|number\sone\spriority|award|strive|world-?class|best\s(?:services?|entertainment|possible)|utmost|international\sstandards|fully\s(?:trained|compliant|committed)|committed\sto|unforgettable|continuous\simprovement|every\ssuccess|proud|wonderful\scustomers)\b",
        r"\b(?:look(?:ing)?\sforward|hope)\b[^.!?]{0,30}\b(?:welcom|serv|see\syou|you(?:'ll|\swill)\sgive|seeing|opportunity|enjoy)\w*|\bhave\s(?:a|an)\s(?:\w+\s)?(?:great|nice|good|pleasant|wonderful|amazing|lovely|fun)?\s?(?:day|week|weekend|evening)|\bis\sthere\sanything\selse|\bkind\sregards|\benjoy\sthe|\bcheers\b|\bgod\sbless|\bstay\ssafe|\bplease\skeep\sfollowing",
        r"\b(?:taken?|takes?)\s(?:\w+\s){0,3}seriously\b|\b(?:has|have|will)\s(?:been\s|be\s)?(?:noted|forwarded|passed|shared)\b|\bnoted\syour|\bforwarded\syour|\bpass\syour\b|\b(?:relevant|respective|competent|responsible)\s(?:department|team|person|subcontractor)s?\b|\backnowledge\sreceipt|\bhave\sreceived\syour|\bwill\sbe\s(?:processed|examined|handled|answered)\b",
    ), empathy=-0.75, urgency=-0.35, anywhere=True, negatable=False),
    Signal("vague", "puts off without a day", (
        r"\bas\ssoon\sas\s(?:possible|we|there|practicable)|\bin\sdue\s(?:course|time)|\b(?:shortly|soon|eventually|at\ssome\spoint|when(?:ever)?\spossible|when\swe\scan|in\sthe\s(?:near\s)?future|going\sforward|subject\sto\savailability)\b|\bin\sorder\sof\s(?:arrival|receipt)|\bin\sthe\sorder\sin\swhich|\bstandard\sprocedure|\buntil\ssuch\stime|\btakes?\s(?:some\s)?time\b|\bbusy\b|\bonce\sthey\sare\savailable|\bafter\sthe\sfunds",
        r"\b(?:someone|somebody|a\smember|one\sof\sour|our\steam|the\steam)\b[^.!?]{0,25}\b(?:will|shall)\s(?:be\sin\stouch|contact|get\sback|call\syou\sback|reach\sout|respond|look)|\bdoing\s(?:everything|our\sbest|all)\b|\bworking\s(?:on\s(?:finding|it\shard|a\ssolution)|hard|constantly)|\bconstantly\b|\b(?:discuss|raise)\s(?:the\smatter|it|this)\sinternally|\b(?:come|get)\sback\sto\syou(?!\s(?:by|on|at|before|today|tomorrow|within|tonight|this))|\btake\s(?:it|this)\son\sboard|\bif\sneeded|\bwaiting\sfor\s(?:his|her|their|a|the)|\bbeing\sprocessed|\bany\sprogress|\bi'm\s(?:confident|sure)|\bto\smak(?:e|ing)\s(?:things|this|it)\sright\s\w+\ssoon|\blook\sinto\s(?:the\smatter|it|this)(?=[.!]|\swhen|\sas|$)|\btry\s(?:to|our\sbest)\b|\bhigh(?:er)?\s(?:than\s\w+\s)?(?:demand|call\svolumes?)",
        r"\b(?:patience|patient|be\spatient|bear\swith|your\sunderstanding|for\sunderstanding|kind\sunderstanding|refrain)\b",
    ), urgency=-0.9, empathy=-0.3, anywhere=True, negatable=False),
    Signal("burden", "gives the work back to the customer", (
        r"\bplease\s(?:\w+ly\s)?(?:fill|complete|submit|visit|refer|log\s?in|click|check|consult|follow|rate|ensure|make\ssure|allow|wait|contact|reschedule|re-?apply|restart|try|upload|provide|read|use|see\s(?:the|our)|note|monitor|supervise|store|go\sto|direct|feel\sfree|open\sa|take\sa\smoment|reset|change\syour|bring|come\sby|ignore|dress|press|do\snot\sreply|raise|confirm\swhether|ventilate|confirm\syour|call\s(?:our|the|us)|e-?mail\s(?:us|our)|resubmit|send\sus\s(?:a|the|your|all))\b",
        r"\byou\s(?:may|can|must|need\sto|have\sto|are\s(?:required|requested|advised|asked|kindly))\s(?:also\s|then\s|only\s)?(?:submit|request|file|use|appeal|book|manage|return|contact|try|find|check|log|reapply|re-?apply|fill|complete|visit|send|call|apply|lodge|upload|provide|go|purchase|refer)\b",
        r"\b(?:could|can|would)\syou\s(?:please\s|kindly\s)?(?:tell|send|provide|confirm|share|describe|give|fill)\b|\bplease\ssend\s(?:it|us|the|back|your)\b|\bin\swriting\b|\bstamped\senvelope|\bcompleted\sform",
        r"\b(?:can\sbe\s(?:found|made|requested|purchased|submitted)|self[-\s]service|help\scent(?:er|re)|faq|portal|complaints?\s(?:procedure|department)|survey|website|web\sform|online\sform|user\smanual|the\smanual|conditions\sof\scarriage|article\s\S+|page\s\d+|leaflet|virtual\sassistant|status\spage|opening\shours|office\shours|outside\sof\speak|by\spost|to\srebook|to\sreturn\san\sitem|feel\sfree\sto|to\shelp\sus\sserve|unsubscribe)\b",
    ), urgency=-0.7, empathy=-0.5, anywhere=True, negatable=False),
    Signal("refusal", "refuses or hides behind rules", (
        r"\b(?:unfortunately|however|regrettably)\b|\b(?:we|i)\s(?:can\s?not|can't|are\s(?:not\sable|unable|unfortunately)|do\snot\saccept|don't\saccept|are\snot\s(?:responsible|liable)|can\snot|won't\sbe\sable)\b|\bunable\sto\b|\b(?:cannot|can't|can\snot)\sbe\s(?:responsible|guaranteed|reversed|held|refunded|returned|exchanged)|\bnot\s(?:responsible|liable|binding|eligible|possible|covered|guaranteed|part\sof|permanent|our\sresponsibility|refundable)\b|\bno\s(?:liability|exceptions?|refunds?)\b|\bnon[-\s](?:refundable|binding)\b",
        r"\b(?:polic(?:y|ies)|terms|conditions|regulations?|section\s\d|contract|by\slaw|in\s(?:line|accordance)\swith|as\sper|according\sto|as\s(?:stated|described|agreed|mentioned|explained)|reserves?\sthe\sright|final|required|entitled|valid(?=\.)|outside\s(?:of\s)?our\scontrol|third\spart|subject\sto|not\sthe\sairline|therefore)\b",
        r"\b(?:normal|counts?\sas|assures?\sus|(?:very\s)?rare|known\sto\sbe|has\ssigned|have\ssigned|was\sin\splace|if\syou\shave\sproof|happy\sto\sexplain|common|frequently|happens?\sin|these\sthings\shappen|can\s(?:vary|occur|be\sdue|appear|cause)|may\s(?:vary|occur|develop|be|cause|change|include)|it\sis\sunlikely|individual|different\stastes|inherent|misunderstanding|estimates?|misuse|no\scause\sfor\sconcern|rare\sand)\b",
    ), empathy=-0.7, urgency=-0.45, anywhere=True, negatable=False),
    Signal("blame", "puts it on the customer", (
        r"\byou\s(?:should\s(?!(?:have|'ve)\s(?:heard|been|got|received|never|not)|not|never|see|receive|hear|have\sit|get)|failed|did\snot\s(?:follow|read|inform|provide|check|select)|must\shave|have\sagreed)\b|\b(?:customers?|passengers?|users?|students?|tenants?|guests?|beneficiaries|patients|clients|visitors|owner)\s(?:are|is|must|should|can|sign|accept)\b|\bby\sthe\s(?:tenant|customer|owner|guest|user)\b|\b(?:select|use)\sthe\scorrect|\b(?:allegations?|alleged(?:ly)?|claims?\sthat|difficult\scallers|with\srespect|we\strust\syou|be\sunlawful|by\s(?:ticking|entering))\b|\bresponsible\sfor\s(?:backing|informing|checking|their)|\bthemselves\sresponsible",
    ), empathy=-1.0, anywhere=True, negatable=False),
    Signal("bait", "sells or jokes", (
        r"\b(?:use\s(?:the\s)?code|promo|coupon|next\s(?:order|purchase|visit|occasion)|check\sout\sour|follow\s(?:our|us)|collection|offers?\sfor|attractive|exciting|new\srange|enjoy(?:ed)?\b|%\soff|at\scheckout|shop\snow|haha|lol\b|:\)|turn\sthat\sfrown|premium\sfeatures|loved\sby|you\swill\slove|before\syou\sleave|cheering|give\sus\sanother|another\schance|returning\scustomers|beautiful\sproperty|amenities|great\ssense\sof)",
    ), empathy=-0.9, anywhere=True, negatable=False),
    Signal("shouting", "shouts", (r"[!?]{2,}|(?-i:\b[A-Z]{4,}\s[A-Z]{4,}\b)",), empathy=-0.3, anywhere=True, negatable=False),
)

ENGLISH = Language(
    code="en",
    signals=_REPLIES,
    slots=_SLOTS,
    negations=frozenset("not no never cannot cant wont dont isnt arent without neither nor hardly nobody none unable refuse decline".split()),
    refusals=frozenset("cannot cant unable wont refuse decline never can't won't".split()),
    reach_ends=frozenset([",", ".", ":", ";", "!", "?", "-", "(", ")", "but", "and", "because", "until", "so", "if"]),
    condition=r"\b(?:if|unless|in\scase|provided\s(?:that|you)|should\s(?:you|it|this)|once\syou|as\slong\sas|whenever\syou|assuming)\b(?!\s(?:that's|that\sis|it's)\s(?:all\sright|ok|okay))"
    r"(?!\s(?:\w+\s)?(?:you|he|she|they|your\s\w+)(?:'d|\swould|\slike|\swant|\swants|\sprefer|\sallow|\sagree|\shave\sthe|'re\sstill|\sneed|\slet)\b)(?!\sneeded)(?!\sI\shave)",
    hypothesis=r"\b(?:could|might|would(?!\s(?:like|be\s(?:glad|happy)))|may(?!\s(?:i|we)\b))\s(?:\w+\s)?(?:have|be|refund|offer|send|replace|consider)\b",
    rule=r"\b(?:subject\sto|non-?\s?refundable|as\sper|according\sto|in\s(?:line|accordance)\swith|terms|conditions|policy|by\slaw|are\s(?:entitled|required|advised|responsible|obliged|instructed|credited|estimates|available|handled|processed|trained)|"
    r"(?:can|may)\sbe\s(?!there|with)|must\sbe|reserves?\sthe|on\saverage|generally|usually|normally|eligible|in\sgeneral|please\s(?:note|be\s(?:informed|advised)|fill|visit|allow|restart|check|contact|see|refer|click|log|ensure|make\ssure)|within\s(?:\w+\s){1,3}(?:after|of)\s(?:delivery|purchase|receipt)|you\s(?:may|must|can)\s(?:\w+\s)?(?:request|appeal|submit|file|manage|return|use|find)|opening\shours|takes?\sup\sto)\b",
    abbreviations=r"(?:\b(?:dr|mr|mrs|ms|prof|st|no|nr|e\.g|i\.e|a\.m|p\.m|approx|etc|vs|\d))\.$",
)
