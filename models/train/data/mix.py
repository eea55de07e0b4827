"""The mixture of tasks, by phase of the training."""

import random

from . import chat, classification, extraction, misc, stories, tales, tools, yes_no

# Weights by number of dialogues. The first phase is short and full of copying.
FIRST = (
    (extraction.table, 20),
    (extraction.extraction, 25),
    (extraction.wh_questions, 15),
    (chat.repeat, 15),
    (chat.memory, 8),
    (classification.classification, 7),
    (yes_no.yes_no, 5),
    (stories.stories, 5),
)
MAIN = (
    (extraction.extraction, 30),
    (extraction.several, 3),
    (extraction.enums, 3),
    (extraction.animals, 2),
    (extraction.table, 4),
    (extraction.wh_questions, 5),
    (classification.classification, 17),
    (yes_no.yes_no, 14),
    (chat.chat, 9),
    (tools.tools, 12),
    (stories.stories, 3),
    (tales.blend, 5),
    (tales.tale, 4),
    (misc.misc, 7),
    (misc.english, 5),
)


def dialogue(rng: random.Random, split: str, mixture=MAIN):
    return rng.choices([f for f, _ in mixture], [w for _, w in mixture])[0](rng, split)
