"""Words that name a column: the common headings of several languages, folded and without blanks.

A heading is split into tokens; every run of tokens is looked up here, the longest hit wins, and among equals the last
one, since English headings end with their noun. Weights say how much a heading alone proves.
"""

from __future__ import annotations

import unicodedata

from crmcore.idic.identify.roles import Meaning

__all__ = ["CALENDAR_WORDS", "HEADINGS", "NOT_THE_THING", "WEAK_HEADINGS", "fold_heading"]

_WORDS: dict[Meaning, str] = {
    Meaning.GIVEN_NAME: """firstname fname givenname given forename forenames first christianname middlename
        midname middle secondname
        vorname vornamen rufname prenom prenoms nombre nombres primernombre nomedeprimeiro nome voornaam
        fornavn fornamn imie
        ชื่อ ชื่อจริง ชื่อต้น 名 firstnm namefirst givennm etunimi utonev ad isim imya chue nickname preferredname""",
    Meaning.SURNAME: """surname lastname lname familyname family last nachname familienname zuname
        nomdefamille apellido apellidos
        primerapellido segundoapellido cognome achternaam etternavn efternamn nazwisko sobrenome นามสกุล สกุล 姓 lastnm
        namelast snm sname secondsurname maidenname geburtsname soyad familiya sukunimi namsakun""",
    Meaning.FULL_NAME: """name fullname customername clientname contactname personname membername displayname
        guestname
        passengername patientname recipient recipientname cardholder cardholdername buyername sendername namecomplete
        vollername nomcomplet nometprenom nombrecompleto nombreyapellidos nomecompleto ชื่อสกุล ชื่อนามสกุล ชื่อลูกค้า
        ชื่อเต็ม 姓名 氏名 author kundenname shiptoname billtoname deliveryname fn party partyname""",
    Meaning.BIRTH_DATE: """dob dateofbirth birthdate birthday bday birthdt bdate dtbirth born birth
        geburtsdatum geburtstag gebdat
        datedenaissance datenaissance naissance fechadenacimiento fechanacimiento nacimiento datadinascita datanascita
        datadenascimento datanascimento geboortedatum fodselsdato dataurodzenia วันเกิด วันเดือนปีเกิด 生年月日 出生日期""",
    Meaning.BIRTH_YEAR: """birthyear yearofbirth yob birthyr geburtsjahr anneedenaissance anneenaissance
        anodenacimiento
        anonacimiento ปีเกิด dobyear bornyear byear""",
    Meaning.BIRTH_MONTH: """birthmonth monthofbirth mob birthmon geburtsmonat moisdenaissance mesdenacimiento
        เดือนเกิด dobmonth bmonth""",
    Meaning.BIRTH_DAY: "dayofbirth birthdayofmonth geburtstagtag jourdenaissance diadenacimiento dobday bday1",
    Meaning.EMAIL: """email mail emailaddress emailaddr mailaddress eml emailid courriel adressemail
        adresseemail correo
        correoelectronico emailadresse อีเมล อีเมล์ 邮箱 メール posta""",
    Meaning.PHONE: """phone phonenumber phoneno telephone tel telno telnumber telefon telefonnummer telefono
        telefone mobile
        mobilephone mobileno mobilenumber cell cellphone cellular handy handynummer gsm msisdn portable movil
        celular fax
        landline contactnumber contactno whatsapp telnr phonenr โทร โทรศัพท์ เบอร์ เบอร์โทร เบอร์โทรศัพท์ มือถือ
        เบอร์มือถือ 电话 手机 電話 ph telefoonnummer""",
    Meaning.STREET: """street streetname streetaddress strasse stra str rue calle via rua straat ulica gata gate road
        ถนน ซอย streetaddr strname streetnm""",
    Meaning.STREET_NUMBER: """streetnumber streetno streetnum housenumber houseno housenum housenr hausnummer
        hausnr buildingnumber
        numerorue numerodecalle numero huisnummer civico บ้านเลขที่ เลขที่ strno stno""",
    Meaning.ADDRESS: """address addr addressline adr adresse anschrift direccion indirizzo endereco adres
        adress domicilio
        ที่อยู่ 地址 住所 shippingaddress billingaddress deliveryaddress homeaddress shipto billto location
        residence domicile""",
    Meaning.POSTCODE: """postcode postalcode zip zipcode postal plz postleitzahl codepostal cp codigopostal
        cap cep postnummer
        postnr pincode pin รหัสไปรษณีย์ ไปรษณีย์ 邮编 郵便番号 kodpocztowy zip5 pcode eircode""",
    Meaning.CITY: """city town suburb locality municipality village place placename birthplace placeofbirth
        cityname ort stadt
        wohnort geburtsort ville commune lieudenaissance lieunaissance ciudad localidad municipio poblacion
        lugardenacimiento
        citta comune cidade plaats stad miasto อำเภอ เขต เมือง ตำบล แขวง 市 城市 borough district hometown metro""",
    Meaning.STATE: """state province region county prov statecode stateprovince bundesland land departement
        provincia estado
        comunidad regione จังหวัด 省 prefecture canton kanton territory wojewodztwo""",
    Meaning.COUNTRY: """country countrycode countryname nation staat pays pais paese landcode ประเทศ 国家 国 nationality
        countryiso cc landkz""",
    Meaning.OCCUPATION: """occupation job jobtitle profession position employment beruf berufsbezeichnung
        metier ocupacion
        profesion puesto professione profissao อาชีพ ตำแหน่ง 职业 職業 vocation title role trade""",
    Meaning.GENDER: "gender sex geschlecht sexe genre genero sexo sesso เพศ 性别 性別 gndr plec kjonn",
    Meaning.IDENTIFIER: """memberid memberno membernumber membershipid membershipno membershipnumber
        loyaltyid loyaltyno
        loyaltynumber loyaltycard cardno cardnumber cardid ssn socialsecurity socialsecuritynumber socsec
        socsecid sin nin
        nationalid nationalinsurance nationalidno nino idcard idnumber idno passport passportno
        passportnumber taxid taxno
        taxnumber vat vatid vatno vatnumber tin accountno accountnumber accountid account licence license licenceno
        licenseno driverlicense nhsnumber dni nif nie cpf rut curp steuernummer steuerid personalausweis personnummer
        mitgliedsnummer rewardid
        frequentflyer ffn deviceid cookieid cookie lineid lineuserid userid psid externalid loginid crmid legacyid
        เลขบัตรประชาชน เลขประจำตัว หมายเลขสมาชิก รหัสสมาชิก เลขสมาชิก employeeid staffid studentid
        siret siren
        duns ein crn companynumber registrationnumber iban identifier""",
    Meaning.HANDLE: """handle username screenname twitter twitterhandle instagram instagramhandle ig tiktok
        facebook fb linkedin
        login nick line socialhandle alias weibo wechat telegram profileurl skype ชื่อผู้ใช้""",
    Meaning.ORGANISATION: """company companyname organisation organization org orgname organisationname
        organizationname employer
        business businessname firm firma firmenname unternehmen entreprise societe raisonsociale empresa
        razonsocial azienda
        ragionesociale บริษัท ชื่อบริษัท หน่วยงาน 公司 会社 accountname affiliation institution workplace corp corporation
        tradingname legalname vendorname suppliername""",
    Meaning.TEXT: """note notes comment comments remark remarks message description text body freetext bemerkung notiz
        commentaire comentario observaciones หมายเหตุ ข้อความ feedback review content memo subject complaint
        inquiry""",
    Meaning.RECORD_ID: """id uid uuid guid recordid recid recordno rowid rownumber uniqueid key primarykey pk
        customerid clientid personid contactid custid rid entryid lineno index
        personkey customerkey kundennummer kundennr clientno
        clientnumber customerno customernumber numeroclient รหัสลูกค้า leadid userkey respondentid
        ลำดับ รหัส
        ticketid caseid messageid responseid""",
    Meaning.UPDATED_AT: """updatedat updated lastupdated lastupdate lastmodified modified modifiedat
        modifieddate changedat
        lastchange createdat created createdate createddate creationdate timestamp ts datetime lastseen signupdate
        signedup joindate joined registeredat registrationdate registered orderdate orderedat date time visitdate
        updatedate geaendertam erstelltam datecreation datemodification fecha วันที่ วันที่สมัคร eventtime
        receivedat received""",
    Meaning.IGNORE: """productname product item itemname sku storename store branchname brand brandname
        filename campaign
        campaignname price amount quantity qty total revenue age score cluster clusterid entityid label truth groupid
        status channel password hash consent category orderid orderno invoiceid invoiceno transactionid
        longitude latitude
        lat lon lng currency language locale ip ipaddress useragent url website""",
}  # fmt: skip


def fold_heading(text: str) -> str:
    """Lower case without accents, script kept; the same folding for the words here and the headings of a source.

    Examples
    --------
    >>> fold_heading("Pr\u00e9nom")
    'prenom'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in letters if not "\u0300" <= c <= "\u036f"))


HEADINGS: dict[str, Meaning] = {
    fold_heading(word): meaning for meaning, words in _WORDS.items() for word in words.split()
}
"""Folded heading without blanks -> meaning."""

WEAK_HEADINGS: dict[str, tuple[Meaning, ...]] = {
    "by": (Meaning.BIRTH_YEAR,),
    "bm": (Meaning.BIRTH_MONTH,),
    "bd": (Meaning.BIRTH_DAY, Meaning.BIRTH_DATE),
    "no": (Meaning.STREET_NUMBER, Meaning.RECORD_ID),
    "nr": (Meaning.STREET_NUMBER, Meaning.RECORD_ID),
    "number": (Meaning.STREET_NUMBER, Meaning.IDENTIFIER),
    "nom": (Meaning.SURNAME, Meaning.FULL_NAME),
    "first": (Meaning.GIVEN_NAME,),
    "last": (Meaning.SURNAME,),
    "contact": (Meaning.FULL_NAME, Meaning.PHONE, Meaning.EMAIL),
    "customer": (Meaning.FULL_NAME, Meaning.RECORD_ID),
    "client": (Meaning.FULL_NAME, Meaning.RECORD_ID),
    "user": (Meaning.HANDLE, Meaning.FULL_NAME, Meaning.RECORD_ID),
    "member": (Meaning.IDENTIFIER, Meaning.FULL_NAME),
    "code": (Meaning.IDENTIFIER, Meaning.POSTCODE),
    "title": (Meaning.OCCUPATION,),
    "role": (Meaning.OCCUPATION,),
    "line": (Meaning.HANDLE, Meaning.ADDRESS),
    "account": (Meaning.IDENTIFIER, Meaning.ORGANISATION),
    "land": (Meaning.COUNTRY, Meaning.STATE),
    "region": (Meaning.STATE, Meaning.CITY),
    "cc": (Meaning.COUNTRY,),
    "cap": (Meaning.POSTCODE,),
    "cp": (Meaning.POSTCODE,),
    "pin": (Meaning.POSTCODE, Meaning.IDENTIFIER),
    "place": (Meaning.CITY,),
    "via": (Meaning.STREET,),
    "location": (Meaning.CITY, Meaning.ADDRESS),
    "ad": (Meaning.GIVEN_NAME,),
    "family": (Meaning.SURNAME,),
    "given": (Meaning.GIVEN_NAME,),
    "party": (Meaning.FULL_NAME, Meaning.ORGANISATION),
    "position": (Meaning.OCCUPATION,),
    "ph": (Meaning.PHONE,),
    "nick": (Meaning.HANDLE,),
}
"""Headings that mean several things, or that count only where the values agree."""

CALENDAR_WORDS: dict[str, Meaning] = {
    **dict.fromkeys(("year", "yy", "yyyy", "jahr", "annee", "ano"), Meaning.BIRTH_YEAR),
    **dict.fromkeys(("month", "mm", "monat", "mois", "mes"), Meaning.BIRTH_MONTH),
    **dict.fromkeys(("day", "dd", "tag", "jour", "dia"), Meaning.BIRTH_DAY),
}
"""Parts of a date that do not say of which."""

NOT_THE_THING = frozenset(
    "type flag status count opt optin consent verified valid hash hashed is has score segment source channel domain "
    "length "
    "provider carrier confirmed opened bounced permission subscribed preference".split()
)
"""Tokens that turn a heading into a property of the thing (`phone_type`, `email_opt_in`)."""
