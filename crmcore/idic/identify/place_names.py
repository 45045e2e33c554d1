"""Places with several names: the provinces of Thailand, and large cities that are called otherwise abroad."""

# ruff: noqa: E501  (tables of words read best as lines)

from __future__ import annotations

from crmcore.idic.identify.thai import romanise_thai

__all__ = ["PLACES", "place_key"]

_THAILAND = """กรุงเทพมหานคร=bangkok/กรุงเทพ/กรุงเทพฯ/กทม/กทม./krung thep/krung thep maha nakhon/krungthep/bkk; กระบี่=krabi;
กาญจนบุรี=kanchanaburi; กาฬสินธุ์=kalasin; กำแพงเพชร=kamphaeng phet; ขอนแก่น=khon kaen; จันทบุรี=chanthaburi/chantaburi;
ฉะเชิงเทรา=chachoengsao/แปดริ้ว/paet rio; ชลบุรี=chon buri; ชัยนาท=chai nat; ชัยภูมิ=chaiyaphum; ชุมพร=chumphon;
เชียงราย=chiang rai/chiengrai; เชียงใหม่=chiang mai/chiengmai; ตรัง=trang; ตราด=trat/trad; ตาก=tak; นครนายก=nakhon nayok;
นครปฐม=nakhon pathom/nakorn pathom; นครพนม=nakhon phanom; นครราชสีมา=nakhon ratchasima/โคราช/korat/khorat/nakorn ratchasima;
นครศรีธรรมราช=nakhon si thammarat/nakorn sri thammarat/nakhon sri thammarat; นครสวรรค์=nakhon sawan/nakorn sawan;
นนทบุรี=nonthaburi/nontaburi; นราธิวาส=narathiwat; น่าน=nan; บึงกาฬ=bueng kan; บุรีรัมย์=buri ram;
ปทุมธานี=pathum thani/patum thani/prathum thani; ประจวบคีรีขันธ์=prachuap khiri khan; ปราจีนบุรี=prachin buri;
ปัตตานี=pattani; พระนครศรีอยุธยา=phra nakhon si ayutthaya/อยุธยา/ayutthaya/ayudhya; พะเยา=phayao; พังงา=phang nga/phangnga;
พัทลุง=phatthalung/pattalung; พิจิตร=phichit/pichit; พิษณุโลก=phitsanulok/pitsanulok; เพชรบุรี=phetchaburi/petchaburi;
เพชรบูรณ์=phetchabun/petchabun; แพร่=phrae; ภูเก็ต=phuket/puket; มหาสารคาม=maha sarakham; มุกดาหาร=mukdahan;
แม่ฮ่องสอน=mae hong son; ยโสธร=yasothon; ยะลา=yala; ร้อยเอ็ด=roi et; ระนอง=ranong; ระยอง=rayong; ราชบุรี=ratchaburi;
ลพบุรี=lop buri; ลำปาง=lampang; ลำพูน=lamphun; เลย=loei; ศรีสะเกษ=si sa ket/sisaket/srisaket; สกลนคร=sakon nakhon;
สงขลา=songkhla/songkla; สตูล=satun; สมุทรปราการ=samut prakan/samut prakarn/samutprakarn; สมุทรสงคราม=samut songkhram;
สมุทรสาคร=samut sakhon/มหาชัย/mahachai; สระแก้ว=sa kaeo; สระบุรี=saraburi; สิงห์บุรี=sing buri; สุโขทัย=sukhothai/sukothai;
สุพรรณบุรี=suphan buri/supanburi; สุราษฎร์ธานี=surat thani/suratthani; สุรินทร์=surin; หนองคาย=nong khai;
หนองบัวลำภู=nong bua lam phu; อ่างทอง=ang thong; อำนาจเจริญ=amnat charoen; อุดรธานี=udon thani/udorn thani;
อุตรดิตถ์=uttaradit; อุทัยธานี=uthai thani; อุบลราชธานี=ubon ratchathani/ubon"""

_CITIES = """pattaya=พัทยา; hat yai=หาดใหญ่/had yai; hua hin=หัวหิน; si racha=ศรีราชา/sriracha; ko samui=เกาะสมุย/koh samui/samui;
munich=munchen/muenchen; cologne=koln/koeln; vienna=wien; zurich=zuerich; geneva=geneve/genf; nuremberg=nurnberg/nuernberg; dusseldorf=duesseldorf;
hanover=hannover; rome=roma; milan=milano; naples=napoli; turin=torino; florence=firenze; venice=venezia; genoa=genova; lisbon=lisboa; seville=sevilla;
prague=praha; warsaw=warszawa; krakow=cracow; moscow=moskva; brussels=bruxelles/brussel; antwerp=antwerpen/anvers; the hague=den haag/s gravenhage;
copenhagen=kobenhavn; gothenburg=goteborg; athens=athina; bucharest=bucuresti; beijing=peking; tokyo=dong jing/toukyou; osaka=da ban; guangzhou=canton;
hong kong=xiang gang; mumbai=bombay; kolkata=calcutta; chennai=madras; bengaluru=bangalore; ho chi minh city=saigon/ho chi minh; yangon=rangoon;
new york=new york city/nyc"""


def place_key(name: str) -> str:
    """Letters and digits of a folded name: a name spelled with or without blanks is the same place.

    Examples
    --------
    >>> place_key("chiang mai")
    'chiangmai'
    """
    return "".join(c for c in name if c.isalnum())


def _known() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in "; ".join((_THAILAND, _CITIES)).replace("\n", " ").replace(";;", ";").split(";"):
        head, _, names = (part.strip() for part in entry.partition("="))
        form = head if head.isascii() else names.split("/")[0]
        for name in (form, head, *names.split("/")):
            found.setdefault(place_key(romanise_thai(name)), form)
    return found


PLACES: dict[str, str] = _known()
"""Key of a folded name -> its one form."""
