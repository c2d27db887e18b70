"""What is spoken: common words, disjoint between splits except for the keywords themselves."""

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")

OTHER_WORDS = {
    "train": (
        *("bird", "cat", "house", "tree", "happy", "zero", "four", "seven", "marvel", "wow"),
        *("river", "paper", "window", "garden", "yellow", "music", "table", "under", "note", "ox"),
        *("rope", "lift", "toad", "light", "step", "gold", "cup", "dawn"),
    ),
    "valid": ("dog", "eight", "lamp", "bottle", "know", "stuff", "rain", "letter"),
    "test": ("bed", "three", "nine", "cow", "learn", "night", "town", "us", "store", "often"),
}

SENTENCE_WORDS = {
    "train": (
        *("morning", "people", "water", "because", "always", "brother", "island", "carry"),
        *("question", "number", "simple", "travel", "winter", "answer", "little", "before"),
        *("market", "picture", "another", "village", "remember", "engine", "quiet", "seldom"),
    ),
    "valid": ("evening", "mother", "between", "forest", "finger", "across", "hundred", "ready"),
    "test": (
        *("summer", "father", "mountain", "against", "kitchen", "possible", "together", "story"),
        *("doctor", "beside", "minute", "nothing"),
    ),
}

# Twenty-four words of each language, of which six are for validation and six for the test.
LANGUAGES = {
    "de": "heute Wasser immer Bruder Frage Winter Antwort schreiben Fenster vielleicht Straße "
    "zwischen Morgen Mutter hundert fertig Wald Finger Sommer Vater gegen Küche möglich zusammen",
    "en-us": "today water always brother question winter answer writing window perhaps street "
    "between morning mother hundred ready forest finger summer father against kitchen possible "
    "together",
    "es": "hoy agua siempre hermano pregunta invierno respuesta escribir ventana quizás calle "
    "entre mañana madre cien listo bosque dedo verano padre contra cocina posible juntos",
    "fi": "tänään vesi aina veli kysymys talvi vastaus kirjoittaa ikkuna ehkä katu välissä aamu "
    "äiti sata valmis metsä sormi kesä isä vastaan keittiö mahdollinen yhdessä",
    "fr": "aujourd'hui eau toujours frère question hiver réponse écrire fenêtre peut-être rue "
    "entre matin mère cent prêt forêt doigt été père contre cuisine possible ensemble",
    "hu": "ma víz mindig testvér kérdés tél válasz írni ablak talán utca között reggel anya száz "
    "kész erdő ujj nyár apa ellen konyha lehetséges együtt",
    "it": "oggi acqua sempre fratello domanda inverno risposta scrivere finestra forse strada "
    "tra mattina madre cento pronto bosco dito estate padre contro cucina possibile insieme",
    "pl": "dzisiaj woda zawsze brat pytanie zima odpowiedź pisać okno może ulica między rano "
    "matka sto gotowy las palec lato ojciec przeciwko kuchnia możliwe razem",
    "pt": "hoje água sempre irmão pergunta inverno resposta escrever janela talvez rua entre "
    "manhã mãe cem pronto floresta dedo verão pai contra cozinha possível juntos",
    "tr": "bugün su her kardeş soru kış cevap yazmak pencere belki sokak arasında sabah anne yüz "
    "hazır orman parmak yaz baba karşı mutfak mümkün birlikte",
}
_WORDS_OF = {"train": slice(0, 12), "valid": slice(12, 18), "test": slice(18, 24)}


def words_of(language: str, split: str) -> list[str]:
    """The words of a language that are spoken in a split."""
    return LANGUAGES[language].split()[_WORDS_OF[split]]
