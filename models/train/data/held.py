"""Keeps the held-out patterns out of composed training texts."""

import re
from functools import lru_cache

from . import frames, yes_no
from .pools import parts


def _expression(pattern: str) -> str | None:
    """What a text with this pattern looks like; None for a pattern of hardly any words, which no text can do without."""
    literal = re.split(r"\{\w+\}", pattern)
    if len(re.findall(r"[A-Za-z']+", " ".join(literal))) < 3:
        return None
    return r".{1,40}?".join(re.escape(part) for part in literal)


@lru_cache(None)
def expression() -> re.Pattern:
    lists = [frames.AGE, frames.CITY, frames.EMAIL, frames.BUY, frames.COST, frames.COST_S, frames.WHEN, frames.WHEN_S, frames.EVENT]
    lists += [frames.PERSON_SPECIAL, frames.ORDER_SPECIAL, frames.CONTACT_SPECIAL]
    found = [_expression(p) for items in lists for p in parts(items)["test"]]
    found += [_expression(p) for p, _ in parts(yes_no.SCENES)["test"]]
    return re.compile("|".join(f"(?:{e})" for e in found if e), re.IGNORECASE)


def clean(text: str) -> bool:
    return not expression().search(text)
