"""Tool calls: tools described in the system message, a request, the call; sometimes the tool's answer and a closing sentence."""

import json

from .dialogue import Dialogue, quote, record, sentence
from .entities import amount, city, date, email, first_name, full_name, item, quantity, syllables
from .pools import COLORS, RANDOM_WORDS, article, parts, pick, plural

# name variants | description | arguments (name variants: kind) | requests
FAMILIES = (
    (
        "get_weather weather weather_forecast fetch_weather",
        "Tells the weather in a city",
        ("city/place/location:city",),
        (
            "What is the weather in {0}?",
            "How is the weather in {0} today?",
            "Do I need an umbrella in {0}?",
            "Weather for {0}, please.",
            "Is it raining in {0}?",
            "Will it be warm in {0}?",
        ),
    ),
    (
        "send_email send_mail write_email mail",
        "Sends an e-mail",
        ("to/recipient/address:email", "text/body/message:phrase"),
        ("Send an e-mail to {0} that says: {1}", "Write to {0}: {1}", "Mail {0} the text: {1}", "Please e-mail {0} with: {1}"),
    ),
    (
        "book_flight find_flight flight reserve_flight",
        "Books a flight",
        ("from/origin/start:city", "to/destination/target:city", "date/day:date"),
        (
            "Book a flight from {0} to {1} on {2}.",
            "I want to fly from {0} to {1} on {2}.",
            "Find me a plane from {0} to {1} for {2}.",
            "I have to get from {0} to {1} by plane on {2}.",
        ),
    ),
    (
        "order_item buy place_order order",
        "Orders things from the shop",
        ("item/product/article:item", "quantity/count/number:int"),
        ("Order {1} {0}.", "I need {1} {0}.", "Please buy {1} {0}.", "Get me {1} {0} from the shop.", "Can you order {1} {0} for me?"),
    ),
    (
        "set_alarm alarm wake_me add_alarm",
        "Sets an alarm",
        ("time/at/hour:time",),
        ("Wake me at {0}.", "Set an alarm for {0}.", "I have to get up at {0}.", "Alarm at {0}, please."),
    ),
    (
        "play_music play_song play start_music",
        "Plays music of an artist",
        ("artist/singer/name:name",),
        ("Play something by {0}.", "I want to hear {0}.", "Put on music by {0}.", "Play {0}, please."),
    ),
    (
        "translate translate_text translation to_language",
        "Translates a text",
        ("text/phrase:phrase", "language/lang/into:language"),
        ("Translate into {1}: {0}", "How do you say this in {1}: {0}", "What is this in {1}? {0}", "Give me the {1} for: {0}"),
    ),
    (
        "add_contact new_contact save_contact create_contact",
        "Saves a contact",
        ("name/person/full_name:name", "email/mail/address:email"),
        (
            "Save {0} with the address {1}.",
            "Add the contact {0}, {1}.",
            "New contact: {0}, e-mail {1}.",
            "Remember that {0} has the e-mail {1}.",
        ),
    ),
    (
        "transfer_money send_money pay transfer",
        "Sends money to a person",
        ("to/receiver/person:name", "amount/sum/value:int"),
        ("Send {1} euros to {0}.", "Pay {0} {1} euros.", "Transfer {1} euros to {0}, please.", "I owe {0} {1} euros, please pay."),
    ),
    (
        "search search_web find lookup",
        "Searches the web",
        ("query/q/text:thing",),
        ("Search for {0}.", "Find something about {0}.", "Look up {0} for me.", "What can you find about {0}?"),
    ),
    (
        "create_event add_event calendar schedule",
        "Puts an event into the calendar",
        ("title/name/event:event", "date/day/when:date"),
        ("Put {0} into my calendar on {1}.", "Schedule {0} for {1}.", "I have {0} on {1}, note it.", "Add {0} on {1}."),
    ),
    (
        "convert convert_currency exchange currency",
        "Converts an amount of money",
        ("amount/value/sum:int", "from/source:currency", "to/target:currency"),
        ("How much is {0} {1} in {2}?", "Convert {0} {1} to {2}.", "Change {0} {1} into {2}.", "What are {0} {1} in {2}?"),
    ),
    (
        "add sum plus add_numbers",
        "Adds two numbers",
        ("a/x/first:int", "b/y/second:int"),
        ("What is {0} plus {1}?", "Add {0} and {1}.", "What is the sum of {0} and {1}?", "{0} + {1}?"),
    ),
    (
        "set_light light lamp set_color",
        "Sets the color of the light in a room",
        ("room/place:room", "color/colour:color"),
        ("Make the light in the {0} {1}.", "Turn the {0} light {1}.", "I want {1} light in the {0}.", "Set the lamp in the {0} to {1}."),
    ),
    (
        "find_person get_person person_info lookup_person",
        "Looks up a person",
        ("name/person/who:name",),
        ("Who is {0}?", "Tell me about {0}.", "Find the person {0}.", "What do you know about {0}?"),
    ),
    (
        "set_timer timer start_timer countdown",
        "Starts a timer",
        ("minutes/duration/length:int",),
        (
            "Set a timer for {0} minutes.",
            "Tell me when {0} minutes are over.",
            "Start a timer of {0} minutes.",
            "{0} minutes from now, ring.",
        ),
    ),
    (
        "book_hotel reserve_room hotel find_hotel",
        "Books a hotel room",
        ("city/place/where:city", "nights/days/count:int"),
        (
            "Book a hotel in {0} for {1} nights.",
            "I need a room in {0} for {1} nights.",
            "Find a hotel in {0}, {1} nights.",
            "We stay {1} nights in {0}, book a room.",
        ),
    ),
    (
        "track_parcel track parcel_status find_parcel",
        "Tells where a parcel is",
        ("code/number/id:code",),
        ("Where is my parcel {0}?", "Track {0}.", "Find the parcel with the number {0}.", "Has {0} arrived?"),
    ),
    (
        "get_time time current_time clock",
        "Tells the time in a city",
        ("city/place/where:city",),
        ("What time is it in {0}?", "Tell me the time in {0}.", "How late is it in {0}?", "Time in {0}?"),
    ),
    (
        "remind add_reminder reminder remember",
        "Reminds the user of something",
        ("text/what/task:task", "time/at/when:time"),
        (
            "Remind me to {0} at {1}.",
            "At {1} I have to {0}, remind me.",
            "Do not let me forget to {0} at {1}.",
            "I must {0} at {1}, please remind me.",
        ),
    ),
    (
        "get_stock stock_count check_stock in_stock",
        "Tells how many of an item are in stock",
        ("item/product/article:item",),
        ("How many {0} are in stock?", "Do we still have {0}?", "Check the stock of {0}.", "Are there any {0} left?"),
    ),
    (
        "get_distance distance how_far route_length",
        "Measures the distance between two cities",
        ("from/a/start:city", "to/b/end:city"),
        (
            "How far is it from {0} to {1}?",
            "What is the distance between {0} and {1}?",
            "Distance {0} to {1}?",
            "How many kilometres from {0} to {1}?",
        ),
    ),
    (
        "delete_file remove_file remove delete",
        "Deletes a file",
        ("file/name/path:file",),
        ("Delete {0}.", "Remove the file {0}.", "I do not need {0} any more, delete it.", "Throw away {0}."),
    ),
    (
        "open_file read_file show_file open",
        "Opens a file",
        ("file/name/path:file",),
        ("Open {0}.", "Show me {0}.", "What is in {0}?", "Read the file {0}."),
    ),
)
PHRASES = """I will be late.|See you tomorrow.|The train is on time.|Happy birthday!|Please call me.|Dinner is ready.|I like your idea.|The door is open.|We need more time.|Thank you for the cake.|Good luck!|The meeting is
at noon.|It is cold outside.|Where is the key?|I am at home.|The book is on the table.|Bring some bread.|My cat is sleeping.|I found your hat.|Let us meet soon.""".replace(
    "\n", " "
).split(
    "|"
)
TASKS = tuple(
    "buy milk|call the doctor|feed the cat|pay the rent|water the plants|wash the car|write a letter|clean the kitchen|take a pill|send the parcel|close the window|bake a cake|walk the dog|fix the bike".split(
        "|"
    )
)
EVENTS = tuple(
    "dinner with Anna|a meeting|the concert|a dentist visit|lunch|the football match|a trip to the lake|the exam|a party|the school play|yoga|a phone call".split(
        "|"
    )
)
LANGUAGES = tuple("French German Spanish Italian Polish Dutch Greek Turkish Swedish Japanese Danish Finnish".split())
ROOMS = tuple("kitchen bedroom hall bathroom garden office cellar garage nursery attic".split())
CURRENCIES = tuple("euros dollars pounds francs yen kroner rupees pesos".split())
SYSTEMS = (
    "You can call tools.",
    "You have these tools.",
    "You are an assistant with tools.",
    "Use a tool to help the user.",
    "Answer with a tool call.",
    "You are a helpful assistant.",
)
PHRASES = tuple(PHRASES)


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
        "phrase": lambda: pick(rng, split, PHRASES),
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


# Invented tools, for training only: any verb on any noun, with arguments of any kind that the request names.
VERBS = """paint build check clean close count draw drop fill fix fold grow hang heat hide lift list load lock mark measure mix move name
order pack park plan print pull push rate read rent repair sell show sign sort start stop store test tie turn update wash weigh wrap""".split()
LABELS = {
    "city": "city town place where",
    "name": "name person owner who",
    "int": "number count size level weight height",
    "color": "color paint",
    "date": "date day when",
    "time": "time hour start",
    "email": "email mail contact",
    "item": "item thing part product",
    "code": "code key id",
    "room": "room place",
    "file": "file path document",
    "phrase": "text note label",
    "language": "language",
}


def invented(rng):
    verb, noun = rng.choice(VERBS), rng.choice(RANDOM_WORDS)
    kinds = rng.sample(sorted(LABELS), rng.choice([1, 1, 2, 2, 3]))
    labels = [rng.choice(LABELS[k].split()) for k in kinds]
    if len(set(labels)) < len(labels):
        return invented(rng)
    name = rng.choice(
        [f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", f"{verb}-{noun}", verb + noun.capitalize(), noun, f"{verb}_the_{noun}"]
    )
    told = [
        f"{rng.choice(['{l} {{{i}}}', 'the {l} is {{{i}}}', 'the {l} {{{i}}}', '{l}: {{{i}}}', 'with {l} {{{i}}}'])}".format(l=x, i=i)
        for i, x in enumerate(labels)
    ]
    bare = " and ".join(f"{{{i}}}" for i in range(len(labels)))
    requests = [
        f"{verb.capitalize()} the {noun}, {', '.join(told)}.",
        f"Please {verb} the {noun}: {', '.join(told)}.",
        f"I want to {verb} {article(noun)}. {' '.join(sentence(t) for t in told)}",
        f"Can you {verb} the {noun}? {' '.join(sentence(t) for t in told)}",
        f"{verb.capitalize()} {article(noun)} with {' and '.join(f'{x} {{{i}}}' for i, x in enumerate(labels))}.",
    ]
    if len(labels) == 1:
        requests += [
            f"{verb.capitalize()} the {noun} {bare}.",
            f"{verb.capitalize()} {article(noun)} for {bare}.",
            f"I need to {verb} the {noun}: {bare}",
        ]
    description = rng.choice([f"{verb.capitalize()}s {article(noun)}", f"{verb.capitalize()}s the {noun}", f"To {verb} {plural(noun)}"])
    return name, description, tuple(f"{x}:{k}" for x, k in zip(labels, kinds)), tuple(requests)


def parts_of(split):
    """The families of a split."""
    return parts(FAMILIES)[split]


def make(rng, split, family):
    """One tool with drawn names: (name, description, [(argument, kind, type)], requests)."""
    names, description, arguments, requests = family
    name = rng.choice(names.split())
    if split == "train" and rng.random() < 0.55:
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
    for a in arguments:
        variants, kind = a.split(":")
        label = rng.choice(variants.split("/"))
        r = rng.random()
        if split == "train" and r < 0.6:  # so that the description is read and not remembered
            label = (
                f"{label}_{rng.choice(RANDOM_WORDS)}"
                if r < 0.15
                else rng.choice([rng.choice(RANDOM_WORDS), rng.choice(RANDOM_WORDS), syllables(rng, 1, 2)])
            )
        args.append((label, kind, "integer" if kind == "int" else "string"))
    return name, description, args, requests


def describe(style, tool) -> str:
    name, description, args, _ = tool
    if style == "line":
        return f"{name}({', '.join(f'{a}: {t}' for a, _, t in args)}): {description}."
    if style == "short":
        return json.dumps({"name": name, "description": description, "parameters": {a: t for a, _, t in args}}, separators=(",", ":"))
    properties = {a: {"type": t} for a, _, t in args}
    function = {
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": [a for a, _, _ in args]},
    }
    return json.dumps({"type": "function", "function": function}, separators=rng_separators(style))


def rng_separators(style):
    return (",", ":") if style == "tight" else (", ", ": ")


def tools(rng, split, style=None, count=None):
    """Up to four tools, one request that one of them serves."""
    d = Dialogue("tool")
    style = style or rng.choice(["line", "line", "short", "short", "tight", "wide"])
    right = invented(rng) if split == "train" and rng.random() < 0.5 else pick(rng, split, FAMILIES)
    others = []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3]) if count is None else count - 1):
        f = pick(rng, split if rng.random() < 0.5 else "train", FAMILIES)
        f = invented(rng) if split == "train" and rng.random() < 0.4 else f
        if f is not right and f not in others:
            others.append(f)
    families = others + [right]
    rng.shuffle(families)
    chosen = {id(f): make(rng, split, f) for f in families}
    shown = "\n".join(describe(style, chosen[id(f)]) for f in families)
    name, _, args, requests = chosen[id(right)]
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
    values = [sample(rng, split, kind) for _, kind, _ in args]
    if len(values) > 1 and values[0] == values[1]:
        return tools(rng, split, style, count)
    request = rng.choice(requests).format(*(v[0] for v in values))
    call = record([("name", quote(name)), ("arguments", record((a, v[1]) for (a, _, _), v in zip(args, values)))])
    d.system(system).user(request)
    if rng.random() < 0.25:
        d.assistant(f"{call}</tool_call>", "<tool_call>")
    else:
        d.assistant(f"<tool_call>{call}</tool_call>")
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
