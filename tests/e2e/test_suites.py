"""sgl constrain on real-world schemas: the MaskBench sample, where it is beside the repository."""
import gzip
import json
import os
import pathlib

from support import Skip, check, equal, folder, model, ok, run, test

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITE = pathlib.Path(os.environ.get("SGL_MASKBENCH", ROOT.parent / "shared/data/maskbench-dev.jsonl.gz"))
BASELINE = ROOT / "tests/baselines/maskbench.txt"
EVERY = 1 if os.environ.get("SGL_WHOLE_SUITE") else 5  # SGL_WHOLE_SUITE=1: all records instead of each fifth


def baseline():
    lines = [line for line in BASELINE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.rsplit(": ", 1) for line in lines)


@test("suites/maskbench")
def maskbench():
    if not SUITE.exists():
        raise Skip(f"{SUITE.name} is not there")
    with gzip.open(SUITE, "rt", encoding="utf-8") as file:
        records = [line for number, line in enumerate(file) if number % EVERY == 0]
    with folder() as where:
        part = where / "part.jsonl"
        part.write_text("".join(records), encoding="utf-8")
        result = run("sgl", "constrain", "check", "--tokenizer", model(), "--suite", part, "--whitespace", "any",
                     "--property-order", "any", "--cold", "--verify-masks", 200, "--json")
    out = [json.loads(line) for line in result.out.splitlines()]
    last = out[-1]
    equal(last["event"], "summary", "last event")
    equal([last[k] for k in ("wrongly_accepted", "wrongly_rejected", "timeouts", "differing")], [0, 0, 0, 0], "mistakes")
    refused = {e["id"]: e["status"] for e in out if e["event"] == "compile" and e["status"] != "ok"}
    for e in out:
        if e["event"] == "compile" and e["status"] == "unsupported":
            # The pointer to the whole schema is the empty string (RFC 6901).
            check(isinstance(e["pointer"], str) and e["message"], f"refused without its place: {e}")
    known = baseline()
    new = sorted(set(refused) - set(known))
    check(not new, f"refused, though not in {BASELINE.name}: {new}")
    met = {json.loads(line)["id"] for line in records}
    mended = sorted((set(known) & met) - set(refused))
    check(not mended, f"no longer refused: remove from {BASELINE.name}: {mended}")
    check(last["passed"] >= 0.96 * last["schemas"], f"{last['passed']} of {last['schemas']} passed")


VALUES = [{}, [], 0, "x", [[]], {"a": {}}, [1, [2, {"b": [True, None]}], {}], {"a": [{"c": 1.5}], "d": {"e": {"f": []}}}]


@test("suites/indent")
def indent():
    """White space of a fixed indent is what Python's json.dumps writes, and nothing else is accepted."""
    with folder() as where:
        (where / "any.json").write_text("{}")
        for width in (0, 1, 2, 4):
            good = [json.dumps(v, indent=width) for v in VALUES]
            bad = [json.dumps(v, indent=width + 1) for v in VALUES if v and not isinstance(v, (int, str))]
            bad += [json.dumps(v) for v in VALUES if v and not isinstance(v, (int, str)) and v != [[]]]
            bad += [text + "\n" for text in good]
            given = [{"text": t, "valid": True} for t in good] + [{"text": t, "valid": False} for t in bad]
            ok("sgl", "constrain", "check", "--tokenizer", model(), "--schema", where / "any.json", "--whitespace",
               f"indent:{width}", "--verify-masks", 20, stdin="".join(json.dumps(i) + "\n" for i in given).encode())
        for wrong in ("indent", "indent:", "indent:17", "indent:-1", "indent:2x", "some"):
            code = run("sgl", "constrain", "explain", "--schema", where / "any.json", "--whitespace", wrong).code
            equal(code, 64, f"--whitespace {wrong}")
