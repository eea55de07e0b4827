"""Dialogues as tokens, and batches of sequences of similar length."""

import random
import re

import numpy as np

from data import breadth
from data.mix import dialogue
from tokenizer import BOS, END, ROLES, Tokenizer

LONGEST = 1024
# What a target counts, by task: a label of one token weighs as much as a few tokens of a record, prose weighs less.
WEIGHTS = {
    "extract": 1.3,
    "story": 0.35,
    "written": 0.6,
    "tale": 0.5,
    "english": 0.5,
    "sentiment": 12,
    "topic": 12,
    "intent": 12,
    "feeling": 10,
    "yes_no": 10,
    "scenes": 10,
    "passage": 8,
    "wh": 2,
    "drill": 5,
    "lookup": 3,
    "few": 5,
    "knowledge": 4,
    "marks": 4,
}


# In the JSON of an answer: the first token of a value decides what is copied, the others follow from it; a tool's name decides most, and
# names of people are where records fail most.
VALUE = re.compile(rb'":"?(?=[^"{\[])')
NAME = re.compile(rb'"name":"([^"]+)')


def decisions(task: str, text: bytes) -> dict[int, int]:
    """Bytes of an answer whose token counts more, and how much."""
    if task == "chat":  # a full sentence or the bare word
        return {0: 4}
    if not text.startswith((b"{", b"<tool_call>")):
        return {}
    counts = {m.end(): 4 if task == "tool" and breadth.late > 1 else 2 for m in VALUE.finditer(text)}
    name = NAME.search(text) if task == "tool" or task.startswith("extract") else None
    if name:
        counts |= {at: 2 for at in range(*name.span(1))} | {name.start(1): 4 if task == "tool" else 3}
    return counts


def encode(tokenizer: Tokenizer, d, begin=True) -> tuple[list[int], list[int]]:
    """(tokens, what each counts as a target: 0 where it is none)."""
    weight = WEIGHTS.get(d.task, 1)
    ids, loss = ([BOS], [0]) if begin else ([], [])
    if d.text is not None:
        new = tokenizer.encode(d.text)
        ids += new
        at = 0
        for i in new:
            at += len(tokenizer.bytes[i])
            loss.append(weight * (at > d.start))
        return ids + [END], loss + [weight]
    for role, text, given in d.messages:
        new = tokenizer.encode(text if role == "assistant" else "\n" + text)
        ids += [ROLES[role], *new, END]
        if role != "assistant":
            loss += [0] * (len(new) + 2)
            continue
        start, at = len(text[:given].encode()), 0
        loss.append(0)
        counts = decisions(d.task, text.encode())
        for i in new:
            more = counts.get(at, 1)
            at += len(tokenizer.bytes[i])
            loss.append(weight * more * (at > start))
        loss.append(weight if weight < 1 else 1)
    return ids, loss


def sequence(tokenizer, rng, split, mixture):
    """One dialogue; now and then several, one after another in one conversation."""
    ids, loss = encode(tokenizer, dialogue(rng, split, mixture))
    if ids[1] == ROLES["user"] and rng.random() < 0.03:
        for _ in range(rng.choice([1, 1, 2, 3, 6, 10])):
            d = dialogue(rng, split, mixture)
            if d.text is None and d.messages[0][0] == "user":
                more = encode(tokenizer, d, begin=False)
                ids, loss = ids + more[0], loss + more[1]
    return ids[:LONGEST], loss[:LONGEST]


def microbatches(tokenizer, seed: int, tokens: int, micro: int, mixture):
    """About `tokens` tokens of fresh dialogues as shuffled batches (ids [b, t], rows of the targets, targets, weights)."""
    rng = random.Random(seed)
    rows, total = [], 0
    while total < tokens:
        ids, loss = sequence(tokenizer, rng, "train", mixture)
        if any(loss[1:]):
            rows.append((ids, loss))
            total += len(ids)
    rows.sort(key=lambda r: len(r[0]))
    batches, at = [], 0
    while at < len(rows):
        # The longest of a batch, its last, decides the width; a multiple of 16 suits the matrix units.
        end = at + 1
        while end < len(rows) and (end + 1 - at) * _width(rows[end]) <= micro:
            end += 1
        batches.append(pack(rows[at:end]))
        at = end
    rng.shuffle(batches)
    return batches


def _width(row) -> int:
    return -(-(len(row[0]) - 1) // 16) * 16


def pack(rows):
    width = max(map(_width, rows))
    ids = np.full((len(rows), width), END, dtype=np.int32)
    where, targets, weights = [], [], []
    for i, (tokens, loss) in enumerate(rows):
        ids[i, : len(tokens) - 1] = tokens[:-1]
        for j, (token, counts) in enumerate(zip(tokens[1:], loss[1:])):
            if counts:
                where.append(i * width + j)
                targets.append(token)
                weights.append(counts)
    return ids, np.array(where, dtype=np.int32), np.array(targets, dtype=np.int32), np.array(weights, dtype=np.float32)
