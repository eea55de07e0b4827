"""Trains the default model. Run by make_default.sh; resumes nothing, repeats exactly by seed on the same machine."""

import argparse
import json
import multiprocessing
import os
import random
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


def shards(queue, path, seed, stage, micro, tokens):
    """A process of its own: makes fresh dialogues ahead of the training."""
    own_session(5)
    keep_off()
    tokenizer = Tokenizer.load(path)
    number = 0
    while True:
        queue.put(microbatches(tokenizer, seed * 100003 + number, tokens, micro, phase(stage, number)))
        number += 1


def rate(step: int, steps: int, warm: int, decay: float) -> float:
    """Warm-up, a flat stretch, then a straight line to zero."""
    return min(1.0, (step + 1) / warm, (steps - step) / (steps * decay))


def planned(folder: Path, steps: int, done: int, decay: float) -> int:
    """A number in the file `steps` changes the plan while the rate is still flat; the result is as if it had been given."""
    try:
        wanted = int((folder / "steps").read_text())
    except (OSError, ValueError):
        return steps
    return wanted if done <= min(steps, wanted) * (1 - decay) else steps


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


def main():
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
    parser.add_argument("--save", type=int, default=200)
    parser.add_argument("--check", type=int, default=400, help="steps between evaluations on the dev split")
    parser.add_argument("--helpers", type=int, default=0, help="processes of low priority that help; the result is the same")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--init", type=Path, nargs="+", help="begin with the parameters of this checkpoint or exported folder, or the mean of several")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    breadth.wide, breadth.late = True, LATER[args.stage]
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.load(args.tokenizer)
    config = Config(tokenizer.size, args.hidden, args.layers, args.heads, args.inner)
    model = Model(config, args.seed)
    if args.init:
        model.flat.copy_(mean(args.init))
        model.refresh()
    model.share()
    optimizer = Optimizer(model, args.muon, args.adam)
    workers = Workers(model, optimizer, args.helpers)
    dev_rng = random.Random(7)
    dev = [dialogue(dev_rng, "dev") for _ in range(500)]
    queue = multiprocessing.Queue(2)
    maker = (queue, args.tokenizer, args.seed + 2000, args.stage, args.micro, 1_000_000)
    process = multiprocessing.Process(target=shards, args=maker, daemon=True)
    process.start()
    keep_to()
    log = (args.out / "log.txt").open("a")

    def say(text):
        print(text, flush=True)
        print(text, file=log, flush=True)

    say(f"{model.flat.numel()} parameters, {args}")
    pending, seen, start = [], 0, time.time()
    window = [0.0, 0, 0]
    step = 0
    while step < min(args.steps, args.stop or args.steps):
        batch, tokens = [], 0
        while tokens < args.batch:
            if not pending:
                pending = queue.get()
            batch.append(pending.pop())
            tokens += batch[-1][0].size
        targets = sum(len(b[2]) for b in batch)
        weight = float(sum(b[3].sum() for b in batch))
        loss, right = workers.step([[torch.from_numpy(x) for x in (*part[:3], part[3] / weight)] for part in batch])
        window = [window[0] + loss, window[1] + targets, window[2] + right]
        seen += tokens
        workers.update(step + 1, rate(step, args.steps, args.warm, args.decay))
        done = step = step + 1
        if done % 20 == 0:
            args.steps = planned(args.out, args.steps, done, args.decay)
            accuracy = window[2] / window[1]
            say(
                f"{done} loss {window[0] / window[1]:.4f} right {accuracy:.4f} tokens {seen / 1e6:.2f}M {seen / (time.time() - start):.0f}/s {time.time() - start:.0f}s, {workers.shared} parts by helpers"
            )
            window = [0.0, 0, 0]
        ends = done == min(args.steps, args.stop or args.steps)
        if done % args.check == 0 or ends:
            flat = model.flat.clone()
            if done < args.steps:
                model.flat.copy_(optimizer.average)
                model.refresh()
            scores = evaluate(model, tokenizer, dev)
            model.flat.copy_(flat)
            model.refresh()
            say("  dev " + " ".join(f"{t}:{a:.2f}/{l:.2f}" for t, (a, l) in sorted(scores.items())))
        if done % args.save == 0 or ends:
            state = {
                "flat": model.flat.clone(),
                "average": optimizer.average.clone(),
                "config": config.as_dict(),
                "step": done,
                "steps": args.steps,
                "tokens": seen,
            }
            torch.save(state, args.out / "checkpoint.tmp")
            os.replace(args.out / "checkpoint.tmp", args.out / "checkpoint.pt")
    (args.out / "done.json").write_text(json.dumps({"steps": args.steps, "tokens": seen, "seconds": round(time.time() - start)}))
    process.terminate()
    workers.stop()


if __name__ == "__main__":
    main()
