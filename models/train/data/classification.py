"""Classification under a choice of labels: sentiment, topic, feeling, intent; with instructions of many kinds."""

import re

from . import breadth
from .classify_words import BAD, DEGREE, FEELINGS, GOOD, INTENTS, SENTIMENT, SUBJECTS, TOPIC_OWN, TOPIC_SHAPES, TOPIC_WORDS
from .classify_more import AFTER, AROUND, SAID_FEELINGS, SAID_INTENTS, SAID_SENTIMENT, TRAIN_FEELINGS, TRAIN_INTENTS, TRAIN_SENTIMENT
from .dialogue import Dialogue, and_list, sentence
from .entities import city, first_name, item, quantity
from .grammar_words import ADVERBIALS, DONE, LINKS
from .pools import COMMON_THINGS, RANDOM_WORDS, pick

INSTRUCTIONS = """Classify the {x}: {l}.|What is the {x}: {l}?|Classify the {x} as {l}.|Which {x} is it? Choose from {l}.|Is the {x} {l}?|Label the {x} ({l}).|Choose the {x}: {l}.|{X}? Answer
with one of {l}.|Pick one {x}: {l}.|Say which {x} fits: {l}.|The {x} is one of {l}. Which one?|Decide on the {x}: {l}.|What {x} does this text have: {l}?|Options for the {x}: {l}.""".replace(
    "\n", " "
).split(
    "|"
)
SHORT = ["What is the {x}?", "Classify the {x}.", "Which {x} is it?", "{X}?", "Name the {x}.", "Give the {x} of this text."]
LAYOUTS = [
    "{a}\n{t}",
    "{t}\n{a}",
    "{a}\n\n{t}",
    "{t}\n\n{a}",
    "{a}\nText: {t}",
    "Text: {t}\n{a}",
    "Review: {t}\n{a}",
    "{a} {t}",
    "{t} {a}",
    "{a}\nSentence: {t}",
    "{a}\n\nText: {t}",
    '{a}\n"{t}"',
]
PREFIXES = ["The {x} is ", "{X}: ", "Answer: ", "Label: ", "It is ", "I think it is "]
SYSTEMS = [
    "You classify texts.",
    "You are a helpful assistant.",
    "Answer with one label.",
    "You are a careful reader.",
    "You sort messages.",
    "Answer with one word.",
]
NAMES = {
    "sentiment": ["sentiment", "sentiment", "sentiment", "tone", "mood"],
    "topic": ["topic", "topic", "topic", "subject", "theme"],
    "feeling": ["feeling", "feeling", "mood", "emotion"],
    "intent": ["intent", "intent", "intent", "purpose", "intention"],
}
TABLES = {"feeling": FEELINGS, "intent": INTENTS}
TRAIN = {"sentiment": TRAIN_SENTIMENT, "feeling": TRAIN_FEELINGS, "intent": TRAIN_INTENTS}
SAID = {"sentiment": SAID_SENTIMENT, "feeling": SAID_FEELINGS, "intent": SAID_INTENTS}


def pattern(rng, split, kind, label, held) -> str:
    """A sentence pattern; in training from the longer lists, with words around it now and then."""
    if split != "train":
        return pick(rng, split, held)
    text = rng.choice((SAID if breadth.wide and rng.random() < 0.6 else TRAIN)[kind][label])
    if rng.random() < 0.15:
        before = rng.choice(AROUND)
        text = before + (text[0].lower() + text[1:] if before.endswith(", ") and text[:2] != "I " and text[0] != "{" else text)
    if rng.random() < 0.15:
        text += rng.choice(AFTER).format(N=first_name(rng, split), C=city(rng, split))
    return text


def topic_sentence(rng, split, a, b) -> str:
    """Two words of a topic in a sentence of clauses that belong to no topic."""
    who = rng.choice([first_name(rng, split), "we", "they", "she", "my uncle", "everybody", "the man", "the children", f"people from {city(rng, split)}"])
    the = rng.choice(["the", "a", "this", "our", "that", "another"])
    end = rng.choice(["", "", " " + pick(rng, split, ADVERBIALS)])
    text = rng.choice(
        [
            f"{who} {pick(rng, split, DONE)} {the} {a}{end}",
            f"{who} {pick(rng, split, DONE)} {the} {a} {rng.choice(LINKS)} the {b}{end}",
            f"{the} {a} {pick(rng, split, DONE)}{end}, and so did {the} {b}",
            f"{the} {a} of {who} {pick(rng, split, DONE)} {rng.choice(LINKS)} the {b}",
            f"{who} {pick(rng, split, DONE)} because of {the} {a}{end}",
            f"after {the} {a}, {who} {pick(rng, split, DONE)}{end}",
            f"without {the} {a} {who} {pick(rng, split, DONE)} no {b}",
            f"{the} {rng.choice(RANDOM_WORDS)} is {rng.choice(LINKS)} the {a}{end}",
            f"is {the} {a} better than {the} {b}?",
            f"{a}, {b} and {rng.choice(RANDOM_WORDS)}{end}",
            f"what {who} said about {the} {a} was {rng.choice(['true', 'wrong', 'new', 'odd', 'clear', 'long'])}",
        ]
    )
    return sentence(text)


def text_of(rng, split, kind, label) -> str:
    """A text with the label."""
    if kind == "sentiment":
        s = pick(rng, split, SUBJECTS)
        t = pattern(rng, split, kind, label, SENTIMENT[label]).format(
            S=s, S2=s[0].lower() + s[1:], g=rng.choice(GOOD), b=rng.choice(BAD), d=rng.choice(DEGREE)
        )
    elif kind == "topic":
        words = TOPIC_WORDS[label]
        bits = []
        for _ in range(rng.choice([1, 1, 2])):
            a, b = rng.sample(words, 2)
            if split != "test" and rng.random() < 0.4:
                bits.append(topic_sentence(rng, split, a, b))
                continue
            shape = pick(rng, split, TOPIC_SHAPES) if rng.random() < 0.75 or split == "test" else rng.choice(TOPIC_OWN[label])
            bits.append(shape.format(a=a, b=b, n=rng.randint(3, 40), c=city(rng, split)))
        t = " ".join(dict.fromkeys(bits))
    else:
        f = {
            "N": first_name(rng, split),
            "t": pick(rng, split, COMMON_THINGS),
            "C": city(rng, split),
            "q": quantity(rng)[0],
            "i": item(rng, split),
        }
        t = pattern(rng, split, kind, label, TABLES[kind][label]).format(**f)
    return re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", re.sub("  +", " ", t))


def labels_of(kind):
    return list({"sentiment": SENTIMENT, "topic": TOPIC_WORDS}.get(kind) or TABLES[kind])


def classification(rng, split, kind=None):
    """One text, or a few in one conversation; options in any order; sometimes worked examples before."""
    kind = kind or rng.choice(["sentiment", "sentiment", "topic", "topic", "intent", "intent", "feeling"])
    every = labels_of(kind)
    label = rng.choice(every)
    limit = rng.randint(2, min(6, len(every)))
    options = rng.sample([x for x in every if x != label], limit - 1) + [label]
    if kind == "sentiment" and rng.random() < 0.5:
        options = every[:]
    if kind == "sentiment" and rng.random() < 0.6:
        options.sort(key=["positive", "negative", "neutral"].index)
    else:
        rng.shuffle(options)
    x = rng.choice(NAMES[kind])
    text = text_of(rng, split, kind, label)
    r = rng.random()
    if r < 0.15:
        return few_shot(rng, split, kind, x, options, text, label)
    listed = r > 0.25 or kind not in ("sentiment", "feeling")
    joined = rng.choice([and_list(options, "or"), and_list(options, "or"), ", ".join(options), "/".join(options), and_list(options)])
    instruction = rng.choice(INSTRUCTIONS if listed else SHORT).format(x=x, X=x.capitalize(), l=joined)
    d = Dialogue(kind)
    if rng.random() < 0.2:
        d.system(rng.choice(SYSTEMS))
    d.user(rng.choice(LAYOUTS).format(a=instruction, t=text))
    given = rng.choice(PREFIXES).format(x=x, X=x.capitalize()) if rng.random() < 0.2 else ""
    d.assistant(label, given)
    while rng.random() < 0.3 and listed:
        label = rng.choice(options)
        d.user(rng.choice(["And this: {t}", "{t}", "Next: {t}", "Now this one: {t}"]).format(t=text_of(rng, split, kind, label)))
        d.assistant(label, given)
    return d


def few_shot(rng, split, kind, x, options, text, label):
    """Lines of examples, as bare text or in one message."""
    bare = rng.random() < 0.6
    X = rng.choice([x.capitalize(), "Label", "Answer"])
    form = rng.choice(["{t} {X}: {l}\n", "{t} {X}: {l}\n", "Text: {t}\n{X}: {l}\n", "{t} -> {l}\n", "{t}\n{X}: {l}\n\n"])
    shots = ""
    order = options[:]
    rng.shuffle(order)
    for example in order[: rng.randint(2, 4)]:
        shots += form.format(t=text_of(rng, split, kind, example), l=example, X=X)
    before = form.split("{l}")[0].format(t=text, X=X)
    if bare:
        return Dialogue(kind, text=shots + before + label + "\n", start=len(shots + before))
    head = rng.choice(["", f"Classify the {x}.\n", f"{x.capitalize()}: {and_list(options, 'or')}.\n"])
    return Dialogue(kind).user((head + shots + before).rstrip()).assistant(label)
