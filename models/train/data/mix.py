"""The mixtures of tasks, by stage and phase of the training."""

import random

from . import chat, classification, extraction, lookup, misc, stories, tales, tools, written, yes_no

# Weights by number of dialogues. The first two are what all else builds on, each learned within two million tokens where little else is asked for:
# copying, then finding a line of a list by what it begins with.
COPY = (
    (chat.repeat, 100),
    (extraction.table, 30),
    (lookup.few, 60),
    (lookup.easy, 20),
    (lookup.lookup, 6),
)
FIND = (
    (lookup.few, 80),
    (lookup.easy, 40),
    (lookup.lookup, 30),
    (chat.repeat, 20),
    (extraction.table, 12),
    (tools.tools, 10),
)
# More evenly: what the tokenizer is made from.
WORDS = (
    (extraction.extraction, 32),
    (extraction.several, 2),
    (extraction.enums, 3),
    (extraction.animals, 2),
    (extraction.table, 4),
    (extraction.wh_questions, 5),
    (classification.classification, 17),
    (yes_no.yes_no, 16),
    (chat.chat, 8),
    (tools.tools, 18),
    (stories.stories, 4),
    (tales.blend, 3),
    (tales.tale, 3),
    (misc.misc, 7),
    (misc.english, 2),
)
MAIN = (
    (extraction.extraction, 55),
    (extraction.several, 2),
    (extraction.enums, 3),
    (extraction.animals, 2),
    (extraction.table, 6),
    (extraction.wh_questions, 6),
    (classification.classification, 14),
    (yes_no.yes_no, 17),
    (chat.chat, 12),
    (tools.tools, 34),
    (lookup.few, 4),
    (lookup.easy, 4),
    (lookup.lookup, 6),
    (stories.stories, 9),
    (written.written, 6),
    (tales.blend, 3),
    (tales.tale, 3),
    (misc.misc, 5),
    (misc.english, 1),
)
# With the lists that come after the first stage (breadth.late).
MORE = {chat.chat: 16, lookup.lookup: 4, stories.stories: 5, written.written: 24, tales.blend: 2, tales.tale: 2}
LATE = (*((f, MORE.get(f, w)) for f, w in MAIN), (lookup.meaning, 8))
# What is found to fail most gets more of it; the questions to be answered with yes or no are learned suddenly, too, and were not yet, beside so much else.
FAILS = {tools.tools: 64, classification.classification: 22, yes_no.yes_no: 34, written.written: 12, stories.stories: 4, lookup.meaning: 8}
LAST = tuple((f, FAILS.get(f, w)) for f, w in LATE)
# The short last stage: what is asked for most.
POLISH = tuple((f, {extraction.extraction: 80, classification.classification: 36}.get(f, w)) for f, w in LAST)
ASK = tuple((f, 110 if f is yes_no.yes_no else w) for f, w in LAST)

# Of each stage: the shard (of a million tokens) where a phase ends, and its mixture.
END = 1 << 30
PHASES = {
    "one": ((3, COPY), (6, FIND), (END, MAIN)),
    "two": ((END, LATE),),
    "three": ((8, ASK), (END, LAST)),
    "four": ((END, POLISH),),
}
# How many of the lists that come late a stage draws from (breadth.late).
LATER = {"one": 0, "two": 1, "three": 2, "four": 2}


def phase(stage: str, shard: int):
    """The mixture of a shard of the training."""
    return next(mixture for end, mixture in PHASES[stage] if shard < end)


def dialogue(rng: random.Random, split: str, mixture=MAIN):
    return rng.choices([f for f, _ in mixture], [w for _, w in mixture])[0](rng, split)
