"""Chats written for this training by a language model that had seen nothing of this project, with facts that are drawn; for training alone.

A chat that says a fact in the very words of a held-out pattern of chat.FACTS is left out.
"""

import re
from functools import lru_cache

from .dialogue import Dialogue
from .entities import city, first_name, item
from .pools import COLORS, FEMALE, HOBBIES, JOBS, MALE, article, parts, pick, words

SLOT = re.compile(r"\{(\w)\}")


def plain(text: str) -> str:
    """Without what differs between lists of patterns: the names of slots, capitals, punctuation."""
    return " ".join(re.findall(r"[a-z']+|\{", text.lower()))


@lru_cache(None)
def held() -> frozenset[str]:
    from .chat import FACTS

    return frozenset(plain(re.sub(r"\{\w\}", "{", p)) for say, *_ in FACTS.values() for split in ("dev", "test") for p in parts(say)[split])


@lru_cache(None)
def chats() -> list[tuple[dict[str, str], list[str]]]:
    """(sexes of the people, turns) of every chat."""
    out = []
    for line in words("chats"):
        head, text = line[1:].split("] ", 1)
        turns = text.split(" / ")
        said = {plain(re.sub(r"\{\w\}", "{", s)) for t in turns for s in re.split(r"(?<=[.!?]) ", t)}
        if not said & held():
            out.append((dict(p.split("=") for p in head.split()), turns))
    return out


def _value(rng, split, slot, sexes) -> str:
    if slot in "AB":
        name = first_name(rng, split)
        return _value(rng, split, slot, sexes) if name in (FEMALE if sexes[slot] == "m" else MALE) else name
    return {
        "P": lambda: city(rng, split),
        "Q": lambda: city(rng, split),
        "N": lambda: str(rng.randint(2, 99)),
        "M": lambda: str(rng.randint(2, 99)),
        "I": lambda: article(item(rng, split, False)),
        "J": lambda: article(pick(rng, split, JOBS)),
        "H": lambda: pick(rng, split, HOBBIES),
        "K": lambda: rng.choice(COLORS),
        "X": lambda: "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ0123456789") for _ in range(rng.randint(3, 6))) if rng.random() < 0.5 else str(rng.randint(100, 99999)),
    }[slot]()


def written_chat(rng, split):
    """One of the chats."""
    sexes, turns = rng.choice(chats())
    slots = sorted(set(SLOT.findall(" ".join(turns))))
    values = {}
    while len(set(values.values())) < len(slots) or not values and slots:
        values = {s: _value(rng, split, s, sexes) for s in slots}
    d = Dialogue("chat")
    for i, turn in enumerate(turns):
        text = SLOT.sub(lambda m: values[m[1]], turn)
        text = text[0].upper() + text[1:]
        d.user(text) if i % 2 == 0 else d.assistant(text)
    return d
