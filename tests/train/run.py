#!/usr/bin/env python3
"""Checks the data of models/train: dialogues that say what they should, and held-out texts that training never sees."""

import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "models" / "train"), str(ROOT / "bench" / "default_model")]

import held_patterns  # noqa: E402
import heldout  # noqa: E402
from data import breadth, chats, classify_more, classify_words, held, lookup, mix, passages, stories, tools, tools_written, written, yes_no  # noqa: E402
from data.pools import SPLITS, like, parts, vocabulary, words  # noqa: E402

CALL = re.compile(r"<tool_call>(.*)</tool_call>", re.DOTALL)


def system_of(dialogue) -> str:
    return "".join(text for role, text, _ in dialogue.messages if role == "system")


def lines_of(families) -> list[str]:
    """Tools as lines of lists/tools.txt."""
    return [" | ".join([f[0], f[1], " ".join(f[2]), " / ".join(f[3])]) for f in families]


class Splits(unittest.TestCase):
    def test_parts_are_disjoint_and_whole(self):
        for items in (stories.OPENINGS, tools.PHRASES, yes_no.SCENES, words("first_names"), words("sentences")):
            cut = parts(items)
            self.assertEqual(sum(len(cut[s]) for s in SPLITS), len(set(items)))
            self.assertEqual(len(set().union(*cut.values())), len(set(items)))
            self.assertTrue(all(cut.values()))

    def test_adding_an_entry_moves_no_other(self):
        items = [f"entry {i}" for i in range(700)]
        before, after = parts(items), parts([*items, "one more"])
        moved = [s for s in ("test", "dev") for x in before[s] if x not in after[s]]
        self.assertLessEqual(len(moved), 2)  # at the borders

    def test_stories_keep_held_out_words_and_sentences_to_themselves(self):
        rng = random.Random(1)
        known = {w for kind in written.KINDS for entry in parts(kind)["train"] for w in entry.split()}  # "green field"
        kept = {w for w in written.INSTEAD if re.fullmatch("[a-z]+", w)} - known
        self.assertTrue(kept)
        with mock.patch.object(breadth, "late", 2):
            for sentence in (s for _ in range(500) for s in written.sentences(rng, "train")):
                self.assertIsNone(written.held().fullmatch(sentence), sentence)
                self.assertFalse(kept & set(re.findall(r"\b[a-z]+", sentence)), sentence)
        # The filter would see one.
        self.assertIsNotNone(written.held().fullmatch(parts(stories.PLOTS["fear"][0])["test"][0].format(n="Ann", he="she", place="barn")))

    def test_texts_that_are_much_like_held_out_ones_are_left_out(self):
        for name, base, used in (("reviews", classify_words.SENTIMENT, classify_more.SAID_SENTIMENT), ("requests", classify_words.INTENTS, classify_more.SAID_INTENTS)):
            every = [line.split("|")[1] for line in words(name)]
            self.assertEqual(len(set(every)), len(every))
            self.assertGreater(sum(map(len, used.values())), 900)
            # The filter would see a held-out pattern, also with other words in its slots.
            held = [p for patterns in base.values() for p in parts(patterns)["test"]]
            with mock.patch.object(classify_more, "words", lambda _: [f"{next(iter(base))}|{p.replace('{q}', 'two')}" for p in held]):
                self.assertFalse(any(classify_more.said(name, base).values()))

    def test_held_out_cases_are_the_same_every_time(self):
        self.assertEqual(heldout.cases(3), heldout.cases(3))
        self.assertEqual(heldout.story_texts(2), heldout.story_texts(2))


class Dialogues(unittest.TestCase):
    def setUp(self):
        breadth.wide, breadth.late = True, 2

    def tearDown(self):
        breadth.wide, breadth.late = False, 0

    def test_passages_ask_what_they_answer(self):
        self.assertGreater(len(passages.passages()), 1150)
        for _, text, yes, no in passages.passages():
            self.assertTrue(len(yes) >= 3 <= len(no) and not set(yes) & set(no), text)
        rng = random.Random(4)
        # Words are exchanged in the text and the questions alike.
        text, question = passages.exchanged(rng, ["The red kite is in the tree, the blue one is not.", "Is the red kite in the tree?"], 1)
        self.assertNotIn("red", text)
        self.assertIn(text.split(" is in")[0].lower(), question.lower())
        self.assertEqual(passages.exchanged(rng, ["Two dogs and a dog."], 1), ["Two dogs and a dog."])
        said = Counter(text for _ in range(300) for role, text, _ in passages.passage(rng, "train").messages if role == "assistant")
        self.assertEqual(set(said), {"yes", "no"})
        self.assertGreater(min(said.values()), 0.4 * sum(said.values()))

    def test_passages_are_not_those_for_measuring(self):
        held = [vocabulary(text) for split in ("dev", "test") for _, text, _, _ in heldout.written_passages(split)]
        for _, text, _, _ in passages.passages():
            self.assertFalse(like(text, held), text)
        self.assertTrue(like(next(iter(heldout.written_passages("test")))[1], held))

    def test_arguments_of_a_kind_are_told_apart_by_their_names(self):
        rng = random.Random(9)
        families = tools_written.paired_families()
        self.assertGreater(len(families), 200)
        same = 0
        for family in families:
            kinds = [a.split(":")[1] for a in family[2]]
            for (label, kind, _), argument in zip(tools.make(rng, "train", family)[2], family[2]):
                if kinds.count(kind) > 1:
                    same += 1
                    self.assertIn(label, argument.split(":")[0].split("/"))
        self.assertGreater(same, 150)

    def test_written_passages_ask_what_they_answer(self):
        for split in ("dev", "test"):
            for sexes, text, yes, no in heldout.written_passages(split):
                self.assertFalse(set(yes) & set(no), text)
                used = set(re.findall(r"{(\w+)}", " ".join([text, *yes, *no])))
                self.assertEqual(used, set(sexes), text)

    def test_every_mixture_and_split_makes_dialogues(self):
        for stage in mix.PHASES:
            seen = Counter()
            for shard in range(16):
                rng = random.Random(shard)
                for _ in range(300):
                    d = mix.dialogue(rng, "train", mix.phase(stage, shard))
                    seen[d.task] += 1
                    self.assertTrue(d.text or any(role == "assistant" and text for role, text, _ in d.messages))
                    for text in (d.text or "", *(text for _, text, _ in d.messages)):
                        self.assertNotRegex(text, r"\{[a-zA-Z]\w*\}")
            self.assertGreater(len(seen), 20)
        rng = random.Random(2)
        for _ in range(300):
            mix.dialogue(rng, "dev")

    def test_mixtures_are_the_same_every_time(self):
        def drawn():
            rng = random.Random(5)
            return [mix.dialogue(rng, "train", mix.phase("two", 1000)) for _ in range(50)]

        self.assertEqual(drawn(), drawn())

    def test_calls_are_of_described_tools(self):
        rng = random.Random(3)
        for split in ("train", "train", "dev", "test"):
            for _ in range(150):
                d = tools.tools(rng, split)
                system = system_of(d)
                for role, text, _ in d.messages:
                    match = CALL.fullmatch(text) if role == "assistant" else None
                    if match is None:
                        continue
                    call = json.loads(match[1])
                    self.assertEqual(list(call), ["name", "arguments"])
                    self.assertRegex(system, r"(?<![\w-])" + re.escape(call["name"]) + r"(?![\w-])")
                    for key in call["arguments"]:
                        self.assertIn(key, system)

    def test_tools_are_described_in_the_order_asked_for(self):
        tool = ("send_mail", "Sends an e-mail", [("to", "email", "string")], ("Mail {0}.",))
        for style in ("line", "short", "tight", "wide"):
            for what_first in (False, True):
                text = tools.describe(style, tool, what_first)
                self.assertEqual(text.index("Sends an e-mail") < text.index("send_mail"), what_first, text)
                self.assertIn("to", text)

    def test_values_of_a_request_differ(self):
        tool = ("convert", "Converts an amount", [("a", "currency", "string"), ("n", "int", "integer"), ("b", "currency", "string")], ("{1} {0} to {2}",))
        for split in SPLITS:
            call = json.loads(tools.asked(random.Random(6), split, tool)[1])
            self.assertNotEqual(call["arguments"]["a"], call["arguments"]["b"])

    def test_held_out_tools_are_of_one_split(self):
        names = [{t[0] for t in held_patterns.TOOLS}, {t[0] for t in held_patterns.DEV_TOOLS}]
        self.assertFalse(names[0] & names[1])
        asked = [{r for t in ts for r in t[3]} for ts in (held_patterns.TOOLS, held_patterns.DEV_TOOLS)]
        self.assertFalse(asked[0] & asked[1])

    def test_a_looked_up_line_is_the_only_one_meant(self):
        rng = random.Random(4)
        for make in (lookup.lookup, lookup.easy, lookup.meaning):
            for _ in range(200):
                d = make(rng, "train")
                answers = [text for role, text, _ in d.messages if role == "assistant"]
                self.assertEqual(len(answers), len(set(answers)))  # every line once
                shown = system_of(d) or d.messages[0][1]
                for text in answers:
                    name = re.sub(r'^(<tool_call>)?\{"name":"(.*)"\}(</tool_call>)?$', r"\2", text)
                    self.assertIn(name, shown)


    def test_what_words_mean_is_said_in_different_words(self):
        rng = random.Random(8)
        kinds = Counter(kind for kind, *_ in lookup.meanings())
        self.assertEqual(set(kinds), set(lookup.MEANT))
        self.assertGreater(min(kinds.values()), 300)
        for _ in range(300):
            kind, same, wider, said = rng.choice(lookup.meanings())
            self.assertEqual(len({*same, said, wider} - {""}), len(same) + bool(said) + bool(wider and wider not in same))

    def test_chats_say_back_what_was_said(self):
        self.assertGreater(len(chats.chats()), 500)
        for sexes, turns in chats.chats():
            self.assertEqual(len(turns) % 2, 0, turns)
            for i in range(1, len(turns), 2):
                known = set(chats.SLOT.findall(" ".join(turns[:i])))
                self.assertLessEqual(set(chats.SLOT.findall(turns[i])), known, turns)
        kept = {chats.plain(re.sub(r"\{\w\}", "{", s)) for _, turns in chats.chats() for t in turns for s in re.split(r"(?<=[.!?]) ", t)}
        self.assertFalse(kept & chats.held())
        self.assertIn(chats.plain("My age is {"), chats.held())  # the filter would see one

    def test_written_tools_are_not_held_out_ones(self):
        held = [f for split in ("dev", "test") for f in parts(tools.FAMILIES)[split]]
        families = tools_written.written_families(2)
        names = {n for f in families for n in f[0].split()}
        self.assertFalse(names & {n for f in held for n in f[0].split()})
        self.assertGreater(len(families), len(tools_written.written_families(1)) + 600)
        asked = {r for f in families for r in f[3]}
        self.assertFalse(asked & {r for t in held_patterns.TOOLS + held_patterns.DEV_TOOLS for r in t[3]})
        for name, _, arguments, requests in (*families, *tools_written.dev_families()):
            for r in requests:
                self.assertEqual(sorted(re.findall(r"\{(\d)\}", r)), [str(i) for i in range(len(arguments))], name)
        # The filters would see a held-out kind, and a request for measuring in a list for training.
        with mock.patch.object(tools_written, "words", lambda _: lines_of(held)):
            self.assertFalse(tools_written._kept("tools", held, ()))
        measured = tools_written.dev_families()
        self.assertGreater(len(measured), 50)
        with mock.patch.object(tools_written, "words", lambda _: lines_of(measured)):
            self.assertFalse(tools_written._kept("tools_more", held, measured))


class Stories(unittest.TestCase):
    LISTS = ("stories", "stories_late")

    def test_the_list_says_who_is_who(self):
        for number, line in ((f"{name} {i}", line) for name in self.LISTS for i, line in enumerate(words(name), 1)):
            match = re.fullmatch(r"\[((?:[A-E]=[fm] ?)*)\] (.+)", line)
            self.assertIsNotNone(match, number)
            self.assertEqual(set(re.findall("[A-E](?==)", match[1])), set(re.findall(r"\{(\w+)\}", match[2])), number)
            self.assertEqual(match[2].count('"') % 2, 0, number)
            self.assertTrue(line.isascii(), number)

    def test_sentences_lose_nothing(self):
        for line in words("stories") + words("stories_late"):
            text = line.split("] ", 1)[1]
            self.assertEqual(" ".join(s.strip() for s in written.SENTENCE.findall(text)), text)


PYTHON = "/usr/bin/python3"


@unittest.skipUnless(subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode == 0, "needs python3-torch")
class Interrupted(unittest.TestCase):
    """Training that is interrupted goes on to the same bits."""

    def train(self, folder: Path, out: str, steps=8, interrupt_with=None):
        command = [PYTHON, ROOT / "models/train/train.py", "--tokenizer", folder / "tokenizer.json", "--out", folder / out, "--steps", str(steps)]
        command += "--layers 1 --batch 3072 --shard 8000 --warm 2 --save 3 --check 100 --helpers 1".split()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if interrupt_with:
            while not (folder / out / "checkpoint.pt").exists() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(interrupt_with)
        said, error = process.communicate()
        return process.returncode, said, error

    def test_goes_on_to_the_same_bits(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make = [PYTHON, ROOT / "models/train/tokenizer.py", "--out", folder / "tokenizer.json", "--dialogues", "3000"]
            self.assertEqual(subprocess.run(make, capture_output=True).returncode, 0)
            self.assertEqual(self.train(folder, "whole")[0], 0)
            code, _, error = self.train(folder, "parts", interrupt_with=signal.SIGINT)
            self.assertEqual(code, 130, error)
            self.assertIn("the same command goes on", error)
            code, said, error = self.train(folder, "parts")
            self.assertEqual(code, 0, error)
            self.assertNotIn("from step 0 on", said)
            compare = "import sys, torch; a, b = (torch.load(p) for p in sys.argv[1:]); print([k for k in a if not (torch.equal(a[k], b[k]) if torch.is_tensor(a[k]) else a[k] == b[k])], a['step'])"
            files = [folder / out / "checkpoint.pt" for out in ("whole", "parts")]
            self.assertEqual(subprocess.run([PYTHON, "-c", compare, *files], capture_output=True, text=True).stdout.strip(), "[] 8")
            self.assertIn("is finished", self.train(folder, "parts")[1])
            code, _, error = self.train(folder, "parts", steps=9)
            self.assertEqual(code, 1)
            self.assertIn("another training", error)


if __name__ == "__main__":
    unittest.main()
