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

# Programs of General MIDI, counted from 0, that hold a pitch (keys, organs, strings, winds and
# synths), and the highest key that the sound font has samples for.
PROGRAMS = {
    "train": {
        **{0: 96, 2: 108, 4: 108, 6: 108, 7: 108, 12: 108, 19: 96, 21: 108, 24: 108, 26: 96},
        **{27: 108, 32: 108, 40: 93, 42: 108, 45: 96, 48: 96, 50: 108, 56: 108, 60: 96, 64: 96},
        **{66: 108, 68: 96, 71: 108, 73: 108, 75: 108, 80: 108, 81: 108, 85: 108, 104: 108},
        **{106: 108},
    },
    "valid": {1: 95, 18: 108, 25: 108, 41: 96, 57: 96, 65: 84, 74: 96, 82: 108},
    "test": {
        **{5: 108, 8: 108, 20: 108, 22: 96, 28: 84, 34: 84, 43: 57, 46: 81, 49: 96, 61: 96},
        **{67: 72, 69: 85, 70: 84, 79: 108, 90: 108, 105: 106},
    },
}
