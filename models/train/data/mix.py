"""The mixture of tasks, by phase of the training."""

import random

from . import chat, classification, extraction, misc, stories, tales, tools, yes_no

# Weights by number of dialogues. The first phase is short and full of copying.
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
MAIN = (
    (extraction.extraction, 34),
    (extraction.several, 2),
    (extraction.enums, 3),
    (extraction.animals, 2),
    (extraction.table, 4),
    (extraction.wh_questions, 6),
    (classification.classification, 11),
    (yes_no.yes_no, 16),
    (chat.chat, 7),
    (tools.tools, 32),
    (stories.stories, 12),
    (tales.blend, 4),
    (tales.tale, 4),
    (misc.misc, 5),
    (misc.english, 1),
)


def dialogue(rng: random.Random, split: str, mixture=MAIN):
    return rng.choices([f for f, _ in mixture], [w for _, w in mixture])[0](rng, split)
