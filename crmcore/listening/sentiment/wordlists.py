"""Figures of our own beside the lexicon: negators, degrees, emoji, pairs, and words that only bite when negated."""

from __future__ import annotations

__all__ = [
    "BOOSTERS",
    "CONDITIONALS",
    "CONTRASTS",
    "EMOJI",
    "IF_NEGATED",
    "NEGATORS",
    "OVERRIDES",
    "PAIRS",
    "WIDE_NEGATORS",
]

# Words that turn what follows within four tokens, up to a stop.
NEGATORS = frozenset(
    """
    not no never none nobody nothing nowhere neither nor without cannot cant can't dont don't doesnt doesn't didnt
    didn't isnt isn't arent aren't wasnt wasn't werent weren't wont won't wouldnt wouldn't couldnt couldn't shouldnt
    shouldn't hasnt hasn't havent haven't hadnt hadn't aint ain't mustnt mustn't neednt needn't darent daren't
    oughtnt oughtn't shant shan't mightnt mightn't nope rarely seldom despite noone
    """.split()
)
WIDE_NEGATORS = NEGATORS | frozenset(
    "hardly barely scarcely lack lacks lacking lacked fails failed fail refuse refused".split()
)

BOOST, DAMP = 0.293, -0.293
BOOSTERS = {
    **dict.fromkeys(
        """
        absolutely amazingly awfully completely considerably decidedly deeply effing enormously entirely especially
        exceptionally extremely fabulously flipping flippin fricking frickin frigging friggin fully fuckin fucking
        greatly hella highly hugely incredibly intensely majorly more most particularly purely quite really
        remarkably so substantially super thoroughly total totally tremendously uber unbelievably unusually utter
        utterly very way soo sooo insanely seriously truly damn freaking freakin bloody too such
        """.split(),
        BOOST,
    ),
    **dict.fromkeys(
        """
        almost barely hardly kinda kindof less little marginally occasionally partly scarcely slightly somewhat
        sorta sortof fairly mildly
        """.split(),
        DAMP,
    ),
}  # fmt: skip
CONDITIONALS = frozenset("if would could should wish hope hoping unless maybe might perhaps".split())
CONTRASTS = frozenset("but however though although yet except".split())

# Words whose figure in the lexicon misleads in talk about brands, and words that it lacks.
OVERRIDES = {
    **dict.fromkeys("kindly please united god sir dear mr mrs hi hello number share".split(), 0.0),
    "like": 0.4, "well": 0.5, "kind": 0.9, "yes": 0.6, "ok": 0.6, "okay": 0.6, "fire": -0.5, "lit": 1.2,
    "sick": -1.0, "goat": 0.8, "dope": 1.4, "fleek": 1.6, "yum": 2.2, "yummy": 2.4, "delish": 2.6, "meh": -1.0,
    "ugh": -1.8, "smh": -1.4, "wtf": -2.2, "refund": -0.6, "refunds": -0.6, "delay": -1.2, "delays": -1.2,
    "delayed": -1.3, "late": -0.8, "cancelled": -1.3, "canceled": -1.3, "broken": -1.8, "broke": -1.5, "crash": -1.7,
    "crashes": -1.7, "crashed": -1.7, "freezes": -1.3, "bug": -1.1, "bugs": -1.1, "buggy": -1.7, "glitch": -1.3,
    "overpriced": -2.0, "pricey": -0.9, "expensive": -0.9, "cheaply": -1.0, "rubbish": -2.2, "garbage": -2.3,
    "crap": -2.0, "crappy": -2.2, "scam": -2.8, "scammers": -2.8, "ripoff": -2.6, "rip-off": -2.6, "useless": -2.2,
    "worthless": -2.3, "pathetic": -2.4, "joke": -0.4, "unhelpful": -2.0, "rude": -2.1, "slow": -1.2,
    "waiting": -0.6, "waited": -0.8, "overbooked": -1.6, "stale": -1.4, "bland": -1.3, "soggy": -1.3, "cold": -0.5,
    "noisy": -1.2, "dirty": -1.8, "filthy": -2.4, "cramped": -1.2, "flimsy": -1.5, "defective": -2.0, "faulty": -1.9,
    "misleading": -1.8, "unacceptable": -2.4, "ridiculous": -1.8, "disaster": -2.8, "nightmare": -2.5, "worst": -3.1,
    "avoid": -1.5, "returned": -0.7, "complaint": -1.4, "complaints": -1.4, "stuck": -1.2, "missing": -1.1,
    "missed": -1.0, "lost": -1.2, "hate": -2.7, "disrespectful": -2.2, "unprofessional": -2.2, "incompetent": -2.4,
    "ignored": -1.6, "ignoring": -1.5, "charged": -0.6, "overcharged": -1.9, "fast": 0.9, "quick": 1.0,
    "quickly": 0.9, "easy": 1.5, "easily": 1.3, "tasty": 2.2, "delicious": 2.8, "fresh": 1.3, "cozy": 1.6,
    "sturdy": 1.3, "reliable": 1.9, "responsive": 1.3, "attentive": 1.7, "courteous": 1.9, "knowledgeable": 1.5,
    "spacious": 1.3, "affordable": 1.4, "worth": 1.0, "recommend": 1.7, "recommended": 1.6, "flawless": 2.4,
    "flawlessly": 2.3, "seamless": 1.8, "intuitive": 1.4, "durable": 1.3, "crisp": 1.1, "gorgeous": 2.9,
    "phenomenal": 2.9, "stellar": 2.6, "rocks": 1.6, "rock": 0.8, "kudos": 2.2, "props": 1.4, "legend": 1.6,
    "lifesaver": 2.4, "hooray": 2.4, "woohoo": 2.5, "yay": 2.4, "wow": 1.6, "congrats": 2.3, "upgrade": 0.6,
    "upgraded": 0.8,
}  # fmt: skip

# What is said only by its absence: "not working", "no answer", "didn't arrive".
IF_NEGATED = {
    **dict.fromkeys("working work works worked function functions functional load loading loads open".split(), -1.6),
    **dict.fromkeys("arrive arrived arriving deliver delivered received receive come came show showed".split(), -1.4),
    **dict.fromkeys("answer answers answering reply replies respond responds response call callback".split(), -1.4),
    **dict.fromkeys("contact fix fixed resolve resolved solved help helping helped useful able care".split(), -1.3),
    **dict.fromkeys("understand cares".split(), -1.3),
    **dict.fromkeys("buy buying again return returning use using fly flying order ordering refund".split(), -1.0),
    **dict.fromkeys("refunded worth allowed possible available ready clean clear fit fits connect".split(), -1.0),
    "connecting": -1.0,
}  # fmt: skip

# Two words that mean together what neither means alone; the figure replaces that of both.
PAIRS = {
    "the bomb": 2.6, "the shit": 2.6, "bad ass": 1.8, "bus stop": 0.0, "yeah right": -2.0, "fed up": -2.0,
    "screwed up": -2.0, "can't stand": -2.0, "cant stand": -2.0, "no problem": 1.0, "no problems": 1.4,
    "no worries": 1.4, "no issues": 1.4, "no complaints": 1.5, "no doubt": 0.8, "can't wait": 2.0, "cant wait": 2.0,
    "cannot wait": 2.0, "still waiting": -1.7, "never again": -2.6, "no thanks": -0.8, "waste of": -2.2,
    "on hold": -1.2, "gave up": -1.4, "ripped off": -2.6, "let down": -2.0, "broke down": -1.9,
    "looking forward": 1.8, "look forward": 1.6, "well done": 2.2, "thumbs up": 2.2, "thumbs down": -2.2,
    "top notch": 2.6, "is fire": 2.0, "to die": 0.0, "how hard": -1.0, "hung up": -1.6, "hanging up": -1.5,
    "stay away": -2.2, "go wrong": -0.8, "went wrong": -1.5, "not bad": 1.4, "not only": 0.0, "no longer": -0.8,
    "used to": 0.0, "too much": -0.8, "too many": -0.8, "fell apart": -2.2, "falls apart": -2.2,
    "falling apart": -2.2, "does not": 0.0, "long wait": -1.4, "hours late": -1.8, "what happened": -0.6,
    "good luck": 0.9, "so far": 0.0, "cool down": 0.0, "pretty much": 0.0, "pretty good": 1.9, "pretty bad": -2.2,
    "as well": 0.0, "oh well": -0.5, "kind of": -0.1, "sort of": -0.1, "like a": 0.0, "feel like": 0.0,
    "looks like": 0.0, "look like": 0.0, "would like": 0.3, "sounds like": 0.0, "seems like": 0.0, "at least": 0.2,
    "money back": -1.2, "no one": 0.0, "wake up": -0.2, "give up": -1.2, "shut up": -1.8, "another delay": -1.8,
    "doesn't work": -2.0, "didn't work": -1.9, "not working": -2.0, "won't work": -1.9, "don't bother": -2.2,
}  # fmt: skip

EMOJI = {
    **dict.fromkeys("😀😃😄😁😆😊🙂😇🤩🥳😺😸👏🙌🎉🎊🏆🥇💯✨🌟⭐☀🤗😌😎🆒", 2.0),
    **dict.fromkeys("😍🥰😘😻💕💖💗💓💞💘❤♥🧡💛💚💙💜🤍🤎💝💟😚😙😗💋", 2.6),
    **dict.fromkeys("😂🤣😹😜😝😛😋🤪😏🤭", 1.0),
    **dict.fromkeys("👍👌✌💪🙏✅✔🤝🫶🤞🔥😉🚀", 1.6),
    **dict.fromkeys("😡🤬😠👿💢🤮🤢🖕💩", -2.8),
    **dict.fromkeys("😢😭😞😔😟😣😖😫😩😿💔🥺😥😓😪☹🙁", -2.0),
    **dict.fromkeys("👎❌🚫😤🙄😒😑😾🤦🤷😨😱😰😳😬🤨", -1.4),
    **dict.fromkeys("😐😶🤔😴", -0.4),
}  # fmt: skip
