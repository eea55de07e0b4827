"""Conversations of several turns that refer back to earlier ones, and small talk."""

from . import breadth
from .chats import written_chat
from .dialogue import Dialogue
from .entities import age, city, first_name, item
from .pools import COLORS, HOBBIES, JOBS, PETS, article, pick

SYSTEMS = """You are a kind friend.|You are a helpful assistant.|You are friendly.|You are a polite assistant.|You help people.|You are a good listener.|You answer in short
sentences.|You are a chat partner.|Be brief.""".replace(
    "\n", " "
).split(
    "|"
)
# Facts: how the user says it, what the assistant says to it, questions, the answer.
FACTS = {
    "name": (
        (
            "My name is {v}.",
            "I am {v}.",
            "I'm {v}.",
            "Call me {v}.",
            "Hi, I am {v}.",
            "Hello, my name is {v}.",
            "People call me {v}.",
            "It's {v} here.",
            "Hey, {v} speaking.",
            "You can call me {v}.",
        ),
        ("Nice to meet you, {v}.", "Hello {v}!", "Hi {v}, nice to meet you.", "Welcome, {v}."),
        ("What is my name?", "Who am I?", "Do you remember my name?", "What am I called?"),
        "Your name is {v}.",
    ),
    "city": (
        (
            "I live in {v}.",
            "I come from {v}.",
            "I moved to {v}.",
            "I am from {v}.",
            "My home is {v}.",
            "I have a flat in {v}.",
            "I write to you from {v}.",
            "I was born in {v}.",
        ),
        ("{v} is a nice place.", "I have heard of {v}.", "{v} must be lovely.", "How is life in {v}?"),
        ("Where do I live?", "Which city am I from?", "Where am I from?", "What is my city?"),
        "You are from {v}.",
    ),
    "age": (
        ("I am {v} years old.", "I'm {v}.", "I turned {v} last week.", "My age is {v}.", "I am {v}.", "Today I turned {v}."),
        ("{v} is a good age.", "So you are {v}.", "Nice, {v}!"),
        ("How old am I?", "What is my age?", "Do you know my age?"),
        "You are {v}.",
    ),
    "job": (
        ("I work as {a}.", "I am {a}.", "My job is to be {a}.", "I have been {a} for years.", "I earn my money as {a}."),
        ("That is a good job.", "A {v}, how interesting.", "It must be nice to be {a}."),
        ("What is my job?", "What do I do?", "What do I work as?"),
        "You are {a}.",
    ),
    "hobby": (
        ("I love {v}.", "I like {v}.", "My hobby is {v}.", "In my free time I enjoy {v}.", "I am fond of {v}."),
        ("{V} is fun.", "I see, you like {v}.", "Many people like {v}."),
        ("What do I like?", "What is my hobby?", "What do I enjoy?"),
        "You like {v}.",
    ),
    "color": (
        ("My favourite color is {v}.", "I like the color {v}.", "The color I like best is {v}.", "I love everything {v}."),
        ("{V} is a nice color.", "I like {v} too.", "Good choice."),
        ("What is my favourite color?", "Which color do I like?", "What color do I like?"),
        "Your favourite color is {v}.",
    ),
    "pet": (
        ("I have {a} called {w}.", "My {v} is called {w}.", "{w} is my {v}.", "I got {a}. Its name is {w}."),
        ("{w} is a nice name.", "How is {w}?", "I like the name {w}.", "Say hello to {w}."),
        ("What is my {v} called?", "What is the name of my {v}?", "Do you remember my {v}'s name?"),
        "Your {v} is called {w}.",
    ),
    "buy": (
        ("I bought {a}.", "Today I got {a}.", "I need {a}.", "I am looking for {a}.", "I lost {a}."),
        ("I see, {a}.", "That is good to know.", "A {v}, I see."),
        ("What did I tell you about?", "Which thing did I mention?", "What thing was it?"),
        "You told me about {a}.",
    ),
    "code": (
        ("The code is {v}.", "Remember the number {v}.", "My number is {v}.", "Please remember {v}."),
        ("I will remember {v}.", "Okay, {v}.", "Noted: {v}."),
        ("What is the code?", "What was the number?", "Which number did I tell you?", "What should you remember?"),
        "The number is {v}.",
    ),
    "trip": (
        ("I travel to {v} soon.", "I am going to {v}.", "Next week I fly to {v}.", "My holiday is in {v}.", "We drive to {v}."),
        ("Have a good trip to {v}.", "{v} is nice.", "Enjoy {v}!"),
        ("Where am I going?", "Where do I travel?", "What is the goal of my trip?"),
        "You are going to {v}.",
    ),
    "friend": (
        ("My best friend is {v}.", "I have a friend called {v}.", "{v} is my best friend.", "I met {v} yesterday."),
        ("{v} sounds nice.", "Greetings to {v}.", "How is {v}?"),
        ("Who is my friend?", "What is my friend called?", "Who did I talk about?"),
        "Your friend is {v}.",
    ),
}
MIXED = (
    ("Hi!", "Hello!"),
    ("Hello!", "Hello! How are you?"),
    ("How are you?", "I am fine, thank you."),
    ("I am fine.", "I am glad to hear that."),
    ("What can you do?", "I can answer short questions."),
    ("Thank you.", "You are welcome."),
    ("Thanks!", "You are welcome."),
    ("That is nice.", "Yes, it is."),
    ("Good morning.", "Good morning!"),
    ("Tell me something nice.", "You are a good friend."),
    ("It is raining here.", "Then stay inside and read a book."),
    ("I am tired.", "Then you should sleep a little."),
    ("I am hungry.", "Then you should eat something."),
    ("I am sad.", "I am sorry. I hope you feel better soon."),
    ("I am happy today.", "I am glad to hear that."),
    ("Are you a robot?", "Yes, I am a small language model."),
    ("Who are you?", "I am a small language model."),
    ("What is your name?", "I am a small model without a name."),
    ("Okay.", "Good."),
    ("Can you help me?", "Yes, what do you need?"),
    ("Are we friends?", "yes"),
    ("Do you like me?", "yes"),
    ("Do you like cake?", "Yes, I like cake."),
    ("Good night.", "Good night!"),
    ("What did you do?", "I played in the garden."),
    ("What did you do today?", "I read a book."),
    ("Was it fun?", "Yes, it was fun."),
    ("Did you like it?", "Yes, I liked it."),
    ("And then?", "Then I went home."),
    ("How was your day?", "My day was good."),
    ("Tell me a joke.", "Why did the cat sit on the clock? To be on time."),
    ("See you!", "See you soon!"),
    ("Are you there?", "Yes, I am here."),
    ("Let us talk.", "Yes, let us talk."),
)
CAPITALS = """France Paris|Italy Rome|Spain Madrid|Germany Berlin|Norway Oslo|Japan Tokyo|Egypt Cairo|Austria Vienna|Greece Athens|Ireland Dublin|Poland Warsaw|Portugal Lisbon|Sweden Stockholm|Russia Moscow|China
Beijing|Kenya Nairobi|Peru Lima|Cuba Havana|Hungary Budapest|Denmark Copenhagen|Finland Helsinki|Turkey Ankara|Canada Ottawa|England London""".replace(
    "\n", " "
).split(
    "|"
)
OPPOSITES = "hot cold|big small|good bad|old young|fast slow|long short|high low|happy sad|dark light|wet dry|full empty|hard soft|early late|near far|rich poor|clean dirty|open closed|up down|left right|day night".split(
    "|"
)


def fill(rng, split, kind):
    w = ""
    v = {"name": first_name, "city": city, "trip": city, "friend": first_name}.get(kind, lambda r, s: None)(rng, split)
    if kind == "age":
        v = age(rng)[1]
    elif kind == "job":
        v = pick(rng, split, JOBS)
    elif kind == "hobby":
        v = pick(rng, split, HOBBIES)
    elif kind == "color":
        v = rng.choice(COLORS)
    elif kind == "pet":
        v, w = rng.choice(PETS), first_name(rng, split)
    elif kind == "buy":
        v = item(rng, split, False)
    elif kind == "code":
        v = str(rng.randint(10, 99999))
    return {"v": v, "w": w, "a": article(v), "V": v.capitalize()}


def memory(rng, split, turns=None):
    """The user tells facts, talks about other things, then asks back."""
    d = Dialogue("chat")
    if rng.random() < 0.4:
        d.system(rng.choice(SYSTEMS))
    kinds = rng.sample(sorted(FACTS), rng.randint(1, 3))
    facts = {k: fill(rng, split, k) for k in kinds}
    told = []
    for kind in kinds:
        say, reply, _, _ = FACTS[kind]
        parts = [pick(rng, split, say).format(**facts[kind])]
        d.user(parts[0])
        d.assistant(rng.choice(reply).format(**facts[kind]))
        told.append(kind)
        while rng.random() < 0.25:
            u, a = rng.choice(MIXED)
            d.user(u).assistant(a)
    if rng.random() < 0.15:  # a correction
        kind = rng.choice(kinds)
        facts[kind] = facts[kind] | {k: x for k, x in fill(rng, split, kind).items() if not (kind == "pet" and k in ("v", "a", "V"))}
        d.user(
            rng.choice(["No, wait. ", "Sorry, I was wrong. ", "Correction: ", "Actually, "])
            + FACTS[kind][0][1 if kind == "pet" else 0].format(**facts[kind])
        )
        d.assistant(rng.choice(["Okay.", "I see.", "Thank you for telling me."]))
    for kind in rng.sample(kinds, rng.randint(1, len(kinds))):
        f = facts[kind]
        question = rng.choice(FACTS[kind][2]).format(**f)
        if rng.random() < 0.15:
            short = f["w"] or f["v"]
            d.user(question + " " + rng.choice(["One word only.", "Just the answer.", "Answer briefly."])).assistant(short)
        else:
            d.user(question).assistant(FACTS[kind][3].format(**f))
    return d


def in_one(rng, split):
    """Several facts in one message, then questions."""
    d = Dialogue("chat")
    kinds = rng.sample(["name", "city", "age", "job", "hobby", "color", "pet", "friend"], rng.randint(2, 3))
    facts = {k: fill(rng, split, k) for k in kinds}
    d.user(" ".join(pick(rng, split, FACTS[k][0]).format(**facts[k]) for k in kinds))
    k0 = kinds[0]
    d.assistant(rng.choice(FACTS[k0][1]).format(**facts[k0]))
    for kind in rng.sample(kinds, rng.randint(1, len(kinds))):
        d.user(rng.choice(FACTS[kind][2]).format(**facts[kind])).assistant(FACTS[kind][3].format(**facts[kind]))
    return d


def small_talk(rng, split):
    d = Dialogue("small_talk")
    if rng.random() < 0.6:
        d.system(rng.choice(SYSTEMS))
    for u, a in rng.sample(MIXED, rng.randint(1, 4)):
        d.user(u).assistant(a)
    if rng.random() < 0.4:
        d.user("What did I say first?" if rng.random() < 0.5 else "What was my first message?").assistant(
            f'You said: "{[m for m in d.messages if m[0] == "user"][0][1]}"'
        )
    return d


def knowledge(rng, split):
    """A few things to know by heart."""
    d = Dialogue("facts")
    for _ in range(rng.randint(1, 3)):
        r = rng.random()
        if r < 0.4:
            country, capital = rng.choice(CAPITALS).split()
            d.user(
                rng.choice(["What is the capital of {c}?", "Which city is the capital of {c}?", "Name the capital of {c}."]).format(
                    c=country
                )
            ).assistant(rng.choice([f"{capital}.", f"The capital of {country} is {capital}."]))
        elif r < 0.7:
            a, b = rng.choice(OPPOSITES).split()
            if rng.random() < 0.5:
                a, b = b, a
            d.user(rng.choice(["What is the opposite of {a}?", "Name the opposite of {a}."]).format(a=a)).assistant(
                f"The opposite of {a} is {b}."
            )
        else:
            n = rng.randint(1, 19)
            d.user(f"What number comes after {n}?").assistant(str(n + 1))
    return d


def repeat(rng, split):
    """Says back, spells, lists: practice in copying."""
    from .entities import syllables
    from .pools import RANDOM_WORDS

    d = Dialogue("repeat")
    pool = [syllables(rng) if rng.random() < 0.5 else rng.choice(RANDOM_WORDS) for _ in range(rng.randint(2, 9))]
    r = rng.random()
    if r < 0.5:
        text = " ".join(pool)
        return d.user(rng.choice(["Repeat: {t}", "Say this again: {t}", "Copy this: {t}", "Write: {t}"]).format(t=text)).assistant(text)
    if r < 0.75:
        return d.user(f"Write these words as a JSON list: {', '.join(pool)}").assistant('["' + '","'.join(pool) + '"]')
    at = rng.randrange(len(pool) - 1)
    return d.user(f"{' '.join(pool)}\nWhich word comes after {pool[at]}?").assistant(pool[pool.index(pool[at]) + 1])


def chat(rng, split):
    if split == "train" and breadth.late and rng.random() < 0.4:
        return written_chat(rng, split)
    r = rng.random()
    if split == "test" or r < 0.55:
        return memory(rng, split)
    return (
        in_one(rng, split) if r < 0.72 else small_talk(rng, split) if r < 0.84 else knowledge(rng, split) if r < 0.9 else repeat(rng, split)
    )
