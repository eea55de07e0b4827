"""Yes/no questions about a short passage, about everyday knowledge and about small numbers."""

from . import breadth
from .dialogue import Dialogue, and_list
from .entities import age, city, first_name, full_name, item, quantity
from .frames import frame
from .passages import passage
from .pools import COLORS, COMMON_THINGS, HOBBIES, JOBS, RANDOM_WORDS, article, pick

LAYOUTS = [
    "Text: {t}\nQuestion: {q}\nAnswer yes or no.",
    "{t}\n{q}",
    "{t}\n{q} Answer yes or no.",
    "{t} {q}",
    "{q}\n{t}",
    "Passage: {t}\nQuestion: {q}",
    "{t}\n\n{q} (yes/no)",
    "Read: {t}\nTrue or not: {q} Answer yes or no.",
    "Text: {t} Question: {q} Answer yes or no.",
    "Answer yes or no.\n{t}\n{q}",
    "{t}\nYes or no: {q}",
]
ASK = {
    "age": ["Is {first} {x} years old?", "Is {first} {x}?", "Is {first}'s age {x}?"],
    "city": ["Is {first} connected with {x}?", "Does the text mention {x}?", "Is {x} the city of {first}?", "Is the city {x}?"],
    "name": ["Is this about {x}?", "Does the text mention {x}?", "Is the person called {x}?", "Is the name {x}?"],
    "item": ["Is it about {x}?", "Are {x} mentioned?", "Does {first} get {x}?", "Does the text mention {x}?"],
    "quantity": ["Is the quantity {x}?", "Are there {x} of them?", "Does {first} get {x} of them?"],
    "job": ["Is {first} a {x}?", "Does {first} work as a {x}?"],
    "email": ["Is the address {x}?", "Is {first}'s e-mail {x}?"],
}
# What animals can do: flies, swims, climbs, barks, has feathers, lays eggs, is bigger than a person.
ABLE = {
    "fly": "bird parrot owl bee duck eagle bat butterfly",
    "swim": "fish duck frog dog whale turtle shark goldfish otter",
    "climb a tree": "cat monkey squirrel bear snake leopard",
    "bark": "dog puppy",
    "lay eggs": "bird duck hen snake turtle frog parrot owl",
    "live in water": "fish whale shark goldfish octopus crab",
    "eat grass": "cow horse sheep goat rabbit pony",
    "run": "dog cat horse lion fox deer",
    "sing": "bird parrot",
    "jump": "frog cat rabbit horse kangaroo dog",
}
ALL = sorted({a for v in ABLE.values() for a in v.split()} - {"bat", "bear", "otter"})
NEVER = {
    "fly": "dog cat horse fish cow frog snake lion pony rabbit",
    "swim": "",
    "climb a tree": "fish whale cow horse shark goldfish",
    "bark": "cat fish bird cow horse frog bee",
    "lay eggs": "dog cat cow horse lion sheep goat",
    "live in water": "cat dog cow horse bee lion owl",
    "eat grass": "shark lion owl snake spider",
    "run": "fish snake whale",
    "sing": "fish snake stone turtle",
    "jump": "fish snake turtle whale",
}


def facts(rng, split):
    """About a frame: does a fact hold, or one that was changed?"""
    d = Dialogue("yes_no")
    text, v, known = frame(rng, split)
    first = v["name"].split()[0]
    shown = False
    keys = [k for k in known if k in ASK] or ["name"]
    for _ in range(rng.choice([1, 1, 1, 2, 3]) if split != "train" else rng.randint(2, 7)):
        key = rng.choice(keys)
        right = v[key]
        wrong = {
            "age": lambda: age(rng)[1],
            "city": lambda: city(rng, split),
            "name": lambda: full_name(rng, split) if " " in right else first_name(rng, split),
            "item": lambda: item(rng, split),
            "quantity": lambda: quantity(rng)[1],
            "job": lambda: pick(rng, split, JOBS),
            "email": lambda: frame(rng, split, "contact")[1]["email"],
        }[key]()
        yes = rng.random() < 0.5 or wrong == right
        q = rng.choice(ASK[key]).format(x=right if yes else wrong, first=first)
        if key == "city" and not yes and wrong in text:
            continue
        if key == "age" and rng.random() < 0.3:
            limit = rng.randint(5, 80)
            q, yes = f"Is {first} older than {limit}?", int(right) > limit
        d.user("{q}".format(q=q) if shown else rng.choice(LAYOUTS).format(t=text, q=q))
        d.assistant("yes" if yes else "no")
        shown = True
    return d if d.messages else facts(rng, split)


SCENES = (
    (
        "{n} has a {c} {o}.",
        (
            ("Is the {o} {c}?", "Does {n} have a {c} {o}?", "Is {n}'s {o} {c}?"),
            ("Is the {o} {c2}?", "Does {n} have a {c2} {o}?", "Does {n} have a {o2}?"),
        ),
    ),
    (
        "{n} put the {o} on the {p}.",
        (
            ("Is the {o} on the {p}?", "Did {n} put it on the {p}?"),
            ("Is the {o} on the {p2}?", "Did {n} put it on the {p2}?", "Did {m} put it there?"),
        ),
    ),
    (
        "{n} and {m} went to the {l}.",
        (
            ("Did {m} go to the {l}?", "Were {n} and {m} at the {l}?", "Did {n} go to the {l}?"),
            ("Did {m} go to the {l2}?", "Were they at the {l2}?", "Did {k} go to the {l}?"),
        ),
    ),
    ("{n} did not like the {o}.", (("Was {n} unhappy with the {o}?",), ("Did {n} like the {o}?", "Was {n} happy with the {o}?"))),
    ("{n} likes {h} but not {h2}.", (("Does {n} like {h}?",), ("Does {n} like {h2}?",))),
    (
        "{n} gave the {o} to {m}.",
        (
            ("Did {m} get the {o}?", "Does {m} have the {o} now?", "Did {n} give it away?"),
            ("Did {n} get the {o} from {m}?", "Does {k} have the {o} now?", "Did {m} get a {o2}?"),
        ),
    ),
    (
        "It was {w} when {n} left the {l}.",
        (("Was it {w}?", "Did {n} leave the {l}?"), ("Was it {w2}?", "Did {n} leave the {l2}?", "Did {k} leave the {l}?")),
    ),
    (
        "{n} was at the {l} while {m} stayed at the {l2}.",
        (("Was {n} at the {l}?", "Was {m} at the {l2}?"), ("Was {n} at the {l2}?", "Was {m} at the {l}?")),
    ),
    (
        "{n} lost the {o} in the {l}.",
        (
            ("Did {n} lose the {o}?", "Is the {o} lost?", "Was it lost in the {l}?"),
            ("Did {n} find the {o}?", "Did {m} lose the {o}?", "Was it lost in the {l2}?"),
        ),
    ),
    (
        "The {c} {o} belongs to {n}, the {c2} one to {m}.",
        (("Is the {c} {o} {n}'s?", "Does {m} own the {c2} one?"), ("Is the {c} {o} {m}'s?", "Does {n} own the {c2} one?")),
    ),
    ("{n} wanted a {o}, but got a {o2}.", (("Did {n} get a {o2}?", "Did {n} want a {o}?"), ("Did {n} get a {o}?", "Did {n} want a {o2}?"))),
    (
        "{n} is taller than {m}.",
        (("Is {n} taller than {m}?", "Is {m} shorter than {n}?"), ("Is {m} taller than {n}?", "Is {n} shorter than {m}?")),
    ),
)
# Further scenes, for training only.
MORE_SCENES = (
    (
        "{n} bought a {o} for {m}.",
        (
            ("Did {n} buy a {o}?", "Is the {o} for {m}?", "Does {m} get a {o}?"),
            ("Did {n} buy a {o2}?", "Is the {o} for {k}?", "Did {m} buy it?"),
        ),
    ),
    (
        "There is a {c} {o} in the {l}.",
        (("Is there a {o} in the {l}?", "Is the {o} {c}?"), ("Is there a {o2} in the {l}?", "Is the {o} in the {l2}?", "Is the {o} {c2}?")),
    ),
    (
        "{n} sat in the {l} with {m}.",
        (
            ("Was {n} in the {l}?", "Was {m} in the {l}?", "Did {m} sit with {n}?"),
            ("Was {n} in the {l2}?", "Was {k} in the {l}?", "Did {k} sit with {n}?"),
        ),
    ),
    (
        "{n} broke the {o}, and {m} fixed it.",
        (
            ("Did {n} break the {o}?", "Did {m} fix it?", "Did {m} fix the {o}?"),
            ("Did {m} break the {o}?", "Did {n} fix it?", "Did {n} break the {o2}?"),
        ),
    ),
    ("{n} enjoys {h}.", (("Does {n} enjoy {h}?", "Is {h} fun for {n}?"), ("Does {n} enjoy {h2}?", "Does {m} enjoy {h}?"))),
    (
        "{n} enjoys {h}, {m} enjoys {h2}.",
        (("Does {n} enjoy {h}?", "Does {m} enjoy {h2}?"), ("Does {n} enjoy {h2}?", "Does {m} enjoy {h}?")),
    ),
    (
        "{n} sold the {c} {o} to {m}.",
        (
            ("Did {n} sell the {o}?", "Did {m} buy it?", "Was the {o} {c}?", "Did {m} buy the {o}?"),
            ("Did {m} sell the {o}?", "Did {n} buy it?", "Was the {o} {c2}?", "Did {k} buy it?"),
        ),
    ),
    (
        "{n} is older than {m}.",
        (("Is {n} older than {m}?", "Is {m} younger than {n}?"), ("Is {m} older than {n}?", "Is {n} younger than {m}?")),
    ),
    (
        "The {o} is under the {p}, the {o2} is on it.",
        (
            ("Is the {o} under the {p}?", "Is the {o2} on the {p}?"),
            ("Is the {o} on the {p}?", "Is the {o2} under the {p}?", "Is the {o} under the {p2}?"),
        ),
    ),
    (
        "{n} has two {o}s and one {o2}.",
        (
            ("Does {n} have two {o}s?", "Does {n} have one {o2}?"),
            ("Does {n} have two {o2}s?", "Does {n} have one {o}?", "Does {m} have a {o2}?"),
        ),
    ),
    (
        "{n} found the {o} near the {l}.",
        (
            ("Did {n} find the {o}?", "Was it near the {l}?", "Did {n} find it?"),
            ("Did {n} lose the {o}?", "Was it near the {l2}?", "Did {m} find it?", "Did {n} find the {o2}?"),
        ),
    ),
    (
        "{n} left the {o} in the {l}.",
        (
            ("Did {n} leave the {o} there?", "Is the {o} in the {l}?", "Was it left in the {l}?"),
            ("Is the {o} in the {l2}?", "Did {m} leave it there?", "Is the {o2} in the {l}?"),
        ),
    ),
    (
        "{n} hid the {o} behind the {p}.",
        (
            ("Did {n} hide it?", "Is the {o} behind the {p}?", "Did {n} hide the {o}?"),
            ("Is the {o} behind the {p2}?", "Did {m} hide it?", "Did {n} hide the {o2}?"),
        ),
    ),
    (
        "{n} carried a {o} and a {o2}.",
        (("Did {n} carry a {o}?", "Did {n} carry a {o2}?"), ("Did {m} carry a {o}?", "Did {n} carry nothing?")),
    ),
    (
        "{n} goes to the {l} by bus.",
        (
            ("Does {n} go to the {l}?", "Does {n} take the bus?"),
            ("Does {n} go to the {l2}?", "Does {n} take the train?", "Does {m} go to the {l}?"),
        ),
    ),
    ("{n} met {m}, but not {k}.", (("Did {n} meet {m}?",), ("Did {n} meet {k}?",))),
    ("The {l} is {w} today.", (("Is the {l} {w}?", "Is it {w} today?"), ("Is the {l} {w2}?", "Is it {w2} today?"))),
    (
        "{n} painted the {o} {c}.",
        (
            ("Is the {o} {c}?", "Did {n} paint the {o}?", "Did {n} paint it {c}?"),
            ("Is the {o} {c2}?", "Did {n} paint the {o2}?", "Did {n} paint it {c2}?", "Did {m} paint it?"),
        ),
    ),
)
LOCATIONS = tuple("park school market beach library station museum forest garden cinema zoo lake kitchen river barn harbour".split())
WEATHERS = tuple("sunny rainy cold warm dark foggy windy late early".split())
SUPPORTS = tuple("table chair shelf bed floor bench desk roof box".split())


def scenes(rng, split):
    """About one or two little scenes."""
    d = Dialogue("yes_no")
    f = {}
    f["n"], f["m"], f["k"] = [first_name(rng, split) + ("" if i == 0 else "") for i in range(3)]
    if len({f["n"], f["m"], f["k"]}) < 3:
        return scenes(rng, split)
    f["o"], f["o2"] = rng.sample(COMMON_THINGS, 2)
    f["c"], f["c2"] = rng.sample(COLORS, 2)
    f["l"], f["l2"] = rng.sample(LOCATIONS, 2)
    f["h"], f["h2"] = rng.sample(HOBBIES, 2)
    f["w"], f["w2"] = rng.sample(WEATHERS, 2)
    f["p"], f["p2"] = rng.sample(SUPPORTS, 2)
    chosen = [rng.choice(MORE_SCENES) if split == "train" and rng.random() < 0.6 else pick(rng, split, SCENES)]
    if rng.random() < 0.3:
        chosen.append(("The " + rng.choice(["sky", "door", "house", "fence"]) + " was {c3}.", ()))
    text = " ".join(s[0] for s in chosen)
    f["c3"] = rng.choice([c for c in COLORS if c not in (f["c"], f["c2"])])
    shown = False
    for _ in range(rng.choice([1, 1, 2]) if split != "train" else rng.randint(2, 5)):
        yes = rng.random() < 0.5
        q = rng.choice(chosen[0][1][0 if yes else 1])
        d.user((q if shown else rng.choice(LAYOUTS).format(t=text, q=q)).format(**f)).assistant("yes" if yes else "no")
        shown = True
    return d


def knowledge(rng, split):
    """What animals can do."""
    deed = rng.choice([k for k in ABLE if NEVER[k]])
    yes = rng.random() < 0.5
    animal = rng.choice((ABLE if yes else NEVER)[deed].split())
    q = rng.choice(["Can {a} {d}?", "Can {a} {d}? Answer yes or no.", "Is it true that {a} can {d}?", "Tell me: can {a} {d}?"]).format(
        a=article(animal), d=deed
    )
    answer = "yes" if yes else "no"
    d = Dialogue("knowledge").user(q)
    if rng.random() < 0.4:
        because = f" {article(animal)} can {'' if yes else 'not '}{deed}"
        return d.assistant(f"{because}. So: {answer}", "Because")
    return d.assistant(answer)


def drill(rng, split):
    """Lists and tables with many questions: practice in comparing, for training only."""
    d = Dialogue("drill")

    def value():
        kind = rng.randint(0, 5)
        makers = (first_name, city, full_name)
        return (
            makers[kind](rng, split)
            if kind < 3
            else str(rng.randint(1, 99))
            if kind == 3
            else rng.choice(COLORS)
            if kind == 4
            else rng.choice(RANDOM_WORDS)
        )

    count = rng.randint(1, 5)
    if rng.random() < 0.4:
        words = list(dict.fromkeys(value() for _ in range(count)))
        text = rng.choice(["{l}", "{l}.", "The list: {l}.", "Words: {l}", "We have {l}."]).format(
            l=rng.choice([", ".join(words), and_list(words), " ".join(words)])
        )
        form = rng.choice(["Is {x} there?", "Is {x} mentioned?", "Is {x} in the list?", "Does the text mention {x}?", "{x}?"])
        wrong, pairs = words, [(w, form) for w in words]
    else:
        keys = list(dict.fromkeys(rng.choice(RANDOM_WORDS) if rng.random() < 0.6 else first_name(rng, split) for _ in range(count)))
        rows = [(k, value()) for k in keys]
        style, form = rng.choice(
            [
                ("The {k} is {v}.", "Is the {k} {x}?"),
                ("{k}: {v}", "Is {k} {x}?"),
                ("{k} has {v}.", "Does {k} have {x}?"),
                ("{k} likes {v}.", "Does {k} like {x}?"),
                ("{k} is {v}.", "Is {k} {x}?"),
            ]
        )
        text = rng.choice(["\n", " "]).join(style.format(k=k, v=v) for k, v in rows)
        wrong, pairs = [v for _, v in rows], [(v, form.replace("{k}", k)) for k, v in rows]
    for i in range(rng.randint(3, 8)):
        right, question = rng.choice(pairs)
        yes = rng.random() < 0.5
        x = right
        while not yes and (x == right or (len(pairs) > 1 and pairs[0][1] == pairs[1][1] and x in wrong)):
            x = value() if rng.random() < 0.6 or pairs[0][1] == pairs[-1][1] else rng.choice(wrong + [value()])
        q = question.format(x=x)
        d.user(q if i else rng.choice(LAYOUTS).format(t=text, q=q)).assistant("yes" if yes else "no")
    return d


def yes_no(rng, split):
    if split == "train" and breadth.wide and rng.random() < 0.45:
        return passage(rng, split)
    if split != "test" and rng.random() < 0.4:
        from .scenes_made import composed

        return composed(rng, split)
    if split == "train" and rng.random() < 0.3:
        return drill(rng, split)
    r = rng.random()
    return facts(rng, split) if r < 0.5 else scenes(rng, split) if r < 0.9 or split == "test" else knowledge(rng, split)
