"""Small word lists that tell one kind of value from another; written by hand, folded to ASCII lower case."""

from __future__ import annotations

__all__ = [
    "CITIES",
    "COUNTRIES",
    "GENDERS",
    "GIVEN_NAMES",
    "LEGAL_FORMS",
    "OCCUPATIONS",
    "STATES",
    "STREET_WORDS",
    "SURNAMES",
    "TITLES",
]

GIVEN_NAMES = frozenset(
    """james john robert michael william david richard joseph thomas charles mary patricia jennifer linda
    elizabeth barbara
    susan jessica sarah karen emma olivia ava sophia isabella mia charlotte amelia harper emily jack oliver
    harry george noah
    liam lucas ethan joshua daniel matthew andrew peter paul mark stephen kevin brian edward henry samuel
    benjamin anna grace
    alice lucy ruby chloe hannah sophie ella freya thomas anne jane margaret kate helen laura rachel rebecca
    nicole amy
    hans peter klaus juergen jurgen stefan andreas michael wolfgang frank uwe ralf bernd werner helmut
    gerhard monika petra
    sabine ursula renate karin brigitte helga ingrid lukas leon felix jonas maximilian marie lena lea
    jean pierre michel andre philippe nicolas luc claude francois marie isabelle nathalie sylvie camille chloe manon
    jose juan antonio manuel francisco carlos luis javier miguel pedro maria carmen ana isabel lucia marta
    elena rosa pablo
    giuseppe giovanni marco luca andrea francesco alessandro giulia chiara francesca paolo
    joao pedro ana beatriz tiago rafael mateus fernanda
    somchai somsak somying siriporn suda malee prasit prasert wichai anan niran nattapong natthaphong kanya
    pim ploy chai
    arthit apinya chanida thanakorn wanida supaporn pornthip kittisak surachai
    mohamed mohammed muhammad ahmed ali fatima aisha omar hassan ibrahim yusuf
    wei li ming hui jing fang hiroshi yuki takashi kenji sakura min ji jun hye raj amit priya anil sunita rahul
    ivan sergei olga natalia dmitri katarzyna piotr agnieszka jan pavel jana lars erik anders sven ingrid astrid johan
    lachlan mitchell joel bailey cooper jasmine tahlia kiandra""".split()
)
SURNAMES = frozenset(
    """smith jones brown taylor williams wilson johnson davies robinson wright thompson evans walker white
    roberts green hall
    wood jackson clarke clark harris lewis young king baker hill scott moore allen adams mitchell campbell
    anderson miller
    davis garcia rodriguez martinez hernandez lopez gonzalez perez sanchez ramirez torres flores rivera gomez
    diaz fernandez
    mueller muller schmidt schneider fischer weber meyer meier wagner becker schulz hoffmann koch bauer
    richter klein wolf
    schroeder neumann schwarz zimmermann braun krueger hartmann lange werner krause lehmann
    martin bernard dubois thomas robert petit durand leroy moreau simon laurent lefebvre michel bertrand roux
    rossi russo ferrari esposito bianchi romano colombo ricci silva santos oliveira souza pereira costa ferreira
    jaidee srisai saetang saelim wongsa boonmee thongdee chaiyasit srisuk suwan kaewkla
    khan ahmed ali hussain patel singh kumar sharma gupta shah begum
    wang zhang chen liu yang huang zhao wu zhou nguyen tran kim lee park choi tanaka suzuki sato watanabe
    ivanov petrov novak nowak kowalski hansen johansen olsen andersson johansson nielsen jensen larsen
    murphy kelly ryan obrien byrne o'sullivan murray reid stewart macdonald fraser white webb campbell""".split()
)
CITIES = frozenset(
    """london manchester birmingham leeds glasgow liverpool bristol sheffield edinburgh cardiff belfast leicester hull
    york oxford cambridge southampton portsmouth plymouth nottingham reading brighton bradford newcastle coventry
    new york los angeles chicago houston phoenix philadelphia dallas boston seattle denver miami atlanta austin
    berlin hamburg munich munchen muenchen koln cologne frankfurt stuttgart dusseldorf leipzig dresden bremen
    wien zurich
    paris marseille lyon toulouse nice nantes bordeaux lille madrid barcelona valencia sevilla rome roma milano napoli
    torino lisboa porto amsterdam rotterdam brussels warsaw prague stockholm oslo copenhagen helsinki dublin
    bangkok krung thep chiang mai phuket pattaya khon kaen nonthaburi hat yai korat rayong
    sydney melbourne brisbane perth adelaide canberra hobart darwin toronto montreal vancouver
    tokyo osaka beijing shanghai hong kong singapore seoul taipei jakarta manila hanoi mumbai delhi
    bangalore""".split()
) - {"new", "los", "hong", "hat", "mai", "san"}
STATES = frozenset(
    """nsw vic qld wa sa tas act nt al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms
    mo mt ne nv nh nj
    nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wv wi wy dc on qc bc ab mb sk ns nb
    california texas florida ohio michigan georgia virginia bayern hessen sachsen thuringen niedersachsen victoria
    queensland tasmania ontario quebec alberta""".split()
)
COUNTRIES: dict[str, str] = {
    word: code
    for code, words in {
        "TH": "th tha thailand thai ประเทศไทย ไทย",
        "GB": "gb uk gbr united+kingdom great+britain england scotland wales northern+ireland british",
        "US": "us usa united+states united+states+of+america american",
        "DE": "de deu germany deutschland german allemagne alemania",
        "FR": "fr fra france french frankreich francia",
        "ES": "es esp spain espana spanish spanien espagne",
        "IT": "it ita italy italia italian italien",
        "PT": "pt prt portugal",
        "NL": "nl nld netherlands nederland holland dutch the+netherlands",
        "BE": "be bel belgium belgique belgie",
        "AT": "at aut austria osterreich oesterreich",
        "CH": "ch che switzerland schweiz suisse",
        "SE": "se swe sweden sverige",
        "NO": "no nor norway norge",
        "DK": "dk dnk denmark danmark",
        "FI": "fi fin finland suomi",
        "PL": "pl pol poland polska",
        "IE": "ie irl ireland",
        "AU": "au aus australia australian",
        "NZ": "nz nzl new+zealand",
        "CA": "ca can canada",
        "JP": "jp jpn japan",
        "CN": "cn chn china",
        "KR": "kr kor south+korea korea",
        "SG": "sg sgp singapore",
        "MY": "my mys malaysia",
        "ID": "id idn indonesia",
        "PH": "ph phl philippines",
        "VN": "vn vnm vietnam",
        "IN": "in ind india",
        "LA": "la lao laos",
        "MM": "mm mmr myanmar",
        "KH": "kh khm cambodia",
        "HK": "hk hkg hong+kong",
        "TW": "tw twn taiwan",
        "BR": "br bra brazil brasil",
        "MX": "mx mex mexico",
        "AR": "ar arg argentina",
        "AE": "ae are united+arab+emirates",
        "SA": "sa sau saudi+arabia",
        "ZA": "za zaf south+africa",
        "TR": "tr tur turkey turkiye",
        "RU": "ru rus russia",
    }.items()
    for word in (w.replace("+", " ") for w in words.split())
}
"""Folded country name or ISO code -> ISO 3166 alpha-2 code, for the region of telephone numbers."""

GENDERS: dict[str, str] = {
    word: code
    for code, words in {
        "m": "m male man boy mr mann maennlich mannlich herr h homme masculin hombre masculino maschio uomo chai "
        "ชาย ช männlich 男",
        "f": "f female woman girl w mrs ms frau weiblich femme feminin mujer femenino femmina donna ying หญิง ญ 女 k",
        "x": "x d diverse divers nonbinary non-binary nb other o unspecified-sex x",
    }.items()
    for word in words.split()
}
"""Casefolded word -> m, f or x (neither)."""

TITLES = frozenset(
    """mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend hon capt captain col maj lt sgt
    master madam esq
    herr frau fraulein dipl ing mag m mme mlle monsieur madame mademoiselle sr sra srta don dona senor senora
    sig signor signora signorina khun nai nang nangsao naisao phra dek dekchai dekying mom khunying thanphuying
    jr snr phd md mba""".split()
) - {"m", "don", "sir", "master", "nang", "nai", "mag", "ing", "mom", "hon"} | {"nai", "nang"}
"""Honorifics and degrees that are dropped from names; a name that consists of one word keeps it."""

TITLE_PREFIXES = (
    "นางสาว",
    "นาย",
    "นาง",
    "น.ส.",
    "ด.ช.",
    "ด.ญ.",
    "เด็กชาย",
    "เด็กหญิง",
    "คุณ",
    "ดร.",
    "นพ.",
    "พญ.",
    "ศ.",
    "ผศ.",
    "รศ.",
)
"""Thai honorifics; they are written without a blank before the name."""

SUFFIXES = frozenset("jr sr snr jnr ii iii iv phd md mba esq".split())
"""What may stand behind a name and is dropped."""

PARTICLES = frozenset(
    "van von de del della der den di da dos du la le el al bin binti ibn ter ten zu af av mac st".split()
)
"""Words that belong to the surname that follows them."""

STREET_WORDS: dict[str, str] = {
    word: short
    for short, words in {
        "st": "street st str. strt",
        "rd": "road rd thanon thnn",
        "ave": "avenue ave av aven avn",
        "ln": "lane ln la.",
        "dr": "drive dr drv",
        "ct": "court ct crt",
        "cl": "close cl",
        "cres": "crescent cres cr crs cresc",
        "pl": "place pl plc",
        "sq": "square sq",
        "ter": "terrace ter terr tce",
        "blvd": "boulevard blvd boul bd bld",
        "hwy": "highway hwy hway",
        "pkwy": "parkway pkwy pky",
        "pde": "parade pde",
        "cct": "circuit cct",
        "gr": "grove gr gro grv",
        "gdns": "gardens gdns gdn garden",
        "way": "way wy",
        "mews": "mews mws",
        "cir": "circle cir",
        "apt": "apartment apt apartement",
        "str": "strasse str",
        "pltz": "platz",
        "r": "rue",
        "c": "calle",
        "soi": "soi sxy sy",
        "moo": "moo mu mhu",
        "n": "north",
        "s": "south",
        "e": "east",
        "w": "west",
    }.items()
    for word in words.split()
}
"""Words of streets and their one short form."""

ORGANISATION_WORDS = frozenset(
    "ltd limited gmbh inc llc plc corp corporation company co group holding holdings bank school university "
    "hospital hotel "
    "shop store services solutions systems trading industries associates partners foundation museum "
    "club ag kg sarl".split()
)

OCCUPATIONS = frozenset(
    """teacher nurse engineer doctor lawyer accountant manager driver farmer student retired politician
    writer artist actor
    actress painter singer cricketer footballer journalist poet architect clerk cook chef designer developer
    programmer
    physician scientist soldier officer merchant lehrer lehrerin ingenieur arzt kaufmann angestellter rentner medecin
    professeur avocat medico abogado profesor consultant director sales secretary businessman priest
    clergyman historian
    novelist photographer composer barrister botanist""".split()
)

LEGAL_FORMS = (
    "gesellschaft mit beschrankter haftung",
    "gesellschaft mbh",
    "public company limited",
    "company limited",
    "public limited company",
    "limited liability company",
    "pty ltd",
    "pty limited",
    "private limited",
    "pvt ltd",
    "pte ltd",
    "sdn bhd",
    "gmbh co kg",
    "gmbh und co kg",
    "gmbh and co kg",
    "g m b h",
    "s a r l",
    "s p a",
    "s r l",
    "s a s",
    "s l u",
    "l l c",
    "p l c",
    "co ltd",
    "co limited",
    "b v",
    "n v",
    "s a",
    "s l",
    "a s",
    "k k",
    "incorporated",
    "corporation",
    "limited",
    "company",
    "corp",
    "gmbh",
    "mbh",
    "fze",
    "fzc",
    "ohg",
    "sarl",
    "sasu",
    "sas",
    "spa",
    "srl",
    "slu",
    "plc",
    "pcl",
    "llc",
    "llp",
    "ltd",
    "inc",
    "oyj",
    "aps",
    "bhd",
    "pty",
    "pte",
    "pvt",
    "ag",
    "kg",
    "ug",
    "ev",
    "eg",
    "se",
    "sa",
    "sl",
    "bv",
    "nv",
    "ab",
    "as",
    "oy",
    "kk",
    "co",
)
"""Endings of company names that say the legal form, longest first."""
