"""Tool calls: tools described in the system message, a request, the call; sometimes the tool's answer and a closing sentence."""

import json
from collections import Counter

from . import breadth
from .dialogue import Dialogue, quote, record
from .entities import city, date, email, first_name, full_name, item, syllables
from .pools import COLORS, RANDOM_WORDS, parts, pick, words
from .tool_families import FAMILIES
from .tool_families_more import MORE_FAMILIES
from .tool_families_wide import WIDE_FAMILIES
from .tools_made import family
from .tools_written import paired_families, written_families


def listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(t.split()) for t in text.split("|"))


PHRASES = listed(
    """I will be late.|See you tomorrow.|The train is on time.|Happy birthday!|Please call me.|Dinner is ready.|I like your idea.|The door is open.|We need more time.|Thank you for the
    cake.|Good luck!|The meeting is at noon.|It is cold outside.|Where is the key?|I am at home.|The book is on the table.|Bring some bread.|My cat is sleeping.|I found your hat.|Let us meet
    soon.|The parcel has arrived.|I forgot my umbrella.|We won the game!|Can you bring the tickets?|The shop closes at six.|My phone is broken.|Thanks for your help yesterday.|The soup was
    too salty.|You left your keys here.|The bus did not come.|I will bring a salad.|Our flight is delayed.|The window is still open.|Please water my plants.|Are you coming tonight?|The
    heating does not work.|I have lost my wallet.|Everything went well.|The car needs petrol.|What time does it start?|We are out of milk."""
)
TASKS = listed(
    """buy milk|call the doctor|feed the cat|pay the rent|water the plants|wash the car|write a letter|clean the kitchen|take a pill|send the parcel|close the window|bake a cake|walk the
    dog|fix the bike|pick up the laundry|book a table|sign the contract|renew my passport|charge the phone|empty the bin|return the books|check the oven|print the tickets|iron a shirt|buy a
    present|lock the shed|turn off the heating|cancel the order|visit my aunt|cut the grass|stretch my back|take out the trash|read the report|order new glasses"""
)
EVENTS = listed(
    """dinner with Anna|a meeting|the concert|a dentist visit|lunch|the football match|a trip to the lake|the exam|a party|the school play|yoga|a phone call|breakfast with Tom|the staff
    meeting|a job interview|the parents' evening|a haircut|choir practice|the opening of the shop|a picnic|the board meeting|swimming lessons|a film night|the garden party|my driving test|a
    video call|the team lunch|a birthday dinner|the book fair|a hike with friends|the vet appointment|a wedding"""
)
LANGUAGES = tuple(
    """French German Spanish Italian Polish Dutch Greek Turkish Swedish Japanese Danish Finnish Portuguese Russian Chinese Korean Arabic Hindi Norwegian Hungarian Czech Romanian Ukrainian Thai
    Hebrew Latin Icelandic Irish Welsh Basque Croatian Bulgarian""".split()
)
ROOMS = tuple(
    """kitchen bedroom hall bathroom garden office cellar garage nursery attic lounge study library balcony porch basement laundry lobby corridor canteen studio gym ballroom pantry workshop
    shed stable terrace""".split()
)
CURRENCIES = tuple("euros dollars pounds francs yen kroner rupees pesos zloty rubles crowns won baht lira rand shekels forint dinars dirhams reals ringgit".split())
SYSTEMS = (
    "You can call tools.",
    "You have these tools.",
    "You are an assistant with tools.",
    "Use a tool to help the user.",
    "Answer with a tool call.",
    "You are a helpful assistant.",
)
# How often what a tool does stands before its name: a name that comes later has read it, so that finding a tool is one step and not two.
WHAT_FIRST = 0.85
SHORT = {k: [t + "." for t in v if len(t) < 45 and '"' not in t] for k, v in parts(words("sentences")).items()}


def phrase(rng, split):
    """A text to pass on: from the list, or while training any short sentence."""
    r = rng.random() if split != "test" else 0
    if r < 0.3:
        return pick(rng, split, PHRASES)
    if r < 0.75:
        return rng.choice(SHORT[split])
    text = " ".join(rng.choice(RANDOM_WORDS) for _ in range(rng.randint(1, 4)))
    return rng.choice([text, text.capitalize(), text.capitalize() + "."])


def sample(rng, split, kind):
    """(spelling in the request, JSON value, JSON type)."""
    if kind == "date":
        spelling, iso = date(rng)
        return spelling, quote(iso), "string"
    if kind == "int":
        n = str(rng.choice([rng.randint(1, 20), rng.randint(1, 500)]))
        return n, n, "integer"
    v = {
        "city": lambda: city(rng, split),
        "email": lambda: email(rng, split),
        "phrase": lambda: phrase(rng, split),
        "item": lambda: item(rng, split),
        "time": lambda: f"{rng.randint(0, 23)}:{rng.choice(['00', '15', '30', '45', f'{rng.randint(0, 59):02}'])}",
        "name": lambda: full_name(rng, split) if rng.random() < 0.6 else first_name(rng, split),
        "language": lambda: pick(rng, split, LANGUAGES),
        "thing": lambda: rng.choice(
            [
                item(rng, split),
                rng.choice(RANDOM_WORDS),
                full_name(rng, split),
                f"{rng.choice(RANDOM_WORDS)} and {rng.choice(RANDOM_WORDS)}",
            ]
        ),
        "event": lambda: pick(rng, split, EVENTS),
        "currency": lambda: pick(rng, split, CURRENCIES),
        "room": lambda: pick(rng, split, ROOMS),
        "color": lambda: rng.choice(COLORS),
        "code": lambda: "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ0123456789") for _ in range(rng.randint(4, 8))),
        "task": lambda: pick(rng, split, TASKS),
        "file": lambda: f"{rng.choice([syllables(rng, 1, 2), rng.choice(RANDOM_WORDS)])}.{rng.choice(['txt', 'pdf', 'csv', 'png', 'md', 'json'])}",
    }[kind]()
    return v, quote(v), "string"


def parts_of(split):
    """The families of a split."""
    return parts(FAMILIES)[split]


def some_family(rng, split):
    """A family of the split; while training mostly one of those that are for training alone."""
    if split == "train" and rng.random() < 0.8:
        if breadth.late and rng.random() < (0.6 if breadth.late < 2 else 0.75):
            return rng.choice(paired_families() if breadth.late > 1 and rng.random() < 0.2 else written_families(breadth.late))
        return rng.choice(MORE_FAMILIES + WIDE_FAMILIES if breadth.wide else MORE_FAMILIES)
    return pick(rng, split, FAMILIES)


def another_family(rng, right):
    """One to stand beside it while training: late often one with arguments of the same kinds, so that what it does must decide."""
    tried = [some_family(rng, "train") for _ in range(6 if breadth.late > 1 and rng.random() < 0.5 else 1)]
    kinds = Counter(a.split(":")[1] for a in right[2])
    return max(tried, key=lambda f: (f is not right) * (kinds & Counter(a.split(":")[1] for a in f[2])).total())


def make(rng, split, family):
    """One tool with drawn names: (name, description, [(argument, kind, type)], requests)."""
    names, description, arguments, requests = family
    name = rng.choice(names.split())
    if split == "train" and rng.random() < 0.4 and len(names.split()) > 1:
        name = rng.choice(
            [
                f"{name}_{rng.choice(RANDOM_WORDS)}",
                f"{rng.choice(RANDOM_WORDS)}_{name}",
                syllables(rng),
                f"{rng.choice(['my', 'tool', 'api', 'do', 'run'])}_{name}",
                name.replace("_", "-"),
            ]
        )
    args = []
    kinds = Counter(a.split(":")[1] for a in arguments)
    for a in arguments:
        variants, kind = a.split(":")
        label = rng.choice(variants.split("/"))
        r = rng.random()
        invented = 0.3 if breadth.late < 2 else 0.1
        # Some names are invented, so that the description is read and not remembered; but nothing else tells two of a kind apart.
        if split == "train" and r < invented and "/" in variants and kinds[kind] < 2:
            label = (
                f"{label}_{rng.choice(RANDOM_WORDS)}"
                if r < invented / 2
                else rng.choice([rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS), syllables(rng, 1, 2)])
            )
        args.append((label, kind, "integer" if kind == "int" else "string"))
    return name, description, args, requests


def describe(style, tool, what_first=False) -> str:
    name, description, args, _ = tool
    if what_first and style == "line":
        return f"{description}: {name}({', '.join(f'{a}: {t}' for a, _, t in args)})"
    if style == "line":
        return f"{name}({', '.join(f'{a}: {t}' for a, _, t in args)}): {description}."
    head = {"description": description, "name": name} if what_first else {"name": name, "description": description}
    if style == "short":
        return json.dumps({**head, "parameters": {a: t for a, _, t in args}}, separators=(",", ":"))
    properties = {a: {"type": t} for a, _, t in args}
    function = {
        **head,
        "parameters": {"type": "object", "properties": properties, "required": [a for a, _, _ in args]},
    }
    return json.dumps({"type": "function", "function": function}, separators=rng_separators(style))


def rng_separators(style):
    return (",", ":") if style == "tight" else (", ", ": ")


def asked(rng, split, tool) -> tuple[str, str]:
    """A request that the tool serves, and the call."""
    name, _, args, requests = tool
    for _ in range(20):
        values = [sample(rng, split, kind) for _, kind, _ in args]
        if len({v[0] for v in values}) == len(values):
            break
    request = rng.choice(requests).format(*(v[0] for v in values))
    return request, record([("name", quote(name)), ("arguments", record((a, v[1]) for (a, _, _), v in zip(args, values)))])


def tools(rng, split, style=None, count=None, what_first=None):
    """Up to four tools, one request that one of them serves; all described in one style and order, drawn unless given."""
    d = Dialogue("tool")
    style = style or rng.choice(["line", "line", "short", "short", "tight", "wide"] if split == "test" else ["line"] * 5 + ["short"] * 4 + ["tight", "wide", "wide"])
    others = []
    if split != "test" and rng.random() < ((0.45, 0.3, 0.2)[breadth.late] if split == "train" else 0.45):
        right, *others = family(rng, split)
        others = others[: count - 1] if count else others
    else:
        right = some_family(rng, split)
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3]) if count is None else count - 1):
            if split == "train":
                f = another_family(rng, right)
            else:
                f = pick(rng, split if rng.random() < 0.5 else "train", FAMILIES)
            if f is not right and f not in others:
                others.append(f)
    families = others + [right]
    rng.shuffle(families)
    chosen = {id(f): make(rng, split, f) for f in families}
    d.described = list(chosen.values())
    if what_first is None:
        what_first = rng.random() < WHAT_FIRST
    shown = "\n".join(describe(style, chosen[id(f)], what_first) for f in families)
    head = rng.choice(SYSTEMS)
    if style in ("line", "short"):
        system = rng.choice([f"{head}\n{shown}", f"{head}\nTools:\n{shown}", f"{head}\n<tools>\n{shown}\n</tools>", f"Tools:\n{shown}"])
    else:
        system = rng.choice(
            [
                f"{head}\n<tools>\n{shown}\n</tools>",
                f"# Tools\n\n<tools>\n{shown}\n</tools>",
                f"{head}\n\n# Tools\n\n<tools>\n{shown}\n</tools>",
            ]
        )
    if rng.random() < 0.15:
        system += '\nAnswer with <tool_call>{"name":"…","arguments":{…}}</tool_call>.'
    request, call = asked(rng, split, chosen[id(right)])
    given = "<tool_call>" if rng.random() < 0.25 else ""
    d.system(system).user(request).assistant(f"{call}</tool_call>" if given else f"<tool_call>{call}</tool_call>", given)
    share, least, most = (0.9, 3, 9) if breadth.late > 1 else (0.85, 2, 6) if breadth.wide else (0.6, 1, 3)
    if split == "train" and rng.random() < share:
        # More requests to the tools that are described already: which tool it is is decided more often, and reading them costs nothing more.
        for _ in range(rng.randint(least, most) if others or not breadth.wide else rng.randint(0, 2)):
            request, call = asked(rng, split, chosen[id(rng.choice(families))])
            d.user(request).assistant(f"<tool_call>{call}</tool_call>")
        return d
    if rng.random() < 0.15:
        result = rng.choice(
            ["done", "ok", str(rng.randint(1, 99)), rng.choice(RANDOM_WORDS), f"{rng.randint(-9, 35)} degrees", "not found"]
        )
        d.tool(json.dumps({"result": result}, separators=(",", ":")))
        d.assistant(
            {"done": "It is done.", "ok": "It is done.", "not found": "I am sorry, nothing was found."}.get(
                result, f"The result is {result}."
            )
        )
    return d
