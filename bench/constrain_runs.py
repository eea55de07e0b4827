#!/usr/bin/env python3
"""Times of masks and of compiling over a suite of schemas, from several runs of `sgl constrain check --cold`.

    python3 bench/constrain_runs.py [--sgl build/bin/sgl] [--runs 5] -- --tokenizer DIR --suite F.jsonl.gz --whitespace any --property-order any

What follows `--` goes to every run, each a process of its own. A machine that others use too takes a core away for milliseconds now and
then, which shows in the maximum of a single run; the least time of every mask over the runs is what the mask itself takes. Prints both.
"""

import argparse
import json
import subprocess
import sys


def times(sgl: str, options: list[str]) -> tuple[dict, dict, dict]:
    """µs by mask, µs by schema, and the summary of one run."""
    masks, schemas, summary = {}, {}, {}
    command = [sgl, "constrain", "check", "--cold", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "compile":
                schemas[event["id"]] = event["compile_us"]
            elif event["event"] == "instance":
                for i, us in enumerate(event["mask_us"]):
                    masks[event["id"], event["index"], i] = us
            else:
                summary = event
    if not summary:
        sys.exit(f"no summary from: {' '.join(command)}")
    return masks, schemas, summary


def row(name: str, masks: dict, schemas: dict) -> str:
    us, compiled = sorted(masks.values()), sorted(schemas.values())
    at = lambda values, share: values[min(len(values) - 1, int(len(values) * share))]
    return (
        f"{name:10} {sum(us) / len(us):7.2f} {at(us, 0.5):7.2f} {at(us, 0.99):7.1f} {us[-1]:9.1f} {sum(u > 3000 for u in us):7}"
        f" {at(compiled, 0.5):9.1f} {at(compiled, 0.99):9.1f} {compiled[-1]:9.1f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sgl", default="build/bin/sgl")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("options", nargs="+", help="of sgl constrain check")
    args = parser.parse_args()
    least_masks, least_schemas = {}, {}
    print(f"{'µs':10} {'mean':>7} {'p50':>7} {'p99':>7} {'max':>9} {'> 3 ms':>7} {'compile50':>9} {'p99':>9} {'max':>9}")
    for run in range(args.runs):
        masks, schemas, summary = times(args.sgl, args.options)
        for least, found in ((least_masks, masks), (least_schemas, schemas)):
            for key, us in found.items():
                least[key] = min(us, least.get(key, us))
        print(row(f"run {run + 1}", masks, schemas), flush=True)
    print(row("least", least_masks, least_schemas))
    print(
        f"{len(least_masks)} masks of {summary['schemas']} schemas: {summary['passed']} passed, {summary['refused']} refused, "
        f"{summary['wrongly_accepted']} wrongly accepted, {summary['wrongly_rejected']} wrongly rejected, {summary['timeouts']} timeouts"
    )
    slowest = sorted(((us, *key) for key, us in least_masks.items()), reverse=True)[:3]
    print("slowest masks: " + ", ".join(f"{us / 1000:.2f} ms ({schema}, text {text}, mask {mask})" for us, schema, text, mask in slowest))


if __name__ == "__main__":
    main()
