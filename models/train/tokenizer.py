"""Byte-level BPE made for copying: training, encoding, and Hugging Face's tokenizer.json.

A small model that extracts names must see the same tokens for a word after a space, after a quote and at the start of a
line. So a space is a token of its own, except before a closed list of function words, which nobody extracts; digits and
punctuation stand alone, but the joints of compact JSON (`{"`, `":"`, `","`, …) are one token each. SentencePiece cannot
express the closed list, and Debian has no package of the `tokenizers` library, hence this trainer (a heap over pair
counts). `encode` and the exported file agree with the runtime's tokenizer id for id.
"""

import argparse
import heapq
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

BOS, END = 0, 1
SPECIALS = ["<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]
ROLES = {"system": 2, "user": 3, "assistant": 4, "tool": 5}
GLUED = """a an the and or but of to in on at by for from with as is are was were be been am it its he she they we you i his her their
our your my him them us me this that these those there here what which who when where why how not no do does did have has had will
would can could should may must if so than then because into out up down over under after before about one all some any more most very
much many said one two other another when while until just also only even now too again went came got saw made looked wanted day""".split()
GLUED = sorted(set(GLUED) | {"I", "JSON", "The", "He", "She", "It"}, key=lambda w: (-len(w), w))
# A line break opens every message but the assistant's: a small model has trouble to copy the very first token of a text.
# Tools, where a request has some, end the system message: what a tool does, then its name, as the training has them (data/tools.py).
CHAT_TEMPLATE = (
    "{% set found = namespace(tools='') %}{% for tool in tools or [] %}{% set f = tool['function'] or tool %}{% set arguments = namespace(text='') %}"
    "{% for name, schema in ((f['parameters'] or {})['properties'] or {}) | items %}{% set arguments.text = arguments.text + (', ' if arguments.text else '') + name + ': ' + (schema['type'] if schema['type'] is string else 'any') %}{% endfor %}"
    "{% set found.tools = found.tools + '\n' + (f['description'] or f['name']).rstrip('.') + ': ' + f['name'] + '(' + arguments.text + ')' %}{% endfor %}"
    "{% if found.tools %}{% set found.tools = '\nTools:' + found.tools %}{% endif %}"
    "{{ bos_token }}{% if found.tools and messages[0]['role'] != 'system' %}{{ '<|system|>\nUse a tool to help the user.' + found.tools + '<|end|>' }}{% endif %}"
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ '<|assistant|>' }}{% else %}{{ '<|' + message['role'] + '|>\n' }}{% endif %}"
    "{{ message['content'] + (found.tools if loop.first and message['role'] == 'system' else '') + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def pattern(letter: str, digit: str, other: str) -> str:
    """The split pattern, from what stands for a letter, a digit and any other visible character."""
    joints = r'</?tool_call>|[\[{]+"|"[\]}]+|"[,:]"|":[\[{]*|,"'
    return rf"{joints}| (?:{'|'.join(GLUED)})(?!{letter}|{digit}|_)|{letter}+|{digit}|\n+| |{other}|\s"


RUNTIME_PATTERN = pattern(r"\p{L}", r"\p{N}", r"[^\s\p{L}\p{N}]")
SPLIT = re.compile(pattern(r"[^\W\d_]", r"\d", r"[^\s\w]|_"))


def byte_alphabet() -> list[str]:
    """GPT-2's spelling of each byte as a visible character."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, n = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + n)
            n += 1
    return [table[b] for b in range(256)]


class Tokenizer:
    """Ids: the special tokens, the 256 bytes, then one per merge."""

    def __init__(self, merges: list[tuple[int, int]]):
        self.merges = merges
        self.first = len(SPECIALS)
        self.rank = {tuple(m): i for i, m in enumerate(merges)}
        self.bytes = [b""] * self.first + [bytes([b]) for b in range(256)]
        for a, b in merges:
            self.bytes.append(self.bytes[a] + self.bytes[b])
        self.cache: dict[str, list[int]] = {}

    @property
    def size(self) -> int:
        return len(self.bytes)

    def piece(self, text: str) -> list[int]:
        known = self.cache.get(text)
        if known is not None:
            return known
        ids = [self.first + b for b in text.encode()]
        while len(ids) > 1:
            best = min((self.rank.get(p, 1 << 30), i) for i, p in enumerate(zip(ids, ids[1:])))
            if best[0] == 1 << 30:
                break
            pair, out, i = self.merges[best[0]], [], 0
            while i < len(ids):
                if i + 1 < len(ids) and ids[i] == pair[0] and ids[i + 1] == pair[1]:
                    out.append(self.first + 256 + best[0])
                    i += 2
                else:
                    out.append(ids[i])
                    i += 1
            ids = out
        if len(self.cache) < 500000:
            self.cache[text] = ids
        return ids

    def encode(self, text: str) -> list[int]:
        return [i for p in SPLIT.findall(text) for i in self.piece(p)]

    def decode(self, ids) -> str:
        return b"".join(self.bytes[i] for i in ids).decode("utf-8", "replace")

    def save(self, path: Path):
        path.write_text(json.dumps({"merges": self.merges}))

    @staticmethod
    def load(path: Path) -> "Tokenizer":
        """From what save() wrote, or the tokenizer.json of an exported folder."""
        data = json.loads(path.read_text(encoding="utf-8"))
        if "model" not in data:
            return Tokenizer([tuple(m) for m in data["merges"]])
        vocabulary = data["model"]["vocab"]
        return Tokenizer([tuple(vocabulary[s] for s in m.split(" ")) for m in data["model"]["merges"]])

    def hugging_face(self) -> tuple[dict, dict]:
        """Contents of tokenizer.json and tokenizer_config.json."""
        alphabet = byte_alphabet()

        def spell(i):
            return "".join(alphabet[b] for b in self.bytes[i])

        vocabulary = {s: i for i, s in enumerate(SPECIALS)}
        vocabulary |= {spell(i): i for i in range(self.first, self.size)}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        split = {"type": "Split", "pattern": {"Regex": RUNTIME_PATTERN}, "behavior": "Isolated", "invert": False}
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        bos = {"SpecialToken": {"id": SPECIALS[BOS], "type_id": 0}}
        tokens = {SPECIALS[BOS]: {"id": SPECIALS[BOS], "ids": [BOS], "tokens": [SPECIALS[BOS]]}}
        single = [bos, {"Sequence": {"id": "A", "type_id": 0}}]
        pair = single + [bos, {"Sequence": {"id": "B", "type_id": 1}}]
        model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
        model |= {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary}
        model["merges"] = [f"{spell(a)} {spell(b)}" for a, b in self.merges]
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [{"id": i, "content": s, **flags} for i, s in enumerate(SPECIALS)],
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
            "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens},
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": model,
        }
        added = {str(i): {"content": s, **flags} for i, s in enumerate(SPECIALS)}
        config = {"added_tokens_decoder": added, "bos_token": SPECIALS[BOS], "eos_token": SPECIALS[END], "chat_template": CHAT_TEMPLATE}
        config |= {"clean_up_tokenization_spaces": False, "model_max_length": 2048, "tokenizer_class": "PreTrainedTokenizerFast"}
        return tokenizer, config


def train(counts: Counter, size: int) -> Tokenizer:
    """The most frequent pair merges first; of equals, the one with the lower ids."""
    first = len(SPECIALS)
    words = [([first + b for b in w.encode()], n) for w, n in sorted(counts.items()) if n > 1]
    pairs, where = Counter(), defaultdict(set)
    for i, (ids, n) in enumerate(words):
        for p in zip(ids, ids[1:]):
            pairs[p] += n
            where[p].add(i)
    heap = [(-n, p) for p, n in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while len(merges) < size - first - 256 and heap:
        n, pair = heapq.heappop(heap)
        if pairs[pair] != -n:
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        new = first + 256 + len(merges)
        merges.append(pair)
        changed = set()
        for i in where.pop(pair):
            ids, count = words[i]
            for p in zip(ids, ids[1:]):
                pairs[p] -= count
                changed.add(p)
            out, j = [], 0
            while j < len(ids):
                if j + 1 < len(ids) and (ids[j], ids[j + 1]) == pair:
                    out.append(new)
                    j += 2
                else:
                    out.append(ids[j])
                    j += 1
            words[i] = (out, count)
            for p in zip(out, out[1:]):
                pairs[p] += count
                where[p].add(i)
                changed.add(p)
        for p in sorted(changed):
            if pairs[p] > 0 and p != pair:
                heapq.heappush(heap, (-pairs[p], p))
    return Tokenizer(merges)


def main():
    from data.mix import WORDS, dialogue
    from data.pools import parts, words

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=6144)
    parser.add_argument("--dialogues", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    counts = Counter()
    for _ in range(args.dialogues):
        d = dialogue(rng, "train", WORDS)
        for text in [d.text] if d.text is not None else [m[1] for m in d.messages]:
            counts.update(SPLIT.findall(text))
    for text in parts(words("sentences"))["train"]:
        counts.update(SPLIT.findall(text) * 2)
    # A word counts by the root of its frequency: what templates repeat should not take all the merges.
    tokenizer = train(Counter({w: int(10 * n**0.5) for w, n in counts.items() if n > 2}), args.size)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(args.out)
    total = sum(len(tokenizer.piece(w)) * n for w, n in counts.items())
    print(f"{tokenizer.size} tokens, {sum(len(w.encode()) * n for w, n in counts.items()) / total:.2f} bytes a token")


if __name__ == "__main__":
    main()
