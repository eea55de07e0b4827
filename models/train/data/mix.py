"""The mixtures of tasks, by stage and phase of the training."""

import random

from . import chat, classification, extraction, lookup, misc, stories, tales, tools, written, yes_no

# Weights by number of dialogues. The first one is short and full of copying.
FIRST = (
    (extraction.table, 20),
    (extraction.extraction, 25),
    (extraction.wh_questions, 12),
    (chat.repeat, 12),
    (chat.memory, 5),
    (classification.classification, 7),
    (yes_no.yes_no, 8),
    (tools.tools, 12),
    (stories.stories, 4),
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
# What both stages have. The order of entries decides what is drawn, so it stays.
COMMON = (
    (extraction.extraction, 34),
    (extraction.several, 2),
    (extraction.enums, 3),
    (extraction.animals, 2),
    (extraction.table, 4),
    (extraction.wh_questions, 6),
    (classification.classification, 11),
    (yes_no.yes_no, 16),
    (chat.chat, 7),
)
MAIN = (
    *COMMON,
    (tools.tools, 32),
    (stories.stories, 12),
    (tales.blend, 4),
    (tales.tale, 4),
    (misc.misc, 5),
    (misc.english, 1),
)

# For going on with lower rates: also practice in finding a thing by what is said of it, and the stories written by hand, few as
# they are, not too often.
LAST = (
    *COMMON,
    (tools.tools, 24),
    (lookup.few, 15),
    (lookup.easy, 6),
    (lookup.lookup, 8),
    (stories.stories, 7),
    (tales.blend, 2),
    (tales.tale, 2),
    (written.written, 14),
    (misc.misc, 5),
    (misc.english, 2),
)
# Of each stage: the shard (of a million tokens) where a phase ends, and its mixture.
END = 1 << 30
PHASES = {
    "one": ((2, FIRST), (END, MAIN)),
    "two": ((END, LAST),),
}


def phase(stage: str, shard: int):
    """The mixture of a shard of the training."""
    return next(mixture for end, mixture in PHASES[stage] if shard < end)


def dialogue(rng: random.Random, split: str, mixture=MAIN):
    return rng.choices([f for f, _ in mixture], [w for _, w in mixture])[0](rng, split)
