"""Tools with requests in people's words, written for this training by language models that had seen nothing of this project; for training alone.

A line of lists/tools.txt, tools_more.txt or tools_pairs.txt (whose arguments are mostly two of one kind, in different parts) is like one of
tool_families_wide.py. Kinds of tools that are held out, and requests that share most of their words with a held-out one, are left out; from the
later two lists also requests like those of lists/tools_dev.txt, which are for measuring.
"""

from functools import lru_cache

from .pools import like, parts, vocabulary, words
from .tool_families import FAMILIES
from .tool_families_wide import family_of


@lru_cache(None)
def dev_families():
    """Tools that people ask assistants for, in other words than training has, for measuring on the dev split; no kind of the test split."""
    test = {name for f in parts(FAMILIES)["test"] for name in f[0].split()}
    return tuple(f for f in map(family_of, words("tools_dev")) if not test & set(f[0].split()))


@lru_cache(None)
def written_families(late: int):
    held = [f for split in ("dev", "test") for f in parts(FAMILIES)[split]]
    first = _kept("tools", held, ())
    return first if late < 2 else first + _kept("tools_more", held, dev_families()) + paired_families()


@lru_cache(None)
def paired_families():
    held = [f for split in ("dev", "test") for f in parts(FAMILIES)[split]]
    return _kept("tools_pairs", held, dev_families())


def _kept(name: str, held, measured):
    names = {name for f in held for name in f[0].split()}
    asked_held = [vocabulary(r) for f in (*held, *measured) for r in f[3]]
    out = []
    for line in words(name):
        family = family_of(line)
        if names & set(family[0].split()):
            continue
        asked = tuple(r for r in family[3] if not like(r, asked_held))
        if len(asked) > 3:
            out.append((*family[:3], asked))
    return tuple(out)
