"""Passages with yes/no questions, written for this training, with names that are drawn and words that change; for training alone."""

import re
from functools import lru_cache

from .dialogue import Dialogue
from .entities import first_name
from .pools import COLORS, FEMALE, MALE, PETS, words

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
THINGS = "lamp table chair shelf basket bottle cup plate spoon hammer ladder rope bucket kettle candle clock mirror blanket pillow suitcase kite drum umbrella".split()
FRUIT = "apple pear lemon melon carrot potato onion cabbage plum cherry tomato".split()
TOWN = "library museum market station bakery school church theatre harbour cinema".split()
CLASSES = [list(COLORS), DAYS, list(PETS), THINGS, FRUIT, TOWN, "uncle cousin neighbour friend".split(), "bread cheese soup rice salad cake honey".split()]
KIND = {w: kind for kind in CLASSES for w in kind}


def read(lines) -> list[tuple[dict[str, str], str, list[str], list[str]]]:
    """Of every line: (sexes of the people, text, questions to say yes to, and no)."""
    out = []
    for line in lines:
        head, yes, no = line.split(" | ")
        people, text = head[1:].split("] ", 1)
        asked = [[q.strip() for q in x.split(": ", 1)[1].split(" / ")] for x in (yes, no)]
        out.append((dict(p.split("=") for p in people.split()), text, *asked))
    return out


@lru_cache(None)
def passages():
    """Those of training."""
    from .held import clean

    return [p for p in read(words("passages") + words("passages_more")) if clean(p[1])]


def names_for(rng, split, sexes: dict[str, str]) -> dict[str, str]:
    """A different name for everybody, as the pronouns have it."""
    names = {}
    for key, sex in sexes.items():
        while key not in names or names[key] in (FEMALE if sex == "m" else MALE) or len(set(names.values())) < len(names):
            names[key] = first_name(rng, split)
    return names


def exchanged(rng, texts: list[str], share: float) -> list[str]:
    """Some words exchanged for others of their kind that no text has, in all texts alike."""
    found = sorted({w for t in texts for w in re.findall(r"\w+", t)})
    instead = {}
    for w in found:
        alone = not any(x != w and x.startswith(w[:-1]) for x in found)  # no plural of it, which would stay
        if w in KIND and alone and rng.random() < share:
            free = [x for x in KIND[w] if x not in found and x not in instead.values() and (x[0] in "aeiou") == (w[0] in "aeiou")]
            if free:
                instead[w] = rng.choice(free)
    return [re.sub(r"\w+", lambda m: instead.get(m[0], m[0]), t) for t in texts]


def passage(rng, split):
    """One of the passages and some of its questions."""
    from .yes_no import LAYOUTS

    sexes, text, yes, no = rng.choice(passages())
    names = names_for(rng, split, sexes)
    asked = [(q, "yes") for q in yes] + [(q, "no") for q in no]
    rng.shuffle(asked)
    asked = asked[: rng.randint(2, 6)]
    text, *questions = exchanged(rng, [text, *(q for q, _ in asked)], rng.choice([0, 0.5, 1]))
    d = Dialogue("passage")
    for i, (q, (_, answer)) in enumerate(zip(questions, asked)):
        d.user((q if i else rng.choice(LAYOUTS).format(t=text, q=q)).format(**names)).assistant(answer)
    return d
