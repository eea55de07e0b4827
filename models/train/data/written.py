"""Stories written for this training, with names that change; for training alone.

Beside the two grammars these are the only stories in which one sentence follows from another. Names are drawn; words that the
held-out stories keep for themselves are exchanged for others of their kind, and sentences that look like held-out ones are
left out.
"""

import re
from functools import lru_cache

from . import breadth, stories, tales
from .dialogue import Dialogue
from .entities import first_name
from .pools import FEMALE, MALE, parts, pick, words

SENTENCE = re.compile(r'''.+?[.!?]['"]*(?= |$)''')
KINDS = [stories.ANIMALS, stories.TOYS, stories.FOODS, stories.SPOTS, stories.PLACES, stories.SIZES]
# Held-out words of one word, and what may stand for them.
INSTEAD = {w: kind for kind in KINDS for split in ("dev", "test") for w in parts(kind)[split] if " " not in w}


@lru_cache(None)
def held() -> re.Pattern:
    """What a sentence of a held-out pattern looks like."""
    lists = [stories.OPENINGS, stories.SECOND, *(part for plot in stories.PLOTS.values() for part in plot)]
    patterns = [s for items in lists for split in ("dev", "test") for p in parts(items)[split] for s in SENTENCE.findall(p)]
    expressions = {r".{1,30}?".join(re.escape(x) for x in re.split(r"\{\w+\}", p)) for p in patterns if len(re.sub(r"\{\w+\}", "", p).split()) > 2}
    return re.compile("|".join(sorted(expressions)))


@lru_cache(None)
def all_stories(late: int) -> list[tuple[dict[str, str], list[str]]]:
    """(sexes of the named, sentences) of every story."""
    out = []
    for line in words("stories") + (words("stories_late") if late else ()):
        head, text = line[1:].split("] ", 1)
        sexes = dict(item.split("=") for item in head.split())
        out.append((sexes, [s.strip() for s in SENTENCE.findall(text) if not held().fullmatch(s.strip())]))
    return out


def _name(rng, split, sex, used):
    while True:
        name = first_name(rng, split)
        if name not in used and name not in (FEMALE if sex == "m" else MALE):
            return name


def sentences(rng, split) -> list[str]:
    """One of the stories, with names of the split."""
    sexes, found = rng.choice(all_stories(breadth.late))
    names = {}
    for key, sex in sexes.items():
        names[key] = _name(rng, split, sex, names.values())
    share = rng.choice([0, 0, 0.1])
    instead = {w: pick(rng, "train", kind) for w, kind in INSTEAD.items()}
    out = []
    for s in found:
        s = re.sub(r"\b[a-z]+", lambda m: instead.get(m[0], m[0]), s)
        out.append(re.sub(r"\{(\w)\}", lambda m: names[m[1]], tales.swapped(rng, s, share) if share else s))
    return [re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", re.sub(r"\b([Aa])n (?=[^aeiouh])", r"\1 ", s)) for s in out]


def written(rng, split):
    """Bare text mostly, sometimes only a part of it; else continued in a chat."""
    text = sentences(rng, split)
    r = rng.random()
    if r < 0.25:
        at = rng.randint(0, len(text) // 2)
        return Dialogue("written", text=" ".join(text[at:]))
    if r < 0.75 or len(text) < 3:
        return Dialogue("written", text=" ".join(text))
    cut = rng.randint(1, len(text) - 2)
    return Dialogue("written").user(rng.choice(stories.GO_ON).format(t=" ".join(text[:cut]))).assistant(" ".join(text[cut:]))
