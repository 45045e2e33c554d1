"""Words that name a column: the common headings of several languages, folded and without blanks.

A heading is split into tokens; every run of tokens is looked up here, the longest hit wins, and among equals the last
one, since English headings end with their noun. Weights say how much a heading alone proves.
"""

from __future__ import annotations

from crmcore.idic.identify.roles import Meaning as M

__all__ = ["CALENDAR_WORDS", "HEADINGS", "NOT_THE_THING", "WEAK_HEADINGS"]

_WORDS: dict[M, str] = {
    M.GIVEN_NAME: """firstname fname givenname given forename forenames first christianname middlename midname middle secondname
        vorname vornamen rufname prenom prenoms nombre nombres primernombre nomedeprimeiro nome voornaam fornavn fornamn imie
        ชื่อ ชื่อจริง ชื่อต้น 名 firstnm namefirst givennm etunimi utonev ad isim imya chue nickname preferredname""",
    M.SURNAME: """surname lastname lname familyname family last nachname familienname zuname nomdefamille apellido apellidos
        primerapellido segundoapellido cognome achternaam etternavn efternamn nazwisko sobrenome นามสกุล สกุล 姓 lastnm
        namelast snm sname secondsurname maidenname geburtsname soyad familiya sukunimi namsakun""",
    M.FULL_NAME: """name fullname customername clientname contactname personname membername displayname guestname
        passengername patientname recipient recipientname cardholder cardholdername buyername sendername namecomplete
        vollername nomcomplet nometprenom nombrecompleto nombreyapellidos nomecompleto ชื่อสกุล ชื่อนามสกุล ชื่อลูกค้า
        ชื่อเต็ม 姓名 氏名 author kundenname shiptoname billtoname deliveryname fn party partyname""",
    M.BIRTH_DATE: """dob dateofbirth birthdate birthday bday birthdt bdate dtbirth born birth geburtsdatum geburtstag gebdat
        datedenaissance datenaissance naissance fechadenacimiento fechanacimiento nacimiento datadinascita datanascita
        datadenascimento datanascimento geboortedatum fodselsdato dataurodzenia วันเกิด วันเดือนปีเกิด 生年月日 出生日期""",
    M.BIRTH_YEAR: """birthyear yearofbirth yob birthyr geburtsjahr anneedenaissance anneenaissance anodenacimiento
        anonacimiento ปีเกิด dobyear bornyear byear""",
    M.BIRTH_MONTH: "birthmonth monthofbirth mob birthmon geburtsmonat moisdenaissance mesdenacimiento เดือนเกิด dobmonth bmonth",
    M.BIRTH_DAY: "dayofbirth birthdayofmonth geburtstagtag jourdenaissance diadenacimiento dobday bday1",
    M.EMAIL: """email mail emailaddress emailaddr mailaddress eml emailid courriel adressemail adresseemail correo
        correoelectronico emailadresse อีเมล อีเมล์ 邮箱 メール posta""",
    M.PHONE: """phone phonenumber phoneno telephone tel telno telnumber telefon telefonnummer telefono telefone mobile
        mobilephone mobileno mobilenumber cell cellphone cellular handy handynummer gsm msisdn portable movil celular fax
        landline contactnumber contactno whatsapp telnr phonenr โทร โทรศัพท์ เบอร์ เบอร์โทร เบอร์โทรศัพท์ มือถือ
        เบอร์มือถือ 电话 手机 電話 ph telefoonnummer""",
    M.STREET: """street streetname streetaddress strasse stra str rue calle via rua straat ulica gata gate road
        ถนน ซอย streetaddr strname streetnm""",
    M.STREET_NUMBER: """streetnumber streetno streetnum housenumber houseno housenum housenr hausnummer hausnr buildingnumber
        numerorue numerodecalle numero huisnummer civico บ้านเลขที่ เลขที่ strno stno""",
    M.ADDRESS: """address addr addressline adr adresse anschrift direccion indirizzo endereco adres adress domicilio
        ที่อยู่ 地址 住所 shippingaddress billingaddress deliveryaddress homeaddress shipto billto location residence domicile""",
    M.POSTCODE: """postcode postalcode zip zipcode postal plz postleitzahl codepostal cp codigopostal cap cep postnummer
        postnr pincode pin รหัสไปรษณีย์ ไปรษณีย์ 邮编 郵便番号 kodpocztowy zip5 pcode eircode""",
    M.CITY: """city town suburb locality municipality village place placename birthplace placeofbirth cityname ort stadt
        wohnort geburtsort ville commune lieudenaissance lieunaissance ciudad localidad municipio poblacion lugardenacimiento
        citta comune cidade plaats stad miasto อำเภอ เขต เมือง ตำบล แขวง 市 城市 borough district hometown metro""",
    M.STATE: """state province region county prov statecode stateprovince bundesland land departement provincia estado
        comunidad regione จังหวัด 省 prefecture canton kanton territory wojewodztwo""",
    M.COUNTRY: """country countrycode countryname nation staat pays pais paese landcode ประเทศ 国家 国 nationality
        countryiso cc landkz""",
    M.OCCUPATION: """occupation job jobtitle profession position employment beruf berufsbezeichnung metier ocupacion
        profesion puesto professione profissao อาชีพ ตำแหน่ง 职业 職業 vocation title role trade""",
    M.GENDER: "gender sex geschlecht sexe genre genero sexo sesso เพศ 性别 性別 gndr plec kjonn",
    M.IDENTIFIER: """memberid memberno membernumber membershipid membershipno membershipnumber loyaltyid loyaltyno
        loyaltynumber loyaltycard cardno cardnumber cardid ssn socialsecurity socialsecuritynumber socsec socsecid sin nin
        nationalid nationalinsurance nationalidno nino idcard idnumber idno passport passportno passportnumber taxid taxno
        taxnumber vat vatid vatno vatnumber tin accountno accountnumber accountid account licence license licenceno
        licenseno driverlicense nhsnumber dni nif nie cpf rut curp steuernummer steuerid personalausweis personnummer
        mitgliedsnummer kundennummer kundennr clientno clientnumber customerno customernumber numeroclient rewardid
        frequentflyer ffn deviceid cookieid cookie lineid lineuserid userid psid externalid loginid crmid legacyid
        เลขบัตรประชาชน เลขประจำตัว หมายเลขสมาชิก รหัสสมาชิก เลขสมาชิก รหัสลูกค้า employeeid staffid studentid siret siren
        duns ein crn companynumber registrationnumber iban identifier""",
    M.HANDLE: """handle username screenname twitter twitterhandle instagram instagramhandle ig tiktok facebook fb linkedin
        login nick line socialhandle alias weibo wechat telegram profileurl skype ชื่อผู้ใช้""",
    M.ORGANISATION: """company companyname organisation organization org orgname organisationname organizationname employer
        business businessname firm firma firmenname unternehmen entreprise societe raisonsociale empresa razonsocial azienda
        ragionesociale บริษัท ชื่อบริษัท หน่วยงาน 公司 会社 accountname affiliation institution workplace corp corporation
        tradingname legalname vendorname suppliername""",
    M.TEXT: """note notes comment comments remark remarks message description text body freetext bemerkung notiz
        commentaire comentario observaciones หมายเหตุ ข้อความ feedback review content memo subject complaint inquiry""",
    M.RECORD_ID: """id uid uuid guid recordid recid recordno rowid rownumber uniqueid key primarykey pk customerid clientid
        personid contactid custid rid entryid lineno index personkey customerkey leadid userkey respondentid ลำดับ รหัส
        ticketid caseid messageid responseid""",
    M.UPDATED_AT: """updatedat updated lastupdated lastupdate lastmodified modified modifiedat modifieddate changedat
        lastchange createdat created createdate createddate creationdate timestamp ts datetime lastseen signupdate
        signedup joindate joined registeredat registrationdate registered orderdate orderedat date time visitdate
        updatedate geaendertam erstelltam datecreation datemodification fecha วันที่ วันที่สมัคร eventtime receivedat""",
    M.IGNORE: """productname product item itemname sku storename store branchname brand brandname filename campaign
        campaignname price amount quantity qty total revenue age score cluster clusterid entityid label truth groupid
        status channel password hash consent category orderid orderno invoiceid invoiceno transactionid longitude latitude
        lat lon lng currency language locale ip ipaddress useragent url website""",
}  # fmt: skip

HEADINGS: dict[str, M] = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
"""Folded heading without blanks -> meaning."""

WEAK_HEADINGS: dict[str, tuple[M, ...]] = {
    "by": (M.BIRTH_YEAR,),
    "bm": (M.BIRTH_MONTH,),
    "bd": (M.BIRTH_DAY, M.BIRTH_DATE),
    "no": (M.STREET_NUMBER, M.RECORD_ID),
    "nr": (M.STREET_NUMBER, M.RECORD_ID),
    "number": (M.STREET_NUMBER, M.IDENTIFIER),
    "nom": (M.SURNAME, M.FULL_NAME),
    "first": (M.GIVEN_NAME,),
    "last": (M.SURNAME,),
    "contact": (M.FULL_NAME, M.PHONE, M.EMAIL),
    "customer": (M.FULL_NAME, M.RECORD_ID),
    "client": (M.FULL_NAME, M.RECORD_ID),
    "user": (M.HANDLE, M.FULL_NAME, M.RECORD_ID),
    "member": (M.IDENTIFIER, M.FULL_NAME),
    "code": (M.IDENTIFIER, M.POSTCODE),
    "title": (M.OCCUPATION,),
    "role": (M.OCCUPATION,),
    "line": (M.HANDLE, M.ADDRESS),
    "account": (M.IDENTIFIER, M.ORGANISATION),
    "land": (M.COUNTRY, M.STATE),
    "region": (M.STATE, M.CITY),
    "cc": (M.COUNTRY,),
    "cap": (M.POSTCODE,),
    "cp": (M.POSTCODE,),
    "pin": (M.POSTCODE, M.IDENTIFIER),
    "place": (M.CITY,),
    "via": (M.STREET,),
    "location": (M.CITY, M.ADDRESS),
    "ad": (M.GIVEN_NAME,),
    "family": (M.SURNAME,),
    "given": (M.GIVEN_NAME,),
    "party": (M.FULL_NAME, M.ORGANISATION),
    "position": (M.OCCUPATION,),
    "ph": (M.PHONE,),
    "nick": (M.HANDLE,),
}
"""Headings that mean several things, or that count only where the values agree."""

CALENDAR_WORDS: dict[str, M] = {
    **dict.fromkeys(("year", "yy", "yyyy", "jahr", "annee", "ano"), M.BIRTH_YEAR),
    **dict.fromkeys(("month", "mm", "monat", "mois", "mes"), M.BIRTH_MONTH),
    **dict.fromkeys(("day", "dd", "tag", "jour", "dia"), M.BIRTH_DAY),
}
"""Parts of a date that do not say of which."""

NOT_THE_THING = frozenset(
    "type flag status count opt optin consent verified valid hash hashed is has score segment source channel domain length "
    "provider carrier confirmed opened bounced permission subscribed preference".split()
)
"""Tokens that turn a heading into a property of the thing (`phone_type`, `email_opt_in`)."""
