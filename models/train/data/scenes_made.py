"""Little scenes put together from people, deeds, things and places, with yes/no questions: for training and dev.

A question with the facts of the scene is true; one with a single part exchanged is false, and a negated fact turns both round.
"""

from .dialogue import Dialogue
from .entities import NUMBERS, city, first_name, full_name, syllables
from .grammar_words import cut
from .pools import COLORS, COMMON_THINGS, HOBBIES, JOBS, RANDOM_WORDS, THINGS, article, pick, plural

DEEDS = cut(
    """bought buy|sold sell|found find|lost lose|painted paint|cleaned clean|opened open|closed close|took take|hid hide|saw see|made make|broke break|fixed fix|washed wash|carried carry|moved move|kept keep|brought bring|
    threw throw|caught catch|wanted want|got get|stole steal|ate eat|cooked cook|drew draw|cut cut|planted plant|borrowed borrow|returned return|dropped drop|filled fill|built build|forgot forget|used use|chose choose|
    watched watch|heard hear|sent send|needed need|tested test|missed miss|counted count|ordered order|packed pack|burned burn|collected collect|turned turn|touched touch|rented rent|left leave|read read|shared share|shook shake"""
)
MEETINGS = cut("met meet|helped help|called call|visited visit|followed follow|saw see|thanked thank|invited invite|taught teach|heard hear|married marry|knew know|missed miss|paid pay|asked ask|beat beat|liked like|saved save|trusted trust")
STATES = cut(
    """happy|sad|tired|hungry|angry|old|young|tall|rich|ill|late|early|busy|ready|alone|asleep|awake|brave|shy|kind|quiet|loud|strong|weak|cold|warm|wet|dry|clean|dirty|new|broken|open|closed|full|empty|heavy|light|long|
    short|cheap|fast|slow|safe|soft|hard|sweet|lost|free|famous|poor|polite|lazy|clever|bored|proud|sick"""
)
SPOTS = cut(
    """park|school|market|beach|library|station|museum|forest|garden|cinema|zoo|lake|kitchen|river|barn|harbour|office|shop|church|hotel|garage|cellar|attic|tower|bridge|castle|farm|bakery|theatre|hospital|field|island|
    desert|tunnel|square|yard|street|bank|gym|pool"""
)
AT = cut("in the|near the|at the|behind the|outside the|by the|next to the")
NOISE = cut("It was a nice day.|The door was open.|Nobody said a word.|It was late.|The weather was fine.|That was all.|Then it began to rain.|The clock struck ten.|Everybody was busy.|It was Monday.")


def other(rng, make, *taken):
    while True:
        x = make()
        if x not in taken:
            return x


def scene(rng, split):
    """(sentence, questions with yes, questions with no)."""

    def person():
        return first_name(rng, split) if rng.random() < 0.8 else full_name(rng, split)

    def thing():
        r = rng.random()
        return rng.choice(COMMON_THINGS) if r < 0.5 else rng.choice(THINGS) if r < 0.8 else rng.choice(RANDOM_WORDS)

    def deed(table=DEEDS):
        if rng.random() < 0.15:
            v = syllables(rng, 1, 2)
            return v + "ed", v
        return tuple(pick(rng, split, table).split())

    def spot():
        return pick(rng, split, SPOTS)

    n = person()
    m = other(rng, person, n)
    k = other(rng, person, n, m)
    o = thing()
    o2 = other(rng, thing, o)
    c = rng.choice(COLORS)
    c2 = other(rng, lambda: rng.choice(COLORS), c)
    p = spot()
    p2 = other(rng, spot, p)
    past, base = deed()
    past2, base2 = other(rng, deed, (past, base))
    a = pick(rng, split, STATES)
    a2 = other(rng, lambda: pick(rng, split, STATES), a)
    at = rng.choice(AT)
    the = rng.choice(["the", "the", "a"])
    r = rng.randint(0, 15)
    if r <= 2:
        colored, placed, by = rng.random() < 0.35, rng.random() < 0.4, rng.random() < 0.2
        passive = rng.random() < 0.2
        what = f"{the} {c + ' ' if colored else ''}{o}"
        text = f"{what} was {rng.choice(['seen', 'found', 'used', 'wanted'])} by {n}" if passive else f"{n} {past} {what}"
        if passive:
            base = {"seen": "see", "found": "find", "used": "use", "wanted": "want"}[text.split(" was ")[1].split()[0]]
            base2 = other(rng, lambda: deed()[1], base)
        text += f" {at} {p}" if placed else ""
        text += f" {rng.choice(['together with', 'with', 'for'])} {m}" if by and not passive else ""
        yes = [f"Did {n} {base} the {o}?", f"Did {n} {base} {the} {o}?", f"Was it {n} who {past if not passive else base} the {o}?" if not passive else f"Did {n} {base} it?"]
        no = [f"Did {n} {base} the {o2}?", f"Did {k} {base} the {o}?", f"Did {n} {base2} the {o}?", f"Did {n} {base} {article(o2)}?"]
        if colored:
            yes += [f"Is the {o} {c}?", f"Was the {o} {c}?", f"Did {n} {base} a {c} {o}?"]
            no += [f"Is the {o} {c2}?", f"Was the {o} {c2}?", f"Did {n} {base} a {c2} {o}?"]
        if placed:
            yes += [f"Was it {at} {p}?", f"Did it happen {at} {p}?", f"Was {n} {at} {p}?"]
            no += [f"Was it {at} {p2}?", f"Did it happen {at} {p2}?", f"Was {n} {at} {p2}?"]
        return text, yes, no
    if r == 3:
        text = f"{n} did not {base} {the} {o}"
        return text, [f"Is it true that {n} did not {base} the {o}?", f"Did {n} not {base} the {o}?"], [f"Did {n} {base} the {o}?", f"Did {n} {base} {article(o)}?"]
    if r == 4:
        text = rng.choice([f"{n} {past} {the} {o}, but not {the} {o2}", f"{n} {past} {the} {o} instead of {the} {o2}", f"not {the} {o2} but {the} {o} was what {n} {past}"])
        return text, [f"Did {n} {base} the {o}?", f"Did {n} {base} {article(o)}?"], [f"Did {n} {base} the {o2}?", f"Did {n} {base} {article(o2)}?"]
    if r == 5:
        text = rng.choice([f"{n} {past} {the} {o}, and {m} {past2} {the} {o2}", f"{n} {past} {the} {o} while {m} {past2} {the} {o2}", f"first {n} {past} {the} {o}, then {m} {past2} {the} {o2}"])
        yes = [f"Did {n} {base} the {o}?", f"Did {m} {base2} the {o2}?"]
        no = [f"Did {m} {base} the {o}?", f"Did {n} {base2} the {o2}?", f"Did {n} {base} the {o2}?", f"Did {k} {base} the {o}?", f"Did {m} {base2} the {o}?"]
        return text, yes, no
    if r == 6:
        q = rng.randint(2, 12)
        word = NUMBERS[q] if rng.random() < 0.6 else str(q)
        w2 = other(rng, lambda: NUMBERS[rng.randint(2, 12)], NUMBERS[q])
        text = rng.choice([f"{n} has {word} {plural(o)}", f"{n} owns {word} {plural(o)}", f"there are {word} {plural(o)} {at} {p}"])
        if "there" in text:
            return text, [f"Are there {NUMBERS[q]} {plural(o)}?", f"Are there {plural(o)} {at} {p}?"], [f"Are there {w2} {plural(o)}?", f"Are there {plural(o2)} {at} {p}?"]
        return text, [f"Does {n} have {NUMBERS[q]} {plural(o)}?", f"Does {n} have {plural(o)}?"], [f"Does {n} have {w2} {plural(o)}?", f"Does {m} have {plural(o)}?", f"Does {n} have {plural(o2)}?"]
    if r == 7:
        who, be = (n, "is") if rng.random() < 0.5 else (f"the {o}", rng.choice(["is", "was"]))
        if rng.random() < 0.3:
            return f"{who} {be} not {a}", [f"Is it true that {who} {be} not {a}?"], [f"{be.capitalize()} {who} {a}?"]
        text = rng.choice([f"{who} {be} {a}", f"{who} {be} very {a}", f"{who} {be} {a}, not {a2}", f"{who} {be} {a} today"])
        return text, [f"{be.capitalize()} {who} {a}?"], [f"{be.capitalize()} {who} {a2}?"]
    if r == 8:
        text = rng.choice([f"{n} {be} {at} {p}" for be in ("was", "waited", "slept", "stayed", "worked")] + [f"{n} went to the {p}", f"{n} came from the {p}"])
        where = "to the" if "went" in text else "from the" if "came" in text else at
        does = "go" if "went" in text else "come" if "came" in text else None
        if does:
            return text, [f"Did {n} {does} {where} {p}?"], [f"Did {n} {does} {where} {p2}?", f"Did {m} {does} {where} {p}?"]
        return text, [f"Was {n} {at} {p}?"], [f"Was {n} {at} {p2}?", f"Was {m} {at} {p}?"]
    if r == 9:
        h = pick(rng, split, HOBBIES)
        h2 = other(rng, lambda: rng.choice(HOBBIES), h)
        v, v2 = rng.choice([("likes", "like"), ("loves", "love"), ("enjoys", "enjoy"), ("hates", "hate"), ("prefers", "prefer"), ("knows", "know")])
        text = rng.choice([f"{n} {v} {h}", f"{n} {v} {h}, not {h2}", f"{n} {v} {h} and does not {v2} {h2}", f"{n} {v} {h}, {m} {v} {h2}"])
        return text, [f"Does {n} {v2} {h}?"], [f"Does {n} {v2} {h2}?", f"Does {k} {v2} {h}?"]
    if r == 10:
        past, base = deed(MEETINGS)
        text = rng.choice([f"{n} {past} {m}", f"{n} {past} {m} {at} {p}", f"{n} {past} {m}, not {k}", f"{n} {past} both {m} and {person()}"])
        return text, [f"Did {n} {base} {m}?"], [f"Did {n} {base} {k}?", f"Did {k} {base} {m}?"]
    if r == 11:
        j = pick(rng, split, JOBS)
        j2 = other(rng, lambda: rng.choice(JOBS), j)
        text = rng.choice([f"{n} is {article(j)}", f"{n} works as {article(j)}", f"{n}, {article(j)}, {past} {the} {o}", f"{article(j)} called {n} {past} {the} {o}"])
        return text, [f"Is {n} {article(j)}?", f"Is {n} a {j}?"], [f"Is {n} {article(j2)}?", f"Is {m} {article(j)}?"]
    if r == 12:
        home = city(rng, split)
        home2 = other(rng, lambda: city(rng, split), home)
        text = rng.choice([f"{n} lives in {home}", f"{n} from {home} {past} {the} {o}", f"{n} works in {home}", f"{n} moved to {home}"])
        does = "live in" if "lives" in text else "work in" if "works" in text else "move to" if "moved" in text else "come from"
        did = "Did" if does == "move to" else "Does"
        return text, [f"{did} {n} {does} {home}?"], [f"{did} {n} {does} {home2}?", f"{did} {k} {does} {home}?"]
    if r == 13:
        v = rng.choice(["gave", "lent", "sold", "showed", "sent", "handed"])
        b = {"gave": "give", "lent": "lend", "sold": "sell", "showed": "show", "sent": "send", "handed": "hand"}[v]
        text = rng.choice([f"{n} {v} {m} {the} {o}", f"{n} {v} {the} {o} to {m}", f"{m} got {the} {o} from {n}"])
        if " got " in text:
            return text, [f"Did {m} get the {o}?", f"Is the {o} from {n}?"], [f"Did {n} get the {o}?", f"Did {k} get the {o}?", f"Is the {o} from {k}?"]
        return text, [f"Did {n} {b} the {o} to {m}?", f"Did {n} {b} {m} the {o}?"], [f"Did {m} {b} the {o} to {n}?", f"Did {n} {b} {m} the {o2}?", f"Did {n} {b} the {o} to {k}?"]
    if r == 14:
        w, w2 = rng.choice([("taller", "shorter"), ("older", "younger"), ("faster", "slower"), ("bigger", "smaller"), ("stronger", "weaker"), ("richer", "poorer")])
        text = rng.choice([f"{n} is {w} than {m}", f"{n} is much {w} than {m}"])
        return text, [f"Is {n} {w} than {m}?", f"Is {m} {w2} than {n}?"], [f"Is {m} {w} than {n}?", f"Is {n} {w2} than {m}?"]
    pr, pr2 = rng.sample(["on", "under", "behind", "in", "next to", "near", "above", "below"], 2)
    text = rng.choice([f"the {o} is {pr} the {o2}", f"the {o} lies {pr} the {o2}", f"{pr} the {o2} is the {o}", f"{n} put the {o} {pr} the {o2}"])
    o3 = other(rng, thing, o, o2)
    return text, [f"Is the {o} {pr} the {o2}?"], [f"Is the {o} {pr2} the {o2}?", f"Is the {o} {pr} the {o3}?", f"Is the {o3} {pr} the {o2}?"]


def made(rng, split):
    """(text, [(question, answer)])."""
    found = [scene(rng, split) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    bits = [t[0].upper() + t[1:] + "." for t, _, _ in found]
    if rng.random() < 0.2:
        bits.insert(rng.randint(0, len(bits)), rng.choice(NOISE))
    asked = []
    for _ in range(rng.choice([1, 1, 2]) if split != "train" else rng.randint(2, 6)):
        _, yes, no = rng.choice(found)
        right = rng.random() < 0.5
        asked.append((rng.choice(yes if right else no), "yes" if right else "no"))
    return " ".join(bits), list(dict(asked).items())


def composed(rng, split):
    """About scenes of this module."""
    from .held import clean
    from .yes_no import LAYOUTS

    while True:
        text, asked = made(rng, split)
        if clean(text):
            break
    d = Dialogue("scenes")
    for i, (q, a) in enumerate(asked):
        d.user(q if i else rng.choice(LAYOUTS).format(t=text, q=q)).assistant(a)
    return d
