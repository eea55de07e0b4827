#!/usr/bin/env python3
"""The same weights on SGL and on llama.cpp (npm's node-llama-cpp, prebuilt for CPUs), side by side.

Both run on the same cores, one scenario at a time, taking turns; every figure is the median of all runs. Needs Node.js, npm for the first
run, and about 3 GB of disk for the weights. Exit codes: 0 all bars reached, 2 some not, 1 it could not be run.

example: bench/peer/run.py --rounds 3
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FORMATS = ("q8_0", "q4_0")
# Scenario, least ratio to the peer.
BARS = {"prefill": 1.8, "decode": 1.0, "batch": 3.0, "fork": 1.5}


def command(cores, words):
    done = subprocess.run(["taskset", "-c", cores, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"run.py: {' '.join(map(str, words[:3]))} … failed:\n{done.stderr}{done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


def settings(args):
    return {"prompt": 512, "tokens": args.tokens, "batch": 16, "prefix": 1000, "forks": 16, "fork_tokens": 16}


def ours(args, model, scenario):
    s = settings(args)
    words = [args.build / "bin/sgl", "bench", scenario, "--model", model, "--threads", args.threads, "--json"]
    words += ["--repeat", args.repeat, "--warmup", 1, "--prompt", s["prompt"], "--tokens", s["tokens"], "--batch", s["batch"]]
    words += ["--prefix", s["prefix"], "--forks", s["forks"], "--fork-tokens", s["fork_tokens"]]
    out = command(args.cores, words)
    rows = {row["detail"] if row["unit"] == "times" else "": row["values"] for row in out["rows"]}
    sharing = rows.get("as fast as without sharing")
    return {"values": rows[""], "load": out["load_seconds"], "peak": out["peak_bytes"], "sharing": sharing}


def peer(args, model, scenario):
    job = settings(args) | {"model": str(model), "scenario": scenario, "threads": args.threads, "repeat": args.repeat, "warmup": 1}
    out = command(args.cores, ["node", ROOT / "bench/peer/peer.mjs", args.peer, json.dumps(job)])
    return {"values": out["values"], "load": out["load_seconds"], "peak": out["peak_bytes"]}


def spread(values):
    return f"{statistics.median(values):8.1f} [{min(values):.1f} … {max(values):.1f}]"


def measure(args, fmt):
    """Rows of the table for one format."""
    model = args.models / f"{fmt}.gguf"
    rows = []
    load, peak = [[], []], [0, 0]
    for scenario, bar in BARS.items():
        if args.only and scenario not in args.only:
            continue
        values, sharing = ([], []), []
        for _ in range(args.rounds):
            for side, run in enumerate((ours, peer)):
                got = run(args, model, scenario)
                values[side].extend(got["values"])
                load[side].append(got["load"])
                peak[side] = max(peak[side], got["peak"])
                sharing += got.get("sharing") or []
        ratio = statistics.median(values[0]) / statistics.median(values[1])
        rows.append({"format": fmt, "scenario": scenario, "unit": "tokens/s", "sgl": values[0], "peer": values[1], "ratio": ratio, "bar": bar, "reached": ratio >= bar})
        print(f"{fmt:5} {scenario:8} sgl {spread(values[0])}  peer {spread(values[1])}  ratio {ratio:.2f} (bar {bar}){'' if ratio >= bar else '  MISSED'}", flush=True)
        if sharing:
            gain = statistics.median(sharing)
            rows.append({"format": fmt, "scenario": "fork against no sharing", "unit": "times", "sgl": sharing, "bar": 10, "reached": gain >= 10})
            print(f"{fmt:5} fork     {gain:.1f} times as fast as without sharing (bar 10){'' if gain >= 10 else '  MISSED'}", flush=True)
    memory = peak[0] / peak[1]
    rows.append({"format": fmt, "scenario": "peak memory", "unit": "bytes", "sgl": peak[0], "peer": peak[1], "ratio": memory, "bar": 1.1, "reached": memory <= 1.1})
    seconds = statistics.median(load[0])
    rows.append({"format": fmt, "scenario": "load", "unit": "s", "sgl": load[0], "peer": load[1], "bar": 1.5, "reached": seconds <= 1.5})
    print(f"{fmt:5} memory   sgl {peak[0] / 1e6:.0f} MB  peer {peak[1] / 1e6:.0f} MB  ratio {memory:.2f} (bar 1.1){'' if memory <= 1.1 else '  MISSED'}")
    print(f"{fmt:5} load     sgl {spread(load[0])} s  peer {spread(load[1])} s (bar 1.5){'' if seconds <= 1.5 else '  MISSED'}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build folder")
    parser.add_argument("--models", type=Path, default=ROOT / "build/bench-models", help="weights; made there when they are missing")
    parser.add_argument("--peer", type=Path, default=ROOT / "build/bench-peer", help="folder with node-llama-cpp; fetched when it is missing")
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "build/test-tokenizers/qwen3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cores", default="0,1", help="cores for both, as taskset takes them")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--repeat", type=int, default=3, help="measured runs of a turn")
    parser.add_argument("--tokens", type=int, default=64, help="tokens to generate")
    parser.add_argument("--format", choices=FORMATS, action="append", help="default: all")
    parser.add_argument("--only", choices=BARS, action="append", help="default: all scenarios")
    parser.add_argument("--json", type=Path, help="write every value to this file")
    args = parser.parse_args()
    subprocess.run([ROOT / "scripts/fetch_bench_peer.sh", args.peer], check=True)
    if not all((args.models / f"{fmt}.gguf").exists() for fmt in FORMATS):
        subprocess.run([ROOT / "scripts/fetch_test_tokenizers.sh"], check=True)
        args.models.mkdir(parents=True, exist_ok=True)
        subprocess.run([args.build / "bin/bench_make_model", args.models, args.tokenizer], check=True)
    rows = [row for fmt in args.format or FORMATS for row in measure(args, fmt)]
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    missed = [row for row in rows if not row["reached"]]
    print(f"{len(rows) - len(missed)} of {len(rows)} bars reached")
    return 2 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
