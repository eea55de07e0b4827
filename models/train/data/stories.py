"""Short stories from a grammar: a hero, a place, a wish or a trouble, a helper, an end; with names and things kept straight."""

from .dialogue import Dialogue
from .entities import first_name
from .pools import COLORS, FEMALE, MALE, pick

ANIMALS = tuple("fox bear rabbit duck mouse owl frog hedgehog squirrel cat dog pony lamb goose turtle deer mole pig beaver sparrow".split())
SIZES = tuple("little small young tiny big brave shy clever kind curious lazy funny quiet merry gentle".split())
PLACES = tuple(
    "forest|park|garden|village|meadow|farm|valley|town|old house by the river|cottage near the lake|hut on the hill|barn|castle|house by the sea|green field|cave".split(
        "|"
    )
)
SPOTS = tuple("park|forest|garden|field|woods|yard|meadow|river bank|beach|playground|barn|hills".split("|"))
TOYS = tuple("ball|kite|doll|boat|drum|hat|scarf|key|book|bell|cup|basket|ring|coin|lamp|flute|blanket|shell|map|umbrella".split("|"))
FOODS = tuple("apple|cake|pie|cookie|carrot|pear|bun|melon|berry pie|pancake|nut|sandwich|loaf of bread|honey jar".split("|"))
TRAITS = tuple(
    "was very kind|loved to sing|liked to play in the {spot}|loved to run and jump|wanted to see the world|had many friends|was always hungry|liked to ask questions|loved the sun|was a bit shy|liked to help others|"
    "liked to look at the stars|loved to dance|had a {c} {toy}|could not sit still|told funny stories|loved to paint|was never bored|liked to collect stones|slept late every day".split(
        "|"
    )
)
OPENINGS = tuple(
    "Once upon a time, there was a {size} {kind} named {n}.|Once there was a {size} {kind} called {n}.|One day, a {size} {kind} named {n} woke up early.|There was once a {size} {kind} whose name was {n}.|In a {place} lived a {size} "
    "{kind} named {n}.|{n} was a {size} {kind} who lived in a {place}.|Long ago, a {size} {kind} called {n} lived in a {place}.|A {size} {kind} named {n} lived in a {place}.|Once upon a time, in a {place}, there lived a {size} {kind}. {His} name was "
    "{n}.|This is the story of {n}, a {size} {kind}.|Far away, in a {place}, there was a {size} {kind} named {n}.|{n} was a {size} {kind}.|Every morning, a {size} {kind} named {n} walked through the {spot}.".split(
        "|"
    )
)
SECOND = tuple(
    "{He} {trait}.|{n} {trait}.|{He} {trait}, and {he} {trait2}.|Everybody knew that {he} {trait}.|{n} {trait} and {trait2}.|{He} {trait}. {He} also {trait2}.|All day long {he} played in the {spot}.|{His} best friend was {m}, a "
    "{size2} {kind2}.|{He} lived with {his} mom and dad.|{n} and {m} were good friends.".split("|")
)
PLOTS = {
    "lost": (
        "One day, {n} lost {his} {c} {toy}.|One morning, {his} {c} {toy} was gone.|But one day {he} could not find {his} {c} {toy}.|One sunny day, {n} took {his} {c} {toy} to the {spot}. When it was time to go home, the {toy} was gone.|One day, the wind took the {c} {toy} away.|On "
        "the way to the {spot}, {n} dropped {his} {c} {toy}.",
        '{He} looked under the bed and behind the door, but it was not there.|{He} looked everywhere and was very sad.|{n} began to cry.|{He} searched the whole {spot}, but found nothing.|"Where is my {toy}?" {he} asked.|{He} sat down and did not know what to do.',
        'Then {m} came by. "What is wrong?" asked {m}. "I lost my {toy}," said {n}. "I will help you," said {m}.|{m} saw that {n} was sad. "Do not cry," said {m}. "Let us look together."|A {size2} {kind2} named {m} heard {him}. "Let me help you find it," '
        'said {m}.|So {n} went to {m} and asked for help. "Of course," said {m}.',
        "They looked and looked, and at last they found the {toy} under a tree.|Soon {m} saw something {c} in the grass. It was the {toy}!|Together they found the {toy} in the {spot}.|After a while, {m} found the {c} {toy} behind a big stone.|They walked back to the {spot}, and there was "
        "the {toy}, wet but not broken.",
        '{n} was so happy and hugged {m}.|"Thank you, {m}!" said {n}. They played with the {toy} until it was dark.|{n} thanked {m}, and from that day on they were best friends.|{n} smiled and took good care of the {toy} from then on.|"You are a true friend," said {n}.',
    ),
    "share": (
        "One day, {n} found a big {food} in the {spot}.|One day, {his} mom gave {him} a {food}.|One morning, {n} made a {food}.|{n} had a sweet {food} and wanted to eat it all alone.|One day, {n} bought a {food} with {his} last coin.",
        'It smelled very good.|{He} wanted to eat it at once.|"This is all for me," said {n}.|{He} sat down under a tree to eat it.|"I will not share it," thought {n}.',
        'Then {m} came along. {m} was very hungry. "May I have some?" asked {m}.|{m} looked at the {food}. "I have not eaten all day," said {m}.|Just then, {m} walked by and looked sad. "I am so hungry," said {m}.|Soon {he} saw {m}, who had nothing to eat.',
        '{n} thought about it. Then {he} cut the {food} in two and gave one half to {m}.|At first {n} said no. But then {he} felt bad and gave {m} a piece.|"Here, take half of it," said {n}.|{n} looked at {m} and smiled. "We can share," {he} said.',
        'They ate together, and it tasted even better.|{m} was happy and said thank you. The next day, {m} brought {n} a gift.|{n} learned that it is good to share.|"Sharing is fun," said {n}. And they were friends ever after.|From then on, they shared everything.',
    ),
    "fear": (
        "{n} was afraid of the dark.|One night, there was a loud noise outside.|One day, a big storm came.|One evening, {n} heard a strange sound in the {place}.|{n} was afraid of the deep water.|One day, {n} saw a big shadow on the wall.",
        '{He} hid under {his} blanket.|{His} heart beat fast.|{He} did not dare to move.|"Who is there?" {he} asked.|{He} wanted to run away.',
        '{m} came and took {his} hand. "Do not be afraid," said {m}. "I am here."|"Let us look together," said {m}.|"It is okay to be scared," said {m}. "Be brave."|{m} lit a small lamp and sat down next to {him}.',
        "They went outside and saw that it was only a {size2} {animal}.|It was only the wind in the trees.|{n} took a deep breath and opened the door. There was only a {size2} {animal}.|Slowly, {n} opened {his} eyes. There was nothing bad at all.",
        '{n} laughed and was not afraid any more.|After that, {n} slept well every night.|"That was not so bad," said {n}.|{n} was proud to be so brave.|And {n} learned that fear gets small when a friend is near.',
    ),
    "lesson": (
        '{n} wanted to learn to {skill}.|One day, {n} saw {m}, who could {skill} very well. "I want to do that too," said {n}.|All the others could {skill}, only {n} could not.|One day, {n} tried to {skill}.|{his2} dream was to {skill}.',
        '{He} tried and fell down.|The first try was bad, and the others laughed.|It was very hard, and {n} wanted to give up.|{He} tried again and again, but it did not work.|"I will never learn it," {he} said.',
        '"Do not give up," said {m}. "You need time."|{m} showed {him} how to do it, step by step.|"Try again tomorrow," said {m}. "I will help you."|{m} sat down next to {him}. "I could not do it at first either," said {m}.',
        "So {n} tried every day.|Day by day it got better.|{n} worked hard the whole week.|The next morning, {n} tried once more, and it worked!|After many days, {n} could do it.",
        'Now {n} could {skill}, and everybody clapped.|{n} was proud and thanked {m}.|"I did it!" said {n}.|{n} learned that you should never give up.|That evening {n} and {m} had a party.',
    ),
    "friend": (
        "{n} had no friends and was lonely.|One day, a new {kind2} named {m} came to the {place}.|One day, {n} met {m} in the {spot}.|{n} sat alone in the {spot} every day.|One morning, {n} saw that {m} was sitting alone.",
        '"Hello," said {n}. "Do you want to play with me?"|{n} was too shy to say a word.|"Can I sit here?" asked {m}.|{n} wanted to talk to {m}, but did not know how.',
        '{m} smiled and said yes.|"I would like that," said {m}.|{m} had a {c} {toy}. "We can play with it together," said {m}.|Then {m} gave {n} a {food}. "This is for you," said {m}.',
        "They played in the {spot} all day.|They ran, they laughed and they sang.|They built a little house of sticks.|They played hide and seek until the sun went down.|They went to the {spot} and looked at the clouds.",
        'When the sun went down, they were best friends.|"Will you come back tomorrow?" asked {n}. "Yes," said {m}.|From that day on, {n} was never lonely again.|{n} went home with a big smile.|And so {n} and {m} became friends.',
    ),
    "gift": (
        "It was the birthday of {m}, and {n} wanted to make a gift.|One day, {n} wanted to make {m} happy.|{m} was ill and had to stay in bed.|Winter came, and {m} was cold.|{n} wanted to say thank you to {m}.",
        'But {n} had no money.|{n} thought for a long time.|"What can I give?" asked {n}.|{n} asked {his} mom for help.|{n} looked around the house.',
        "Then {he} had an idea. {He} would make a {c} {toy}.|So {n} went to the {spot} and picked flowers.|{He} baked a {food} all by {him2}.|{He} took {his} best {toy} and painted it {c}.",
        "It took the whole day, but {n} did not stop.|{n} worked until the stars came out.|When it was done, {n} ran to the house of {m}.|{n} put it in a box and tied it with a {c} string.",
        '{m} was very happy. "This is the best gift of all," said {m}.|"Thank you, {n}!" said {m} and gave {him} a big hug.|{m} smiled and felt much better.|They sat together and ate {food2}.|And {n} was even happier than {m}.',
    ),
}
SKILLS = tuple(
    "swim|fly a kite|ride a bike|sing|dance|climb a tree|paint|jump over the brook|whistle|bake bread|read|skate|juggle|dive".split("|")
)
PLOTS = {k: tuple(tuple(x.split("|")) for x in v) for k, v in PLOTS.items()}
MORALS = (
    "",
    "",
    "",
    "The end.",
    "They lived happily ever after.",
    "It was a good day.",
    "Then they all went home to bed.",
    "And that is the end of the story.",
)


def cast(rng, split, hero=None):
    n = hero or first_name(rng, split)
    m = first_name(rng, split)
    while m == n:
        m = first_name(rng, split)
    human = hero is not None or rng.random() < 0.5
    female = n in FEMALE or (n not in MALE and rng.random() < 0.5)
    kind = ("girl" if female else "boy") if human else pick(rng, split, ANIMALS)
    he, him, his = ("she", "her", "her") if female else ("he", "him", "his")
    f = {
        "n": n,
        "m": m,
        "kind": kind,
        "kind2": pick(rng, split, ANIMALS),
        "he": he,
        "him": him,
        "his": his,
        "He": he.capitalize(),
        "His": his.capitalize(),
    }
    f |= {
        "him2": him + "self",
        "his2": his.capitalize(),
        "size": pick(rng, split, SIZES),
        "size2": pick(rng, split, SIZES),
        "place": pick(rng, split, PLACES),
        "spot": pick(rng, split, SPOTS),
    }
    f |= {
        "c": rng.choice(COLORS),
        "toy": pick(rng, split, TOYS),
        "food": pick(rng, split, FOODS),
        "food2": "cake",
        "skill": pick(rng, split, SKILLS),
        "animal": pick(rng, split, ANIMALS),
    }
    f["trait"], f["trait2"] = (pick(rng, split, TRAITS).format(**f) for _ in range(2))
    return f


def story(rng, split, hero=None):
    """(sentences by part, the cast): opening, description, five parts of a plot, an end."""
    f = cast(rng, split, hero)
    plot = rng.choice(sorted(PLOTS))
    out = [pick(rng, split, OPENINGS)]
    if rng.random() < 0.8:
        out.append(pick(rng, split, SECOND))
    for part in PLOTS[plot]:
        if rng.random() < 0.92:
            out.append(pick(rng, split, part))
    out.append(rng.choice(MORALS))
    import re

    fixed = [re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", s.format(**f)) for s in out if s]
    return fixed, f, plot


ASK = [
    "Tell me a story about a {kind} named {n}.",
    "Write a short story about {n}.",
    "Tell a story about {n} the {kind}.",
    "Write a story with a {kind} called {n}.",
    "Tell me a story.",
]
GO_ON = [
    "Continue the story: {t}",
    "Go on with this story: {t}",
    "{t}\nContinue the story.",
    "What happens next? {t}",
    "Continue: {t}",
    "Finish the story: {t}",
    "{t}\nWhat happens next?",
]


def stories(rng, split):
    """Bare text mostly; else asked for in a chat, or continued."""
    parts, f, plot = story(rng, split)
    r = rng.random()
    joint = "\n" if rng.random() < 0.1 else " "
    if r < 0.6:
        return Dialogue("story", text=joint.join(parts))
    if r < 0.75:
        return Dialogue("story").user(rng.choice(ASK).format(**f)).assistant(" ".join(parts))
    cut = rng.randint(1, max(1, len(parts) - 2))
    if r < 0.93:
        return Dialogue("story").user(rng.choice(GO_ON).format(t=" ".join(parts[:cut]))).assistant(" ".join(parts[cut:]))
    mood = rng.choice(["happy", "happy", "glad"])
    return Dialogue("story", text=" ".join(parts[: len(parts) - 1]) + f"\nIn the end, {f['n']} was {mood}.")
