"""sgl constrain: check, bench, explain."""
import gzip
import json
import re

from support import check, equal, fails, folder, model, ok, run, test

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}}},
          "required": ["name"], "additionalProperties": False}
GOOD = ['{"name":"x"}', '{"name":"","tags":["a","b"]}']
BAD = ['{"name":1}', '{"name":"x","tags":["c"]}', '{"name":"x"', '{"name":"x"} ', "", "nul"]


def lines(instances):
    return "".join(json.dumps(i) + "\n" for i in instances).encode()


def labelled(good, bad):
    return [{"text": t, "valid": True} for t in good] + [{"text": t, "valid": False} for t in bad]


def events(result):
    return [json.loads(line) for line in result.out.splitlines()]


def supported():
    """JSON Schema is compiled by this build."""
    with folder() as where:
        (where / "s.json").write_text("{}")
        return run("sgl", "constrain", "explain", "--schema", where / "s.json").code == 0


@test("constrain/regex")
def regex():
    where = ("constrain", "check", "--tokenizer", model(), "--regex", "(ab|c)+[0-9]{2}")
    given = labelled(["ab12", "cabc00"], ["ab1", "x", "", "ab123"])
    ok("sgl", *where, stdin=lines(given))
    out = events(ok("sgl", *where, "--json", "--cold", "--verify-masks", 8, stdin=lines(given)))
    equal([e["event"] for e in out], ["compile"] + ["instance"] * 6 + ["summary"], "events")
    equal((out[0]["status"], out[0]["ignored"]), ("ok", []), "compile event")
    check(out[0]["bytes"] > 0, f"{out[0]}")
    for index, event in enumerate(out[1:7]):
        equal((event["index"], event["valid"], event["accepted"]), (index, index < 2, index < 2), "instance")
        if event["accepted"]:
            equal(len(event["mask_us"]), event["tokens"] + 1, "masks, the end's included")
            check("reject" not in event, f"{event}")
        else:
            check(len(event["reject"]["expected"]) in range(1, 9), f"{event}")
    short, wrong, empty, long = (e["reject"] for e in out[3:7])
    equal((short["byte"], wrong["byte"], empty["byte"], long["byte"]), (3, 0, 0, 4), "places of rejection")
    check("" not in short["expected"] and set(short["expected"]) <= set("0123456789"), f"{short}")
    equal(long["expected"], [""], "only the end is expected")
    last = out[-1]
    equal([last[k] for k in ("schemas", "passed", "refused", "wrongly_accepted", "wrongly_rejected", "timeouts")],
          [1, 1, 0, 0, 0, 0], "summary")
    equal((last["verified"], last["differing"]), (8, 0), "compared masks")
    check(last["mask_us"]["p50"] <= last["mask_us"]["p99"] <= last["mask_us"]["max"], f"{last}")
    check(0 < last["compile_us"]["p50"] <= last["compile_us"]["max"], f"{last}")


@test("constrain/grammars_and_tags")
def grammars_and_tags():
    where = ("constrain", "check", "--tokenizer", model(), "--json", "--verify-masks", "20")
    with folder() as tmp:
        (tmp / "sums").write_text('start: start "+" N | N\nN: /[0-9]+/\n%ignore " "\nspare: N\n')
        (tmp / "list.gbnf").write_text('root ::= ("- " [^\\n]+ "\\n")+\n')
        (tmp / "tags.json").write_text(json.dumps({"tags": [{"begin": "<n>", "content": {"schema": {"type": "integer"}},
                                                             "end": "</n>"}], "at_least_one": True}))
        for options, good, bad in ((("--grammar", tmp / "sums"), ["1", "12 + 3+4"], ["1+", "+1", ""]),
                                   (("--grammar", tmp / "list.gbnf"), ["- a\n", "- a\n- b c\n"], ["- a", "a\n"]),
                                   (("--tags", tmp / "tags.json"), ["a <n>12</n> b"], ["a", "<n>x</n>", "<n>1"])):
            out = events(ok("sgl", *where, *options, stdin=lines(labelled(good, bad))))
            equal((out[0]["status"], out[-1]["passed"], out[-1]["differing"]), ("ok", 1, 0), options)
        facts = json.loads(ok("sgl", "constrain", "explain", "--grammar", tmp / "sums", "--json").out)
        equal(facts["ignored"], ["the rule 'spare' is not used"], "warnings")
        check(facts["samples"] and facts["min_length"] == 1, facts)
        (tmp / "sums").write_text('start: nmber\nnumber: "1"\n')
        refused = run("sgl", *where, "--grammar", tmp / "sums", stdin=b"")
        event = json.loads(refused.out.splitlines()[0])
        equal((refused.code, event["status"], event["pointer"]), (2, "invalid", "1:8"), refused)
        check("did you mean 'number'" in event["message"], event)


@test("constrain/exit_codes")
def exit_codes():
    where = ("constrain", "check", "--tokenizer", model())
    wrong = run("sgl", *where, "--regex", "a", stdin=lines(labelled(["b"], [])))
    equal(wrong.code, 1, "a mismatch")
    check("wrongly rejected: b" in wrong.out and "expected" in wrong.out, wrong)
    equal(run("sgl", *where, "--regex", "a", stdin=lines(labelled([], ["a"]))).code, 1, "wrongly accepted")
    equal(run("sgl", *where, "--regex", "a", stdin=lines([{"text": "b"}])).code, 0, "no label, no mismatch")
    refused = run("sgl", *where, "--regex", "a)", stdin=b"")
    equal(refused.code, 2, "not compiled")
    check("column 2" in refused.out, refused)
    equal(run("sgl", *where, "--grammar", __file__, stdin=b"").code, 2, "no grammar")
    fails(64, "cannot read no_such", "sgl", *where, "--schema", "no_such")
    fails(64, "line 2 of standard input", "sgl", *where, "--regex", "a", stdin=b'{"text": "a"}\n{}\n')
    for bad in (["check"], ["check", "--regex", "a", "--schema", "b"], ["check", "--regex", "a", "--whitespace", "some"],
                ["explain"], ["nothing"], []):
        equal(run("sgl", "constrain", *bad).code, 64, f"usage {bad}")
    for sub in ("check", "bench", "explain"):
        check("Examples:" in ok("sgl", "constrain", sub, "--help").out, sub)


@test("constrain/explain")
def explain():
    where = ("constrain", "explain", "--regex", "id-[0-9a-f]{4}(-[xy]+)?", "--samples", 20)
    text = ok("sgl", *where).out
    check(re.search(r'begins with +"id-"', text) and re.search("shortest text +7 bytes", text), text)
    facts = json.loads(ok("sgl", *where, "--json").out)
    equal((facts["status"], facts["min_length"], facts["max_length"], facts["forced_prefix"], facts["ignored"]),
          ("ok", 7, None, "id-", []), "facts")
    equal(len(facts["samples"]), 20, "samples")
    check(facts["states"] > 0 and facts["memory_bytes"] > 0, f"{facts}")
    for sample in facts["samples"] + [facts["shortest"]]:
        check(re.fullmatch("id-[0-9a-f]{4}(-[xy]+)?", sample), sample)
    equal(facts, json.loads(ok("sgl", *where, "--json").out), "same seed, same samples")
    check(facts["samples"] != json.loads(ok("sgl", *where, "--json", "--seed", 1).out)["samples"], "another seed")
    fails(2, "column 1", "sgl", "constrain", "explain", "--regex", "*")


@test("constrain/schema")
def schema():
    if not supported():
        return
    with folder() as where:
        (where / "s.json").write_text(json.dumps(SCHEMA))
        check_it = ("constrain", "check", "--tokenizer", model(), "--schema", where / "s.json")
        ok("sgl", *check_it, "--verify-masks", 20, stdin=lines(labelled(GOOD, BAD)))
        out = events(ok("sgl", *check_it, "--json", stdin=lines(labelled(GOOD, BAD))))
        rejects = [e["reject"] for e in out if "reject" in e]
        equal([r["path"] for r in rejects[:2]], ["/name", "/tags/0"], "JSON pointers")
        check(sum(e.get("forced", 0) for e in out) > 0, "no token of a fixed key is forced")
        loose = ['{ "tags": [], "name": "x" }']
        equal(run("sgl", *check_it, stdin=lines(labelled(loose, []))).code, 1, "order and space as default")
        ok("sgl", *check_it, "--whitespace", "any", "--property-order", "any", stdin=lines(labelled(loose, [])))


@test("constrain/suite")
def suite():
    if not supported():
        return
    records = [{"id": "one", "schema": SCHEMA, "tests": labelled(GOOD, BAD)},
               {"id": "two", "schema": {"type": "integer", "minimum": 10 ** 30}, "tests": labelled(["1" + "0" * 30], ["9"])},
               {"id": "three", "schema": {"type": 5}, "tests": labelled(["1"], [])}]
    with folder() as where:
        path = where / "suite.jsonl.gz"
        path.write_bytes(gzip.compress(lines(records)))
        command = ("constrain", "check", "--tokenizer", model(), "--suite", path, "--cold")
        result = run("sgl", *command, "--json", "--verify-masks", 30)
        equal(result.code, 2, "one record is refused")
        out = events(result)
        compiled = {e["id"]: e["status"] for e in out if e["event"] == "compile"}
        equal(compiled, {"one": "ok", "two": "ok", "three": "invalid"}, "statuses")
        equal([out[-1][k] for k in ("schemas", "passed", "refused", "differing")], [3, 2, 1, 0], "summary")
        check(20 <= out[-1]["verified"] <= 30, f"masks behind a rejection cannot be compared: {out[-1]}")
        (where / "plain.jsonl").write_bytes(lines(records[:2]))
        ok("sgl", "constrain", "check", "--tokenizer", model(), "--suite", where / "plain.jsonl")
        rows = events(ok("sgl", "constrain", "bench", "--tokenizer", model(), "--suite", path, "--rounds", 2, "--json"))
        equal((rows[0]["mask_us_warm"]["masks"], rows[0]["schemas"]), (2 * rows[0]["mask_us_cold"]["masks"], 3), "bench")
        path.write_bytes(gzip.compress(lines(records))[:-20])
        fails(64, "not whole", "sgl", *command)
