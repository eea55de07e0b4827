"""Random people, places, dates, amounts and things, each with the spelling in a text and the value in a record."""

import random

from .pools import (
    ADJ,
    COMMON_FIRSTS,
    COMMON_THINGS,
    FEMALE,
    FIRSTS,
    LASTS,
    MALE,
    PLACES,
    RANDOM_WORDS,
    THINGS,
    pick,
    plural,
)

ONSETS = "b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh st t th tr v w y z".split()
VOWELS = "a e i o u a e i o ai ee ou ia".split()
CODAS = ["", "", "", "n", "r", "l", "s", "m", "t", "nd", "ck", "x", "rt", "ss"]
MONTHS = "January February March April May June July August September October November December".split()
NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty""".split()
DOMAINS = """example.com example.org example.net mail.example post.example web.example inbox.test acme.example school.example
uni.example shop.example kontor.example home.example north.example""".split()


def syllables(rng: random.Random, low=2, high=3) -> str:
    """A pronounceable word that is in no list."""
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.randint(low, high)))


def first_name(rng, split) -> str:
    r = rng.random()
    if split == "train" and r < 0.15:
        return syllables(rng).capitalize()
    return pick(rng, split, COMMON_FIRSTS if r < 0.6 else FIRSTS)


def last_name(rng, split) -> str:
    if split == "train" and rng.random() < 0.2:
        return syllables(rng).capitalize()
    return pick(rng, split, LASTS)


def full_name(rng, split) -> str:
    first, last = first_name(rng, split), last_name(rng, split)
    r = rng.random()
    if r < 0.04:
        return f"{first} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
    if r < 0.07:
        return f"{first} {last}-{last_name(rng, split)}"
    return f"{first} {last}"


def city(rng, split) -> str:
    if split == "train" and rng.random() < 0.15:
        return syllables(rng).capitalize()
    return pick(rng, split, PLACES)


def email(rng, split, name=None) -> str:
    """An address that may or may not be made of the name."""
    name = name if name and rng.random() < 0.6 else full_name(rng, split)
    p = [w.strip(".").lower() for w in name.replace("-", " ").split()]
    first, last = p[0], p[-1]
    local = rng.choice([first, f"{first}.{last}", f"{first[0]}.{last}", f"{first}_{last}", last, f"{first[0]}{last}", f"{last}.{first}"])
    if rng.random() < 0.3:
        local = rng.choice(["", "info.", "x", "the", "team-"]) + local + str(rng.randint(1, 99))
    if rng.random() < 0.1:
        local = rng.choice(["office", "sales", "hello", "contact", "orders", "support"])
    domain = rng.choice(DOMAINS)
    if rng.random() < 0.4:
        domain = syllables(rng, 1, 2) + rng.choice([".com", ".org", ".net", ".de", ".co.uk", ".fr", ".io", ".example", ".no"])
    return f"{local}@{domain}"


def date(rng) -> tuple[str, str]:
    """(spelling in a text, ISO date)."""
    year, month, day = rng.randint(1990, 2031), rng.randint(1, 12), rng.randint(1, 28)
    name = MONTHS[month - 1]
    suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    spelling = rng.choice(
        [
            f"{year}-{month:02}-{day:02}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{day} {name[:3]} {year}",
            f"{day}.{month}.{year}",
            f"{day:02}.{month:02}.{year}",
            f"{name} {day}{suffix}, {year}",
            f"the {day}{suffix} of {name} {year}",
        ]
    )
    return spelling, f"{year}-{month:02}-{day:02}"


def amount(rng) -> tuple[str, str]:
    """(spelling with a currency, JSON number)."""
    whole = rng.choice([rng.randint(1, 99), rng.randint(10, 999), rng.randint(100, 9999)])
    number = str(whole) if rng.random() < 0.4 else f"{whole}.{rng.choice(['50', '99', '95', '00', '25', f'{rng.randint(0, 99):02}'])}"
    shown = number
    if whole >= 1000 and rng.random() < 0.4:
        shown = f"{whole // 1000},{number[len(str(whole // 1000)):]}"
    spelling = rng.choice(
        [
            "${}",
            "${}",
            "€{}",
            "£{}",
            "{} euros",
            "{} dollars",
            "{} EUR",
            "EUR {}",
            "USD {}",
            "{} pounds",
            "{} francs",
            "CHF {}",
            "{} kroner",
        ]
    ).format(shown)
    return spelling, number


def quantity(rng, low=2, high=None) -> tuple[str, str]:
    """(digits or a word, digits)."""
    high = high or rng.choice([9, 12, 20, 60, 500])
    n = rng.randint(low, high)
    return (NUMBERS[n] if n <= 20 and rng.random() < 0.45 else str(n)), str(n)


def age(rng) -> tuple[str, str]:
    n = rng.choice([rng.randint(3, 19), rng.randint(18, 99), rng.randint(18, 75)])
    return (NUMBERS[n] if n <= 20 and rng.random() < 0.12 else str(n)), str(n)


def item(rng, split, many=True) -> str:
    """A thing with up to two adjectives; the plural unless told otherwise."""
    noun = pick(rng, split, COMMON_THINGS if rng.random() < 0.5 else THINGS)
    if split == "train" and rng.random() < 0.1:
        noun = rng.choice([syllables(rng), rng.choice(RANDOM_WORDS)])
    r = rng.random()
    if split == "train" and rng.random() < 0.3:  # any word may stand before a thing
        before = [syllables(rng, 1, 2) if rng.random() < 0.4 else rng.choice(RANDOM_WORDS) for _ in range(rng.choice([1, 1, 2]))]
        noun = " ".join([*before, noun])
    elif r < 0.45:
        noun = f"{pick(rng, split, ADJ)} {noun}"
    elif r < 0.5:
        noun = f"{pick(rng, split, ADJ)} {pick(rng, split, ADJ)} {noun}"
    return plural(noun) if many else noun


def pronouns(rng, first: str) -> dict[str, str]:
    """Pronouns for a first name: as listed, else at random."""
    female = first in FEMALE or (first not in MALE and rng.random() < 0.5)
    he, him, his = ("she", "her", "her") if female else ("he", "him", "his")
    return {"he": he, "him": him, "his": his, "He": he.capitalize(), "His": his.capitalize()}
