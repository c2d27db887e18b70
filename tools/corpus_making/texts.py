"""What is spoken: numbers, digits and words that no language has, made of its letters."""

import numpy as np

_LATIN = ("b c d f g h j k l m n p r s t v z ch sh tr st pr", "a e i o u")
_CYRILLIC = ("б в г д ж з к л м н п р с т ф х ц ч ш ст пр", "а е и о у ы я ю")
_DEVANAGARI = ("क ख ग च ज ट ड त द न प ब म य र ल व स ह", "ा ि ी ु े ो ै")
# Letters by language of espeak-ng: consonants and vowels. The others are written in Latin.
_LETTERS = {
    **dict.fromkeys(("ru", "bg", "uk", "mk", "be", "kk", "ky", "tt", "ba", "cv"), _CYRILLIC),
    **dict.fromkeys(("hi", "mr", "ne", "kok"), _DEVANAGARI),
    "el": ("β γ δ ζ θ κ λ μ ν ξ π ρ σ τ φ χ ψ", "α ε η ι ο υ ω ου αι"),
    "ka": ("ბ გ დ ვ ზ თ კ ლ მ ნ პ ჟ რ ს ტ ფ ქ ღ შ ჩ ხ", "ა ე ი ო უ"),
    "hy": ("բ գ դ զ թ ժ լ խ կ հ ձ ղ մ շ ն չ պ ջ ռ ս վ տ ր", "ա ե ի օ ու"),
    "ar": ("ب ت ث ج ح خ د ر ز س ش ص ط ع غ ف ق ك ل م ن ه", "َ ِ ُ ا ي و"),
    "fa": ("ب پ ت ج چ خ د ر ز س ش ف ک گ ل م ن ه", "ا ی و َ ِ"),
    "he": ("ב ג ד ה ז ח ט כ ל מ נ ס פ צ ק ר ש ת", "ַ ִ ֵ ֹ ו"),
    "ko": ("가 나 다 라 마 바 사 아 자 차 카 타 파 하", "고 누 기 도 미 수 리 오 구"),
    "ja": (
        "か き く さ し す た て と な に の は ふ ま み も",
        "ら り る よ わ あ い う え お ん",
    ),
    "ta": ("க ச ட த ந ப ம ய ர ல வ ன", "ா ி ீ ு ூ ெ ே ொ"),
    "te": ("క గ చ జ ట డ త ద న ప బ మ య ర ల వ స", "ా ి ీ ు ూ ె ే ొ"),
    "kn": ("ಕ ಗ ಚ ಜ ಟ ಡ ತ ದ ನ ಪ ಬ ಮ ಯ ರ ಲ ವ ಸ", "ಾ ಿ ೀ ು ೂ ೆ ೇ ೊ"),
    "ml": ("ക ഗ ച ജ ട ഡ ത ദ ന പ ബ മ യ ര ല വ സ", "ാ ി ീ ു ൂ െ േ ൊ"),
    "bn": ("ক খ গ চ জ ট ড ত দ ন প ব ম র ল স হ", "া ি ী ু ে ো"),
    "gu": ("ક ખ ગ ચ જ ટ ડ ત દ ન પ બ મ ય ર લ વ સ હ", "ા િ ી ુ ે ો"),
    "pa": ("ਕ ਖ ਗ ਚ ਜ ਟ ਡ ਤ ਦ ਨ ਪ ਬ ਮ ਰ ਲ ਵ ਸ ਹ", "ਾ ਿ ੀ ੁ ੇ ੋ"),
}
# Read only as numbers: their script has a sign for each word or syllable.
_NUMBERS_ONLY = ("cmn", "yue", "hak", "my", "shn", "si", "am", "th", "chr-US-Qaaa-x-west")
# What joins two words in English, so that some sentences have the rhythm of speech.
_ENGLISH_SMALL = "the a of and to in that it is was for with as he she they his her at by".split()


def new_text(rng: np.random.Generator, language: str) -> str:
    """Something to say: digits, a number, one word, some words, or a sentence."""
    numbers_only = language in _NUMBERS_ONLY
    kind = rng.choice(
        ("digit", "digits", "number", "word", "words", "sentence"),
        p=(0.1, 0.7, 0.2, 0, 0, 0) if numbers_only else (0.04, 0.16, 0.04, 0.08, 0.23, 0.45),
    )
    if kind == "digit":
        return str(rng.integers(10))
    if kind == "digits":
        return " ".join(map(str, rng.integers(0, 10, int(rng.integers(2, 11)))))
    if kind == "number":
        return str(int(10 ** rng.uniform(1, 6)))
    count = {"word": 1, "words": int(rng.integers(2, 8)), "sentence": int(rng.integers(5, 15))}[
        kind
    ]
    words = [new_word(rng, language) for _ in range(count)]
    if kind == "words":
        return ", ".join(words)
    if kind == "sentence" and language.startswith("en"):
        small = rng.choice(_ENGLISH_SMALL, count)
        words = [s if rng.random() < 0.4 else w for s, w in zip(small, words, strict=True)]
    return " ".join(words) + (str(rng.choice((".", "?", "!", ","))) if kind == "sentence" else "")


def new_word(rng: np.random.Generator, language: str) -> str:
    """A word of one to four syllables."""
    consonants, vowels = (part.split() for part in _LETTERS.get(language, _LATIN))
    word = ""
    for _ in range(int(rng.choice((1, 2, 3, 4), p=(0.3, 0.4, 0.2, 0.1)))):
        if rng.random() < 0.9 or word:
            word += str(rng.choice(consonants))
        word += str(rng.choice(vowels))
    if rng.random() < 0.4:
        word += str(rng.choice(consonants))
    return word
