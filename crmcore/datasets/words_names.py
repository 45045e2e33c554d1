"""Name parts of eight cultures: common given names, and elements from which long-tailed surnames are composed.

Notation: `native=Roman/Other` gives a native spelling, the usual romanisation and its rivals; `Name:Nick/Nick` adds
nicknames; `Name/Other` adds spellings. Every combination is made up; single words are common knowledge.
"""

# ruff: noqa: E501  (tables of words and of columns read best as lines)

from __future__ import annotations

__all__ = ["GIVEN", "SURNAME_HEADS", "SURNAME_PARTS", "THAI_GIVEN_PARTS", "THAI_NICKNAMES", "CHINESE_GIVEN_PARTS"]

# culture -> (female, male)
GIVEN: dict[str, tuple[str, str]] = {
    "english": (
        "Mary:Molly/Polly Patricia:Pat/Patty/Trish Jennifer:Jen/Jenny Linda:Lin Elizabeth:Liz/Beth/Lizzie Barbara:Barb "
        "Susan:Sue/Susie Jessica:Jess Sarah/Sara:Sally Karen Lisa Nancy Margaret:Maggie/Peggy/Meg Sandra:Sandy Ashley/Ashleigh "
        "Kimberly:Kim Emily:Em Donna Michelle:Shelly Carol/Carole Amanda:Mandy Melissa:Mel Deborah/Debra:Deb/Debbie "
        "Stephanie:Steph Rebecca/Rebekah:Becky/Becca Sharon Laura/Lora Cynthia:Cindy Dorothy:Dot Amy/Aimee Kathleen:Kathy "
        "Angela:Angie Shirley Brenda Pamela:Pam Emma Nicole/Nichole:Nicky Helen Samantha:Sam Katherine/Catherine/Kathryn:Kate/Katie/Cathy "
        "Christine:Chris/Chrissy Rachel/Rachael:Rach Carolyn/Caroline Janet:Jan Maria Heather Diane/Dianne Olivia:Liv "
        "Julie Joyce Victoria:Vicky/Tori Ruth Virginia:Ginny Lauren Kelly/Kelley Christina:Tina Joan Evelyn Judith:Judy "
        "Andrea Hannah/Hanna Megan Cheryl Jacqueline:Jackie Martha Madison:Maddie Teresa/Theresa:Terry Gloria Sophie/Sophia "
        "Janice Alice Abigail:Abby Grace Charlotte:Lottie Isabella:Bella Amelia Chloe Lucy Lily/Lilly Ella Freya Poppy "
        "Eleanor:Ellie/Nell Florence:Flo Harriet:Hattie Imogen Jasmine Josephine:Josie Lydia Matilda:Tilly Naomi Phoebe Rosie Zoe/Zoey",
        "James:Jim/Jimmy/Jamie Robert:Bob/Rob/Bobby John/Jon:Johnny/Jack Michael/Micheal:Mike/Mick David:Dave William:Bill/Will/Billy "
        "Richard:Dick/Rick/Rich Joseph:Joe/Joey Thomas:Tom/Tommy Christopher/Kristopher:Chris/Kit Charles:Charlie/Chuck Daniel:Dan/Danny "
        "Matthew/Mathew:Matt Anthony/Antony:Tony Mark/Marc Donald:Don Steven/Stephen:Steve Andrew:Andy/Drew Paul Joshua:Josh Kenneth:Ken/Kenny "
        "Kevin:Kev Brian/Bryan George Timothy:Tim Ronald:Ron Jason/Jayson Edward:Ed/Ted/Eddie Jeffrey/Geoffrey:Jeff Ryan Jacob:Jake "
        "Gary/Garry Nicholas/Nicolas:Nick Eric/Erik Jonathan/Johnathan:Jon Larry/Laurence Justin Scott Brandon Benjamin:Ben Samuel:Sam "
        "Gregory:Greg Alexander:Alex/Sandy Patrick:Pat/Paddy Francis/Frances:Frank Raymond:Ray Dennis/Denis:Den Jerry/Gerry Tyler Aaron "
        "Henry:Harry/Hal Peter:Pete Adam Douglas:Doug Nathan/Nathaniel:Nate Zachary/Zachery:Zack Kyle Walter:Walt Harold:Harry Carl/Karl "
        "Arthur:Art Gerald:Gerry Roger Keith Lawrence:Larry Terence/Terrence:Terry Sean/Shaun/Shawn Albert:Al/Bert Jesse Austin Bruce "
        "Oliver:Ollie Leo Oscar Archie Alfred:Alf/Fred Theodore:Theo/Ted Frederick:Fred/Freddie Isaac/Issac Toby Dylan Elliott/Elliot "
        "Hugh Ian/Iain Graham/Graeme Malcolm Neil/Neal Nigel Stuart/Stewart:Stu Trevor Clive Derek/Derrick Leslie/Lesley:Les Vincent:Vince Wayne",
    ),
    "german": (
        "Anna:Anni Maria Ursula:Uschi Monika Petra Elisabeth:Lisa/Elli Sabine Renate Helga Karin/Carin Brigitte:Gitti Ingrid "
        "Erika Andrea Gisela Claudia/Klaudia Susanne:Susi Gabriele:Gabi Christa Christine Hildegard:Hilde Stefanie/Stephanie:Steffi "
        "Julia Katharina/Catharina:Kathi Nicole Anja Birgit Silke Sandra Martina Heike Melanie:Meli Jana Lena Lea/Leah Laura "
        "Johanna:Hanna Jutta Käthe Bärbel Antje Franziska:Franzi Theresa/Teresa:Resi Sophie/Sofie Mia Emma Frieda Greta Marlene:Leni",
        "Peter Michael:Michi Thomas:Tom Andreas:Andi Wolfgang:Wolf Klaus/Claus Jürgen Günter/Günther Stefan/Stephan Christian:Chris "
        "Uwe Werner Horst Frank Dieter Manfred:Manni Gerhard:Gerd Hans Bernd/Bernt Thorsten/Torsten Mathias/Matthias:Matze Helmut/Hellmuth "
        "Walter/Walther Heinz Martin Jörg/Joerg Rolf Jens Sven/Swen Alexander:Alex Jan Rainer/Reiner Holger Karl/Carl Dirk Joachim:Achim "
        "Ralf/Ralph Carsten/Karsten Philipp/Philip Lukas/Lucas Felix Maximilian:Max Jonas Paul Leon Björn Götz Sebastian:Basti Tobias:Tobi",
    ),
    "french": (
        "Marie Nathalie/Natalie Isabelle:Isa Sylvie Catherine:Cathy Françoise Martine Christine Monique Valérie Sandrine Véronique:Véro "
        "Nicole Stéphanie:Steph Sophie Anne Céline Chantal Patricia Brigitte Annie Julie Aurélie Laurence Dominique Christelle "
        "Élodie Jeanne Émilie Camille Léa Manon Chloé Inès/Ines Zoé Hélène Geneviève Mathilde Pauline Clémence Margaux/Margot Noémie",
        "Jean Pierre Michel André Philippe Nicolas:Nico Alain Bernard Patrick Christophe:Chris Daniel Laurent Frédéric:Fred Éric Pascal "
        "Stéphane David Julien Gérard Sébastien:Seb Thierry Olivier Jérôme Alexandre:Alex Guillaume Thomas Christian Didier Vincent "
        "François Maxime:Max Antoine Romain Hugo Théo Mathieu/Matthieu Raphaël Benoît Rémi/Rémy Loïc Gaël Étienne Aurélien Cédric",
    ),
    "spanish": (
        "María Carmen:Carmencita Ana Isabel:Isa Laura Cristina:Cris Marta/Martha Dolores:Lola Lucía Pilar Elena/Helena Raquel Sara Rosa "
        "Paula Mercedes:Merche Teresa:Tere Beatriz:Bea Nuria Silvia/Sylvia Julia Irene Patricia:Patri Montserrat:Montse Andrea Rocío "
        "Mónica Alba Ángela Alicia Inmaculada:Inma Concepción:Concha Josefa:Pepa Francisca:Paca Esperanza Inés Sofía Ximena/Jimena Valeria",
        "Antonio:Toño/Toni José:Pepe Manuel:Manolo Francisco:Paco/Fran David Juan Javier/Xavier:Javi Daniel:Dani Carlos Jesús:Chus Alejandro:Álex "
        "Miguel Rafael:Rafa Pablo Pedro Ángel Sergio Fernando:Nando Jorge Luis Alberto Álvaro Adrián Diego Raúl Iván Rubén Enrique:Quique "
        "Óscar Ramón Vicente Andrés Joaquín Santiago:Santi Víctor Eduardo:Edu Mario Roberto:Rober Jaime Ignacio:Nacho Salvador Gonzalo",
    ),
    "indian": (
        "Sunita/Suneeta Anita/Aneeta Lakshmi/Laxmi Priya Kavita/Kavitha Geeta/Gita Rekha Asha Usha Meena/Mina Pooja/Puja Neha Deepa/Dipa "
        "Aarti/Arati/Arti Shanti/Shanthi Sita/Seetha Savita/Savitha Radha Jyoti/Jyothi Swati/Swathi Divya Aishwarya/Aiswarya:Aishu Ananya "
        "Shreya/Sreya Sneha Nandini Padma Parvati/Parvathi Vidya/Vidhya Sushma Kamala/Kamla Lata/Latha Manju Rani Sarita/Saritha Poonam Ritu Isha/Esha",
        "Rajesh:Raj Suresh Ramesh Mahesh Sanjay/Sanjai Vijay/Vijai Ajay/Ajai Anil Sunil Ashok/Asok Ravi Rakesh Dinesh Mukesh Manoj Deepak/Dipak "
        "Vikram/Bikram Amit Rahul Rohit Arjun Krishna/Krishnan Venkatesh/Venkatesan:Venky Srinivas/Sreenivas:Sri Ganesh/Ganesan Karthik/Kartik Prakash "
        "Mohan Gopal Harish Naveen/Navin Pradeep/Pradip Sandeep/Sandip Vivek Aditya:Adi Siddharth/Siddhartha:Sid Abhishek/Abhisek:Abhi Nikhil Imran/Emran Farhan",
    ),
    "arabic": (
        "فاطمة=Fatima/Fatma/Fatimah عائشة=Aisha/Ayesha/Aicha مريم=Mariam/Maryam/Meryem خديجة=Khadija/Khadijah زينب=Zainab/Zeinab/Zaynab "
        "نور=Noor/Nour/Nur ليلى=Layla/Leila/Laila سارة=Sara/Sarah هدى=Huda/Houda أمل=Amal سلمى=Salma رنا=Rana دينا=Dina ياسمين=Yasmin/Yasmine/Yasmeen "
        "أسماء=Asma/Asmaa إيمان=Iman/Eman سميرة=Samira/Sameera نادية=Nadia/Nadya رانيا=Rania/Raniya حنان=Hanan/Hanane هبة=Heba/Hiba ريم=Reem/Rim",
        "محمد=Mohammed/Muhammad/Mohamed/Mohammad:Mo أحمد=Ahmed/Ahmad علي=Ali/Aly حسن=Hassan/Hasan حسين=Hussein/Hussain/Husayn عمر=Omar/Umar "
        "خالد=Khaled/Khalid يوسف=Youssef/Yusuf/Yousef إبراهيم=Ibrahim/Ebrahim محمود=Mahmoud/Mahmud مصطفى=Mustafa/Mostafa/Moustafa "
        "سعيد=Saeed/Said/Saeid طارق=Tariq/Tarek كريم=Karim/Kareem سامي=Sami/Samy فيصل=Faisal/Faysal ناصر=Nasser/Nasir بلال=Bilal/Belal "
        "جمال=Jamal/Gamal رشيد=Rashid/Rasheed/Rachid وليد=Walid/Waleed زيد=Zaid/Zayd حمزة=Hamza/Hamzah أنس=Anas ماجد=Majid/Majed فهد=Fahd/Fahad",
    ),
}

THAI_GIVEN_PARTS: dict[str, str] = {
    "first": (
        "สม=Som สุ=Su วิ=Wi/Vi พร=Phon/Porn ชัย=Chai นันท=Nantha/Nanta อนุ=Anu ประ=Pra ธน=Thana/Tana กิตติ=Kitti/Kitthi วร=Wora/Vora "
        "ศิริ=Siri/Siree พิ=Phi/Pi ณัฐ=Nat/Natt รัตน=Rattana/Ratana อภิ=Aphi/Api จิร=Chira/Jira ปิย=Piya สุภา=Supha/Supa ธีร=Thira/Teera "
        "เกียรติ=Kiat ชน=Chana พัช=Phat/Pat กัน=Kan มณี=Mani/Manee บุญ=Bun/Boon ทอง=Thong/Tong เพ็ญ=Phen/Pen อรุณ=Arun จันทร์=Chan/Jan "
        "วิชัย=Wichai/Vichai ปรีชา=Pricha/Preecha สาย=Sai ดวง=Duang วัน=Wan ศุภ=Supha/Supa ภัทร=Phattra/Pattara อัจฉ=Atcha/Acha ชล=Chon/Chol ลัด=Lat"
    ),
    "female": (
        "พร=phon/porn รัตน์=rat ลักษณ์=lak/luck วรรณ=wan ศรี=si/sri นภา=napha/napa ดา=da กานต์=kan/karn ทิพย์=thip/tip นุช=nut/nuch "
        "วดี=wadi/wadee ญา=ya มาศ=mat/mas จิต=chit/jit ใจ=chai/jai"
    ),
    "male": (
        "ชาย=chai/chay ศักดิ์=sak พงษ์=phong/pong วัฒน์=wat เดช=det/dech พล=phon/pol ยุทธ=yut/yuth พันธ์=phan/pan กร=kon/korn นนท์=non "
        "ภพ=phop/pop ชาติ=chat สิทธิ์=sit/sith มิตร=mit ฤทธิ์=rit"
    ),
}

THAI_NICKNAMES = (
    "เล็ก=Lek น้อย=Noi/Noy พลอย=Ploy/Ploi นก=Nok หมู=Moo/Mu ต้น=Ton แดง=Daeng/Dang ปู=Pu/Poo กบ=Kop/Kob นุ่น=Nun/Noon ฝน=Fon เมย์=May/Mei "
    "แนน=Nan ใหม่=Mai บอล=Ball/Bon บี=Bee/Be เบียร์=Beer/Bia แบงค์=Bank ตูน=Toon/Tun ไก่=Kai/Gai กุ้ง=Kung/Goong อ้อม=Aom/Om อ้อ=Or/Aor แอน=Ann/An "
    "ออย=Oil/Oy โอ๋=O/Oh นิด=Nit/Nid หน่อย=Noi ปลา=Pla จิ๋ว=Jiw/Chio ส้ม=Som แป้ง=Paeng/Pang เจน=Jane/Jen เก่ง=Keng/Geng ต้อม=Tom ตั้ม=Tum/Tam "
    "เอก=Ek/Ake โจ้=Jo/Joe ป้อม=Pom แม็ก=Max มิ้นท์=Mint ฟ้า=Fah/Fa น้ำ=Nam แพร=Prae/Phrae ขวัญ=Kwan/Khwan กิ๊ฟ=Gift เฟิร์น=Fern จูน=June ไอซ์=Ice เต้ย=Toey"
)

CHINESE_GIVEN_PARTS = (
    "伟=Wei 芳=Fang 娜=Na 敏=Min 静=Jing 丽=Li 强=Qiang 磊=Lei 军=Jun 洋=Yang 勇=Yong 艳=Yan 杰=Jie 娟=Juan 涛=Tao 明=Ming 超=Chao 秀=Xiu "
    "霞=Xia 平=Ping 刚=Gang 桂=Gui 英=Ying 华=Hua 玉=Yu 红=Hong 建=Jian 文=Wen 国=Guo 志=Zhi 春=Chun 晓=Xiao 小=Xiao 雪=Xue 梅=Mei 婷=Ting "
    "佳=Jia 欣=Xin 宇=Yu 浩=Hao 鑫=Xin 博=Bo 思=Si 雨=Yu 子=Zi 嘉=Jia 俊=Jun 凯=Kai 云=Yun 海=Hai 峰=Feng 龙=Long 林=Lin 斌=Bin 辉=Hui 琳=Lin"
)

SURNAME_HEADS: dict[str, str] = {
    "english": (
        "Smith/Smyth Jones Taylor/Tayler Brown/Browne Williams Wilson/Willson Johnson/Johnston Davies/Davis Robinson Wright Thompson/Thomson Evans "
        "Walker White/Whyte Roberts Green/Greene Hall Wood/Woods Jackson Clarke/Clark Martin Hill Scott Cooper Ward Turner Carter Morris Harris/Harrison "
        "King Morgan Baker Parker Edwards Phillips/Philips Bennett/Bennet Price Lewis/Louis Young Allen/Allan Mitchell James Anderson/Andersen Lee/Leigh "
        "Bell Cook/Cooke Shaw Kelly/Kelley Murphy Richardson Bailey/Bayley Collins Stewart/Stuart Simpson Marshall Cox Watson Miller Adams Gray/Grey "
        "Hughes Fox Rogers/Rodgers Chapman Ellis Mason Hunt Webb Palmer Mills Grant Reynolds/Reynalds Stevens/Stephens Lloyd Matthews/Mathews Barnes Knight "
        "Butler Russell Fisher Harvey Pearson/Pierson Graham Fletcher Howard Dixon/Dickson Nelson Campbell Gibson Hamilton Hudson Wallace Burns Reid/Reed/Read"
    ),
    "german": (
        "Müller/Mueller Schmidt/Schmitt Schneider Fischer Weber Meyer/Meier/Maier Wagner Becker Schulz/Schultz/Schulze Hoffmann/Hofmann Schäfer/Schaefer Koch "
        "Bauer Richter Klein Wolf/Wolff Schröder/Schroeder Neumann Schwarz Zimmermann Braun Krüger/Krueger Hartmann Lange Werner Krause Lehmann Köhler/Koehler "
        "Herrmann/Hermann König/Koenig Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller/Moeller Weiß/Weiss Jung Hahn Vogel Friedrich Keller Günther "
        "Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß/Gross"
    ),
    "french": (
        "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre/Lefèvre Leroy/Leroi Roux David Bertrand Morel Fournier "
        "Girard Bonnet Dupont/Dupond Lambert Fontaine Rousseau Vincent Müller Lefort Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand "
        "Gauthier/Gautier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Brun"
    ),
    "spanish": (
        "García González/Gonzales Rodríguez Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez/Giménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero "
        "Alonso Gutiérrez Navarro Torres Domínguez Vázquez/Vásquez Ramos Gil Ramírez Serrano Blanco Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín "
        "Sanz/Sáenz Núñez Iglesias Medina Garrido Cortés Castillo Santos Lozano Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal León Márquez Herrera Peña Flores"
    ),
    "indian": (
        "Kumar/Kumaar Singh/Sinh Sharma/Sarma Patel Gupta Shah/Shaw Verma/Varma Reddy/Reddi Rao/Row Mehta Jain Agarwal/Aggarwal Iyer/Aiyar Nair/Nayar Menon Khan Das/Dass "
        "Roy/Ray Ghosh/Ghose Banerjee/Banerji Chatterjee/Chatterji Mukherjee/Mukherji Bose/Basu Dutta/Datta Sen Mishra/Misra Pandey/Pande Tiwari/Tewari Yadav/Yadava "
        "Joshi Desai Kulkarni Patil Pillai Naidu/Nayudu Chowdhury/Choudhary/Chaudhary Malhotra Kapoor/Kapur Khanna Chopra Bhatia Arora Sethi Saxena Srivastava/Shrivastava"
    ),
    "arabic": (
        "الرشيد=Al-Rashid/El-Rashid المصري=Al-Masri/El-Masry الحسن=Al-Hassan/Al-Hasan حداد=Haddad/Hadad خوري=Khoury/Khouri منصور=Mansour/Mansoor "
        "الأحمد=Al-Ahmad/Al-Ahmed عثمان=Osman/Othman/Uthman صالح=Saleh/Salih حمدان=Hamdan سليمان=Suleiman/Sulaiman/Soliman الشامي=Al-Shami/El-Shamy "
        "عبدالله=Abdullah/Abdallah القاسم=Al-Qasim/Al-Kassem نصر=Nasr/Naser عيسى=Issa/Eissa بكري=Bakri/Bakry يعقوب=Yaqoub/Yacoub الفارسي=Al-Farsi/Alfarsi"
    ),
    "chinese": (
        "王=Wang/Wong/Ong 李=Li/Lee 张=Zhang/Chang/Cheung 刘=Liu/Lau/Low 陈=Chen/Chan/Tan 杨=Yang/Yeung/Yeo 黄=Huang/Wong/Ng 赵=Zhao/Chiu/Teo 吴=Wu/Ng/Goh 周=Zhou/Chow/Chew "
        "徐=Xu/Tsui/Chee 孙=Sun/Suen/Soon 马=Ma/Mah 朱=Zhu/Chu/Choo 胡=Hu/Woo/Oh 郭=Guo/Kwok/Quek 何=He/Ho 林=Lin/Lam/Lim 高=Gao/Ko 罗=Luo/Law/Loh 郑=Zheng/Cheng/Tay "
        "梁=Liang/Leung/Neo 谢=Xie/Tse/Chia 宋=Song/Sung 唐=Tang/Tong 许=Xu/Hui/Koh 邓=Deng/Tang 韩=Han/Hon 冯=Feng/Fung/Pang 曹=Cao/Tso 彭=Peng/Phang 曾=Zeng/Tsang/Chan "
        "萧=Xiao/Siu/Seow 田=Tian/Tin 董=Dong/Tung 潘=Pan/Poon/Phua 袁=Yuan/Yuen 蔡=Cai/Choi/Chua 蒋=Jiang/Chiang 余=Yu/Yee 于=Yu 杜=Du/To 叶=Ye/Yip/Yap 程=Cheng/Ching 魏=Wei/Ngai "
        "苏=Su/So/Soh 吕=Lu/Lui 丁=Ding/Ting 任=Ren/Yam 卢=Lu/Lo/Loo 姚=Yao/Yiu/Yeo 沈=Shen/Sum/Sim 钟=Zhong/Chung/Cheong 姜=Jiang/Keung 崔=Cui/Tsui 谭=Tan/Tam/Tham 陆=Lu/Luk 范=Fan 汪=Wang 廖=Liao/Liu/Leow"
    ),
    "thai": "",
}

# culture -> element lists; a surname takes one of each
SURNAME_PARTS: dict[str, tuple[str, ...]] = {
    "english": (
        "Ash Black Brad Bram Brook Burn Cald Carl Chat Clay Cold Cran Crom Dal Dun East Elm Fair Far Flax Ford Gains Glad Gran Hal Ham Har Haw Hazel Heath High "
        "Hol Horn Hux Kel Kirk Lang Lin Lock Long Mar Mid Mil New Nor Oak Old Pem Pres Rad Raven Red Ros Ruther Sed Shel Stan Stock Strat Sut Thorn Under Wad Wake Wal Wat Wet Whit Win Wood York",
        "bourne/burn bridge bury by/bie combe/coomb cott croft dale den don ditch ersley field/feild ford ham hurst land/lands ley/leigh man more/moor ridge sby shaw stead stone/ston ston ton thorpe/thorp wall ward well/wells wick/wich wood worth worthy",
    ),
    "german": (
        "Alten Birken Blumen Breiten Buchen Burg Dorn Ebers Eich Eisen Erlen Falken Feld Fichten Finken Gold Grün Hagen Hasen Heiden Hinter Hirsch Hoch Hohen "
        "Holz Kalten Kirch König Krumm Lauter Linden Mittel Neu Nieder Ober Oster Rauen Reh Rosen Rot Schön Schwarzen Silber Steg Stein Stern Tannen Tiefen Unter Wald Weiden Weißen Wester Wiesen Winter",
        "au bach/bacher baum beck/becker berg/berger blum bruch burger dorf/dorfer eck/ecker egger feld/felder fels gruber hagen hardt/hart haus/hauser heim/heimer hof/hofer horst hübel inger kamp kirch lage land loh mann meier/meyer müller rath reuter stein steiner tal thal wald wieser winkel",
    ),
    "french": (
        "Beau Belle Bois Bon Bouch Bour Brun Cham Char Chau Col Cour Dela Des Dela Du Fav Fer Fon Gran Jour La Lan Le Mar Mon Mont Mor Pel Per Pois Pré Ri Roche Ros Sau Val Ver Vil Vieux",
        "ard/art aud/aut aux bert bois champ champs chet din dreau duc eau/eaux eron fort gnon lain land lard let lier lin lot mier mond mont nard net nier nois not rand reau reux rieux rin rot sac selle set sin teau tier tin val vaux vel vier ville voy",
    ),
    "spanish": (
        "Agui Ala Alba Alca Ama Ara Arre Ba Barre Be Bel Buena Cabre Cala Carra Casa Ce Con Corre Echa Es Fuen Gala Garma Go Guada Hi Iba La Lla Ma Mira Monte Mon Na Ola Or Pala Para Pe Que Re Rio Sala San Se So Ta Tala Tru Uri Va Vela Villa Za Zuma",
        "badal barri bel cedo ches cil dero dilla dor esca gar gueta jada jas jillo lada lares lba lero les lgar lla llar lles llo mares mora nal nares nas nedo nera neros nes nilla no nosa ntes ños ra rado ralt ras rena res rera ria ro rón rral rro rza sa sco sta suna tal te tero to tillo ve vera villa var zar zo",
    ),
    "indian": (
        "Ambe Anant Bala Bhan Chand Chit Deva Dhan Gai Gan Gopala Hari Indra Jaya Kala Karan Kesh Kota Krishna Lak Loke Madha Maha Mani Mangal Mur Nag Nand Nara Padma Parama Prab Purna Rama Ranga Sada Sam Sesh Shan Siva Soma Subra Sund Thang Uda Vaid Vallab Veera Venkata Vishwa Yog",
        "bhai das gaonkar giri jee/ji kar kumar lal mane moorthy/murthy mulla nath/nathan pal prakash prasad/prashad puri rajan raj raju ram raman samy/swamy/swami sekhar/shekar shetty/shetti sundaram thapa wal wala/walla war yya",
    ),
    "arabic": (
        "Al- Bin_/Ben_ Abu_/Abou_ Abd-al- El-",
        "Amin Ansari/Ansary Asfour Atrash Azzam Badawi/Badawy Baghdadi Bahri Barakat Darwish/Darwich Dosari Fahmi/Fahmy Fadel/Fadil Fares/Faris Ghanem/Ghanim Habib Hakim/Hakeem Halabi Hamad Hariri Hashemi/Hashimi "
        "Jabbar/Gabbar Jaber/Jabir Jaziri Kaabi Karam Kazemi Khalil/Khaleel Khatib/Khateeb Kuwari Latif/Lateef Madani Malik/Malek Marzouq/Marzouk Mutairi Najjar/Naggar Nabulsi Nahyan Omari/Umari Qadir/Kader Qahtani Qurashi/Qureshi Rahman/Rehman "
        "Rifai Saadi Sabah Salam Samarrai Sayegh Shamsi Shehri Suwaidi/Suweidi Tamimi Tikriti Turki Wahab/Wahhab Yamani Zaabi Zahrani Zayani",
    ),
    "thai": (
        "ศรี=Si/Sri ทอง=Thong/Tong แก้ว=Kaeo/Kaew บุญ=Bun/Boon สุข=Suk/Sukh วงศ์=Wong/Vong ชัย=Chai พันธุ์=Phan/Pan เจริญ=Charoen/Jaroen รัตน=Rattana/Ratana ธนา=Thana/Tana "
        "จันทร์=Chan/Jan สวัสดิ์=Sawat/Sawad พรหม=Phrom/Prom อินทร์=In ไพศาล=Phaisan/Paisan กิตติ=Kitti ประเสริฐ=Prasert/Prasoet วิเศษ=Wiset/Viset มณี=Mani/Manee สมบูรณ์=Sombun/Somboon "
        "คง=Khong/Kong มั่น=Man เพชร=Phet/Petch ดี=Di/Dee สิงห์=Sing/Singh นาค=Nak/Nark โพธิ์=Pho/Po ม่วง=Muang ปัญญา=Panya หอม=Hom ใจ=Chai/Jai ยอด=Yot/Yod นิล=Nin/Nil เทพ=Thep/Tep "
        "อุดม=Udom/Oudom พิพัฒน์=Phiphat/Pipat วรรณ=Wanna/Vanna อมร=Amon/Amorn เลิศ=Loet/Lert สกุล=Sakun/Sakul",
        "สุวรรณ=suwan พงษ์=phong/pong กุล=kun/kul ศิริ=siri ทรัพย์=sap/sub ชาติ=chat/chart วัฒนา=watthana/wattana พานิช=phanit/panich สิทธิ์=sit/sith มงคล=mongkhon/mongkol เดช=det/dej ภักดี=phakdi/pakdee "
        "สาร=san/sarn รุ่งเรือง=rungrueang/rungruang เกษม=kasem วิทยา=witthaya/wittaya ประภา=prapha/prapa ณรงค์=narong โชติ=chot/chote ไกร=krai สมุทร=samut/samud คำ=kham/kam แสง=saeng/sang จิตร=chit/jit "
        "ธรรม=tham/tam ชื่น=chuen/chun บำรุง=bamrung/bumrung เมือง=mueang/muang เพียร=phian/pian วารี=wari/varee อาจ=at/ard หาญ=han/harn สม=som ไทย=thai/tai รักษ์=rak/ruk นคร=nakhon/nakorn",
        "วงศ์=wong/vong กุล=kun/kul ชัย=chai รัตน์=rat/rut พันธ์=phan/pan สกุล=sakun/sakul ศักดิ์=sak วัฒน์=wat ดี=di/dee พร=phon/porn สุข=suk",
    ),
}
