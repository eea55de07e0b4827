"""Short texts about people, orders, payments and appointments, put together from clauses that each carry facts.

`frame` returns a text and its facts; which sentence patterns and entities it may use is decided by the split.
"""

import re

from . import breadth, frames_more, frames_wide
from .dialogue import sentence
from .entities import age, amount, city, date, email, first_name, full_name, item, pronouns, quantity, syllables
from .pools import COLORS, COMMON_THINGS, HOBBIES, JOBS, PETS, RANDOM_WORDS, pick, plural

# Verb phrases by the facts they carry. "{…}" are facts or fillers.
AGE = tuple(
    """is {age} years old|is {age}|turned {age} last week|has just turned {age}|is {age} years of age|celebrated turning {age}|will
be {next} next year and is {age} now|is now {age}|is already {age}|turns {age} today|is only {age}|became {age} in May|is aged {age}|is
about to leave school at {age}|has reached the age of {age}|is a {age}-year-old {job}|feels young at {age}|is {age} years old and happy
|is still {age}|recently turned {age}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
CITY = tuple(
    """lives in {city}|is from {city}|comes from {city}|moved to {city}|works in {city}|has settled in {city}|grew up in {city}|rents a
flat in {city}|calls {city} home|is based in {city}|has a small house in {city}|lives near the station in {city}|is a {job} in
{city}|runs a shop in {city}|was born in {city}|stays with a friend in {city}|has lived in {city} for years|spends every winter in
{city}|studies in {city}|owns a farm close to {city}|now lives in the middle of {city}|bought a house in {city}|returned to {city}|likes living
in {city}|found a job in {city}|is happy in {city}|shares a flat in {city} with friends|teaches in {city}|belongs to a club in {city}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
EMAIL = tuple(
    """can be reached at {email}|uses the address {email}|has the e-mail address {email}|reads mail at {email}|answers mail sent to
{email}|gave {email} as a contact|writes from {email}|prefers to be contacted at {email}|can be contacted under {email}|has a new
address, {email}|signed up with {email}|left the address {email}|asks for a reply to {email}|checks {email} every day|registered as {email}|wants
the bill sent to {email}|is available at {email}|shared the email {email}|can be found at {email}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
JOB = tuple(
    "works as a {job}|is a {job}|is a {job} by trade|earns a living as a {job}|trained as a {job}|used to be a {job}|wants to be a {job}".split(
        "|"
    )
)
HOBBY = tuple(
    "loves {hobby}|enjoys {hobby}|likes {hobby}|is fond of {hobby}|spends the weekends {hobby}|is crazy about {hobby}|dreams of {hobby}".split(
        "|"
    )
)
PET = tuple(
    "has a {pet}|has two {pets}|owns a {color} {pet}|looks after three {pets}|keeps a {pet} at home|walks a {color} {pet}|feeds five {pets}".split(
        "|"
    )
)
BUY = tuple(
    """ordered {qty} {item}|bought {qty} {item}|wants {qty} {item}|needs {qty} {item}|picked up {qty} {item}|asked for {qty} {item}|would
like {qty} {item}|has ordered {qty} {item}|purchased {qty} {item}|is buying {qty} {item}|sent for {qty} {item}|got {qty} {item}|took
{qty} {item}|reserved {qty} {item}|chose {qty} {item}|placed an order for {qty} {item}|requested {qty} {item}|is looking for {qty}
{item}|put {qty} {item} in the basket|received {qty} {item}|came home with {qty} {item}|is waiting for {qty} {item}|sold {qty} {item}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
COST = tuple(
    """for {amount}|for {amount} in all|at a total of {amount}|and paid {amount}|for a price of {amount}|and was charged {amount}|for only
{amount}|worth {amount}|and spent {amount}|for {amount} altogether|costing {amount}|at {amount}|and owes {amount}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
COST_S = tuple(
    """The total is {amount}|The bill came to {amount}|It cost {amount}|{He} paid {amount}|The price was {amount}|The order comes to
{amount}|That makes {amount}|{He} spent {amount} on it|The invoice is over {amount}|The whole order cost {amount}|{His} bill is {amount}|{amount}
was the price|All together it was {amount}|{He} handed over {amount}|The amount due is {amount}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
WHEN = tuple("on {date}|on {date}|dated {date}|, delivered on {date}|back on {date}|already on {date}".split("|"))
WHEN_S = tuple(
    """The delivery is due on {date}|It arrived on {date}|The order was placed on {date}|The date is {date}|Delivery date: {date}|It was
sent on {date}|That was on {date}|The parcel comes on {date}|It all happened on {date}|The receipt is from {date}|We expect it on
{date}|The invoice is dated {date}|It has to be there by {date}|Everything was paid on {date}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
EVENT = tuple(
    """will meet {other} on {date}|has an appointment on {date}|travels on {date}|has a lesson on {date}|sees the dentist on {date}|starts a new
job on {date}|gives a talk on {date}|flies home on {date}|takes an exam on {date}|is getting married on {date}|plays a concert on {date}|begins the
course on {date}|moves house on {date}|will visit on {date}|opens a new shop on {date}|leaves on {date}|was born on {date}""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
DISTRACT = tuple(
    """{other} lives somewhere else|The weather was fine|It had rained all morning|Nobody knew why|{His} friend {other} is a {job}|The
street was quiet|There were {n} people in the room|It was a long day|{other} was not there|The bus was {n} minutes late|Everyone was pleased|The
shop closes at {n}|{other} sends greetings|The phone rang {n} times|We talked for {n} minutes|{other} has a {color} {thing}|The door was open|A
{color} {thing} stood by the door|Dinner was at {n}|The train left on time""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
CLAUSES = {"age": AGE, "city": CITY, "email": EMAIL, "job": JOB, "hobby": HOBBY, "pet": PET}
SHAPES = {
    2: (
        "{S} {0} and {1}.",
        "{S}, who {0}, {1}.",
        "{S} {0}. {He} {1}.",
        "{S} {0}, and {he} {1}.",
        "{S} {0}; {he} {1}.",
        "{S}, who {1}, {0}.",
        "{S} {1}, but also {0}.",
        "{S} {0}. {First} {1}.",
        "{S} {0} these days. Also, {he} {1}.",
    ),
    3: (
        "{S} {0}, {1} and {2}.",
        "{S} {0} and {1}. {He} {2}.",
        "{S} {0}. {He} {1} and {2}.",
        "{S}, who {0}, {1}. {He} {2}.",
        "{S} {0}. {He} {1}. {He} {2}.",
        "{S} {0}. {First} {1}, and {he} {2}.",
        "{S} {0} and {1}, and {he} {2}.",
        "{S}, who {0} and {1}, {2}.",
    ),
    1: (
        "{S} {0}.",
        "{S} {0}.",
        "This is {name}, who {0}.",
        "We know that {S} {0}.",
        "I heard that {S} {0}.",
        "Meet {S}, who {0}.",
        "{S}, a {job}, {0}.",
        "My neighbour {S} {0}.",
        "As far as I know, {S} {0}.",
        "{S} {0} at the moment.",
    ),
}
SHAPES = {k: tuple(v) for k, v in SHAPES.items()}
PERSON_SPECIAL = tuple(
    """{name}, {age}, lives in {city}.|{age}-year-old {name} lives in {city}.|{name} ({age}) is from {city}.|In {city} I met {name}, who is {age}.|Hi, I am {name},
{age} years old, from {city}.|My name is {name}. I am {age} and I live in {city}.|{name} from {city} is {age} years old.|At {age}, {name} moved to {city}.|Name: {name}
Age: {age}
City: {city}|{name}, a {age}-year-old {job} from {city}, likes {hobby}.|From {city} comes {name}, aged {age}.|Hello! I'm {name} and I'm {age}. I come from
{city}.|There is a {job} in {city} called {name}, who is {age}.|{city} is the home of {name}, {age}.|name: {name}; age: {age}; city: {city}|We spoke to {name} of
{city}, who turned {age} this year.|Our new {job} is {name}. {He} is {age} and comes from {city}.|I'm {age}, my name is {name}, and {city} is where I live.""".replace(
        "\nA", "\0A"
    )
    .replace("\nC", "\0C")
    .replace("\n", " ")
    .replace("\0", "\n")
    .split("|")
)
ORDER_SPECIAL = tuple(
    """Hello, this is {name}. Please send me {qty} {item}.|{name} here. I would like to order {qty} {item}.|Please send {qty} {item} to {name} in {city}.|Order: {qty}
{item}. Customer: {name}.|{qty} {item} for {name}, please.|Can I have {qty} {item}? My name is {name}.|We shipped {qty} {item} to {name}.|The {qty} {item} are for
{name}.|{qty} x {item} - {name}|Invoice for {name}: {qty} {item}.|I, {name}, order {qty} {item} today.|Dear shop, I need {qty} {item}. Yours, {name}|Sold to {name}: {qty}
{item}.|Our customer {name} bought {qty} {item}.|A parcel with {qty} {item} went to {name}.""".replace(
        "\n", " "
    ).split(
        "|"
    )
)
CONTACT_SPECIAL = tuple(
    """Write to {name} at {email}.|{name} <{email}>|Contact: {name}, {email}.|Please answer {name} under {email}.|From: {name} ({email})|Send it to {email}, that is
{name}.|{name}'s e-mail is {email}.|The address of {name} is {email}.|For questions, ask {name} at {email}.|My name is {name} and my email is {email}.|You reach
{name} by mail: {email}.|{email} belongs to {name}.|Mail {email} to get hold of {name}.""".replace(
        "\n", " "
    ).split(
        "|"
    )
)


DEEDS = """found took lost carried opened fixed painted cleaned washed sold hid threw caught kept watched followed heard touched moved turned filled drew cut
brought borrowed shared cooked baked counted planted owns sees likes gets makes sends keeps shows packs loads checks lists offers misses expects imports rents stores
delivers returned exchanged collected unpacked unwrapped produced shipped tested weighed donated""".split()
LINKS = "at in from near of for by with to under via over through as around".split()


COMPOSED = {"train": 0.7, "dev": 0.5}  # share of the texts that grammar.py makes


def odd(rng, kind):
    """For training only: a verb phrase with any verb, also one that does not exist, so that the place tells what is what."""
    verb = rng.choice(DEEDS) if rng.random() < 0.6 else syllables(rng, 1, 2) + rng.choice(["ed", "s", "ed", ""])
    link = rng.choice(LINKS) if rng.random() < 0.85 else syllables(rng, 1, 1)
    noun = rng.choice(RANDOM_WORDS)
    extra = rng.choice(["", "", " today", " again", f" the {noun}", f" a {noun}", " often"])
    if kind == "buy":
        return f"{rng.choice(['', '', '', 'has ', 'will ', 'quickly ', 'just '])}{verb} {{qty}} {{item}}{rng.choice(['', '', '', ' today', ' again', f' {link} the {noun}'])}"
    if kind == "event":
        return f"{verb}{extra} {rng.choice(['on', 'on', 'on', 'for', 'by', 'until', 'from'])} {{date}}"
    return f"{verb}{extra} {link} {{{kind}}}"


# By the list that is cut into splits: the patterns that are for training alone.
_LISTS = "AGE CITY EMAIL BUY COST COST_S WHEN_S EVENT PERSON_SPECIAL ORDER_SPECIAL CONTACT_SPECIAL".split()
_MORE = {id(globals()[n]): (getattr(frames_more, n), getattr(frames_wide, n)) for n in _LISTS}


def choose(rng, split, items):
    """One pattern: of the split, or while training one of frames_more.py and frames_wide.py that is like no held-out one."""
    more, wide = _MORE.get(id(items), ((), ()))
    if split != "train" or not more or rng.random() < (0.2 if breadth.wide else 0.4):
        return pick(rng, split, items)
    return fresh(rng, more + wide if breadth.wide else more)


def fresh(rng, patterns):
    """One of patterns for training alone that is like no held-out one."""
    from . import held

    while True:
        pattern = rng.choice(patterns)
        if held.clean(pattern):
            return pattern


def filler(rng, split, facts=()):
    f = {"job": pick(rng, split, JOBS), "hobby": pick(rng, split, HOBBIES), "color": rng.choice(COLORS), "pet": rng.choice(PETS)}
    f |= {"n": str(rng.randint(2, 40)), "thing": pick(rng, split, COMMON_THINGS)}
    other = first_name(rng, split)
    f["other"] = other if rng.random() < 0.7 else full_name(rng, split)
    f["pets"] = plural(f["pet"])
    return f


def person(rng, split):
    """Facts about one person: spelling `s`, value `v`."""
    name = full_name(rng, split) if rng.random() < 0.6 else first_name(rng, split)
    first = name.split()[0]
    a, d, m = age(rng), date(rng), amount(rng)
    q = quantity(rng)
    s = {
        "name": name,
        "first": first,
        "First": first,
        "S": name,
        "age": a[0],
        "next": str(int(a[1]) + 1),
        "date": d[0],
        "amount": m[0],
        "qty": q[0],
        "quantity": q[1],
    }
    v = {"name": name, "age": a[1], "date": d[1], "amount": m[1], "quantity": q[1], "amount_text": m[0]}
    s["city"] = v["city"] = city(rng, split)
    s["email"] = v["email"] = email(rng, split, name)
    if rng.random() < 0.2:
        s["qty"], v["quantity"] = rng.choice(["a", "one", "one", "a single"]), "1"
        s["quantity"] = "1"
    s["item"] = v["item"] = item(rng, split, v["quantity"] != "1")
    if s["qty"] == "a" and s["item"][0] in "aeiou":
        s["qty"] = "an"
    s |= filler(rng, split) | pronouns(rng, first)
    v |= {"job": s["job"], "hobby": s["hobby"]}
    return s, v


def _clauses(rng, split, s, kinds):
    kinds = list(kinds)
    rng.shuffle(kinds)
    shape = pick(rng, split, SHAPES[len(kinds)])
    text = shape
    for i, kind in enumerate(kinds):
        clause = (
            odd(rng, kind) if split == "train" and kind in ("city", "email") and rng.random() < 0.25 else choose(rng, split, CLAUSES[kind])
        )
        text = text.replace("{%d}" % i, clause)
    return text.format(**s)


def frame(rng, split, kind=None):
    """(text, facts, names of the facts that the text carries, in the usual order)."""
    from . import grammar, held

    s, v = person(rng, split)
    kind = kind or rng.choice(["person", "person", "order", "order", "contact", "event"])
    known = {"name"}
    order = ["name", "age", "city", "email", "job", "hobby", "item", "quantity", "amount", "date"]
    if split != "test" and rng.random() < (0.45 if breadth.wide else COMPOSED[split]):
        while True:
            text, known = grammar.compose(rng, split, kind, s)
            if held.clean(text):
                return text, v, [k for k in order if k in known]
    if kind == "person":
        if rng.random() < 0.4:
            text = choose(rng, split, PERSON_SPECIAL).format(**s)
            known |= {"age", "city"}
        else:
            kinds = rng.sample(["age", "city", "email", "age", "city", "job", "hobby", "pet"], rng.choice([1, 2, 2, 3, 3]))
            kinds = list(dict.fromkeys(kinds))
            text = _clauses(rng, split, s, kinds)
            known |= set(kinds) & {"age", "city", "email", "job", "hobby"}
        if "{email}" not in text and "email" not in known and rng.random() < 0.25:
            text += " " + sentence(f"{s['he']} {choose(rng, split, EMAIL)}".format(**s))
            known.add("email")
    elif kind == "contact":
        text = choose(rng, split, CONTACT_SPECIAL).format(**s)
        if split == "train" and rng.random() < 0.35:
            verb, link = syllables(rng, 1, 2).capitalize() if rng.random() < 0.4 else rng.choice(DEEDS).capitalize(), rng.choice(LINKS)
            text = rng.choice(
                ["{v} {n} {l} {e}.", "{v} {e} {l} {n}.", "{n} {l} {e}.", "{e}: {n}.", "{v} {l} {e}, {n}.", "{n}, {l} {e}, {v}."]
            ).format(v=verb, l=link, n=s["name"], e=s["email"])
        known.add("email")
        if rng.random() < 0.5:
            text += " " + sentence(f"{s['he']} {choose(rng, split, CITY)}".format(**s))
            known.add("city")
    elif kind == "event":
        if split == "train" and breadth.wide and rng.random() < 0.5:
            text = fresh(rng, frames_wide.EVENT_SPECIAL).format(**s)
        else:
            event = odd(rng, "event") if split == "train" and rng.random() < 0.35 else choose(rng, split, EVENT)
            text = sentence(f"{s['S']} {event}".format(**s))
        known.add("date")
        if rng.random() < 0.5:
            extra = rng.choice(["city", "age", "email"])
            text += " " + sentence(f"{s['he']} {choose(rng, split, CLAUSES[extra])}".format(**s))
            known.add(extra)
    elif split == "train" and breadth.wide and rng.random() < 0.3:
        text = fresh(rng, frames_wide.INVOICE_SPECIAL).format(**s)
        known |= {"item", "quantity", "amount"}
    else:
        known |= {"item", "quantity"}
        special = rng.random() < 0.35
        bought = odd(rng, "buy") if split == "train" and rng.random() < 0.35 else choose(rng, split, BUY)
        text = choose(rng, split, ORDER_SPECIAL).format(**s) if special else f"{s['S']} {bought}".format(**s)
        if special and f" {s['city']}" in text:
            known.add("city")
        if not special:
            where = rng.random()
            if where < 0.2:
                text = text.replace(s["S"], f"{s['S']} from {s['city']}", 1)
                known.add("city")
            elif where < 0.3:
                text = text.replace(s["S"], f"{s['S']}, {s['age']},", 1)
                known.add("age")
            tail = rng.random()
            if tail < 0.35:
                text = (text + " " + choose(rng, split, COST).format(**s)).replace(" ,", ",")
                known.add("amount")
            if 0.25 < tail < 0.5:
                text = (text + " " + pick(rng, split, WHEN).format(**s)).replace(" ,", ",")
                known.add("date")
            text = sentence(text)
            if rng.random() < 0.08:
                text = f"On {s['date']}, {text}" if "date" not in known else text
                known.add("date")
        text = text if text[-1] in ".?!" or special else text + "."
        extra = rng.random()
        if extra < 0.3 and "amount" not in known:
            text += " " + sentence(choose(rng, split, COST_S).format(**s))
            known.add("amount")
        if 0.2 < extra < 0.45 and "date" not in known:
            text += " " + sentence(choose(rng, split, WHEN_S).format(**s))
            known.add("date")
        if extra > 0.8 and "email" not in known:
            text += " " + sentence(f"{s['he']} {choose(rng, split, EMAIL)}".format(**s))
            known.add("email")
    if rng.random() < 0.25:
        extra = sentence(pick(rng, split, DISTRACT).format(**(s | filler(rng, split))))
        text = f"{extra} {text}" if rng.random() < 0.4 else f"{text} {extra}"
    text = re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)
    return text, v, [k for k in order if k in known]
