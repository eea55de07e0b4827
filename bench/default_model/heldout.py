"""The held-out sets: made of sentence patterns and entities that no training text contains. Plain Python, seeded.

Every case is a dict: `task`, the arguments of the unconstrained program free.sgl, the name (or the text) and arguments of
the constrained program, and `expected`.
"""

import json
import random
import re
import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "train"))

import held_patterns  # noqa: E402
from data import chat, classification, extraction, frames, passages, stories, tools, tools_written, yes_no  # noqa: E402
from data.dialogue import and_list  # noqa: E402
from data.pools import SPLITS, parts, words  # noqa: E402

SEED = 20240607
RECORDS = {
    "person": ("person", ["name", "age", "city"]),
    "contact": ("contact", ["name", "email"]),
    "order": ("order", ["name", "item", "quantity"]),
    "invoice": ("order", ["name", "item", "quantity", "amount"]),
    "event": ("event", ["date", "name"]),
}
ASK = ["Extract {k} as JSON.\n\n{t}", "{t}\nExtract {k} as JSON.", "{t}\nAnswer as JSON with the keys {k}."]


def plain(key, text):
    """The value of a fact as JSON has it."""
    return (float(text) if "." in text else int(text)) if key in extraction.NUMERIC else text


@lru_cache(None)
def met() -> set[str]:
    """Capitalised words that training meets outside the lists of names and cities: these are not held out."""
    sentences = " ".join([*parts(words("sentences"))["train"], *chat.CAPITALS, *tools.EVENTS])
    return set(re.findall(r"[A-Z][a-z]+", sentences))


def extraction_case(rng, split, name):
    kind, keys = RECORDS[name]
    while True:
        text, v, known = frames.frame(rng, split, kind)
        entities = re.findall("[A-Z][a-z]+", f"{v['name']} {v['city']}")
        if all(k in known for k in keys) and not met() & set(entities):
            break
    question = rng.choice(ASK).format(k=and_list(keys), t=text)
    expected = {k: plain(k, v[k]) for k in keys}
    return {"task": "extract", "free": {"question": question}, "program": name, "typed": {"question": question}, "expected": expected}


def wide_case(rng, split, name):
    """As extraction_case, with the sentence patterns of held_patterns.py."""
    _, keys = RECORDS[name]
    pattern = rng.choice(getattr(held_patterns, {"person": "PERSON", "contact": "CONTACT", "order": "ORDER", "invoice": "INVOICE", "event": "EVENT"}[name]))
    while True:
        s, v = frames.person(rng, split)
        entities = re.findall("[A-Z][a-z]+", f"{v['name']} {v['city']}")
        if v["name"] != s["other"] and int(v["age"]) > 17 and not met() & set(entities):
            break
    question = rng.choice(ASK).format(k=and_list(keys), t=pattern.format(**s))
    expected = {k: plain(k, v[k]) for k in keys}
    return {"task": "wide", "free": {"question": question}, "program": name, "typed": {"question": question}, "expected": expected}


def classification_case(rng, split, kind):
    every = classification.labels_of(kind)
    label = rng.choice(every)
    options = every if kind == "sentiment" else rng.sample([x for x in every if x != label], 3) + [label]
    if kind != "sentiment":
        rng.shuffle(options)
    text = classification.text_of(rng, split, kind, label)
    question = f"Classify the {kind}: {and_list(options, 'or')}.\n{text}"
    typed = {"question": question, "options": options}
    return {"task": kind, "free": {"question": question}, "program": "choose", "typed": typed, "expected": label}


def yes_no_case(rng, split):
    answer = ""
    while answer not in ("yes", "no"):
        d = yes_no.yes_no(rng, split)
        question, answer = d.messages[0][1], d.messages[1][1]
    typed = {"question": question, "options": ["yes", "no"]}
    return {"task": "yes_no", "free": {"question": question}, "program": "choose", "typed": typed, "expected": answer}


@lru_cache(None)
def written_passages(split):
    """Passages with questions by someone who had seen nothing of the training: held_passages.txt, for dev dev_passages.txt."""
    name = "held_passages.txt" if split == "test" else "dev_passages.txt"
    return passages.read((Path(__file__).resolve().parent / name).read_text(encoding="utf-8").splitlines())


def wide_yes_no_case(rng, split):
    sexes, text, *asked = rng.choice(written_passages(split))
    answer = rng.choice(["yes", "no"])
    names = passages.names_for(rng, split, sexes)
    asks = rng.choice(asked[0 if answer == "yes" else 1])
    question = f"Text: {text}\nQuestion: {asks}\nAnswer yes or no.".format(**names)
    typed = {"question": question, "options": ["yes", "no"]}
    return {"task": "yes_no_wide", "free": {"question": question}, "program": "choose", "typed": typed, "expected": answer}


def chat_case(rng, split):
    """The last question of a conversation; the choices are the answer with other values of the same kind."""
    while True:
        d = chat.memory(rng, split)
        messages = [m for m in d.messages if m[0] != "system"]
        instructions = "".join(m[1] for m in d.messages if m[0] == "system")
        question, answer = messages[-2][1], messages[-1][1]
        kind = next((k for k, f in chat.FACTS.items() if any(question.startswith(q.split("{")[0]) for q in f[2])), None)
        if kind and not question.endswith((".", "briefly.")):
            break
    options = [answer]
    form = chat.FACTS[kind][3]
    while len(options) < 4:
        f = chat.fill(rng, rng.choice(SPLITS), kind)
        if kind == "pet":
            f["v"] = answer.split()[1]
        other = form.format(**f)
        if other not in options:
            options.append(other)
    rng.shuffle(options)
    history = [{"role": r, "text": t} for r, t, _ in messages[:-2]]
    free = {"question": question, "history": history, "instructions": instructions}
    typed = {"question": question, "history": history, "options": options}
    return {"task": "chat", "free": free, "program": "choose", "typed": typed, "expected": answer}


# The order in which a tool is described, and what its task is called. The bundled model wants what a tool does before its name.
ORDERS = {"what": "", "name": ", name first"}
FIXED = [["add_contact", "name", "email"], ["send_email", "to", "text"], ["transfer_money", "to", "amount"]]


def tool_case(rng, split, order="what"):
    """A request for one of the three held-out tools, all described in one of the styles of the training; `order`: whether what a
    tool does or its name is said first."""
    style = rng.choice(["line", "short", "wide"])
    families = tools.parts_of(split)
    chosen = []
    for name, *arguments in FIXED:
        family = next(f for f in families if name in f[0].split())
        kinds = [a.split(":")[1] for a in family[2]]
        typed = [(a, k, "integer" if k == "int" else "string") for a, k in zip(arguments, kinds)]
        chosen.append((name, family[1], typed, family[3]))
    right = rng.choice(chosen)
    rng.shuffle(chosen)
    shown = "\n".join(tools.describe(style, t, order == "what") for t in chosen)
    instructions = f"You have these tools.\n<tools>\n{shown}\n</tools>"
    values = [tools.sample(rng, split, k) for _, k, _ in right[2]]
    question = rng.choice(right[3]).format(*(v[0] for v in values))
    expected = {"name": right[0], "arguments": {a: json.loads(v[1]) for (a, _, _), v in zip(right[2], values)}}
    both = {"question": question, "instructions": instructions}
    return {"task": f"tool{ORDERS[order]}", "free": both, "program": "tool", "typed": both, "expected": expected}


def call_program(described) -> str:
    """As tool.sgl, for any tools."""
    kinds = {"string": "string", "integer": "int"}
    lines, names = [], []
    for i, (name, _, arguments, _) in enumerate(described):
        fields = ", ".join(f'"{a}": {kinds[t]}' for a, _, t in arguments)
        lines.append(f'type Tool{i} = {{ name: "{name}", arguments: {{ {fields} }} }}')
        names.append(f"Tool{i}")
    union = " | ".join(names)
    return "\n".join(lines) + f"""
program tool_call(question: string, instructions: string) -> {union} {{
  system instructions
  user question
  assistant {{
    "<tool_call>"
    gen call: {union} with temperature = 0
    "</tool_call>"
  }}
  return call
}}
"""


def other_tool_case(rng, split, order="what"):
    """A request for one of one to four held-out or known tools under any names."""
    d = tools.tools(rng, split, what_first=order == "what")
    call = d.messages[2][1].removeprefix("<tool_call>").removesuffix("</tool_call>")
    both = {"question": d.messages[1][1], "instructions": d.messages[0][1]}
    return {"task": f"tool_any{ORDERS[order]}", "free": both, "program": call_program(d.described), "typed": both, "expected": json.loads(call)}


def three_tools_case(rng, split, task, described, order):
    """A request for one of these tools."""
    style = rng.choice(["line", "short", "wide"])
    shown = "\n".join(tools.describe(style, t, order == "what") for t in described)
    instructions = f"You have these tools.\n<tools>\n{shown}\n</tools>"
    question, call = tools.asked(rng, split, rng.choice(described))
    both = {"question": question, "instructions": instructions}
    return {"task": f"{task}{ORDERS[order]}", "free": both, "program": call_program(described), "typed": both, "expected": json.loads(call)}


def new_tool_case(rng, split, order="what"):
    """Three of tools that people ask assistants for, in other words than training has; for dev."""
    described = [tools.make(rng, split, f) for f in rng.sample(tools_written.dev_families(), 3)]
    return three_tools_case(rng, split, "tool_new", described, order)


def wide_tool_case(rng, split, order="what"):
    """Three of held_patterns.py, of kinds that training knows, in other words."""
    chosen = rng.sample(held_patterns.TOOLS if split == "test" else held_patterns.DEV_TOOLS, 3)
    described = [(name, text.rstrip("."), [(a, k, "integer" if k == "int" else "string") for a, k in arguments], requests) for name, text, arguments, requests in chosen]
    return three_tools_case(rng, split, "tool_wide", described, order)


def cases(limit: int, split: str = "test", seed: int = SEED) -> list[dict]:
    """`limit` cases of each kind."""
    out = []

    def add(make, *arguments):
        rng = random.Random(f"{seed} {make.__name__} {arguments}")
        seen = set()
        for _ in range(20 * limit):
            case = make(rng, split, *arguments)
            key = json.dumps(case["free"], sort_keys=True)
            if key not in seen:
                seen.add(key)
                out.append(case)
            if len(seen) == limit:
                break

    for name in RECORDS:
        add(extraction_case, name)
    if split == "test":
        for name in RECORDS:
            add(wide_case, name)
    for kind in ("sentiment", "topic", "intent"):
        add(classification_case, kind)
    for make in (yes_no_case, wide_yes_no_case, chat_case):
        add(make)
    for order in ORDERS:
        # The three tools of tool.sgl are of the test split, those of lists/tools_dev.txt of the other.
        for make in (tool_case if split == "test" else new_tool_case, other_tool_case, wide_tool_case):
            add(make, order)
    return out


def story_texts(limit: int, split: str = "test", seed: int = SEED) -> list[str]:
    """Stories of the generator with held-out sentences, names and things."""
    rng = random.Random(f"{seed} stories")
    return [" ".join(stories.story(rng, split)[0]) for _ in range(limit)]


# Stories written by hand for this test, in words that the generator does not arrange.
WRITTEN = [
    "Nell had a red bike. Every day she rode it to the shop to buy milk for her grandma. One day the bike had a flat tire. Nell was sad, but her brother had a pump. He fixed the tire, and Nell rode to the shop. "
    "Grandma gave them both a glass of milk and a big cookie.",
    'There was a small bird who could not sing. All the other birds in the tree sang in the morning. The small bird listened and wanted to cry. Then an old owl said, "You do not need to sing. You can whistle." The small '
    "bird tried to whistle, and it was very nice. Now all the birds listen to him.",
    'Tim and his dad went to the lake. They had a boat and some bread. Tim wanted to catch a fish. He waited and waited. At last he felt a pull. It was a big fish! But the fish looked at him, and Tim let it go. "Swim '
    'home," he said. Dad smiled and gave him the bread.',
    'Mom made soup for dinner. Sara did not want to eat it. "It is green," she said. Her mom told her that the soup came from a magic garden. Sara took a spoon and ate a little. It was good! She ate all of it and '
    "asked for more.",
    "A little cloud was alone in the sky. It wanted to play with the sun, but the sun was too hot. It wanted to play with the wind, but the wind was too fast. Then it saw a dry flower on the ground. The cloud began to "
    "rain, and the flower was happy. They became friends.",
    "Ben lost a tooth. He put it under his pillow and went to sleep. In the night, he heard a soft sound. He opened one eye, but there was nobody. In the morning, the tooth was gone, and there was a shiny coin. Ben ran to "
    "show it to his sister.",
]


if __name__ == "__main__":
    for case in cases(int(sys.argv[1]) if len(sys.argv) > 1 else 2):
        print(json.dumps(case, ensure_ascii=False))
