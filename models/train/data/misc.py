"""What the examples of the language do: judging essays, marks, summaries, plans, small sums, guessing, drawings, plain English."""

from .classification import text_of
from .dialogue import Dialogue, quote, record
from .entities import first_name, item
from .frames import frame
from .pools import COMMON_THINGS, article, pick, plural, words

THEMES = {
    "Dogs": "good pets|They play with kids|They keep the house safe|They need a walk every day|They are loyal friends",
    "Cats": "clean animals|They catch mice|They sleep most of the day|They like to be alone|They purr when they are happy",
    "Books": "full of ideas|They teach us about the world|You can read them anywhere|They help us to relax|Children learn words from them",
    "Trees": "useful plants|They give us shade|They clean the air|Birds build nests in them|Their wood is used for houses",
    "Trains": "a good way to travel|They are fast and safe|They use less energy than cars|You can read on the way|They bring many people to work",
    "Apples": "healthy food|They taste sweet|They grow in many countries|They keep for weeks|You can bake them in a pie",
    "Schools": "important places|Children learn to read there|They meet friends there|Teachers help them|Everybody should go to school",
    "Bikes": "better than cars|They make no noise|They keep you fit|They cost little|They need no petrol",
    "Phones": "useful tools|We call our friends with them|They help us to find the way|They can take photos|Many people use them too much",
    "Summers": "the best time of the year|The days are long|We swim in the lake|The sun is hot and bright|There is no school",
    "Gardens": "nice to have|Flowers grow in them|We can eat what we plant|They give work and joy|Bees like them",
    "Bees": "important insects|They make honey|They visit many flowers|Without them there is less fruit|They live in large groups",
    "Libraries": "good for everyone|They lend books for free|They are quiet|Students work there|They keep old texts safe",
    "Sports": "good for the body|They make us strong|We meet friends there|They teach us to lose|You sleep better after them",
    "Stars": "far away|They shine at night|Sailors found their way by them|The sun is one of them|They are very old",
}
THEMES = {k: v.split("|") for k, v in THEMES.items()}
WEAK = (
    "Maybe they are nice|I do not know|Somehow it is so|Things are like that|It is what it is|Some people say something else|Stuff happens|Perhaps it depends"
).split("|")
PROOFS = (
    "because a study showed it|because my teacher told me so|for example in my town|as {n} of ten people say|because I saw it myself|as a report from {y} says"
).split("|")
NOTES = {
    "good": {
        "clarity": "The text is clear and easy to read.|It is clear and well ordered.|Every sentence is easy to understand.",
        "evidence": "It gives good reasons and examples.|The claims are backed by examples.|It names reasons for what it says.",
        "length": "The length is just right.|It is long enough to make its point.|The length is good.",
        "style": "The style is simple and lively.|The style is clear and friendly.|It is written in good style.",
        "structure": "The order of ideas is good.|It has a clear structure.",
        "other": "It is good.|That is done well.|It is convincing.",
    },
    "bad": {
        "clarity": "The text is vague and hard to follow.|It is not clear what is meant.|Many words say little.",
        "evidence": "It gives no reasons.|The claims have no support.|There is no evidence at all.",
        "length": "It is too short.|The text is very short.|It could be longer.",
        "style": "The style is dull.|The style is clumsy.|It is not well written.",
        "structure": "There is no clear order.|The ideas jump around.",
        "other": "It is weak.|That needs more work.|It is not convincing.",
    },
}
NOTES = {q: {k: v.split("|") for k, v in n.items()} for q, n in NOTES.items()}
OTHERS = ["grammar", "originality", "facts", "tone", "humour", "depth", "logic"]
JUDGE = ["You judge essays.", "You are a careful judge of essays.", "You are a teacher.", "You grade texts.", "You are a judge."]
ASK_NOTE = [
    "Judge its {d}.",
    "Judge its {d} in one sentence.",
    "How is its {d}?",
    "What about the {d}?",
    "Say something about its {d}.",
    "Comment on the {d}.",
    "How is the {d}?",
]
GOALS = """bake a cake: mix flour and eggs, add sugar and milk, put it into the oven, let it cool and eat it|clean the house: open the windows, sweep the floor, wash the dishes, take out the trash|plant a tree: dig a hole, put the tree
into it, fill in the earth, water it every day|learn a song: listen to it, read the words, sing it slowly, sing it every day|write a letter: take paper and a pen, write the date and the name, say what you want to say, put it into an
envelope|fix a bike: turn it over, find the broken part, replace the part, test the brakes|cook soup: cut the vegetables, boil the water, add the vegetables and salt, stir and wait|plan a party: choose a day, invite the guests, buy food
and drinks, put up the lights|build a birdhouse: find some wood, cut the boards, nail them together, hang it on a tree|catch a bus: look up the time, walk to the stop, wait for the bus, get on and pay|make tea: boil the water, put
tea into the pot, pour the water, wait for three minutes|learn to swim: find a teacher, practise in shallow water, learn to breathe, swim a little every day|paint a room: cover the floor, choose a color, paint the walls, let it dry|buy a
house: save money, look at some houses, talk to the bank, sign the contract|save money: write down what you spend, buy only what you need, put some money aside, wait and be patient|get fit: go for a walk, eat fruit, sleep well, run twice
a week|travel to the sea: choose a place, pack a bag, take the train, walk to the beach|find a job: write down what you can do, read the offers, send a letter, go to the interview|wash a dog: fill a tub with warm water, put the dog into
it, use some soap, dry the dog|make a salad: wash the leaves, cut the tomatoes, add oil and salt, mix it well""".replace(
    "\n", " "
)
GOALS = tuple((g.split(": ")[0].strip(), tuple(s.strip() for s in g.split(": ")[1].split(", "))) for g in GOALS.split("|"))


def essay(rng):
    """(text, theme, quality 0 to 3)."""
    theme = rng.choice(sorted(THEMES))
    bits = THEMES[theme]
    quality = rng.randint(0, 3)
    count = [1, 2, 3, 4][quality] if rng.random() < 0.8 else rng.randint(1, 4)
    sentences = [f"{theme} are {bits[0]}"] + rng.sample(bits[1:], min(count - 1, 4))
    if quality >= 2:
        i = rng.randrange(len(sentences))
        sentences[i] += " " + rng.choice(PROOFS).format(n=rng.randint(6, 9), y=rng.randint(1990, 2024))
    if quality <= 1:
        sentences.insert(rng.randint(0 if quality else 1, len(sentences)), rng.choice(WEAK))
    return ". ".join(sentences) + ".", theme, quality


def note(rng, dimension, quality):
    good = quality >= 2 or (quality == 1 and rng.random() < 0.3)
    if dimension == "length":
        good = quality >= 2
    table = NOTES["good" if good else "bad"]
    return rng.choice(table.get(dimension.lower(), table["other"]))


def judge(rng, split):
    """The judge: is it an essay, notes on dimensions, marks, then the report."""
    text, theme, quality = essay(rng)
    d = Dialogue("judge")
    if rng.random() < 0.8:
        d.system(rng.choice(JUDGE))
    if rng.random() < 0.1:
        text = rng.choice(["hello", "abc", "ok", "123", "yes", "banana", "hi there", "no idea"])
        return d.user(f"Essay:\n{text}\nIs this an essay?").assistant("no")
    opening = rng.random()
    if opening < 0.4:
        d.user(f"Essay:\n{text}\nIs this an essay?").assistant("yes")
    elif opening < 0.7:
        d.user(f"Essay:\n{text}")
        d.user(rng.choice(ASK_NOTE).format(d="clarity")).assistant(note(rng, "clarity", quality))
    else:
        ask = rng.choice(ASK_NOTE).format(d="style")
        d.user(f"{rng.choice(['Essay', 'Text', 'Story'])}:\n{text}\n{ask}").assistant(note(rng, "style", quality))
    dims = rng.sample(["clarity", "evidence", "length", "style", "structure", *rng.sample(OTHERS, 2)], rng.randint(1, 3))
    notes = [note(rng, x, quality) for x in dims]
    r = rng.random()
    if r < 0.5:
        for x, y in zip(dims[:1] if rng.random() < 0.6 else dims, notes):
            d.user(rng.choice(ASK_NOTE).format(d=x)).assistant(y)
        if rng.random() < 0.3:
            d.user(f"Rate its {dims[0]} from 1 to 10.").assistant(str(mark(rng, quality, 10)))
        return d
    joined = "\n".join(f"- {x}" for x in notes) if rng.random() < 0.7 else "; ".join(notes)
    d.user(
        rng.choice(["Notes:\n{n}\nWrite the report.", "Notes: {n}\nWrite the report as JSON.", "Notes:\n{n}\nGive the report."]).format(
            n=joined
        )
    )
    grade = "DCBA"[quality]
    score = [rng.randint(20, 44), rng.randint(45, 64), rng.randint(65, 84), rng.randint(85, 98)][quality]
    summary = f"{theme} are {THEMES[theme][0]}." if rng.random() < 0.7 else f"{theme} are {THEMES[theme][0]}"
    tags = ["clear" if quality >= 2 else "vague"] + (["short"] if quality <= 1 else ["fun"] if quality == 3 else [])
    fields = [
        ("summary", quote(summary)),
        ("grade", quote(grade)),
        ("score", str(score)),
        ("tags", "[" + ",".join(quote(t) for t in tags) + "]"),
    ]
    if rng.random() < 0.3:
        fields = [f for f in fields if rng.random() < 0.7] or fields
    if rng.random() < 0.2:
        fields.insert(1, ("stars", str(quality + 2)))
        fields.insert(1, ("verdict", quote(["bad", "mixed", "good", "good"][quality])))
    return d.assistant(record(fields))


def mark(rng, quality, top):
    return max(1, min(top, round(top * [0.25, 0.45, 0.7, 0.92][quality] + rng.choice([-0.4, 0, 0.4]))))


def marks(rng, split):
    """Marks for texts, 1 to 5, 1 to 10 or in words."""
    d = Dialogue("marks")
    label = rng.choice(["positive", "negative", "neutral"])
    text = text_of(rng, split, "sentiment", label)
    top = rng.choice([5, 10, 5, 3])
    q = {"positive": 3, "neutral": 1.5, "negative": 0}[label]
    n = max(1, min(top, round(1 + (top - 1) * q / 3)))
    return d.user(
        rng.choice(
            [
                f"{text}\nHow many stars, 1 to {top}?",
                f"Rate this from 1 to {top}.\n{text}",
                f"{text}\nMark it, 1 to {top}.",
                f"How good is it, 1 to {top}?\n{text}",
                f"{text}\nRate it from 1 to {top}.",
            ]
        )
    ).assistant(str(n))


def summary(rng, split):
    """One line for a text."""
    text, v, known = frame(rng, split, rng.choice(["person", "order"]))
    first = v["name"]
    if "item" in known:
        line = f"{first} and {v['quantity']} {v['item']}."
    elif "city" in known:
        line = f"{first} from {v['city']}."
    elif "age" in known:
        line = f"{first}, aged {v['age']}."
    else:
        line = f"About {first}."
    r = rng.random()
    if r < 0.3:
        return Dialogue("summary", text=f"In short.\nText: {text}\nIn short: {line}\n", start=len(f"In short.\nText: {text}\nIn short:"))
    return (
        Dialogue("summary")
        .user(
            rng.choice(
                [
                    "Summarise in one line: {t}",
                    "{t}\nIn short?",
                    "In one line: {t}",
                    "Text: {t}\nSummary:",
                    "{t}\nSummarise this in one line.",
                ]
            ).format(t=text)
        )
        .assistant(line)
    )


def plan(rng, split):
    """Steps towards a goal, and marks for them."""
    goal, steps = rng.choice(GOALS)
    d = Dialogue("plan").user(
        rng.choice(["Plan how to {g}.", "How do I {g}?", "Make a plan to {g}.", "I want to {g}. What are the steps?"]).format(g=goal)
    )
    r = rng.random()
    numbered = [f"Step {i + 1}: {s[0].upper() + s[1:]}." for i, s in enumerate(steps)]
    if r < 0.3:
        return d.assistant("\n".join(numbered))
    if r < 0.5:
        return d.assistant("\n".join(f"- {s}" for s in steps))
    for i, s in enumerate(numbered[: rng.randint(1, 4)]):
        d.assistant(s[len(f"Step {i + 1}:") :], f"Step {i + 1}:")
        if rng.random() < 0.6:
            d.user("Mark it, 1 to 5.").assistant(str(rng.choice([4, 4, 5, 3])))
    return d


def sums(rng, split):
    """Tiny sums, with and without a reason."""
    a, b = rng.randint(1, 12), rng.randint(1, 9)
    op = rng.choice("++-")
    if op == "-" and a < b:
        a, b = b, a
    c = a + b if op == "+" else a - b
    n, thing = first_name(rng, split), pick(rng, split, COMMON_THINGS)
    q = rng.choice(
        [
            f"What is {a} {op} {b}?",
            f"{a} {op} {b} = ?",
            f"How much is {a} {'plus' if op == '+' else 'minus'} {b}?",
            f"{n} has {a} {plural(thing)} and {'gets' if op == '+' else 'loses'} {b}. How many {plural(thing)} does {n} have now?",
        ]
    )
    d, r = Dialogue("sum").user(q), rng.random()
    if r < 0.5:
        return d.assistant(str(c))
    if r < 0.75:
        return d.assistant(f" {a} {op} {b} = {c}. So: {c}", "Because")
    return d.assistant(f"{a} {op} {b} = {c}. The answer is {c}.")


def guess(rng, split):
    """Guessing a number between bounds: about the middle."""
    low, high, secret = 1, rng.choice([10, 20, 50, 99, 100]), 0
    secret = rng.randint(low, high)
    bare = rng.random() < 0.5
    d = Dialogue("guess")
    text = "Guess my number.\n"
    for turn in range(rng.randint(1, 4)):
        middle = (low + high) // 2
        hint = "yes" if middle == secret else "more" if middle < secret else "less"
        if bare:
            text += f"It is from {low} to {high}. Is it {middle}? {hint}.\n"
        else:
            ask = f"It is from {low} to {high}." + rng.choice([" Guess.", " Which number is it?", ""])
            d.user(("Guess my number. " if turn == 0 else f"{last[0].upper() + last[1:]}. ") + ask).assistant(str(middle))
        last = hint
        if hint == "yes":
            break
        low, high = (middle + 1, high) if hint == "more" else (low, middle - 1)
    return Dialogue("guess", text=text, start=17) if bare else d


def drawing(rng, split):
    """A drawing as JSON."""
    thing = item(rng, split, False)
    shapes = []
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.5:
            shapes.append(record([("kind", '"circle"'), ("radius", str(rng.randint(1, 9)))]))
        else:
            shapes.append(record([("kind", '"box"'), ("width", str(rng.randint(1, 9))), ("height", str(rng.randint(1, 9)))]))
    fields = [
        ("title", quote(thing)),
        ("shapes", "[" + ",".join(shapes) + "]"),
        ("paper", rng.choice(['"red"', '"green"', '"blue"', "null"])),
        ("framed", rng.choice(["true", "false"])),
    ]
    if rng.random() < 0.4:
        fields.append(("price", str(rng.randint(0, 99))))
    before = f"Draw {article(thing)} as JSON: "
    if rng.random() < 0.5:
        return Dialogue("drawing", text=before + record(fields), start=len(before))
    return Dialogue("drawing").user(f"Draw {article(thing)} as JSON.").assistant(record(fields))


def english(rng, split):
    """Example sentences of WordNet, for plain English."""
    pool = words("sentences")
    picked = [pick(rng, split, pool) for _ in range(rng.randint(2, 5))]
    return Dialogue("english", text=" ".join(s[0].upper() + s[1:] + ("" if s[-1] in ".!?" else ".") for s in picked))


def sides(rng, split):
    """The good and the bad thing about something, and how people feel."""
    good = [
        ("The sun was shining", "they could play outside", "it got very hot", "happy"),
        ("One day it rained all day long", "the flowers got water", "they got wet", "sad"),
        ("The snow fell all night", "they could build a snowman", "it was cold", "happy"),
        ("The dog ran away", "it could run free", "nobody could find it", "sad"),
        ("A wolf came to the house", "they had a strong door", "they were afraid", "scared"),
        ("They moved to a new town", "they met new friends", "they missed the old ones", "sad"),
        ("They got a kitten", "they could play with it", "it broke a cup", "happy"),
        ("It was dark in the forest", "they had a lamp", "they could not see the way", "scared"),
    ]
    scene, plus, minus, mood = rng.choice(good)
    r = rng.randint(0, 2)
    before = f"{scene}.\n" + ("The good thing is that", "The bad thing is that", "They all felt ")[r]
    after = (f" {plus}.", f" {minus}.", mood)[r]
    if rng.random() < 0.5:
        return Dialogue("sides", text=before + after + "\n", start=len(before))
    return (
        Dialogue("sides")
        .user(f"{scene}.\n" + ("What is good about it?", "What is bad about it?", "How did they feel: happy, sad or scared?")[r])
        .assistant((plus, minus, mood)[r])
    )


KINDS = ((judge, 8), (marks, 3), (summary, 2), (plan, 2), (sums, 2), (guess, 1), (drawing, 1), (sides, 1))


def misc(rng, split):
    return rng.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0](rng, split)
