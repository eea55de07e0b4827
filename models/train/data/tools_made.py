"""Invented tools, for training (and other ones for dev): any verb on any noun, with arguments of any kind that the request names.

A request may carry its values with the names of the arguments, with prepositions, or bare, so that the kind of a value and the
meaning of an argument's name decide where it belongs.
"""

from . import breadth
from .dialogue import sentence
from .entities import syllables
from .grammar_words import cut
from .pools import RANDOM_WORDS, article, pick, plural

VERBS = """paint build check clean close count draw drop fill fix fold grow hang heat hide lift list load lock mark measure mix move name
order pack park plan print pull push rate read rent repair sell show sign sort start stop store test tie turn update wash weigh wrap book
cancel find get create add delete open save share record report request reserve return schedule search set switch track upload download
publish call notify ask invite assign archive approve reject pay charge refund donate deliver ship route map translate convert compare review
register enroll remove rename copy send write tell post play watch feed water plant cut cook bake serve""".split()
LABELS = {
    "city": "city town place where location destination origin from to region site area near",
    "name": "name person owner who to for customer user employee guest author artist member student receiver sender friend recipient client patient full_name",
    "int": "number count size level weight height amount quantity minutes hours days nights seats pages percent degrees limit sum value points copies n total",
    "date": "date day when due deadline start end until on birthday",
    "time": "time hour at start when begin",
    "email": "email mail contact address to account recipient sender e_mail reply_to login",
    "item": "item thing part product object article goods what",
    "code": "code key id number reference serial label",
    "room": "room place where area",
    "file": "file path document name source",
    "phrase": "text note message body content title comment subject words line caption reason",
    "language": "language lang into to",
    "color": "color paint colour shade",
    "currency": "currency money unit",
    "thing": "query topic term q keyword word subject about",
}
# Where a value of a kind stands in a sentence, without the argument's name.
BARE = {
    "city": cut("in {}|from {}|to {}|near {}|at {}|for {}|around {}|towards {}"),
    "name": cut("for {}|to {}|with {}|of {}|by {}|from {}|as {}|for {}|to {}"),
    "int": cut("{} times|by {}|at {}|up to {}|with {}|to {}|of {}|for {}"),
    "date": cut("on {}|for {}|by {}|until {}|on {}|before {}|from {}"),
    "time": cut("at {}|by {}|from {}|before {}|after {}|until {}"),
    "email": cut("to {}|at {}|via {}|with the address {}|, {}|({})|under {}|using {}|with the e-mail {}"),
    "item": cut("with {}|for {}|of {}|and {}|without {}|like {}|next to {}"),
    "code": cut("number {}|with code {}|{}|under {}|({})|no. {}"),
    "room": cut("in the {}|for the {}|from the {}|near the {}"),
    "file": cut("in {}|from {}|to {}|as {}|with {}|into {}"),
    "phrase": cut(": {}|that says: {}|with the text: {}|saying: {}|with the words: {}|- {}|as follows: {}|, which reads: {}"),
    "language": cut("in {}|into {}|from {}|to {}"),
    "color": cut("in {}|{}|with {}|as {}"),
    "currency": cut("in {}|to {}|with {}|for {}"),
    "thing": cut("about {}|for {}|on {}|like {}|: {}"),
}
NAMED = cut("{l} {v}|the {l} is {v}|the {l} {v}|{l}: {v}|with {l} {v}|{l} = {v}|{v} as {l}|use {v} as the {l}|{v} is the {l}|with {v} as the {l}|({l} {v})")
BEFORE = tuple("|||||please |can you |could you |I want to |I need to |I would like to |you should |help me to |hey, |now |let us |do |I must |we have to |time to |it is time to |kindly |would you |go and |just |today I want to |hello, please ".split("|"))
AFTER = tuple("|||||| please| now| today| for me| thanks| again| as soon as you can| if you can".split("|"))
# Requests without the verb.
OTHER = cut("{n} {r}|I need a {n} {r}|a {n} {r}, please|what about the {n} {r}?|is there a {n} {r}?|the {n} {r}|get me a {n} {r}|give me the {n} {r}|where is the {n} {r}?|my {n} {r}|show the {n} {r}|how is the {n} {r}?")
DESCRIBE = cut("{S} a {n}|{S} the {n}|To {v} {p}|{S} {p}|{V} a {n}|{V} the {n}|Used to {v} a {n}|{S} one {n} for the user|{S} a {n} and answers|Lets you {v} the {n}|For a {n} you want to {v}|{N} {v}ing|{S} the {n} of a person")


def _name(rng, verb, noun):
    return rng.choice(
        [f"{verb}_{noun}", f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", f"{verb}-{noun}", verb + noun.capitalize(), noun, verb, f"{verb}_the_{noun}", f"{verb}_{plural(noun)}", syllables(rng)]
    ).replace(" ", "_")


def _value(rng, split, label, kind, i, named):
    spot = "{%d}" % i
    label = label.replace("_", " ")
    if named:
        return pick(rng, split, NAMED).format(l=label, v=spot)
    if kind == "int" and rng.random() < 0.6:
        return f"{spot} {label if label.endswith('s') else rng.choice(['times', 'pieces', 'units', 'euros', 'of them'])}"
    return pick(rng, split, BARE[kind]).format(spot)


def request(rng, split, verb, noun, labels, kinds) -> str:
    n = len(labels)
    named = rng.random() < 0.35
    order = list(range(n))
    if rng.random() < 0.5:
        rng.shuffle(order)
    order.sort(key=lambda i: kinds[i] == "phrase")
    r = rng.random()
    told = [_value(rng, split, labels[i], kinds[i], i, named or (kinds.count(kinds[i]) > 1)) for i in order]
    if r < 0.3 and not named and n:
        # The first value is the object of the verb.
        spot = "{%d}" % order[0]
        rest = " ".join(told[1:])
        text = f"{verb} {spot}{rng.choice(['', '', f' the {noun}', f' {article(noun)}', f' in the {noun}', ' as ' + noun]) if n == 1 or len(kinds) > 1 else ''} {rest}"
    elif r < 0.45:
        text = pick(rng, split, OTHER).format(n=noun, r=" ".join(told))
    elif r < 0.55 and n > 1:
        spots = ["{%d}" % i for i in order]
        text = f"{verb} {rng.choice(['the ', 'a ', ''])}{noun}{rng.choice([':', ' with', ',', ' -'])} {rng.choice([', ', ', ', ' and ', '; ']).join(spots)}"
    elif r < 0.65 and n:
        text = f"I {verb} {article(noun)}. {' '.join(sentence(t.strip(' ,:-').capitalize() if t[0] != '{' else t) for t in told)}"
        return text
    else:
        glue = ", " if named or rng.random() < 0.2 else " "
        text = f"{verb} {rng.choice(['the', 'a', 'my', 'this', 'one', 'our', ''])} {noun} {glue.join(told)}"
    if "?" not in text:
        text = (rng.choice(BEFORE) if text.startswith(verb) else "") + text + (rng.choice(AFTER) if "phrase" not in kinds else "")
    text = " ".join(text.split()).replace(" ,", ",").replace(" :", ":")
    text = text[0].upper() + text[1:]
    if kinds and kinds[order[-1]] == "phrase" and text.endswith("}"):
        return text
    return text if text[-1] in "?." else text + rng.choice([".", ".", ".", "!", "", "?" if text.startswith(("Can", "Could", "Would")) else "."])


def invented(rng, split="train", verb=None, noun=None):
    """A tool like those of tools.FAMILIES: (names, description, arguments, requests)."""
    verb, noun = verb or pick(rng, split, VERBS_T), noun or rng.choice(RANDOM_WORDS)
    count = rng.choice([1, 1, 2, 2, 2, 3])
    kinds = [rng.choice(KINDS) for _ in range(count)]
    if kinds.count("phrase") > 1 or kinds.count("thing") > 1 or len({"phrase", "thing"} & set(kinds)) > 1:
        return invented(rng, split, verb, noun)
    labels = [rng.choice(LABELS[k].split()) for k in kinds]
    if rng.random() < 0.15:
        labels = [x if rng.random() < 0.5 else f"{noun.replace(' ', '_')}_{x}" for x in labels]
    if len(set(labels)) < count:
        return invented(rng, split, verb, noun)
    name = _name(rng, verb, noun)
    description = pick(rng, split, DESCRIBE).format(v=verb, V=verb.capitalize(), S=plural(verb).capitalize(), n=noun, N=noun.capitalize(), p=plural(noun))
    description = description if rng.random() < 0.9 else noun.capitalize()
    requests = tuple(request(rng, split, verb, noun, labels, kinds) for _ in range(4 if breadth.wide else 2))
    return name, description, tuple(f"{x}:{k}" for x, k in zip(labels, kinds)), requests


VERBS_T = tuple(VERBS)
KINDS = [k for k in LABELS for _ in range({"name": 4, "int": 4, "city": 3, "phrase": 3, "email": 3, "item": 2, "date": 2, "code": 2}.get(k, 1))]


def family(rng, split):
    """Some tools of which the first is meant; the others often share its verb or its noun."""
    verb, noun = pick(rng, split, VERBS_T), rng.choice(RANDOM_WORDS)
    out = [invented(rng, split, verb, noun)]
    for _ in range(rng.choice([0, 1, 1, 2, 2, 2, 3])):
        r = rng.random()
        other = invented(rng, split, verb if r < 0.12 else None, noun if 0.12 < r < 0.24 else None)
        if other[0] not in [o[0] for o in out] and other[1] not in [o[1] for o in out]:
            out.append(other)
    return out
