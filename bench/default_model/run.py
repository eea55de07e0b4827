#!/usr/bin/env python3
"""Measures the default model on held-out inputs, through `sgl run --batch`, with constraints and without.

    python3 bench/default_model/run.py [--sgl build/bin/sgl] [--model models/default] [--limit 100] [--json]

Constrained: the answer is a typed record or one of the options. Unconstrained: free text, parsed afterwards. An answer
is right when it equals the expected one as a whole; for extraction the fields are counted too. Stories: negative
log-likelihood of held-out text, per byte and per word, against stories260k where that model lies beside the repository.
"""

import argparse
import array
import ast
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import heldout

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def batch(args, program: str, inputs: list[dict], folder: Path) -> list:
    """Values of a program (a name, or the text) for many inputs; None where it failed."""
    path, source, out = HERE / f"{program}.sgl", folder / "in.jsonl", folder / "out.jsonl"
    if "\n" in program:
        path = folder / "program.sgl"
        path.write_text(program, encoding="utf-8")
    source.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in inputs), encoding="utf-8")
    command = [args.sgl, "run", path, "--model", args.model, "--batch", source, "-o", out, "--restart", "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{program}: {done.stderr}")
    values = [None] * len(inputs)
    for line in out.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        values[row["index"]] = row.get("value")
    return values


def parsed(task: str, text):
    """The value that a free answer means; None if there is none."""
    if text is None or not task.startswith(("extract", "wide", "tool")):
        return text.strip() if text else text
    text = text.strip()
    if task.startswith("tool"):
        if not (text.startswith("<tool_call>") and text.endswith("</tool_call>")):
            return None
        text = text.removeprefix("<tool_call>").removesuffix("</tool_call>")
    try:
        return json.loads(text)
    except ValueError:
        return None


def score(cases, values, title: str) -> dict:
    """Counts of right answers by task, and of right fields for extraction."""
    right = defaultdict(lambda: [0, 0])
    for case, value in zip(cases, values):
        task, expected = case["task"], case["expected"]
        names = [task]
        if task in ("extract", "wide"):
            names.append(f"{task} {case['name']}")
            for key, wanted in expected.items():
                got = value.get(key) if isinstance(value, dict) else None
                for name in (f"{task}: all fields", f"{task}: {key}"):
                    right[name][0] += got == wanted
                    right[name][1] += 1
        for name in names:
            right[name][0] += value == expected
            right[name][1] += 1
        if value != expected and case.get("shown"):
            print(f"  {title} {task}: {json.dumps(case['free'], ensure_ascii=False)}\n    expected {expected}\n    got      {value}")
    return dict(right)


def logits(args, model: Path, ids: list[int], folder: Path):
    """Rows of logits after every token."""
    path = folder / "logits.npy"
    command = [args.sgl, "model", "logits", "--model", model, "--ids", ",".join(map(str, ids)), "-o", path]
    subprocess.run(command, check=True, capture_output=True)
    raw = path.read_bytes()
    header = int.from_bytes(raw[8:10], "little")
    shape = ast.literal_eval(raw[10 : 10 + header].decode())["shape"]
    data = array.array("f")
    data.frombytes(raw[10 + header :])
    width = shape[-1]
    return [data[i * width : (i + 1) * width] for i in range(len(data) // width)]


def likelihood(args, model: Path, texts: list[str], folder: Path) -> dict:
    """Perplexity per byte and per word of texts, the end of a text not counted."""
    nats = size = words = 0
    for text in texts:
        command = [args.sgl, "tokenize", "--tokenizer", model, "--special"]
        ids = json.loads(subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout)
        eos = json.loads((model / "config.json").read_text())["eos_token_id"]
        ids = ids[:-1] if ids[-1] == eos else ids
        for row, token in zip(logits(args, model, ids, folder), ids[1:]):
            top = max(row)
            nats += math.log(sum(math.exp(x - top) for x in row)) + top - row[token]
        size += len(text.encode())
        words += len(text.split())
    return {"per_byte": math.exp(nats / size), "per_word": math.exp(nats / words), "bits_per_byte": nats / size / math.log(2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sgl", type=Path, default=ROOT / "build" / "bin" / "sgl")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "default")
    parser.add_argument("--limit", type=int, default=100, help="cases of each kind")
    parser.add_argument("--stories", type=int, default=20, help="held-out stories of the generator")
    parser.add_argument("--split", choices=("test", "dev"), default="test", help="dev: for decisions during development")
    parser.add_argument("--show", type=int, default=0, help="show wrong answers among the first so many cases of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    start = time.time()
    cases = heldout.cases(args.limit, args.split)
    counts = defaultdict(int)
    for case in cases:
        case["name"] = case["program"] if "\n" not in case["program"] else ""
        kind = (case["task"], case["name"])
        case["shown"] = counts[kind] < args.show
        counts[kind] += 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answers = batch(args, "free", [c["free"] for c in cases], folder)
        free = score(cases, [parsed(c["task"], a) for c, a in zip(cases, answers)], "free")
        typed_cases, values = [], []
        for program in dict.fromkeys(c["program"] for c in cases):
            own = [c for c in cases if c["program"] == program]
            typed_cases += own
            values += batch(args, program, [c["typed"] for c in own], folder)
        typed = score(typed_cases, values, "typed")
        text = {}
        models = {"this model": args.model, "stories260k": ROOT.parent / "shared" / "models" / "stories260k"}
        sets = {"generated": heldout.story_texts(args.stories, args.split), "written": heldout.WRITTEN}
        for title, texts in sets.items():
            text[title] = {m: likelihood(args, p, texts, folder) for m, p in models.items() if p.is_dir()}
    if args.json:
        print(json.dumps({"constrained": typed, "unconstrained": free, "stories": text}))
        return
    print(f"{'':28} constrained     unconstrained")
    for name in free:
        cells = [f"{100 * r / n:5.1f} % of {n:<4}" if n else "" for r, n in (typed.get(name, (0, 0)), free[name])]
        print(f"{name:28} {cells[0]:15} {cells[1]}")
    for title, rows in text.items():
        for model, r in rows.items():
            print(
                f"stories {title:10} {model:12} perplexity per byte {r['per_byte']:.3f}, per word {r['per_word']:.1f}, bits per byte {r['bits_per_byte']:.3f}"
            )
    print(f"{len(cases)} cases, {time.time() - start:.1f} s")


if __name__ == "__main__":
    main()
