"""Short words that each language needs to tell a contact piece by piece: "and then", "read it backwards", "ending in com".

Templates live in the language files; these are what disguises put between the pieces of one number or one address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream_detector.training.corpus.packs import Pack


@dataclass(frozen=True, slots=True)
class Joints:
    """One language's words between pieces.

    Attributes:
        then: between two parts of a number, with the space that they need.
        backwards: hints to read from the end, written behind the number.
        remove: notes inside a number that the reader is to leave out.
        collect: hints to keep only the figures.
        steps: patterns for the first, a middle and the last piece of an address.
        signs: ways to describe the sign @.
        ends: patterns that name an address's ending.
        provider: patterns that name who carries the mail.
        nouns: things that can be counted, by which figures hide in a list of amenities.
    """

    then: tuple[str, ...]
    backwards: tuple[str, ...]
    remove: tuple[str, ...]
    collect: tuple[str, ...]
    steps: tuple[str, str, str]
    signs: tuple[str, ...]
    ends: tuple[str, ...]
    provider: tuple[str, ...]
    nouns: tuple[str, ...]


def joints(pack: Pack) -> Joints:
    """The words of a pack's language; English ones where a new language has none yet."""
    return _JOINTS.get(pack.code, _JOINTS["en"])


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_JOINTS: Mapping[str, Joints] = {
    "ar": Joints(
        then=_words(" ثم | وبعدها | يليه | والباقي | بعد ذلك "),
        backwards=_words(" (اقرأه بالعكس)| معكوس| من اليمين لليسار"),
        remove=_words("(احذف هذا)|(بدون فراغ)|[احذف]"),
        collect=_words(" (خذ الأرقام فقط)| اجمع الأرقام| فقط الأرقام"),
        steps=("أولاً {}", "ثم {}", "وأخيراً {}"),
        signs=_words("حرف a داخل دائرة|علامة الات|ذيل القرد|الاشارة حق الايميل"),
        ends=_words("وينتهي بـ {}|والنهاية {}"),
        provider=_words(" على {}| في {}| ({})"),
        nouns=_words("نجوم|نباتات|غرف|قطط|كراسي|شموع|نوافذ|أزهار|ضيوف|كتب"),
    ),
    "de": Joints(
        then=_words(" und dann | danach | gefolgt von | und hinten |, weiter mit | ... der Rest ist "),
        backwards=_words(" (rückwärts lesen)| - von hinten| (andersrum)|, von rechts nach links"),
        remove=_words("(das weglassen)|(ohne Leerzeichen)|[entfernen]|(löschen)"),
        collect=_words(" (nur die Zahlen)| – Ziffern aneinanderreihen| (Zahlen zählen)"),
        steps=("zuerst {}", "dann {}", "und am Ende {}"),
        signs=_words("a im Kringel|der Klammeraffe|das Zeichen mit dem Affenschwanz|a im Kreis"),
        ends=_words("Endung {}|hinten {}|am Ende {}"),
        provider=_words(" bei {}| auf {}| ({})"),
        nouns=_words("Sterne|Pflanzen|Katzen|Stühle|Bäume|Fenster|Kerzen|Bücher|Gäste|Stress"),
    ),
    "el": Joints(
        then=_words(" και μετά | ύστερα | και τέλος | ακολουθεί | το υπόλοιπο "),
        backwards=_words(" (ανάποδα)| από το τέλος| (διαβάστε το ανάποδα)"),
        remove=_words("(βγάλε αυτό)|(χωρίς κενό)|[σβήσε]"),
        collect=_words(" (μόνο τα νούμερα)| ενώστε τους αριθμούς"),
        steps=("πρώτα {}", "μετά {}", "και στο τέλος {}"),
        signs=_words("το άλφα στον κύκλο|το παπάκι|το στρογγυλό α"),
        ends=_words("τελειώνει σε {}|κατάληξη {}"),
        provider=_words(" στο {}| ({})| από {}"),
        nouns=_words("αστέρια|φυτά|γάτες|καρέκλες|δέντρα|παράθυρα|κεριά|βιβλία|λεμόνια|άγχος"),
    ),
    "en": Joints(
        then=_words(" and then | then | followed by |, after that | ... the rest is |. Then add |. It ends with | [space] | /and/ "),
        backwards=_words(" (read it backwards)| - reversed| (from right to left)| (mirror it)|, back to front"),
        remove=_words("(remove this)|(no space)|[delete]|(ignore me)|NOSPAM"),
        collect=_words(" (just the numbers)| - join the digits| (read only the figures)| ;) count"),
        steps=("first {}", "then {}", "and finally {}"),
        signs=_words("the at sign|an a in a circle|the curly a|the monkey tail|a with a tail|the a in the ring"),
        ends=_words("ending in {}|the end is {}|with {} at the end|it's a {}"),
        provider=_words(" on {}| at {}| ({})| over at {}| - {} of course"),
        nouns=_words("stars|plants|cats|chairs|trees|windows|candles|books|lemons|stress|guests|smiles"),
    ),
    "es": Joints(
        then=_words(" y luego | después | y sigue con | seguido de | ... y termina en "),
        backwards=_words(" (al revés)| - de atrás para adelante| (léelo al revés)"),
        remove=_words("(quita esto)|(sin espacios)|[borrar]"),
        collect=_words(" (solo los números)| junta las cifras"),
        steps=("primero {}", "luego {}", "y al final {}"),
        signs=_words("la a con rabito|a en un círculo|el arroba ese|la a enroscada"),
        ends=_words("termina en {}|acabado en {}|y al final {}"),
        provider=_words(" en {}| de {}| ({})"),
        nouns=_words("estrellas|plantas|gatos|sillas|árboles|ventanas|velas|libros|limones|estrés"),
    ),
    "fr": Joints(
        then=_words(" puis | et ensuite | suivi de | et pour finir | ... la suite : "),
        backwards=_words(" (à l'envers)| - de droite à gauche| (lisez à rebours)"),
        remove=_words("(à enlever)|(sans espace)|[supprimer]"),
        collect=_words(" (juste les chiffres)| assemblez les chiffres"),
        steps=("d'abord {}", "puis {}", "et enfin {}"),
        signs=_words("le a entouré|a dans un rond|le a avec une queue|l'escargot"),
        ends=_words("se termine par {}|finit en {}|avec {} à la fin"),
        provider=_words(" chez {}| sur {}| ({})"),
        nouns=_words("étoiles|plantes|chats|chaises|arbres|fenêtres|bougies|livres|citrons|stress"),
    ),
    "it": Joints(
        then=_words(" e poi | dopo | seguito da | e infine | ... il resto è "),
        backwards=_words(" (al contrario)| - da destra a sinistra| (leggilo a rovescio)"),
        remove=_words("(togli questo)|(senza spazi)|[cancella]"),
        collect=_words(" (solo i numeri)| unisci le cifre"),
        steps=("prima {}", "poi {}", "e alla fine {}"),
        signs=_words("la chiocciolina|la a nel cerchio|la a con la coda"),
        ends=_words("finisce in {}|finale {}|con {} alla fine"),
        provider=_words(" su {}| di {}| ({})"),
        nouns=_words("stelle|piante|gatti|sedie|alberi|finestre|candele|libri|limoni|stress"),
    ),
    "ja": Joints(
        then=_words("、次に|、そのあと|、続けて|、最後に|の後に"),
        backwards=_words("（逆から読む）| ※逆さま|（後ろから）"),
        remove=_words("（ここは抜いて）|（スペースなし）|【削除】"),
        collect=_words("（数字だけ）| 数字をつなげてね"),
        steps=("最初に{}", "次に{}", "最後に{}"),
        signs=_words("丸の中のa|ぐるぐるa|アットのマーク"),
        ends=_words("最後は{}|末尾{}"),
        provider=_words("（{}）|、{}のメール| {}です"),
        nouns=_words("つの星|本の木|匹の猫|つの窓|冊の本|枚の葉|個のレモン|人の客"),
    ),
    "ko": Joints(
        then=_words(" 그리고 | 그다음 | 다음은 | 이어서 | 마지막은 "),
        backwards=_words(" (거꾸로)| 반대로 읽기| (뒤에서부터)"),
        remove=_words("(이건 빼고)|(띄어쓰기 없이)|[삭제]"),
        collect=_words(" (숫자만)| 숫자만 이어주세요"),
        steps=("먼저 {}", "다음 {}", "마지막 {}"),
        signs=_words("동그라미 a|골뱅이 표시|꼬리 달린 a"),
        ends=_words("끝은 {}|{}으로 끝나요"),
        provider=_words(" {}메일| ({})| {}에서"),
        nouns=_words("개의 별|그루 나무|마리 고양이|의자|창문|양초|권의 책|레몬|명"),
    ),
    "nl": Joints(
        then=_words(" en dan | daarna | gevolgd door | en tot slot | ... de rest is "),
        backwards=_words(" (achterstevoren)| - van rechts naar links| (andersom lezen)"),
        remove=_words("(dit weglaten)|(zonder spatie)|[weghalen]"),
        collect=_words(" (alleen de cijfers)| plak de cijfers aan elkaar"),
        steps=("eerst {}", "dan {}", "en tot slot {}"),
        signs=_words("het apenstaartje|a in een cirkel|de a met een krul"),
        ends=_words("eindigt op {}|met {} erachter"),
        provider=_words(" bij {}| op {}| ({})"),
        nouns=_words("sterren|planten|katten|stoelen|bomen|ramen|kaarsen|boeken|citroenen|stress"),
    ),
    "pl": Joints(
        then=_words(" a potem | następnie | dalej | i na końcu | ... reszta to "),
        backwards=_words(" (od tyłu)| - wspak| (czytaj od końca)"),
        remove=_words("(to usuń)|(bez spacji)|[wytnij]"),
        collect=_words(" (same cyfry)| połącz cyfry"),
        steps=("najpierw {}", "potem {}", "a na końcu {}"),
        signs=_words("a w kółku|znak małpy|a z ogonkiem"),
        ends=_words("z końcówką {}|kończy się na {}"),
        provider=_words(" na {}| w {}| ({})"),
        nouns=_words("gwiazdy|rośliny|koty|krzesła|drzewa|okna|świece|książki|cytryny|stresu"),
    ),
    "pt": Joints(
        then=_words(" e depois | em seguida | seguido de | e no fim | ... o resto é "),
        backwards=_words(" (ao contrário)| - de trás para a frente| (leia invertido)"),
        remove=_words("(tire isto)|(sem espaço)|[apagar]"),
        collect=_words(" (só os números)| junte os números"),
        steps=("primeiro {}", "depois {}", "e no fim {}"),
        signs=_words("o a enrolado|a dentro do círculo|o a com rabinho"),
        ends=_words("termina em {}|com {} no final"),
        provider=_words(" no {}| do {}| ({})"),
        nouns=_words("estrelas|plantas|gatos|cadeiras|árvores|janelas|velas|livros|limões|stress"),
    ),
    "ru": Joints(
        then=_words(" потом | затем | а дальше | и в конце | далее "),
        backwards=_words(" (наоборот)| - задом наперёд| (читать с конца)"),
        remove=_words("(это убрать)|(без пробела)|[удалить]"),
        collect=_words(" (только цифры)| соедините цифры"),
        steps=("сначала {}", "потом {}", "и в конце {}"),
        signs=_words("а в кружочке|знак собачки|а с хвостиком"),
        ends=_words("заканчивается на {}|в конце {}"),
        provider=_words(" на {}| ({})| почта {}"),
        nouns=_words("звёзд|цветов|котов|стульев|деревьев|окон|свечей|книг|лимонов|стресса"),
    ),
    "sv": Joints(
        then=_words(" och sedan | därefter | följt av | och till sist | ... resten är "),
        backwards=_words(" (baklänges)| - bakifrån| (läs från höger)"),
        remove=_words("(ta bort detta)|(utan mellanslag)|[radera]"),
        collect=_words(" (bara siffrorna)| sätt ihop siffrorna"),
        steps=("först {}", "sedan {}", "och sist {}"),
        signs=_words("a i en ring|snabeln|a med svans|kanelbullen"),
        ends=_words("slutar på {}|med {} på slutet"),
        provider=_words(" på {}| hos {}| ({})"),
        nouns=_words("stjärnor|växter|katter|stolar|träd|fönster|ljus|böcker|citroner|stress"),
    ),
    "tr": Joints(
        then=_words(" sonra | ardından | ve sonunda | devamı | ... gerisi "),
        backwards=_words(" (tersten)| - sondan başa| (tersten okuyun)"),
        remove=_words("(bunu silin)|(boşluksuz)|[sil]"),
        collect=_words(" (sadece rakamlar)| rakamları birleştirin"),
        steps=("önce {}", "sonra {}", "ve en son {}"),
        signs=_words("yuvarlak içinde a|kuyruklu a|şu a işareti"),
        ends=_words("sonu {}|{} ile biter"),
        provider=_words(" {} hesabı| ({})| {} üzerinden"),
        nouns=_words("yıldız|bitki|kedi|sandalye|ağaç|pencere|mum|kitap|limon|stres"),
    ),
    "zh": Joints(
        then=_words("，然后|，接着|，再加|，最后是|后面是"),
        backwards=_words("（倒着读）| 反过来|（从后往前）"),
        remove=_words("（去掉）|（不要空格）|【删除】|（删掉这个）"),
        collect=_words("（只看数字）| 数字连起来"),
        steps=("先是{}", "然后{}", "最后{}"),
        signs=_words("圈里一个a|圆圈a|那个艾特符号|小老鼠"),
        ends=_words("结尾是{}|后缀{}"),
        provider=_words("（{}）|，{}邮箱|的{}"),
        nouns=_words("颗星|盆花|只猫|把椅子|棵树|扇窗|支蜡烛|本书|个柠檬|位客人"),
    ),
}  # fmt: skip
