"""Every voice, accent and instrument of the generated tasks, by the split that it is reserved for.

A corpus for pretraining must not use those of `valid` and `test`, nor the words of
`task_making/words.py`. Sounds made by code come from random parameters whose seeds name the split:
see `recipe.generator`.
"""

# Variants of espeak-ng, which any of its languages can be spoken with.
VARIANTS = {
    "train": (
        *("adam", "Alex", "Andrea", "Andy", "antonio", "aunty", "belinda", "benjamin", "caleb"),
        *("Denis", "Diogo", "ed", "f1", "f3", "f5", "Gene", "grandma", "Henrique", "iven"),
        *("Jacky", "john", "klatt2", "Lee", "m1", "m3", "m5", "m7", "Marco", "max", "Mike"),
        *("norbert", "paul", "quincy", "robert", "steph", "travis"),
    ),
    "valid": ("Alicia", "boris", "f2", "m2", "Mario", "michel", "shelby", "zac", "iven3", "m8"),
    "test": (
        *("Annie", "anika", "david", "edward", "f4", "grandpa", "Hugo", "klatt4", "linda"),
        *("m4", "m6", "marcelo", "miguel", "pablo", "sandro", "victor"),
    ),
}

# Accents of English, for the tasks that do not ask for the language.
ACCENTS = {
    "train": ("en-us", "en-gb", "en-gb-x-gbclan", "en-gb-scotland"),
    "valid": ("en-gb-x-rp", "en-us"),
    "test": ("en-029", "en-gb-x-gbcwmd", "en-us-nyc"),
}

# Programs of General MIDI, counted from 0, that hold a pitch: keys, organs, strings, winds, synths.
PROGRAMS = {
    "train": (
        *(0, 2, 4, 6, 7, 11, 12, 16, 19, 21, 24, 26, 27, 32, 33, 40, 42, 45, 48, 50, 52, 56),
        *(58, 60, 64, 66, 68, 71, 73, 75, 80, 81, 85, 88, 104, 106),
    ),
    "valid": (1, 18, 25, 41, 57, 65, 74, 82),
    "test": (5, 8, 20, 22, 28, 34, 43, 46, 49, 61, 67, 69, 70, 79, 90, 105),
}
