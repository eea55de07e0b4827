"""Further sentence patterns for classification, for training only; any that is in a held-out part is dropped."""

from .classify_words import FEELINGS, INTENTS, SENTIMENT, tidy
from .pools import like, parts, vocabulary, words

MORE_SENTIMENT = {
    "positive": """{S} could not have been better.|Wow, {S2} was {g}!|I am a big fan of it.|Such a {g} experience.|{S} is worth every cent.|We will be back soon, {S2} was {g}.|It made my day.|{S} is simply {g}.|I had so much fun.|Well
done! {S} was {g}.|I feel great after this.|{S} left me smiling.|You should try it, it is {g}.|Love it!|{S} was {g} from start to end.|I like it more every day.|A {g} surprise.|Thumbs up for this.|It works like a charm.|My
kids adore it.|{S} deserves a prize.|How {g}!|Very {g} indeed.|I have never had a more {g} week.|{S} was {g} and cheap.|Good value, {g} quality.|I could not be happier.|The people were kind and {S2} was {g}.|Great job!|So {g} that I told all
my friends.|This is {g}.|That was {d}{g}.|It felt {g}.|Really {g} work.|We liked it.|I am pleased with it.|It looks {g} and feels {g}.""",
    "negative": """{S} could not have been worse.|Sadly, {S2} was {b}.|I am angry about it.|Such a {b} experience.|{S} is not worth a cent.|We will not be back, {S2} was {b}.|It ruined my day.|{S} is simply {b}.|I was bored to tears.|Shame on
you! {S} was {b}.|I feel sick after this.|{S} left me in tears.|Do not try it, it is {b}.|Hate it!|{S} was {b} from start to end.|I like it less every day.|A {b} surprise.|Thumbs down for this.|It fell apart at once.|My
kids were crying.|{S} deserves no star.|How {b}!|Very {b} indeed.|I have never had a more {b} week.|{S} was {b} and expensive.|Bad value, {b} quality.|I could not be more unhappy.|The people were unkind and {S2} was {b}.|Never again!|So {b} that
I left early.|This is {b}.|That was {d}{b}.|It felt {b}.|Really {b} work.|We did not like it.|I am upset about it.|It looks {b} and feels {b}.|It stopped working after an hour.|Stay away from it.|I want a refund.""",
    "neutral": """{S} is on the left side.|It weighs two kilos.|{S} takes ten minutes.|They moved it to Friday.|{S} has four wheels.|I read about it in the paper.|The box holds six of them.|It comes in red and blue.|{S} belongs to my uncle.|We
arrived at eight.|The number is on the back.|{S} was built in 1990.|You can pay by card.|It is neither big nor small.|There are three floors.|{S} is near the bridge.|He works there.|The door is on the right.|They ship it on
Mondays.|A manual is in the box.|It is so so.|It was fair, not more.|{S} runs twice a day.|I bought it in spring.|The bag has two pockets.|{S} begins in an hour.|It uses two batteries.|Nothing much happened.|They have it in stock.|She
put it on the shelf.|{S} ends at five.|The street is two miles long.|We talked about {S2}.|It is called that.""",
}
MORE_INTENTS = {
    "greeting": "Hello again!|Hi everyone.|Good afternoon.|Morning!|Hey {N}, what is up?|Nice to see you.|Hello from {C}.|Hi, I am {N}.|Welcome!|Good to see you, {N}.|Hiya!|Hello dear team.|How do you do?|Hi {N}!|Good morning, {N}.|Hey folks.",
    "order": "One box of {i}, please.|I am ordering {q} {i}.|Send {q} {i} to {C}, please.|We need {q} more {i}.|Get me {q} {i}.|I will have {q} {i}.|My order: {q} {i}.|May I order {q} {i}?|I want to buy {i}.|Deliver {q} {i} to {N}.|I choose the {i}, {q} of "
    "them.|Please add {q} {i}.|{q} {i} for me.|I would love to buy {q} {i}.|Let me have {q} {i}.|I take {q} of the {i}.|Purchase {q} {i} for us.|Could I get {q} {i}?",
    "cancel": "I have to cancel.|Please cancel my trip to {C}.|Cancel my {i}.|I no longer want the {i}.|Please stop the order of {q} {i}.|Do not send the {i}.|Can you cancel the {i}?|{N} wants to cancel.|Forget my order.|I take back my order.|Please call "
    "off my visit.|Cancel it.|Can I cancel my ticket to {C}?|We do not want the {i} any longer.|Undo my last order.|I will not need the room, cancel it.|Please end my membership.|Remove my booking.|Drop the {i} from my order.|No more {i}, please cancel.",
    "complaint": "The {i} do not work.|I got the wrong {i}.|This is a bad service.|The {i} broke after one day.|Why is my parcel so late? This is terrible.|I am angry about the {i}.|The {i} smell bad.|Your shop in {C} is dirty.|The {i} have holes.|You sent "
    "me broken {i}.|It is a shame how you treat customers.|The quality is awful.|Nobody helped me.|Two of the {i} are damaged.|I am not satisfied.|The food was cold and the waiter rude.|My {i} came too late.|The {i} are faulty.|I am upset about the delay.|The box was "
    "open and half empty.",
    "question": "How much is it?|What time do you close?|Can I pay by card?|What are the {i} made of?|Are you open on Sunday?|Who is {N}?|How far is {C}?|What colors are there?|When will it arrive?|Is it far to {C}?|Do you sell {i}?|Where do I find "
    "{i}?|Why is it so?|How does it work?|Which size fits me?|What is the price of the {i}?|How heavy are the {i}?|Are the {i} new?|Is {N} at home?|Do the {i} come with a cable?|How old is it?|Where are you?|What do you think of {C}?|How do I get to {C}?",
    "thanks": "Thank you, {N}.|Thanks!|Thank you very much for the {i}.|How kind of you, thank you.|I want to thank you.|I thank you all.|Thanks for your time.|Cheers, thanks!|Thank you for your help.|So kind, thanks a million.|Thanks again.|We are thankful for "
    "everything.|My thanks to {N}.|Thank you, the {i} are perfect.|I owe you thanks.|Warm thanks from {C}.|Thanks for the quick answer.|I appreciate it.",
    "booking": "Book me a room.|I want to reserve a table.|Please book two seats for {N}.|I need a hotel in {C}, please book it.|Book a train to {C}.|Could you reserve a room in {C}?|A table for two at eight, please.|Make a reservation for {N}.|I'd like to book "
    "a trip to {C}.|Reserve {q} seats.|Can you book a tour for us?|Please hold a table for {q} people.|Book the flight for {N}.|I would like a room with a view.|Please reserve a car for Monday.|We want a table by the window tonight.|Two nights in {C}, please book.|I want to book {q} tickets.",
    "goodbye": "Bye!|See you.|So long, {N}.|Good night!|Have a good day, goodbye.|I must leave now. Bye.|See you next week.|Talk to you later.|Goodbye {N}, take care.|Until tomorrow.|I am off, see you.|Bye for now.|Have a nice evening, goodbye.|See you in {C}.|That is "
    "all, bye.|Catch you later.|Good night and sweet dreams.|Goodbye and good luck.",
    "refund": "Refund me, please.|I want a refund for the {i}.|Give me back my money.|Money back, please.|I ask for a refund.|How do I get my money back?|Please pay me back for the {i}.|I returned {q} {i}, please refund them.|Where is my refund?|I did not get the money "
    "back.|You must refund the {i}.|My refund has not come.|I would like my money returned.|Will you refund the {i}?|Refund the whole amount to {N}.|Send the money back to my card.|I expect my money back.|Please give a refund to {N}.",
}
MORE_FEELINGS = {
    "happy": "{N} could not stop laughing.|{N} had a lovely day.|{N} clapped and cheered.|{N} got good news.|{N} was so glad.|{N} felt great joy.|{N} won a prize.|{N} grinned from ear to ear.|{N} loved the new {t}.|{N} enjoyed the party.|{N} hugged everybody.|{N} "
    "was proud of the {t}.|{N} danced in the kitchen.|{N} was full of joy.|The {t} made {N} smile.|{N} whistled a merry tune.|{N} got what {N} had wished for.|{N} was pleased.|Everybody sang for {N}.|{N} had fun with the {t}.",
    "sad": "{N} cried.|{N} felt blue.|{N} had no friends to play with.|{N}'s {t} was gone for ever.|{N} was in tears.|{N} lost a friend.|{N} stayed in bed and cried.|{N} was heartbroken.|{N} missed home.|{N} got bad news.|The {t} of {N} was broken, and {N} wept.|{N} "
    "sighed and looked down.|{N} was lonely.|{N} had to leave the old house.|Nobody remembered the birthday of {N}.|{N} felt sorry and alone.|{N} sobbed.|{N}'s cat died.|{N} lost the game and cried.|{N} was unhappy.",
    "angry": "{N} was very mad.|{N} shouted.|{N} yelled at me.|{N} was full of rage.|{N} broke the {t} in anger.|{N} hit the wall.|{N} hated it and screamed.|{N} growled.|Somebody lied to {N}, and {N} exploded.|{N} turned red with anger.|{N} punched the {t}.|{N} was "
    "outraged.|{N} swore at the driver.|{N} pushed the man away and shouted.|{N} threw a plate.|{N} would not forgive them.|{N} quarrelled with a friend.|{N} was so mad about the {t}.|{N} bit and kicked.|{N} had enough and yelled.",
    "scared": "{N} was afraid.|{N} feared the storm.|{N} ran away in fear.|{N} hid behind the {t}.|{N} saw a monster.|{N} heard steps in the night.|{N} could not sleep for fear.|{N} was frightened.|A huge dog barked at {N}.|{N} shook all over.|{N} dreaded the dark "
    "cellar.|{N} screamed and hid.|{N} was scared of the {t}.|{N} held tight to mom in the thunder.|{N}'s knees trembled.|A bear came near, and {N} froze.|{N} did not want to go into the dark.|{N} panicked.|{N} thought there was a ghost.|{N} was alone in the dark woods.",
}


def merged(base, more):
    """Training patterns of both; nothing that the held-out parts of the first have."""
    out = {}
    for label, patterns in base.items():
        held = parts(patterns)
        kept = [p for p in tidy(more[label]) if p not in held["test"] and p not in held["dev"]]
        out[label] = tuple(dict.fromkeys([*held["train"], *kept]))
    return out


def said(name: str, base) -> dict[str, tuple[str, ...]]:
    """Texts of a list of lines `label|text`, by label; without those that share most of their words with a held-out pattern."""
    held = [vocabulary(p) for patterns in base.values() for split in ("dev", "test") for p in parts(patterns)[split]]
    out = {label: [] for label in base}
    for line in words(name):
        label, text = line.split("|")
        if label in out and not like(text, held):
            out[label].append(text)
    return {label: tuple(texts) for label, texts in out.items()}


TRAIN_SENTIMENT = merged(SENTIMENT, MORE_SENTIMENT)
TRAIN_INTENTS = merged(INTENTS, MORE_INTENTS)
TRAIN_FEELINGS = merged(FEELINGS, MORE_FEELINGS)
SAID_SENTIMENT = said("reviews", SENTIMENT)
SAID_INTENTS = said("requests", INTENTS)
SAID_FEELINGS = said("requests", FEELINGS)
AROUND = """Well, |Hi, |Hello. |Oh, |So, |Listen: |Dear team, |Hey, |To be honest, |I must say: |Okay. |Yesterday: |By the way, |You know, |As I said: |Honestly, |Hm. |Look: |Please note: |My opinion: """.split(
    "|"
)
AFTER = [
    " That is all.",
    " Yours, {N}",
    " {N}",
    " What do you think?",
    " I am in {C}.",
    " It was on Monday.",
    " I am from {C}.",
    " Just saying.",
    " This is {N}.",
    " Regards, {N}",
]
