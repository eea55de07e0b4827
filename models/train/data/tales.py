"""Little tales from a grammar of phrases instead of whole sentences: plain English with many words in many places.

The training mixture needs them because stories.py repeats its sentences; nothing is measured on them. Words that the
held-out stories keep for themselves are left out.
"""

import re

from . import stories
from .dialogue import Dialogue, and_list
from .entities import NUMBERS, first_name
from .pools import COLORS, FEMALE, MALE, article, parts, plural

KEPT = set()
for _pool in (stories.ANIMALS, stories.TOYS, stories.FOODS, stories.SPOTS, stories.PLACES, stories.SIZES):
    for _part in ("test", "dev"):
        KEPT |= set(parts(_pool)[_part])


def known(text: str) -> list[str]:
    return [w for w in text.split() if w not in KEPT]


BEINGS = known(
    """cat dog bird horse cow pig hen duck mouse rabbit fox bear wolf lion frog bee ant fish owl goat sheep monkey tiger elephant
turtle snake butterfly squirrel boy girl man woman king queen farmer teacher baker doctor sailor giant witch wizard dragon fairy robot
baby neighbour grandmother grandfather uncle aunt brother sister friend stranger child hunter princess prince knight pirate clown"""
)
THINGS = known(
    """ball box toy car tree flower stone stick apple cake house door window chair table bed lamp candle hat coat shoe sock bag
basket cup plate spoon knife bottle rope ladder bucket broom boat ship train bike wagon wheel drum bell horn guitar book letter picture map
key coin ring crown mirror clock kite balloon puzzle doll bear blanket pillow tent fire egg nest feather leaf seed mushroom pumpkin carrot
potato bread cheese soup milk honey jam cookie pie sandwich orange cherry nut shell pebble net hammer nail brush paint paper pencil bridge
fence gate wall well tower swing slide sled snowman puddle cloud star shadow treasure secret gift flag button thread needle bone"""
)
PLACES = known(
    """garden park forest house kitchen barn field river lake sea beach hill mountain cave road street village town city market
shop school library zoo farm island desert meadow pond bridge tower castle cellar attic yard playground station harbour mill church
tent boat train bus sky ground roof corner path woods swamp valley"""
)
ADJECTIVES = known(
    """big small old new red blue green yellow white black brown tall short long round soft hard warm cold hot wet dry clean dirty
heavy light fast slow strong weak loud quiet bright dark sweet sour pretty ugly happy sad angry brave shy kind mean clever silly lazy busy
hungry thirsty tired sleepy lonely proud strange funny nice good bad best broken empty full deep high low young rich poor magic golden
shiny lost hidden wild tame gentle careful curious friendly wonderful terrible beautiful huge tiny"""
)
DID_TO = known(
    """saw found took dropped lost carried pushed pulled opened closed made fixed broke painted cleaned washed bought sold hid
threw caught kicked held kept wanted liked loved needed watched followed chased heard smelled touched shook lifted moved turned filled
emptied built drew cut tied brought fetched gave stole borrowed shared ate cooked baked tasted counted picked planted"""
)
DID_BEING = known(
    """met saw helped hugged followed chased called asked visited thanked taught fed washed scared missed liked loved greeted watched
invited found trusted carried woke kissed"""
)
DID = known(
    """ran walked jumped climbed swam flew slept cried laughed smiled sang danced played worked waited sat stood fell hid shouted
whispered listened looked dreamed rested hopped crawled rolled slipped stopped started yawned sneezed nodded waved left stayed returned"""
)
WENT = "ran|walked|went|came|flew|climbed|hurried|crept|drove|rode|rushed|travelled|marched|wandered|swam|jumped|moved|rolled".split("|")
HOW = "slowly quickly quietly loudly happily sadly carefully softly bravely suddenly kindly angrily gently proudly again together alone".split()
WHEN = """One day|One morning|One night|In the evening|The next day|After lunch|Before bed|At noon|In winter|In summer|On Monday|Last week|A little later|Soon|Then|After that|At last|Suddenly|Just then|Every
day|The next morning|Long ago|When the sun came up|When it was dark|After a while|In the end|Finally|That night|On a rainy day|One warm day|Later""".replace(
    "\n", " "
).split(
    "|"
)
TOWARDS = "to into towards through across around behind past over".split()
AT = "in near behind under at by outside".split()
FEELS = (
    "happy sad angry tired hungry scared proud surprised lonely excited cold warm sleepy glad worried thirsty sorry bored calm sick".split()
)
SPEECH = """I am so {f}|Come with me|Do not be {f}|Let us play|Please help me|Where is the {t}|What is that|I want {a_t}|I like your {t}|Look at the {t}|Can I have the {t}|Thank you|I am sorry|You are my friend|We must go to the
{p}|Stop|Wait for me|I know what to do|It is only {a_b}|I will help you|Who are you|Give me the {t}|This is my {t}|Let us go home|I cannot find my {t}|That is {a_j} {t}|Have you seen the {b}|I have an idea|It is time to go|You can do
it|I am not afraid|May I come in|How {j} you are|There is {a_b} in the {p}|We need {a_t}|Try again|Good night|Yes, of course|No, thank you|I made this for you|See you tomorrow""".replace(
    "\n", " "
).split(
    "|"
)


class Tale:
    """Keeps who is in the tale."""

    def __init__(self, rng):
        self.rng = rng
        self.people = []
        for _ in range(rng.randint(1, 3)):
            name = first_name(rng, "train")
            female = name in FEMALE or (name not in MALE and rng.random() < 0.5)
            self.people.append((name, "She" if female else "He", "her" if female else "his", "her" if female else "him"))
        self.thing, self.place, self.being = rng.choice(THINGS), rng.choice(PLACES), rng.choice(BEINGS)
        self.last = None

    def noun(self, pool, fixed):
        r = self.rng
        word = fixed if r.random() < 0.4 else r.choice(pool)
        x = r.random()
        if x < 0.35:
            word = f"{r.choice(ADJECTIVES)} {word}"
        elif x < 0.4:
            word = f"{r.choice(ADJECTIVES)}, {r.choice(ADJECTIVES)} {word}"
        return word

    def thing_phrase(self):
        r = self.rng
        x = r.random()
        word = self.noun(THINGS, self.thing)
        if x < 0.45:
            return "the " + word
        if x < 0.75:
            return article(word)
        if x < 0.87 and self.last:
            return f"{self.last[2]} {word}"
        return f"{NUMBERS[r.randint(2, 10)]} {plural(word)}" if r.random() < 0.5 else f"some {plural(word)}"

    def being_phrase(self):
        word = self.noun(BEINGS, self.being)
        return ("the " + word) if self.rng.random() < 0.6 else article(word)

    def place_phrase(self):
        return "the " + self.noun(PLACES, self.place)

    def subject(self):
        r = self.rng
        x = r.random()
        if x < 0.35 and self.last:
            return self.last[1]
        if x < 0.75:
            self.last = r.choice(self.people)
            return self.last[0]
        if x < 0.8 and len(self.people) > 1:
            return and_list(p[0] for p in self.people[:2])
        phrase = self.being_phrase()
        return phrase[0].upper() + phrase[1:]

    def action(self):
        r = self.rng
        x = r.random()
        if x < 0.25:
            text = f"{r.choice(DID_TO)} {self.thing_phrase()}"
        elif x < 0.37:
            text = f"{r.choice(DID_BEING)} {self.being_phrase()}"
        elif x < 0.52:
            text = r.choice(DID)
        elif x < 0.68:
            text = f"{r.choice(WENT)} {r.choice(TOWARDS)} {self.place_phrase()}"
        elif x < 0.76:
            text = f"was {r.choice(['', 'very ', 'so ', 'not '])}{r.choice(FEELS)}"
        elif x < 0.84:
            text = f"{r.choice(['wanted to', 'tried to', 'began to', 'had to', 'liked to', 'could not', 'did not', 'decided to', 'went to'])} {self.base()}"
        elif x < 0.9:
            text = f"gave {self.thing_phrase()} to {r.choice([r.choice(self.people)[0], self.being_phrase()])}"
        elif x < 0.95:
            text = f"had {self.thing_phrase()}"
        else:
            text = f"put {self.thing_phrase()} {r.choice(['in', 'on', 'under', 'behind', 'near'])} {self.thing_phrase()}"
        if r.random() < 0.15:
            text += " " + r.choice(HOW)
        if r.random() < 0.2:
            text += f" {r.choice(AT)} {self.place_phrase()}"
        return text

    def base(self):
        r = self.rng
        verb = r.choice(
            "see find take carry push open make fix paint clean wash buy hide throw catch hold keep watch build draw cut bring share eat cook bake count pick plant".split()
        )
        if r.random() < 0.3:
            return r.choice(
                "run walk jump climb swim fly sleep cry laugh sing dance play work wait sit stand hide shout listen look rest go leave stay".split()
            )
        return f"{verb} {self.thing_phrase()}"

    def sentence(self):
        r = self.rng
        x = r.random()
        if x < 0.17:
            words = r.choice(SPEECH).format(
                f=r.choice(FEELS),
                t=self.thing,
                b=self.being,
                p=self.place,
                j=r.choice(ADJECTIVES),
                a_t=article(self.thing),
                a_b=article(self.being),
                a_j=article(r.choice(ADJECTIVES)),
            )
            words += "?" if words.startswith(("Where", "What", "Can", "Have", "Who", "May")) else r.choice(",,!")
            who = self.subject()
            who = who if who in [p[0] for p in self.people] else who[0].lower() + who[1:]
            return (
                f'"{words}" {r.choice(["said", "asked", "said", "cried", "shouted"])} {who}.'
                if r.random() < 0.6
                else f'{who[0].upper() + who[1:]} said, "{words.rstrip(",") + ("." if words.endswith(",") else "")}"'
            )
        s = self.subject()
        low = s if s in [p[0] for p in self.people] or " and " in s else s[0].lower() + s[1:]
        if x < 0.5:
            return f"{s} {self.action()}."
        if x < 0.62:
            return f"{r.choice(WHEN)}, {low} {self.action()}."
        if x < 0.75:
            return f"{s} {self.action()} and {self.action()}."
        if x < 0.83:
            return f"{s} {self.action()}, {r.choice(['but', 'and', 'so'])} {self.subject_low()} {self.action()}."
        if x < 0.9:
            return (
                f"{r.choice(['When', 'After', 'Because', 'While', 'Before'])} {low} {self.action()}, {self.subject_low()} {self.action()}."
            )
        if x < 0.95:
            thing = self.noun(THINGS, self.thing)
            return f"{r.choice(['The', 'The', 'This', 'That'])} {thing} was {r.choice(['', 'very ', 'too ', 'so '])}{r.choice(ADJECTIVES)}."
        return f"There was {r.choice([self.thing_phrase, self.being_phrase])()} {r.choice(AT)} {self.place_phrase()}.".replace(
            "was some", "were some"
        )

    def subject_low(self):
        s = self.subject()
        return s if s in [p[0] for p in self.people] or " and " in s else s[0].lower() + s[1:]


def tale(rng, split):
    t = Tale(rng)
    return Dialogue("tale", text=" ".join(t.sentence() for _ in range(rng.randint(3, 9))))


CLASSES = {
    w: pool
    for pool in (BEINGS, THINGS, PLACES, ADJECTIVES, DID_TO, DID_BEING, DID, HOW, FEELS, COLORS)
    for w in pool
    if w not in ("called", "asked", "friend")
}


def swapped(rng, text: str, share: float) -> str:
    """Words exchanged for others of their kind."""
    return re.sub(r"\b[a-z]+", lambda m: rng.choice(CLASSES[m[0]]) if m[0] in CLASSES and rng.random() < share else m[0], text)


def blend(rng, split):
    """A story of the other grammar in which sentences were left out, replaced or put in; keeps models from learning it by heart."""
    parts_, f, _ = stories.story(rng, split)
    t = Tale(rng)
    t.people = [(f["n"], f["He"], f["his"], f["him"]), (f["m"], "He", "his", "him")]
    t.thing = rng.choice([f["toy"], f["food"]])
    t.last = t.people[0]
    out, share = [], rng.choice([0, 0.2, 0.5])
    for s in parts_:
        if rng.random() < 0.75:
            out.append(swapped(rng, s, share))
        while rng.random() < 0.3:
            out.append(t.sentence())
    return Dialogue("tale", text=" ".join(out))
