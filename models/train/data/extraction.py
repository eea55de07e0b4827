"""Extraction of records from short texts, and questions about single facts."""

from .dialogue import Dialogue, and_list, quote, record
from .entities import city, email, full_name, quantity, syllables
from .frames import frame
from .pools import COLORS, PETS, RANDOM_WORDS

KEYS = {
    "name": ["name"] * 12 + ["full_name", "person", "customer", "who", "buyer", "client"],
    "age": ["age"] * 12 + ["years", "age_years"],
    "city": ["city"] * 12 + ["town", "place", "home", "location"],
    "email": ["email"] * 10 + ["e_mail", "mail", "contact", "address", "e-mail"],
    "date": ["date"] * 10 + ["day", "when", "due", "on"],
    "amount": ["amount"] * 8 + ["price", "total", "cost", "sum"],
    "item": ["item"] * 10 + ["product", "article", "thing", "goods"],
    "quantity": ["quantity"] * 8 + ["count", "qty", "number", "how_many"],
    "job": ["job", "job", "work", "profession"],
    "hobby": ["hobby", "hobby", "likes"],
}
NUMERIC = {"age", "amount", "quantity"}
ASK_KEYS = """Extract {keys} as JSON.|Extract the {keys} as JSON.|Give {keys} as JSON.|Return a JSON object with {keys}.|Answer as JSON with the keys {keys}.|Extract
{keys}.|Find {keys} in the text. Answer as JSON.|Write {keys} as a JSON record.|Which {keys}? Answer as JSON.|Please extract {keys} from this text as JSON.|Fill in the
record: {keys}.|JSON with {keys}:|Read the text and give {keys} as compact JSON.|Extract a record with {keys}.|Get the {keys} from the text below.|Extract these fields as
JSON: {keys}.|Fields: {keys}. Answer with JSON only.|List {keys} as JSON.""".replace(
    "\n", " "
).split(
    "|"
)
ASK_PLAIN = {
    "person": "Who is it? Answer as JSON.|Extract the person as JSON.|Who is this about? Answer as JSON.|Find the person. Answer as JSON.|Extract the person.|Describe the person as JSON.|"
    "Write the person as a JSON record.|Extract the record as JSON.|Extract the data as JSON.|Fill in the record.|Answer as JSON.",
    "order": "Extract the order as JSON.|What was ordered? Answer as JSON.|Extract the order.|Write the order as JSON.|Extract the record as JSON.|What was bought? Answer as JSON.|Extract the "
    "purchase as JSON.|Fill in the order.|Extract the invoice as JSON.|Extract the data as JSON.|Answer as JSON.",
    "contact": "Extract the contact as JSON.|Who is it? Answer as JSON.|Write the contact as JSON.|Extract the contact.|How can we reach them? Answer as JSON.|Extract the record as JSON.|Answer as JSON.",
    "event": "Extract the event as JSON.|Extract the appointment as JSON.|What happens when? Answer as JSON.|Write the appointment as JSON.|Extract the record as JSON.|Answer as JSON.",
}
ASK_PLAIN = {k: v.split("|") for k, v in ASK_PLAIN.items()}
SYSTEMS = """You extract records.|You extract data from text.|You are a helpful assistant.|You answer with JSON only.|You read texts and fill in records.|You are a careful clerk.|Extract
what the user asks for.|You turn sentences into JSON.|Answer with one JSON object.|You are precise.""".replace(
    "\n", " "
).split(
    "|"
)
LAYOUTS = [
    "{t}\n{a}",
    "{a}\n\n{t}",
    "{a}\n{t}",
    "{t}\n\n{a}",
    "Text: {t}\n{a}",
    "{a}\nText: {t}",
    "{a} Text: {t}",
    "{t} {a}",
    '{a}\n"{t}"',
    "{a}\n\nText: {t}\n",
    "Sentence: {t}\n{a}",
    "{t}\n{a}",
    "{t}\n{a}",
    "{t}\n{a}",
    "{t}\n{a}",
    "{a}\n\n{t}",
    "{a}\n\n{t}",
]


def value(key, v) -> str:
    return v[key] if key in NUMERIC else quote(v[key])


def choose(rng, known):
    """Which facts to ask for: mostly all or most of them, mostly in the usual order."""
    wanted = list(known)
    if len(wanted) > 1 and rng.random() < 0.5:
        wanted = [k for k in known if rng.random() < 0.7] or [rng.choice(known)]
    if rng.random() < 0.3:
        rng.shuffle(wanted)
    return wanted


def ask(rng, kind, keys):
    """An instruction; names the keys mostly."""
    if rng.random() < 0.25:
        return rng.choice(ASK_PLAIN[kind])
    joined = and_list(keys) if rng.random() < 0.7 else ", ".join(keys)
    return rng.choice(ASK_KEYS).format(keys=joined)


def extraction(rng, split, kind=None, plain=False):
    """One text and one to three records of it; sometimes with worked examples before."""
    d = Dialogue("extract")
    kind = kind or rng.choice(["person", "person", "order", "order", "order", "contact", "contact", "event", "event"])
    text, v, known = frame(rng, split, kind)
    wanted = choose(rng, known)
    if rng.random() < 0.5:
        wanted = [k for k in wanted if k not in ("job", "hobby")] or ["name"]
    names = {k: (k if rng.random() < 0.6 else rng.choice(KEYS[k])) for k in KEYS}
    fields = [(names[k], value(k, v)) for k in wanted]
    if "amount" in wanted and rng.random() < 0.12:
        fields = [(k, quote(v["amount_text"]) if k == names["amount"] else x) for k, x in fields]
    if rng.random() < 0.07:
        missing = [k for k in ("age", "city", "email", "date", "amount", "item", "quantity") if k not in known]
        if missing:
            fields.insert(rng.randint(1, len(fields)), (names[rng.choice(missing)], "null"))
    instruction = ask(rng, kind, [k for k, _ in fields])
    if rng.random() < 0.25:
        d.system(rng.choice(SYSTEMS))
    shots = ""
    if rng.random() < 0.08:
        for _ in range(rng.randint(1, 2)):
            for _ in range(30):
                t2, v2, k2 = frame(rng, split, kind)
                if all(k in k2 for k in wanted):
                    shots += f"Text: {t2}\nJSON: {record((names[k], value(k, v2)) for k in wanted)}\n"
                    break
    if shots:
        fields = [(names[k], value(k, v)) for k in wanted]
        d.user(f"{instruction}\n{shots}Text: {text}\nJSON:")
    else:
        d.user(rng.choice(LAYOUTS[:2] if plain else LAYOUTS).format(t=text, a=instruction))
    d.assistant(record(fields))
    while rng.random() < 0.25 and len(d.messages) < 7:
        follow_up(rng, d, v, known, names)
    return d


def follow_up(rng, d, v, known, names):
    """A further question about the same text."""
    wanted = choose(rng, known)
    if rng.random() < 0.5:
        key = rng.choice(known)
        d.user(
            rng.choice(["And the {k}?", "What is the {k}?", "Which {k}?", "Only the {k}, please.", "{k}?", "Give me just the {k}."]).format(
                k=names[key]
            )
        )
        d.assistant(v[key])
    else:
        keys = [names[k] for k in wanted]
        d.user(
            rng.choice(
                ["Now give {keys} as JSON.", "And {keys} as JSON?", "Again, but only {keys} as JSON.", "Now as JSON with {keys}."]
            ).format(keys=and_list(keys))
        )
        d.assistant(record((names[k], value(k, v)) for k in wanted))


def several(rng, split):
    """A list of records: several people, or several items of one order."""
    d = Dialogue("extract_list")
    if rng.random() < 0.5:
        rows, text = [], []
        for _ in range(rng.randint(2, 3)):
            t, v, known = frame(rng, split, "person")
            rows.append((v, known))
            text.append(t)
        keys = [k for k in ("name", "age", "city", "email") if all(k in known for _, known in rows)]
        d.user(f"{' '.join(text)}\nExtract the people as a JSON list with {and_list(keys)}.")
        d.assistant("[" + ",".join(record((k, value(k, v)) for k in keys) for v, _ in rows) + "]")
        return d
    from .entities import item

    name = full_name(rng, split)
    rows = [(quantity(rng), item(rng, split)) for _ in range(rng.randint(1, 3))]
    text = f"{name} {rng.choice(['ordered', 'bought', 'needs', 'wants'])} {and_list(f'{q[0]} {i}' for q, i in rows)}."
    items = "[" + ",".join(record([("item", quote(i)), ("quantity", q[1])]) for q, i in rows) + "]"
    if rng.random() < 0.5:
        d.user(f"{text}\nExtract the order as JSON.").assistant(record([("name", quote(name)), ("items", items)]))
    else:
        d.user(f"{text}\nExtract name and items as JSON.").assistant(
            record([("name", quote(name)), ("items", "[" + ",".join(quote(i) for _, i in rows) + "]")])
        )
    return d


WHERE_HOME = {
    "house": "in a house|in a small house|in a big house by the river",
    "farm": "on a farm|on an old farm|on a farm near the woods",
    "boat": "on a boat|on an old boat",
}
WHERE_HOME |= {"flat": "in a flat|in a small flat", "tent": "in a tent", "castle": "in a castle"}
LIKES = {
    "cats": "has two cats|loves cats|plays with her cats|feeds the cats",
    "dogs": "has two dogs|loves dogs|walks the dogs|has a big dog",
    "cake": "likes cake|bakes cakes|eats cake every day",
    "books": "reads books|loves books|reads every night|has many books",
    "music": "loves music|sings all day|plays the piano",
    "cars": "likes fast cars|has three cars|collects toy cars",
    "birds": "watches birds|has a parrot|feeds the birds",
    "trees": "climbs trees|plants trees",
}


def enums(rng, split):
    """Small records with enumerations, lists and optional fields."""
    from .entities import first_name

    d = Dialogue("extract_enum")
    name, n = first_name(rng, split), str(rng.randint(2, 90))
    likes = rng.sample(sorted(LIKES), rng.randint(1, 2))
    home = rng.choice(sorted(WHERE_HOME)) if rng.random() < 0.7 else None
    bits = [rng.choice(LIKES[k].split("|")).replace("her", "the") for k in likes]
    if home:
        bits.insert(rng.randint(0, len(bits)), "lives " + rng.choice(WHERE_HOME[home].split("|")))
    he = rng.choice(["He", "She"])
    if rng.random() < 0.5:
        text = f"{name} is {n}. {he} {and_list(bits)}."
    else:
        text = f"{name} is {n} years old and {bits[0]}." + (f" {he} {and_list(bits[1:])}." if bits[1:] else "")
    fields = [("name", quote(name)), ("age", n), ("likes", "[" + ",".join(quote(k) for k in likes) + "]")]
    if home:
        fields.append(("home", quote(home)))
    plain = rng.random() < 0.6
    question = rng.choice(ASK_PLAIN["person"]) if plain else rng.choice(ASK_KEYS).format(keys=and_list([k for k, _ in fields]))
    return d.user(rng.choice(LAYOUTS[:2]).format(t=text, a=question)).assistant(record(fields))


def table(rng, split):
    """Arbitrary keys and values, to practise copying: any word may be a key, anything a value."""
    d = Dialogue("extract_copy")
    rows, used = [], set()
    for _ in range(rng.randint(2, 6)):
        key = rng.choice([syllables(rng, 1, 2), rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS)])
        if key in used:
            continue
        used.add(key)
        kind = rng.randint(0, 6)
        v = [
            lambda: full_name(rng, split),
            lambda: city(rng, split),
            lambda: rng.choice(RANDOM_WORDS),
            lambda: str(rng.randint(0, 9999)),
            lambda: email(rng, split),
            lambda: " ".join(syllables(rng) for _ in range(rng.randint(1, 2))),
            lambda: rng.choice(COLORS),
        ][kind]()
        rows.append((key, v))
    style = rng.choice(["{k}: {v}", "{k} = {v}", "The {k} is {v}.", "{k} - {v}", "{v} is the {k}.", "My {k} is {v}."])
    text = rng.choice(["\n", " ", "; ", ", "]).join(style.format(k=k, v=v) for k, v in rows)
    wanted = [r for r in rows if rng.random() < 0.7] or rows[:1]
    if rng.random() < 0.4:
        rng.shuffle(wanted)
    fields = [(k, v if v.isdigit() and (v == "0" or v[0] != "0") else quote(v)) for k, v in wanted]
    d.user(rng.choice(LAYOUTS).format(t=text, a=rng.choice(ASK_KEYS).format(keys=and_list([k for k, _ in wanted]))))
    d.assistant(record(fields))
    while rng.random() < 0.5:
        k, v = rng.choice(rows)
        d.user(rng.choice(["What is the {k}?", "And the {k}?", "{k}?", "Tell me the {k}.", "Which {k}?"]).format(k=k)).assistant(v)
    return d


QUESTIONS = {
    "name": ["Who is it?", "What is the name?", "Who is this about?", "Whose name is mentioned?"],
    "age": ["How old is {first}?", "How old is {he}?", "What is the age of {first}?"],
    "city": ["Where is {first} at home?", "Which city is mentioned?", "Which city is it?", "What city is {first} connected with?"],
    "email": ["What is the e-mail address?", "How can I write to {first}?", "What is {first}'s email?"],
    "job": ["What is {first}'s job?", "What does {first} do for a living?"],
    "hobby": ["What does {first} like?", "What is {first}'s hobby?"],
    "item": ["What was it about?", "Which item is mentioned?", "What thing is in the order?", "Which item does {first} get?"],
    "quantity": ["How many {item}?", "How many are there?", "How many {item} are in the order?"],
    "amount": ["How much was it?", "What was the price?", "What is the amount?"],
    "date": ["When was it?", "What is the date?", "On which date?"],
}


def wh_questions(rng, split):
    """One text, several questions whose answers are copied from it."""
    d = Dialogue("wh")
    text, v, known = frame(rng, split)
    first = v["name"].split()[0]
    first_turn = True
    for key in rng.sample(known, min(len(known), rng.randint(1, 4))):
        q = rng.choice(QUESTIONS[key]).format(first=first, he="he", item=v["item"])
        a = v["amount_text"] if key == "amount" else v[key]
        d.user(
            (
                rng.choice(["{t}\n{q}", "{t} {q}", "Text: {t}\nQuestion: {q}", "{q}\n{t}", "Read this: {t}\n{q}"]) if first_turn else "{q}"
            ).format(t=text, q=q)
        )
        d.assistant(a)
        first_turn = False
    return d


def animals(rng, split):
    """Records about pets, with booleans."""
    from .entities import first_name

    kind, color, name = rng.choice(PETS), rng.choice(COLORS), first_name(rng, split)
    owner, n, wild = first_name(rng, split), rng.randint(1, 15), rng.random() < 0.4
    text = rng.choice(
        [
            "{o} has a {c} {k} called {n}. It is {a} years old and {w}.",
            "{n} is the {c} {k} of {o}. {n} is {a} and {w}.",
            "The {k} {n} is {a} years old, {c} and {w}. It belongs to {o}.",
        ]
    ).format(o=owner, c=color, k=kind, n=name, a=n, w="wild" if wild else "not wild")
    fields = [
        ("name", quote(name)),
        ("kind", quote(kind)),
        ("color", quote(color)),
        ("age", str(n)),
        ("owner", quote(owner)),
        ("wild", "true" if wild else "false"),
    ]
    fields = [f for f in fields if rng.random() < 0.75] or fields
    d = Dialogue("extract_pet")
    question = rng.choice(
        [
            "Extract the animal as JSON.",
            "Which animal is it? Answer as JSON.",
            rng.choice(ASK_KEYS).format(keys=and_list([k for k, _ in fields])),
        ]
    )
    return d.user(rng.choice(LAYOUTS[:4]).format(t=text, a=question)).assistant(record(fields))
