"""Texts about people, contacts, orders and events, put together from clauses: for training, beside the patterns of frames.py.

A text is an opening, facts in any order and in any of several forms (predicate, apposition, relative clause, note, sentence of
its own, first person, passive, request), and words around them that say nothing. Verbs are drawn from long lists or do
not exist, so the place and the neighbours of a fact tell what it is. `heldout.clean` drops what resembles a test pattern.
"""

import re

from .dialogue import sentence
from .entities import first_name, syllables
from .grammar_words import *  # noqa: F403
from .pools import COMMON_THINGS, RANDOM_WORDS, pick


def verb(rng, split, table):
    """A verb of a table, or one that is in no dictionary."""
    return pick(rng, split, table) if rng.random() < 0.8 else syllables(rng, 1, 2) + rng.choice(["ed", "s", "ed", "t"])


def maybe(rng, share, text):
    return text if rng.random() < share else ""


def around(rng, split):
    """An adverbial for the end of a clause."""
    r = rng.random()
    if r < 0.55:
        return ""
    if r < 0.8:
        return " " + pick(rng, split, ADVERBIALS)
    return f" {rng.choice(LINKS)} {rng.choice(['the', 'a', 'his', 'her', 'our'])} {rng.choice(RANDOM_WORDS)}"


def predicate(rng, split, key, first=False):
    """A clause with a fact, without its subject; in the first person if asked for."""
    if key == "city":
        if rng.random() < 0.55:
            v = pick(rng, split, STAY_FIRST if first else STAY) if rng.random() < 0.8 else syllables(rng, 1, 2) + ("" if first else "s")
            return f"{v}{maybe(rng, 0.2, ' ' + pick(rng, split, MANNERS))} {pick(rng, split, NEAR)} {{city}}{around(rng, split)}"
        return f"{verb(rng, split, MOVED)} {{city}}{around(rng, split)}"
    if key == "age":
        return pick(rng, split, AGE_FIRST if first else AGE_VP) + maybe(rng, 0.15, around(rng, split))
    if key == "email":
        return pick(rng, split, EMAIL_FIRST if first else EMAIL_VP) + maybe(rng, 0.4, around(rng, split))
    if key == "job":
        return pick(rng, split, JOB_FIRST if first else JOB_VP)
    if key == "hobby":
        return pick(rng, split, HOBBY_FIRST if first else HOBBY_VP)
    if key == "date":
        return f"{deed(rng, split)} {rng.choice(ON)} {{date}}"
    if key == "order":
        return f"{maybe(rng, 0.15, rng.choice(['has ', 'also ', 'just ', 'already ', 'quickly ', 'never ']))}{verb(rng, split, GOT)} {{qty}} {{item}}{around(rng, split)}"
    raise KeyError(key)


def deed(rng, split):
    """What somebody does: a verb with an object or without."""
    v = verb(rng, split, DONE)
    r = rng.random()
    if r < 0.4:
        return f"{v} {rng.choice(['the', 'a', 'his', 'her', 'our', 'this'])} {rng.choice(RANDOM_WORDS)}"
    if r < 0.6:
        return f"{v} {rng.choice(LINKS)} {rng.choice(['the', 'a', 'our'])} {rng.choice(RANDOM_WORDS)}"
    return v if r < 0.8 else f"{v} {{other}}"


def subject(rng, split, known, wanted):
    """The name with something around it; may carry facts that are wanted."""
    r = rng.random()
    if r < 0.4:
        return "{name}"
    if r < 0.55:
        return f"{pick(rng, split, KIN)} {{name}}"
    inside = [k for k in wanted if k in ("age", "city", "email")]
    if r < 0.85 and inside:
        key = rng.choice(inside)
        known.add(key)
        return rng.choice(["{name}, %s,", "{name} (%s)", "{name}, %s,", "{name} – %s –"]) % pick(rng, split, APPOSED[key]) if rng.random() < 0.7 else (
            f"{{name}}, who {predicate(rng, split, key)},"
        )
    return rng.choice(["{name}, the {job},", "{name}, a {job},", "the {job} {name}", "a {job} called {name}", "a certain {name}", "{name} (the {job})", "{name} of {other}'s team"])


def join(rng, clauses):
    """Clauses with one subject as one or more sentences; `{He}` begins a later one."""
    text = clauses[0]
    for c in clauses[1:]:
        r = rng.random()
        if r < 0.35:
            text += f" and {c}"
        elif r < 0.45:
            text += f", {c}"
        elif r < 0.55:
            text += f" but {c}"
        else:
            text += rng.choice([". {He} ", ". {He} ", ". {He} also ", ", and {he} ", "; {he} ", ". Now {he} ", ". {First} "]) + c
    return text


def told(rng, split, facts, known):
    """Somebody is told about, in the third or first person."""
    facts = list(facts)
    rng.shuffle(facts)
    if rng.random() < 0.25:
        text = pick(rng, split, HELLO)
        bits = [f"I {predicate(rng, split, k, True)}" if k not in ("date", "order") else None for k in facts]
        bits = [b if b else f"I {pick(rng, split, WANT)} {{qty}} {{item}}" if k == "order" else f"I {deed(rng, split)} {rng.choice(ON)} {{date}}" for b, k in zip(bits, facts)]
        known |= set(facts)
        at = rng.random()
        body = rng.choice([". ", ". ", ", ", " and "]).join(bits) if len(bits) < 3 else ". ".join(bits)
        if at < 0.6:
            return f"{text}{rng.choice(['. ', '. ', ' and '])}{body}"
        return f"{body}{rng.choice(['. ', '.' + chr(10), ', '])}{pick(rng, split, SIGNED)}"
    s = subject(rng, split, known, facts)
    rest = [k for k in facts if k not in known] or facts[:1]
    first = rest[0]
    lead = rng.random()
    if lead < 0.2 and first in LEADS:
        text = f"{pick(rng, split, LEADS[first])} {s} {deed(rng, split)}"
        bits = [text] + [predicate(rng, split, k) for k in rest[1:]]
    elif lead < 0.35 and first in TURNED:
        bits = [pick(rng, split, TURNED[first]).replace("{name}", s.rstrip(","))] + [predicate(rng, split, k) for k in rest[1:]]
    else:
        bits = [f"{s} {predicate(rng, split, first)}"] + [predicate(rng, split, k) for k in rest[1:]]
    if rng.random() < 0.15:
        bits.insert(rng.randint(1, len(bits)), deed(rng, split))
    known |= set(rest)
    text = join(rng, bits)
    if rng.random() < 0.12:
        text = pick(rng, split, SAYS).replace("{t}", text)
    return text


def sentences(rng, split, facts, known):
    """A sentence a fact, most of them with the fact as their subject or after a colon."""
    facts = list(facts)
    rng.shuffle(facts)
    bits = [pick(rng, split, NAMED)]
    bits += [pick(rng, split, ALONE[k]) for k in facts]
    if rng.random() < 0.3:
        rng.shuffle(bits)
    known |= set(facts)
    return " ".join(sentence(b) for b in bits)


def notes(rng, split, facts, known):
    """A card, a line of a table, keys and values."""
    facts = list(facts)
    known |= set(facts)
    keys = ["name", *[k for f in facts for k in (("item", "qty") if f == "order" else (f,))]]
    if rng.random() < 0.7:
        rng.shuffle(keys)
    r = rng.random()
    if r < 0.3:
        gap = rng.choice([" | ", ", ", "; ", " / ", "\n", " - ", " · "])
        if "order" in facts:
            keys = [k for k in keys if k != "item"]
        return gap.join("{qty} {item}" if k == "qty" else "{%s}" % k for k in keys)
    mark, gap = rng.choice([": ", ": ", " = ", " - ", ":", " "]), rng.choice(["\n", "\n", "; ", ", ", ". ", " | "])
    lower = rng.random() < 0.4
    rows = []
    for k in keys:
        label = pick(rng, split, NOTE_LABELS[k])
        rows.append(f"{label if lower else label.capitalize()}{mark}{{{k}}}")
    if rng.random() < 0.3:
        label = rng.choice(["Note", "Phone", "Room", "Ref", "Member since", "Status"])
        rows.insert(rng.randint(0, len(rows)), f"{label}{mark}{rng.choice([rng.choice(RANDOM_WORDS), str(rng.randint(10, 9999)), 'none', 'open'])}")
    return rng.choice(["", "", "New entry\n", "Form\n", "Record: "]) + gap.join(rows)


def contact(rng, split, known):
    """Name and address in one clause, as people pass them on."""
    known.add("email")
    r = rng.random()
    if r < 0.35:
        text = f"{pick(rng, split, CALLS)} {subject(rng, split, known, [])} {pick(rng, split, VIA)} {{email}}{around(rng, split)}"
    elif r < 0.55:
        text = pick(rng, split, CONTACT_WHOLE)
    elif r < 0.75:
        v = rng.choice([verb(rng, split, DONE), syllables(rng, 1, 2), rng.choice(RANDOM_WORDS)])
        a, b = rng.sample(["{name}", "{email}"], 2)
        text = rng.choice(
            ["{v} {a} {l} {b}", "{a} {v} {b}", "{a} {l} {b}", "{v} {a}, {b}", "the {v} {l} {a} is {b}", "{a}: {b}", "{v}: {a}, {b}", "{a} ({b})", "{a} {l} the {v}, {b}"]
        ).format(v=v, a=a, b=b, l=rng.choice(LINKS))
    else:
        text = told(rng, split, ["email"], known)
    return text


def order(rng, split, known):
    """Who orders how many of what, in the active, the passive, as a request or a note."""
    known.add("order")
    r = rng.random()
    if r < 0.3:
        text = f"{subject(rng, split, known, [])} {predicate(rng, split, 'order')}"
    elif r < 0.42:
        text = f"{{qty}} {{item}} {rng.choice(BE)} {verb(rng, split, GIVEN)} {rng.choice(['by', 'for', 'to', 'by', 'for', 'from'])} {{name}}{around(rng, split)}"
    elif r < 0.55:
        v = pick(rng, split, GIVE)
        text = rng.choice([f"{v} {{name}} {{qty}} {{item}}", f"{v} {{qty}} {{item}} {rng.choice(['to', 'for'])} {{name}}"]) + around(rng, split)
    elif r < 0.7:
        text = pick(rng, split, ORDER_WHOLE)
    elif r < 0.8:
        text = f"{pick(rng, split, HELLO)}. I {pick(rng, split, WANT)} {{qty}} {{item}}{around(rng, split)}"
        if rng.random() < 0.4:
            text = f"{rng.choice(['', 'Dear team, ', 'Hello, ', 'Hi there, '])}I {pick(rng, split, WANT)} {{qty}} {{item}}{around(rng, split)}. {pick(rng, split, SIGNED)}"
    elif r < 0.9:
        return notes(rng, split, ["order"], known)
    else:
        text = told(rng, split, ["order"], known)
    money = rng.random()
    if money < 0.3:
        known.add("amount")
        text += rng.choice([" ", " ", ", "]) + pick(rng, split, FOR)
    elif money < 0.4:
        known.add("amount")
        return pick(rng, split, PAID) + around(rng, split)
    return text


def event(rng, split, known):
    known.add("date")
    r = rng.random()
    if r < 0.35:
        return f"{subject(rng, split, known, [])} {predicate(rng, split, 'date')}{around(rng, split)}"
    if r < 0.55:
        return f"{rng.choice(['On {date}', 'On {date},', '{date}:', 'By {date}', 'From {date} on,', 'Since {date},'])} {subject(rng, split, known, [])} {deed(rng, split)}"
    if r < 0.85:
        e = pick(rng, split, OCCASIONS)
        return rng.choice(
            ["the {e} of {name} is on {date}", "{name}'s {e} takes place on {date}", "{e} with {name}, {date}", "there is a {e} with {name} on {date}", "{date}: {e}, {name}",
             "a {e} for {name} was planned for {date}", "{name} has a {e} on {date}", "we moved {name}'s {e} to {date}", "{e} {date} {name}", "please put {name} down for the {e} on {date}"]
        ).replace("{e}", e)  # fmt: skip
    return told(rng, split, ["date"], known)


def noise(rng, split):
    """A sentence that says nothing about the facts."""
    r = rng.random()
    if r < 0.4:
        return sentence(pick(rng, split, NOISE))
    if r < 0.7:
        return sentence(f"{rng.choice(['the', 'our', 'a', 'one'])} {rng.choice(RANDOM_WORDS)} {verb(rng, split, DONE)}{around(rng, split)}")
    return sentence(f"{{other}} {deed(rng, split)}{around(rng, split)}")


MORE = {
    "city": lambda rng, split: pick(rng, split, ALONE["city"]),
    "age": lambda rng, split: pick(rng, split, ALONE["age"]),
    "email": lambda rng, split: pick(rng, split, ALONE["email"]),
    "amount": lambda rng, split: pick(rng, split, ALONE["amount"]),
    "date": lambda rng, split: pick(rng, split, ALONE["date"]),
}


def compose(rng, split, kind, s):
    """(text, names of its facts) about the spelled facts `s`."""
    known = set()
    if kind == "person":
        facts = list(dict.fromkeys(rng.sample(["age", "city", "age", "city", "email", "job", "hobby"], rng.choice([1, 2, 2, 3, 3]))))
        text = rng.choice([told, told, told, told, sentences, notes])(rng, split, facts, known)
    else:
        text = {"contact": contact, "order": order, "event": event}[kind](rng, split, known)
    bits = [text]
    extra = {"person": ["email"], "contact": ["city", "age"], "order": ["amount", "date", "email", "city", "amount"], "event": ["city", "email", "age"]}[kind]
    while rng.random() < 0.35:
        key = rng.choice(extra)
        if key not in known:
            known.add(key)
            more = MORE[key](rng, split) if rng.random() < 0.6 or key in ("amount", "date") else "{He} " + predicate(rng, split, key)
            bits.insert(len(bits) if rng.random() < 0.85 else 0, more)
    if rng.random() < 0.3:
        bits.insert(rng.choice([0, len(bits)]), noise(rng, split))
    if rng.random() < 0.15:
        opening = pick(rng, split, OPENINGS)
        bits[0] = f"{opening} {bits[0]}"
    if "\n" in bits[0] and len(bits) > 1:
        text = "\n".join(bits)
    else:
        text = " ".join(sentence(b) for b in bits)
    f = s | {"First": s["first"], "other2": first_name(rng, split), "thing": rng.choice(COMMON_THINGS)}
    text = text.replace("{job}", s["job"]).format(**f)
    # Articles, a capital letter at the start of each sentence.
    text = re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)
    text = re.sub(r"(?<=[.?!] )[a-z]", lambda m: m[0].upper(), text[0].upper() + text[1:] if not text.startswith(s["email"]) else text)
    text = text.replace(s["email"].capitalize(), s["email"]).replace(s["email"][0].upper() + s["email"][1:], s["email"])
    if "order" in known:
        known = (known - {"order"}) | {"item", "quantity"}
    return text, known | {"name"}
