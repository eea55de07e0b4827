"""The bundled model: where it is found, what is said about it, and what it can do."""
import json
import os

from support import (EXAMPLES, bundled_model, check, equal, example_arguments, fails, folder, ok, one_sentence, relocated,
                     run, schema_fault, schema_of, test)

STORY = ("run", EXAMPLES / "story.sgl", "--arg", "hero=Mia")
NOTE = "no model is named, so the bundled one is used: "


def in_both_layouts(use):
    for layout in ("models/default", "build/share/sgl/models/default"):
        with relocated(layout) as (path, program):
            use(path, program, layout)


@test("default/found")
def found():
    def use(path, program, layout):
        result = ok(program, *STORY)
        equal(result.err.split("\n")[0], f"sgl: {NOTE}{path / layout}", "first line on standard error")
        equal(result.err.count(NOTE), 1, "how often it is said")
        equal(set(json.loads(result.out)), {"place", "middle", "ending"}, "standard output is the result alone")
        equal(ok(program, *STORY, cwd=path).err.split("\n")[0], f"sgl: {NOTE}{layout}", "from the folder above the model")
        equal(ok(program, *STORY, "--quiet").err, "", "standard error with --quiet")
        named = ok(program, *STORY, "--model", bundled_model())
        check(NOTE not in named.err and named.out == result.out, f"--model with the same folder: {named!r}")
        check(NOTE not in ok(program, *STORY, env={"SGL_MODEL": bundled_model()}).err, "SGL_MODEL")
        fails(2, "no_such_folder", program, *STORY, env={"SGL_MODEL": "no_such_folder"})
        info = ok(program, "model", "info", "--json")
        check(json.loads(info.out)["vocabulary"] > 0 and NOTE in info.err, f"{info!r}")
        check(NOTE in ok(program, "model", "logits", "--text", "Once", "-o", path / "x.npy").err, "model logits")
        ids = ok(program, "tokenize", stdin=b"Once upon")
        check(json.loads(ids.out) and NOTE in ids.err, f"{ids!r}")
        check(NOTE in ok(program, "constrain", "check", "--regex", "a+", stdin=b'{"text": "aa", "valid": true}').err, "check")
    in_both_layouts(use)


@test("default/batch")
def batch():
    with relocated("models/default") as (path, program):
        (path / "in.jsonl").write_text('{"hero": "Mia"}\n{"hero": "Tom"}\n')
        words = ("run", EXAMPLES / "story.sgl", "--batch", path / "in.jsonl", "-o")
        equal(ok(program, *words, path / "out.jsonl").err.count(NOTE), 1, "how often it is said")
        check(NOTE not in ok(program, *words, path / "quiet.jsonl", "--quiet").err, "with --quiet")


@test("default/absent")
def absent():
    with relocated() as (path, program):
        for words in (STORY, ("model", "info"), ("model", "logits", "--text", "x", "-o", path / "x.npy")):
            one_sentence(fails(2, "no bundled model .*--model DIR.*SGL_MODEL", program, *words))
        one_sentence(fails(2, "no bundled model .*--tokenizer DIR.*SGL_MODEL", program, "tokenize"))
        one_sentence(fails(64, "no bundled model .*--tokenizer DIR", program, "constrain", "check", "--regex", "a"))
        # What needs no model asks for none.
        ok(program, "run", EXAMPLES / "invoice.sgl", "--args", example_arguments("invoice"))
        ok(program, "constrain", "explain", "--regex", "a+")


@test("default/size")
def size():
    total = sum(entry.stat().st_size for entry in os.scandir(bundled_model()))
    check(total <= 12_000_000, f"models/default has {total} bytes")


# Plain sentences, whose facts the model must get right. How often it does on harder ones: bench/default_model.
PEOPLE = [
    ("Maria Berger is 34 years old and lives in Lisbon.", {"name": "Maria Berger", "age": 34, "city": "Lisbon"}),
    ("Sam is 7 years old. He lives in Boston and has two dogs.", {"name": "Sam", "age": 7, "city": "Boston"}),
    ("My neighbour Olga is 41 years old and comes from Kyiv.", {"name": "Olga", "age": 41, "city": "Kyiv"}),
]
PERSON = """type Person = { name: string, age: int(0..120), city: string }
program person(text: string) -> Person {
  user "{text}\\nExtract name, age and city as JSON."
  assistant { gen result: Person with temperature = 0 }
  return result
}
"""


@test("default/extraction")
def extraction():
    with folder() as path:
        (path / "person.sgl").write_text(PERSON)
        for text, expected in PEOPLE:
            words = ("run", path / "person.sgl", "--model", bundled_model(), "--quiet")
            equal(json.loads(ok("sgl", *words, "--arg", f"text={text}").out), expected, text)


# Types that contain themselves, any JSON, a schema's JSON alone and inside a record, and a union of all kinds of text.
SELF = """type Tree = { value: int(0..99), children: list<Tree>(..3) }
type Order = json_schema("order.json")
grammar Sum = r\"\"\"
  start: /[1-9]/ ("+" /[1-9]/)*
\"\"\"
program main(seed: int) -> { tree: Tree, any: json, order: Order, filed: { order: Order, note: string? }, one: Tree | Sum | "none", items: int } {
  user "Write JSON."
  assistant { gen tree: Tree with max_tokens = 40, seed = seed }
  user "And more."
  assistant { gen any: json with max_tokens = 40, seed = seed }
  user "An order."
  assistant { gen order: Order with max_tokens = 60, seed = seed }
  user "File it."
  assistant { gen filed: { order: Order, note: string? } with max_tokens = 80, seed = seed }
  user "One of them."
  assistant { gen one: Tree | Sum | "none" with max_tokens = 30, seed = seed }
  return { tree: tree, any: any, order: order, filed: filed, one: one, items: len(order.get("items").items()) }
}
"""
ORDER = """{"$defs": {"item": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12},
  "count": {"type": "integer", "minimum": 1, "maximum": 9}, "parts": {"type": "array", "items": {"$ref": "#/$defs/item"}, "maxItems": 2}},
  "required": ["name", "count"], "additionalProperties": false}},
  "type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1, "maxItems": 3}},
  "required": ["items"], "additionalProperties": false}"""


@test("default/types_of_json")
def types_of_json():
    with folder() as path:
        (path / "self.sgl").write_text(SELF)
        (path / "order.json").write_text(ORDER)
        ok("sglc", "compile", path / "self.sgl", "-o", path / "self.sglp")
        schema = schema_of(path / "self.sgl")["main"]["result"]
        (path / "order.json").unlink()  # the plan carries it
        for seed in range(4):
            words = ("run", path / "self.sglp", "--model", bundled_model(), "--quiet", "--arg", f"seed={seed}")
            result = ok("sgl", *words)
            value = json.loads(result.out)
            fault = schema_fault(schema, value)
            check(fault is None, f"seed {seed}: {fault}\n{result.out}")
            equal(value["items"], len(value["order"]["items"]), "the items that the program counted")
            equal(ok("sgl", *words, "--exec", "interp").out, result.out, "without the JIT")
        fails(2, "cannot open .*order.json", "sglc", "check", path / "self.sgl")


def value_of(name):
    """What an example gives for its own input on the bundled model."""
    return json.loads(ok("sgl", "run", EXAMPLES / f"{name}.sgl", "--model", bundled_model(), "--args",
                         example_arguments(name), "--quiet").out)


@test("default/examples")
def examples():
    equal(value_of("extract"), {"name": "Clara Jensen", "age": 28, "city": "Aarhus", "email": "clara.jensen@mail.com"},
          "the record")
    equal(value_of("tool_call"), {"name": "book_hotel", "arguments": {"city": "Prague", "nights": 2}}, "the call")
    equal(value_of("classify")["label"], "sad", "the label")
    result = value_of("conversation")
    check("Mia" in result["answers"][1] and "Oslo" in result["answers"][2], f"it forgot what it was told: {result}")


@test("default/help")
def helps():
    for words in (("run",), ("tokenize",), ("model", "info"), ("model", "logits"), ("constrain", "check"), ("constrain", "bench")):
        text = " ".join(run("sgl", *words, "--help").out.split())
        check("SGL_MODEL, else the bundled model" in text, f"the help of {words} does not name the default:\n{text}")
