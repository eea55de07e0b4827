"""Lists of named lines with many questions about which line it is: practice in finding by what is said, for training only.

Choosing a tool is this: a request shares a word with the description, and the name is wanted. A tool call decides that once
in a hundred tokens; here it is decided once in fifteen, without anything else to learn. Mostly the name comes last, as in
tools.describe: a name that has read what is said of it is found by that in one step, one that stands before it in two.
"""

import json
from functools import lru_cache

from .dialogue import Dialogue
from .entities import city, full_name, item, syllables
from .pools import COLORS, COMMON_THINGS, JOBS, PETS, RANDOM_WORDS, plural, words
from .tools_made import VERBS

# (a line's text, what a question may say of it); {a} and {b} are words that no other line has.
TEXTS = (
    ("{a}", ("{a}",)),
    ("{a}", ("the {a}", "a {a}", "my {a}")),
    ("the {a}", ("the {a}", "{a}")),
    ("{a} {b}", ("{a}", "{b}", "the {a} {b}")),
    ("{a} and {b}", ("{a}", "{b}", "the {b}", "the {a}")),
    ("a {c} {a}", ("the {a}", "a {a}", "{a}")),
    ("about {a}", ("{a}", "a {a}", "the {a}")),
    ("{a}, {b}", ("{b}", "{a}", "some {b}")),
    ("the {a} of {n}", ("the {a}", "{n}", "{a}")),
    ("{n} with the {a}", ("{n}", "the {a}")),
    ("{j} in {t}", ("{t}", "somebody in {t}")),
    ("{S} a {a}", ("{v} a {a}", "a {a}", "the {a}", "{v} my {a}", "{p}")),
    ("{S} the {a}", ("{v} the {a}", "{v} this {a}", "{a}", "{p}")),
    ("To {v} {p}", ("{v} a {a}", "a {a}", "{p}", "the {a}")),
    ("{V} one {a} for the user", ("{v} {p}", "one {a}", "the {a}")),
    ("For {p} and {b}", ("a {a}", "{b}", "{p}")),
    ("{i}", ("the {i}", "{i}")),
)
# What is said of a name before it, and after it.
WHAT_FIRST = ("{x}: {k}", "{x}: {k}", "{x} - {k}", "{x}: {k}({f})", "{x}: {k}({f}: string)", "{x}: {k}({f}: string, {g}: integer)", "- {x}: {k}", "{x} ({k})", "{x}, {k}", "{x} = {k}")
LINES = ("{k}: {x}", "{k}: {x}.", "{k} - {x}", "{k} = {x}", "{k}({f}): {x}.", "{k}({f}: string): {x}.", "{k}({f}: string, {g}: integer): {x}.", "- {k}: {x}", "{k} ({x})", "{k}, {x}")
ASKED = (
    "{q}?", "Which one is {q}?", "Which is for {q}?", "{q}", "I need {q}.", "Please find {q}.", "Name {q}.",
    "Which name belongs to {q}?", "I want {q}, please.", "Show me {q}.", "What about {q}?", "And {q}?", "Can you take {q} for me?", "Now {q}.",
)
SHORT = tuple(dict.fromkeys((*COLORS, *JOBS, *COMMON_THINGS, *PETS)))
# A pair of words, and the question for the first by the second; for the second one asks with the beginning of the pair.
PAIRS = (("{k}: {x}", "{x}: "), ("{k}: {x}", "{x}: "), ("{k} = {x}", "{x} = "), ("{k} - {x}", "{x} - "), ("{k} {x}", "{x} "), ("{k}:{x}", "{x}:"), ("{k}({x})", "{x}: "), ("{k}: the {x}", "the {x}: "))
# Nothing about tools: there a call is wanted, and not a name.
HEADS = ("", "", "", "Names:\n", "List:\n", "You have these:\n", "Choose from these:\n")
# What is meant, in a line and in a question: of a noun, a verb, an adjective; {n} and {p} are things, others in the line than in the question.
MEANT = {
    "noun": (("{x}", "the {x}", "a {x}", "about {x}", "{n} and {x}", "{S} the {x}", "To {v} a {x}", "for {x}"), ("{x}", "the {x}", "some {x}", "{n} and {x}", "my {x}", "{v} the {x}", "something with {x}", "a {x} for the {n}")),
    "verb": (("{x}", "to {x}", "To {x} a {n}", "{X} the {n}", "{X} {p} for the user", "{x} or {v}", "so that one can {x}"), ("{x} the {n}", "{x} my {n}", "somebody to {x} {p}", "a way to {x}", "{x}", "help to {x} the {n}")),
    "adj": (("{x}", "{x} {p}", "the {x} {n}", "a {x} {n}", "{S} {x} {p}", "everything {x}"), ("{x} {p}", "something {x}", "the {x} one", "a {x} {n}", "{x}")),
}
HEAD_JSON = "Give the name as JSON.\n"


def _key(rng, verb, word):
    r = rng.random()
    return syllables(rng, 1, 2) if r < 0.3 else rng.choice(RANDOM_WORDS).replace(" ", "_") if r < 0.6 else f"{rng.choice(VERBS)}_{rng.choice(RANDOM_WORDS)}" if r < 0.75 else f"{verb}_{word}" if r < 0.9 else word


def lookup(rng, split, most=8):
    """Several lines, several questions; every answer is the name of a line."""
    d = Dialogue("lookup")
    mixed = rng.random() < 0.5
    what_first = rng.random() < 0.85
    shape, form = rng.choice(TEXTS), rng.choice(WHAT_FIRST if what_first else LINES)
    as_json = rng.random() < 0.25
    used, rows = set(), []
    verbs = rng.sample(VERBS, most)
    for i in range(rng.randint(2, most)):
        shape = rng.choice(TEXTS) if mixed else shape
        a, b = rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS)
        v = verbs[i]
        f = {"a": a, "b": b, "c": rng.choice(COLORS), "n": full_name(rng, split), "t": city(rng, split), "j": rng.choice(JOBS), "v": v, "V": v.capitalize(), "S": plural(v).capitalize(), "p": plural(a), "i": item(rng, split)}
        key = _key(rng, v, a)
        new = {*key.split("_"), *a.split(), *b.split(), *f["i"].split(), f["n"], f["t"]}
        if new & used or a == b:
            continue
        used |= new
        text = shape[0].format(**f)
        extra = rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS)
        line = (
            json.dumps({"description": text, "name": key} if what_first else {"name": key, "description": text}, separators=(",", ":"))
            if as_json
            else form.format(k=key, x=text, f=extra[0].replace(" ", "_"), g=extra[1].replace(" ", "_"))
        )
        rows.append((key, line, [q.format(**f) for q in shape[1]]))
    if len(rows) < 2:
        return lookup(rng, split, most)
    shown = "\n".join(line for _, line, _ in rows)
    # JSON only where it is asked for: a name in braces in a chat is no answer.
    head, wrap = (HEAD_JSON, '{{"name":"{k}"}}') if rng.random() < 0.25 else (rng.choice(HEADS), "{k}")
    shown = head + shown
    in_system = rng.random() < 0.5
    if in_system:
        d.system(shown)
    # Asked again, a line could be found by the answer before.
    for i, (key, _, about) in enumerate(rng.sample(rows, len(rows))):
        q = rng.choice(ASKED).format(q=rng.choice(about))
        q = q[0].upper() + q[1:]
        d.user(q if i or in_system else f"{shown}\n{q}").assistant(wrap.format(k=key))
    return d


@lru_cache(None)
def meanings():
    """(kind, words that mean the same, a wider word or none, what a dictionary says or nothing) of common words."""
    out = []
    for line in words("meanings"):
        head, likes, wider, said = line.split("|")
        kind, word = head.split()
        out.append((kind, (word, *filter(None, likes.split(","))), wider, said))
    return out


def meaning(rng, split):
    """Lines that are found by what they mean: a request hardly ever uses the words of a tool's description."""
    d = Dialogue("lookup")
    form = rng.choice(WHAT_FIRST if rng.random() < 0.85 else LINES)
    rows, used = [], set()
    for kind, same, wider, said in rng.sample(meanings(), rng.randint(2, 6)):
        told = {said, wider, *same} - {""}
        if len(told) < 2 or told & used:
            continue
        used |= told
        x = rng.choice(sorted(told - {wider}))
        y = rng.choice(sorted(told - {x, wider if x == said or rng.random() < 0.7 else ""}) or [wider])
        if not y or y == x:
            continue
        line, asked = (_meant(rng, kind, said, i, z) for i, z in enumerate((x, y)))
        f, g = rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS)
        key = _key(rng, rng.choice(VERBS), x.replace(" ", "_") if x != said else rng.choice(RANDOM_WORDS))
        rows.append((key, form.format(k=key, x=line, f=f.replace(" ", "_"), g=g.replace(" ", "_")), asked))
    if len(rows) < 2 or len({k for k, _, _ in rows}) < len(rows):
        return meaning(rng, split)
    shown = rng.choice(HEADS) + "\n".join(line for _, line, _ in rows)
    in_system = rng.random() < 0.5
    if in_system:
        d.system(shown)
    for i, (key, _, q) in enumerate(rng.sample(rows, len(rows))):
        q = rng.choice(ASKED).format(q=q)
        q = q[0].upper() + q[1:]
        d.user(q if i or in_system else f"{shown}\n{q}").assistant(key)
    return d


def _meant(rng, kind, said, place, text):
    """A word in a line (place 0) or a question (1); what a dictionary says stands alone."""
    v, n = rng.choice(VERBS), rng.choice(RANDOM_WORDS)
    return text if text == said else rng.choice(MEANT[kind][place]).format(x=text, X=plural(text).capitalize() if rng.random() < 0.6 else text.capitalize(), v=v, S=plural(v).capitalize(), n=n, p=plural(n))


def few(rng, split):
    """A few pairs of words, and the second asked for by the first, or the other way round, without a word more: what all else here builds on."""
    n = rng.choice([2, 2, 2, 3, 3, 4])
    found = rng.sample(SHORT if rng.random() < 0.6 else RANDOM_WORDS, 2 * n)
    rows = list(zip(found[:n], found[n:]))
    line, back = rng.choice(PAIRS)
    joint = rng.choice(["\n", "\n", ", "])
    onward = rng.random() < 0.85
    k, x = rng.choice(rows)
    asked = line.split("{x}")[0] if onward else back
    begin = joint.join(line.format(k=k, x=x) for k, x in rows) + "\n\n" + asked.format(k=k, x=x)
    return Dialogue("few", text=begin + (x if onward else k), start=len(begin.encode()))


def easy(rng, split):
    """Such pairs in a conversation."""
    d = Dialogue("lookup")
    n = rng.choice([2, 2, 3, 3, 4, 5, 6, 8])
    found = rng.sample(SHORT, 2 * n)
    rows = list(zip(found[:n], found[n:]))
    form = rng.choice(["{k}: {x}", "{x}: {k}", "{x}: {k}", "{x} - {k}", "{x} - {k}", "{x} = {k}", "{x} = {k}"])
    shown = rng.choice(["\n", "\n", ", "]).join(form.format(k=k, x=x) for k, x in rows)
    ask = rng.choice(["{x}?", "{x}?", "the {x}?", "{x}"])
    for i, (k, x) in enumerate(rng.sample(rows, n)):
        q = ask.format(x=x)
        d.user(q if i else f"{shown}\n{q}").assistant(k)
    return d
