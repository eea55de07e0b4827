"""Trains the default model. Run by make_default.sh. Repeats exactly by seed on the same kind of machine; interrupted, it saves and the same command goes on, with the same result as if it had not been."""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch

from data import breadth
from data.mix import LATER, PHASES, dialogue, phase
from dataset import encode, microbatches, pack
from export import mean
from model import Config, Model
from optimizer import Optimizer
from tokenizer import Tokenizer
from workers import Workers, keep_off, keep_to, own_session


def shards(queue, path, seed, stage, micro, tokens, number):
    """A process of its own: makes fresh dialogues ahead of the training, from this number on."""
    own_session(5)
    keep_off()
    tokenizer = Tokenizer.load(path)
    while True:
        queue.put(microbatches(tokenizer, seed * 100003 + number, tokens, micro, phase(stage, number)))
        number += 1


def rate(step: int, steps: int, warm: int, decay: float) -> float:
    """Warm-up, a flat stretch, then a straight line to zero."""
    return min(1.0, (step + 1) / warm, (steps - step) / (steps * decay))


class Data:
    """The parts of the training, in order; it goes on at any of them."""

    def __init__(self, args, shard: int, left: int | None):
        """From shard `shard` on; of that one the last `left` parts, or all."""
        self.shard, self.left, self.pending = shard, left, None
        self.queue = multiprocessing.Queue(2)
        maker = (self.queue, args.tokenizer, args.seed + 2000, args.stage, args.micro, args.shard, shard)
        self.process = multiprocessing.Process(target=shards, args=maker, daemon=True)
        self.process.start()

    def next(self):
        if self.pending is None:
            self.pending = self.queue.get()[: self.left]
        while not self.pending:
            self.pending, self.shard = self.queue.get(), self.shard + 1
        return self.pending.pop()

    def place(self) -> dict:
        return {"shard": self.shard, "left": self.left if self.pending is None else len(self.pending)}


def fingerprint(args) -> str:
    """Of all that decides what the training does: its code, its lists, its arguments."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    plan = {k: v for k, v in vars(args).items() if k not in ("out", "helpers", "threads", "save", "check", "tokenizer", "init")}
    digest.update(json.dumps(plan, sort_keys=True).encode())
    files = sorted(f for f in here.rglob("*") if f.suffix in (".py", ".c", ".h", ".txt"))
    inits = [f / "model.safetensors" if f.is_dir() else f for f in args.init or []]
    for f in [*files, args.tokenizer, *inits]:
        digest.update(hashlib.sha256(f.read_bytes()).digest())
    return digest.hexdigest()


def interrupted(out: Path, mark: str) -> dict | None:
    """The state to go on from, if there is one of this very training."""
    if not (out / "checkpoint.pt").exists():
        return None
    state = torch.load(out / "checkpoint.pt")
    if state.get("training") != mark:
        sys.exit(f"{out} holds another training (other code, data or arguments): remove it to begin anew, or give another --out")
    return state


def evaluate(model, tokenizer, dialogues) -> dict:
    """By task: share of dialogues whose every target token is the likeliest, and loss per target."""
    right, loss, count = defaultdict(list), defaultdict(float), defaultdict(int)
    for d in dialogues:
        ids, where, targets, _ = pack([encode(tokenizer, d)])
        logits = model.logits(torch.from_numpy(ids))[0].float()[torch.from_numpy(where).long()]
        targets = torch.from_numpy(targets).long()
        right[d.task].append((logits.argmax(-1) == targets).all().item())
        loss[d.task] += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
        count[d.task] += len(targets)
    return {t: (sum(r) / len(r), loss[t] / count[t]) for t, r in right.items()}


class Training:
    def __init__(self, args):
        self.args, self.mark = args, fingerprint(args)
        self.end = min(args.steps, args.stop or args.steps)
        state = interrupted(args.out, self.mark) or {"step": 0, "tokens": 0, "place": {"shard": 0, "left": None}}
        self.step, self.seen = state["step"], state["tokens"]
        if self.step == self.end:
            return
        self.tokenizer = Tokenizer.load(args.tokenizer)
        self.model = Model(Config(self.tokenizer.size, args.hidden, args.layers, args.heads, args.inner), args.seed)
        if self.step or args.init:
            self.use(state["flat"] if self.step else mean(args.init))
        self.model.share()
        self.optimizer = Optimizer(self.model, args.muon, args.adam)
        if self.step:
            self.optimizer.load(state)
        self.workers = Workers(self.model, self.optimizer, args.helpers)
        rng = random.Random(7)
        self.dev = [dialogue(rng, "dev") for _ in range(500)]
        self.data = Data(args, **state["place"])
        keep_to()
        self.log = (args.out / "log.txt").open("a")
        self.start, self.before = time.time(), self.seen
        self.window = [0.0, 0, 0]
        self.say(f"{self.model.flat.numel()} parameters, from step {self.step} on, {args}")

    def say(self, text):
        print(text, flush=True)
        print(text, file=self.log, flush=True)

    def use(self, flat):
        self.model.flat.copy_(flat)
        self.model.refresh()

    def one(self):
        """One step."""
        args, batch, tokens = self.args, [], 0
        while tokens < args.batch:
            batch.append(self.data.next())
            tokens += batch[-1][0].size
        targets = sum(len(b[2]) for b in batch)
        weight = float(sum(b[3].sum() for b in batch))
        loss, right = self.workers.step([[torch.from_numpy(x) for x in (*part[:3], part[3] / weight)] for part in batch])
        self.window = [a + b for a, b in zip(self.window, (loss, targets, right))]
        self.seen += tokens
        self.workers.update(self.step + 1, rate(self.step, args.steps, args.warm, args.decay))
        self.step += 1

    def report(self):
        loss, targets, right = self.window
        seconds = time.time() - self.start
        self.say(
            f"{self.step} of {self.end} loss {loss / targets:.4f} right {right / targets:.4f} tokens {self.seen / 1e6:.2f}M {(self.seen - self.before) / seconds:.0f}/s {seconds:.0f}s, {self.workers.shared} parts by helpers"
        )
        self.window = [0.0, 0, 0]

    def check(self):
        """On the dev split; before the end with the running average, which is better there."""
        flat = self.model.flat.clone()
        if self.step < self.args.steps:
            self.use(self.optimizer.average)
        scores = evaluate(self.model, self.tokenizer, self.dev)
        self.use(flat)
        self.say("  dev " + " ".join(f"{t}:{a:.2f}/{l:.2f}" for t, (a, l) in sorted(scores.items())))

    def save(self):
        """All that the rest of the training depends on."""
        state = {"training": self.mark, "step": self.step, "steps": self.args.steps, "tokens": self.seen, "place": self.data.place()}
        state |= {"config": self.model.config.as_dict(), "flat": self.model.flat.clone(), **self.optimizer.state()}
        torch.save(state, self.args.out / "checkpoint.tmp")
        os.replace(self.args.out / "checkpoint.tmp", self.args.out / "checkpoint.pt")

    def run(self, wanted):
        """To the end, or until it is not wanted() any more; what was done is then saved."""
        more = True
        while self.step < self.end and more:
            self.one()
            ends = self.step == self.end
            if self.step % 20 == 0:
                self.report()
            if self.step % self.args.check == 0 or ends:
                self.check()
            more = wanted()
            if self.step % self.args.save == 0 or ends or not more:
                self.save()
        self.data.process.terminate()
        self.workers.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5600)
    parser.add_argument("--batch", type=int, default=10752, help="tokens of a step")
    parser.add_argument("--micro", type=int, default=1536, help="tokens of a part of a step")
    parser.add_argument("--stage", choices=sorted(PHASES), default="one", help="which mixtures of data/mix.py")
    parser.add_argument("--stop", type=int, help="ends after so many of the steps")
    parser.add_argument("--warm", type=int, default=80)
    parser.add_argument("--decay", type=float, default=0.35, help="share of the steps in which the rate falls")
    parser.add_argument("--muon", type=float, default=0.02)
    parser.add_argument("--adam", type=float, default=0.003)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--inner", type=int, default=576)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--shard", type=int, default=1_000_000, help="tokens of dialogues that are made at a time")
    parser.add_argument("--save", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--check", type=int, default=400, help="steps between evaluations on the dev split")
    parser.add_argument("--helpers", type=int, default=0, help="processes of low priority that help; the result is the same")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--init", type=Path, nargs="+", help="begin with the parameters of this checkpoint or exported folder, or the mean of several")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = arguments()
    breadth.wide, breadth.late = True, LATER[args.stage]
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    asked = []
    for what in (signal.SIGINT, signal.SIGTERM):
        signal.signal(what, lambda number, _: asked.append(number))
    training = Training(args)
    if training.step == training.end:
        return print(f"{args.out} is finished: {training.end} steps")
    training.run(lambda: not asked)
    if training.step < training.end:
        print(f"interrupted after {training.step} of {training.end} steps, saved: the same command goes on", file=sys.stderr)
        sys.exit(128 + asked[0])


if __name__ == "__main__":
    main()
