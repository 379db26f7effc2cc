"""The words of time in English."""

from extractor.text.dates.lexicon import Words, compile_lexicon

_GREGORIAN = (
    "january|jan",
    "february|feb",
    "march|mar",
    "april|apr",
    "may",
    "june|jun",
    "july|jul",
    "august|aug",
    "september|sept|sep",
    "october|oct",
    "november|nov",
    "december|dec",
)
_JALALI = (
    "farvardin|hamal",
    "ordibehesht|saur|sawr",
    "khordad|jawza",
    "tir|saratan",
    "mordad|amordad|asad",
    "shahrivar|sunbula|sonbola",
    "mehr|mizan",
    "aban|aqrab",
    "azar|qaws",
    "dey|jadi",
    "bahman|dalwa|dalv",
    "esfand|hut",
)
_HIJRI = (
    "muharram|moharram",
    "safar",
    "rabi al-awwal|rabi' al-awwal|rabi al awwal|rabi i",
    "rabi al-thani|rabi' al-thani|rabi al thani|rabi ii",
    "jumada al-awwal|jumada al-ula|jumada i",
    "jumada al-thani|jumada al-akhirah|jumada ii",
    "rajab",
    "shaban|sha'ban|shaaban",
    "ramadan|ramazan|ramadhan",
    "shawwal",
    "dhu al-qadah|dhu al-qi'dah|dhul qadah|dhu al-qa'dah|zilqad",
    "dhu al-hijjah|dhul hijjah|dhu al-hijja|zilhajj",
)

LEXICON = compile_lexicon(
    Words(
        code="en",
        calendar="gregorian",
        week_start=0,
        numbers="15(?:&?(?:3-?1|3|2|1))?|[23]-?3-?1|[23]-?[23]|3-?1|[321]",
        months={"gregorian": _GREGORIAN, "jalali": _JALALI, "hijri": _HIJRI},
        weekdays=(
            "monday|mon",
            "tuesday|tue|tues",
            "wednesday|wed|weds",
            "thursday|thu|thur|thurs",
            "friday|fri",
            "saturday|sat",
            "sunday|sun",
        ),
        days={
            0: "today|tonight|this morning|this afternoon|this evening",
            -1: "yesterday|last night|last evening|yesterday night",
            -2: "the day before yesterday|day before yesterday",
            1: "tomorrow|tomorrow night",
            2: "the day after tomorrow|day after tomorrow",
        },
        parts={
            0: "early|beginning|start|the start|opening days|first days|outset|early days",
            1: "mid|middle|mid -|midway through",
            2: "late|end|final days|closing days|last days",
        },
        last={-1: "last|this past|just past|just gone", -2: "before last"},
        next={1: "next|coming|upcoming|this coming", 2: "after next"},
        this="this|current|the current",
        seasons=("spring|springtime", "summer|summertime", "autumn|fall", "winter|wintertime"),
        units={1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"},
        teens={
            10: "ten",
            11: "eleven",
            12: "twelve",
            13: "thirteen",
            14: "fourteen",
            15: "fifteen",
            16: "sixteen",
            17: "seventeen",
            18: "eighteen",
            19: "nineteen",
        },
        tens={
            20: "twenty",
            30: "thirty",
            40: "forty",
            50: "fifty",
            60: "sixty",
            70: "seventy",
            80: "eighty",
            90: "ninety",
        },
        hundreds={100: "hundred"},
        thousands={1000: "thousand"},
        ordinals={
            "1": {
                1: "first",
                2: "second",
                3: "third",
                4: "fourth",
                5: "fifth",
                6: "sixth",
                7: "seventh",
                8: "eighth",
                9: "ninth",
            },
            "2": {
                10: "tenth",
                11: "eleventh",
                12: "twelfth",
                13: "thirteenth",
                14: "fourteenth",
                15: "fifteenth",
                16: "sixteenth",
                17: "seventeenth",
                18: "eighteenth",
                19: "nineteenth",
            },
            "3": {20: "twentieth", 30: "thirtieth"},
        },
        marks={
            "gregorian": "ce|ad|gregorian|in the gregorian calendar",
            "hijri": "ah|hijri|a h|lunar hijri",
            "jalali": "jalali|solar hijri|persian calendar|iranian calendar|solar|sh|shamsi|in the iranian calendar",
        },
        words={
            "x": "on|in|the|during|dated|date|of|only|just|just this|exactly|back in|back|local time"
            "|gmt|utc|et|est|edt|cet"
            "|bst|local|time|cest|pst|pdt|hours gmt|sometime|in the course of|within the|over the course of"
            "|iranian year",
            "d": "day",
            "D": "days|nights",
            "k": "week",
            "K": "weeks",
            "l": "month",
            "L": "months",
            "y": "year",
            "J": "years",
            "Q": "quarter",
            "H": "half",
            "A": "ago",
            "F": "from",
            "T": "to|until|till|through|thru|til",
            "I": "into",
            "u": "overnight",
            "g": "that|same|very same|that very",
            "b": "between",
            "&": "and",
            "C": "at",
            "z": "morning|afternoon|evening|night|noon|midnight|dawn|dusk|midday|early hours|the early hours"
            "|small hours|sunrise"
            "|sunset|late afternoon|early morning|late evening|early evening|late night|predawn|pre-dawn"
            "|morning hours|o'clock"
            "|early afternoon|late morning|early morning hours|evening hours|mid-morning|mid-afternoon"
            "|lunchtime|daytime"
            "|the early hours of the morning|overnight hours|nighttime|late-night|early-morning|a m|p m|am|pm",
            "e": "earlier|early on|earlier on",
            "G": "planned for|scheduled for|set for|due on|due|slated for|expected on|expected in"
            "|scheduled to take place on"
            "|expected|scheduled|planned|due in|set to begin on|set to take place on|expected for|scheduled on",
            "E": "corresponding to|equivalent to|i e|that is|or",
            "j": "a|an",
            "~": "about|around|roughly|nearly|almost|approximately|some|circa",
            "!": "since|as of|by|before|after|ahead|for|past|decade|century|every|each|following|previous"
            "|the end of the week|weekend"
            "|within|beyond|over|ever|annual|fiscal|prior|year-end",
        },
        holidays={
            "christmas day": ("gregorian", 12, 25),
            "christmas eve": ("gregorian", 12, 24),
            "new year's eve|new years eve": ("gregorian", 12, 31),
            "new year's day|new years day": ("gregorian", 1, 1),
            "may day": ("gregorian", 5, 1),
            "nowruz|norouz|nowrooz|noruz": ("jalali", 1, 1),
        },
        expand={
            "later|later on|late on": "e1",
            "night from": "u0 F0",
            "night between": "u0 b0",
            "year before last": "R-2",
            "month before last": "O-2",
            "week before last": "W-2",
            "week after next": "W2",
            "a quarter century": "!",
            "over the weekend|at the weekend|on the weekend|during the weekend|the weekend": "U0",
            "last weekend|over last weekend|the past weekend|this past weekend": "U-1",
            "this weekend": "U1",
        },
    )
)
"""Weeks begin on Monday, and months are Gregorian unless one of another calendar is named."""
