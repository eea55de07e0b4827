"""Texts of several people, each with something of the same kind, and many questions who has what: practice in binding, for training only.

That a name and a place are both in the text does not make the answer yes: a "no" is nearly always the value of somebody else who is
there. The same text is asked with who and where, too, which says more to the training than a bare yes or no.
"""

from .dialogue import Dialogue
from .entities import city, first_name, full_name, syllables
from .grammar_words import cut
from .pools import COLORS, COMMON_THINGS, HOBBIES, JOBS, PETS, RANDOM_WORDS, THINGS, article
from .scenes_made import AT, SPOTS

# {n} has {v}: a clause; yes/no questions; questions for the value; questions for the person.
HAVE = (
    ("{n} was {at} {v}", ("Was {n} {at} {v}?",), ("Where was {n}?", "Which place was {n} at?"), ("Who was {at} {v}?",), "spot"),
    ("{n} went to the {v}", ("Did {n} go to the {v}?", "Was the {v} where {n} went?"), ("Where did {n} go?",), ("Who went to the {v}?",), "spot"),
    ("{n} works {at} {v}", ("Does {n} work {at} {v}?",), ("Where does {n} work?",), ("Who works {at} {v}?",), "spot"),
    ("{n} stayed {at} {v}", ("Did {n} stay {at} {v}?", "Was it {n} who stayed {at} {v}?"), ("Where did {n} stay?",), ("Who stayed {at} {v}?",), "spot"),
    ("{n} enjoys {v}", ("Does {n} enjoy {v}?", "Is {v} fun for {n}?"), ("What does {n} enjoy?",), ("Who enjoys {v}?",), "hobby"),
    ("{n} prefers {v}", ("Does {n} prefer {v}?", "Is {v} what {n} prefers?"), ("What does {n} prefer?",), ("Who prefers {v}?",), "hobby"),
    ("{n} is {v}", ("Is {n} {v}?",), ("What is {n}?",), ("Who is {v}?",), "job"),
    ("{n} has {v}", ("Does {n} have {v}?", "Has {n} got {v}?"), ("What does {n} have?",), ("Who has {v}?",), "thing"),
    ("{n} bought {v}", ("Did {n} buy {v}?", "Was it {n} who bought {v}?"), ("What did {n} buy?",), ("Who bought {v}?",), "thing"),
    ("{n} lost {v}", ("Did {n} lose {v}?",), ("What did {n} lose?",), ("Who lost {v}?",), "thing"),
    ("{n} {x}ed {v}", ("Did {n} {x} {v}?", "Was it {n} who {x}ed {v}?"), ("What did {n} {x}?",), ("Who {x}ed {v}?",), "thing"),
    ("{n} brought {v}", ("Did {n} bring {v}?",), ("What did {n} bring?",), ("Who brought {v}?",), "thing"),
    ("{v} belongs to {n}", ("Does {v} belong to {n}?", "Does {n} own {v}?", "Is {n} the owner of {v}?"), ("What does {n} own?",), ("Who owns {v}?",), "the"),
    ("{v} is for {n}", ("Is {v} for {n}?", "Does {n} get {v}?"), ("What does {n} get?",), ("Who gets {v}?",), "the"),
    ("{n} lives in {v}", ("Does {n} live in {v}?", "Is {v} the home of {n}?"), ("Where does {n} live?",), ("Who lives in {v}?",), "city"),
    ("{n} comes from {v}", ("Does {n} come from {v}?", "Is {n} from {v}?"), ("Where does {n} come from?",), ("Who comes from {v}?",), "city"),
    ("{n} is {v} years old", ("Is {n} {v} years old?", "Is {n} {v}?"), ("How old is {n}?",), ("Who is {v} years old?",), "number"),
    ("{n} paid {v} euros", ("Did {n} pay {v} euros?",), ("How much did {n} pay?",), ("Who paid {v} euros?",), "number"),
    ("{n} arrived at {v}", ("Did {n} arrive at {v}?", "Was it {v} when {n} arrived?"), ("When did {n} arrive?",), ("Who arrived at {v}?",), "time"),
    ("{n} likes {v}", ("Does {n} like {v}?",), ("Which colour does {n} like?",), ("Who likes {v}?",), "color"),
    ("{n}: {v}", ("Is it {v} for {n}?", "Does {n} have {v}?"), ("What stands beside {n}?",), ("Who has {v}?",), "word"),
    ("the {k} is {v}", ("Is the {k} {v}?",), ("What is the {k}?",), (), "color"),
    ("the {k} stands {at} {v}", ("Is the {k} {at} {v}?", "Does the {k} stand {at} {v}?"), ("Where is the {k}?",), ("What stands {at} {v}?",), "spot"),
    ("the {k} costs {v} euros", ("Does the {k} cost {v} euros?", "Is {v} the price of the {k}?"), ("How much is the {k}?",), ("What costs {v} euros?",), "number"),
)
# Between two: {a} before {b}; questions with yes; with no; who.
PASSED = cut("gave give|sold sell|lent lend|sent send|handed hand|showed show|threw throw")
DID = cut("helped help|called call|visited visit|thanked thank|invited invite|taught teach|followed follow|paid pay|asked ask|beat beat|trusted trust|saved save|pushed push|chased chase|hugged hug")
THAN = cut("taller shorter|older younger|faster slower|bigger smaller|stronger weaker|richer poorer|louder quieter|earlier later|happier sadder|heavier lighter")
TURNS = cut("broke break fixed fix|opened open closed close|lost lose found find|cooked cook ate eat|hid hide found find|wrote write read read|bought buy sold sell|washed wash dried dry|filled fill emptied empty|built build painted paint|dropped drop caught catch|dug dig filled fill")
JOINS = (". ", ". ", ", ", ", and ", ", but ", " while ", "; ", " and ", "\n")


# The plainest: who has what, yes or no, and what.
PLAIN = (
    ("{k}: {v}", "{k}: {v}?", "{k}?"),
    ("{k} is {v}", "Is {k} {v}?", "What is {k}?"),
    ("{k} has {v}", "Does {k} have {v}?", "What does {k} have?"),
    ("{k} likes {v}", "Does {k} like {v}?", "What does {k} like?"),
    ("{k} was at the {v}", "Was {k} at the {v}?", "Where was {k}?"),
)


def pairs(rng, split):
    """Two or three pairs and a dozen questions: what the rest builds on. It is learned within a million tokens where little else is asked for."""
    count = rng.choice([2, 2, 2, 3])
    some = COMMON_THINGS if rng.random() < 0.7 else RANDOM_WORDS
    keys = rng.sample(some, count) if rng.random() < 0.4 else [first_name(rng, split) for _ in range(count)]
    values = rng.sample(COLORS if rng.random() < 0.3 else some, count)
    if len({*keys, *values}) < 2 * count:
        return pairs(rng, split)
    say, ask, what = rng.choice(PLAIN)
    text = rng.choice([". ", "\n", ", "]).join(say.format(k=k, v=v) for k, v in zip(keys, values))
    d = Dialogue("binding")
    for i in range(12):
        at, r = rng.randrange(count), rng.random()
        if r < 0.25:
            q, a = what.format(k=keys[at]), values[at]
        else:
            of = at if r < 0.62 else rng.choice([x for x in range(count) if x != at])
            q, a = ask.format(k=keys[at], v=values[of]), "yes" if of == at else "no"
        d.user(q if i else f"{text}\n{q}").assistant(a)
    return d


def _different(make, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        x = make()
        if all(x not in y and y not in x for y in found):
            found.append(x)
    return found


def _value(rng, split, kind):
    thing = rng.choice(COMMON_THINGS if rng.random() < 0.5 else THINGS)
    adjective = rng.choice(COLORS) + " " if rng.random() < 0.3 else ""
    return {
        "spot": lambda: rng.choice(SPOTS),
        "hobby": lambda: rng.choice(HOBBIES),
        "job": lambda: article(rng.choice(JOBS)),
        "thing": lambda: article(adjective + (thing if rng.random() < 0.8 else rng.choice(PETS))),
        "the": lambda: "the " + adjective + thing,
        "city": lambda: city(rng, split),
        "number": lambda: str(rng.randint(2, 99)),
        "time": lambda: f"{rng.randint(1, 12)} o'clock",
        "color": lambda: rng.choice(COLORS),
        "word": lambda: rng.choice(RANDOM_WORDS),
    }[kind]()


def _person(rng, split):
    return first_name(rng, split) if rng.random() < 0.8 else full_name(rng, split)


def have(rng, split):
    """(clauses, [(question, answer)]): everybody has one of a kind."""
    clause, asks, what, who, kind = rng.choice(HAVE)
    count = rng.choice([2, 2, 2, 3, 3, 4, 5])
    keys = _different(lambda: rng.choice(THINGS) if "{k}" in clause else _person(rng, split), count)
    values = _different(lambda: _value(rng, split, kind), count)
    fixed = {"at": rng.choice(AT), "x": syllables(rng, 1, 2)}
    said, asked = [], []
    for i, (k, v) in enumerate(zip(keys, values)):
        f = {**fixed, "n": k, "k": k}
        said.append(clause.format(v=v, **f))
        wrong = values[rng.choice([j for j in range(count) if j != i])] if rng.random() < 0.9 else _value(rng, split, kind)
        ask = [(q, a) for q in asks for a in ("yes", "no") if a == "yes" or wrong not in (v,)]
        asked += [(q.format(v=v if a == "yes" else wrong, **f), a) for q, a in ask]
        bare = v.removesuffix(" years old")
        asked += [(q.format(v=v, **f), bare) for q in what] + [(q.format(v=v, **f), k if "{k}" not in clause else "the " + k) for q in who]
    return said, asked


def between(rng, split):
    """As have: what one does to another, or is beside another."""
    a, b, c = _different(lambda: _person(rng, split), 3)
    o, o2 = _different(lambda: rng.choice(COMMON_THINGS if rng.random() < 0.5 else THINGS), 2)
    r = rng.randint(0, 4)
    if r == 0:
        past, base = rng.choice(PASSED).split()
        said = [rng.choice([f"{a} {past} the {o} to {b}", f"{a} {past} {b} the {o}"])]
        yes = [f"Did {a} {base} the {o}?", f"Did {b} get the {o}?", f"Did {a} {base} {b} the {o}?", f"Did {b} get the {o} from {a}?"]
        no = [f"Did {b} {base} the {o}?", f"Did {a} get the {o}?", f"Did {b} {base} {a} the {o}?", f"Did {a} get the {o} from {b}?"]
        wh = [(f"Who {past} the {o}?", a), (f"Who got the {o}?", b)]
    elif r == 1:
        past, base = rng.choice(DID).split() if rng.random() < 0.8 else (lambda s: (s + "ed", s))(syllables(rng, 1, 2))
        said = [f"{a} {past} {b}"]
        yes, no = [f"Did {a} {base} {b}?", f"Was it {a} who {past} {b}?"], [f"Did {b} {base} {a}?", f"Was it {b} who {past} {a}?"]
        wh = [(f"Who {past} {b}?", a), (f"Whom did {a} {base}?", b)]
        if rng.random() < 0.4:
            said.append(f"{b} {past} {c}")
            yes, no, wh = [*yes, f"Did {b} {base} {c}?"], [*no, f"Did {a} {base} {c}?", f"Did {c} {base} {b}?"], [*wh, (f"Who {past} {c}?", b)]
    elif r == 2:
        more, less = rng.choice(THAN).split()
        said = [rng.choice([f"{a} is {more} than {b}", f"{a} is much {more} than {b}", f"{b} is not as tall as {a}" if more == "taller" else f"{a} is {more} than {b}"])]
        yes, no = [f"Is {a} {more} than {b}?", f"Is {b} {less} than {a}?"], [f"Is {b} {more} than {a}?", f"Is {a} {less} than {b}?"]
        wh = [(f"Who is {more}?", a), (f"Who is {less}?", b)]
    elif r == 3:
        p1, b1, p2, b2 = rng.choice(TURNS).split()
        said = [rng.choice([f"{a} {p1} the {o}, and {b} {p2} it", f"{a} {p1} the {o} that {b} {p2}", f"{b} {p2} the {o} after {a} {p1} it"])]
        yes, no = [f"Did {a} {b1} it?", f"Did {b} {b2} it?", f"Did {a} {b1} the {o}?", f"Did {b} {b2} the {o}?"], [f"Did {b} {b1} it?", f"Did {a} {b2} it?", f"Did {b} {b1} the {o}?", f"Did {a} {b2} the {o}?"]
        wh = [(f"Who {p1} the {o}?", a), (f"Who {p2} it?", b)]
    else:
        x, y = rng.sample(["on", "under", "behind", "in", "near", "above"], 2)
        p = rng.choice(SPOTS + ("table", "shelf", "desk", "box", "bed", "chair"))
        said = [f"the {o} is {x} the {p}", f"the {o2} is {y} it"] if rng.random() < 0.5 else [f"the {o} lies {x} the {p}", f"the {o2} lies {y} the {p}"]
        yes, no = [f"Is the {o} {x} the {p}?", f"Is the {o2} {y} the {p}?"], [f"Is the {o} {y} the {p}?", f"Is the {o2} {x} the {p}?"]
        wh = [(f"What is {x} the {p}?", f"the {o}"), (f"What is {y} the {p}?", f"the {o2}")]
    return said, [(q, "yes") for q in yes] + [(q, "no") for q in no] + wh


def binding(rng, split):
    """A text, and up to a dozen questions about it."""
    from .held import clean
    from .yes_no import LAYOUTS

    while True:
        said, asked = (have if rng.random() < 0.55 else between)(rng, split)
        if rng.random() < 0.25:
            more = (have if rng.random() < 0.5 else between)(rng, split)
            if not {w for s in said for w in s.split() if w[0].isupper()} & {w for s in more[0] for w in s.split() if w[0].isupper()} and {q for q, _ in asked}.isdisjoint(q for q, _ in more[1]):
                said, asked = said + more[0], asked + more[1]
        join = rng.choice(JOINS)
        text = (join if len(said) < 3 or join.strip() not in ("while", ", but") else ", ").join(s[0].upper() + s[1:] if "." in join or "\n" in join else s for s in said)
        text = text[0].upper() + text[1:] + ("" if ":" in text and rng.random() < 0.5 else ".")
        if clean(text):
            break
    d = Dialogue("binding")
    short = [x for x in asked if x[1] in ("yes", "no")]
    yes, no = [x for x in short if x[1] == "yes"], [x for x in short if x[1] == "no"]
    rest = [x for x in asked if x[1] not in ("yes", "no")]
    chosen: list[tuple[str, str]] = []
    for _ in range(rng.randint(5, 12)):
        chosen.append(rng.choice(rest if rest and rng.random() < 0.35 else yes if rng.random() < 0.5 else no))
    for i, (q, a) in enumerate(dict.fromkeys(chosen)):
        layout = rng.choice(LAYOUTS)
        if a not in ("yes", "no"):
            layout = rng.choice(["Text: {t}\nQuestion: {q}", "{t}\n{q}", "{t} {q}", "{q}\n{t}"])
        d.user(q if i else layout.format(t=text, q=q)).assistant(a)
    return d
