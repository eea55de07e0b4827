"""Words and sentence patterns for classification: sentiment, topic, feeling, intent."""

SUBJECTS = """The film|The book|The hotel|The soup|This phone|The new phone|The concert|My flight|The service|The room|The food|The staff|The game|The coffee|The
pizza|This lamp|The train ride|The course|The show|The garden|The bike|The jacket|The museum|The play|The song|The laptop|The party|The restaurant|The waiter|The
teacher|The app|The camera|The bed|The breakfast|The beach|The tour|The cake|The battery|The delivery|The support team|The story|The chair|The shop|The
weather|The new design|Our holiday|The lesson|The driver|The keyboard|The printer|The meal|The dessert|The ticket office|The ending""".replace(
    "\n", " "
).split(
    "|"
)
GOOD = """great wonderful excellent amazing lovely fantastic perfect brilliant superb delightful beautiful charming delicious pleasant impressive good
terrific splendid outstanding marvellous enjoyable fun nice awesome""".split()
BAD = """terrible awful horrible boring bad disappointing poor dreadful ugly broken useless slow rude dirty disgusting annoying cheap noisy
painful unpleasant mediocre lousy sad stale""".split()
DEGREE = ["", "really ", "very ", "quite ", "so ", "truly ", "absolutely ", "just "]
SENTIMENT = {
    "positive": """{S} was {d}{g}.|{S} is {d}{g}.|I loved it. {S} was {g}!|What a {g} day! {S} made us happy.|{S} was {g} and I would come again.|I am very happy with it: {S} is {g}.|
{S} was better than I expected.|I enjoyed every minute.  {S} was {d}{g}.|{S} was {g}, thank you so much!|Best choice ever. {S} is {g}.|I can only recommend it. {S} was {d}{g}.|We had a {g} time.|
{S} made me smile.|{S} works perfectly and looks {g}.|Five stars! {S} was {g}.|{S} exceeded all my hopes.|I would buy it again, it is {d}{g}.|I love how {g} it is.|Everyone was pleased because {S2} was {g}.|
Thanks to {S2} we had a {g} evening.|{S} is the best I have seen.|I am so glad that I tried it.|My family liked it a lot. {S} was {g}.|Not bad at all, {S2} was even {g}.|It was a pleasure.""",
    "negative": """{S} was {d}{b}.|{S} is {d}{b}.|I hated it. {S} was {b}!|What a {b} day! {S} made us angry.|{S} was {b} and I will never come again.|I am very unhappy with it: {S} is {b}.|
{S} was worse than I expected.|I regret every minute. {S} was {d}{b}.|{S} was {b}, I want my money back!|Worst choice ever. {S} is {b}.|I cannot recommend it. {S} was {d}{b}.|We had a {b} time.|
{S} made me cry.|{S} broke after a day and looks {b}.|One star! {S} was {b}.|{S} was a waste of money.|I would not buy it again, it is {d}{b}.|I hate how {b} it is.|Everyone was upset because {S2} was {b}.|
Because of {S2} we had a {b} evening.|{S} is the worst I have seen.|I am so sorry that I tried it.|My family did not like it. {S} was {b}.|Not good at all, {S2} was even {b}.|It was a complete failure.""",
    "neutral": """{S} starts at nine.|{S} is next to the station.|{S} was on Monday.|There is a table by the window.|{S} has two parts.|We saw it on Tuesday.|{S} is blue.|{S} costs twenty euros.|The
parcel came at noon.|{S} opens at ten and closes at six.|{S} is in the main street.|It was made in May.|{S} lasts an hour.|I went there by bus.|They sell it in three sizes.|{S} was neither good nor bad.|
{S} was okay, nothing special.|It is made of wood.|{S} was average.|{S} comes with a cable.|He took it home.|There were ten people.|{S} is on the second floor.|The meeting is in room four.|{S} will be
back next week.""",
}
TOPICS = {
    "sports": "match team goal coach player tennis football race runner medal stadium championship referee swimmer league basketball marathon score trophy cyclist",
    "food": "soup recipe bread cheese dinner cook kitchen oven sauce restaurant salad chef meal dessert spice flour butter pasta lunch vegetable",
    "travel": "flight hotel airport passport suitcase tourist journey beach map train ticket holiday island trip luggage museum guide border cruise hostel",
    "weather": "rain storm sun snow cloud wind temperature forecast thunder fog sunshine frost lightning umbrella degree drizzle heatwave hail breeze sky",
    "technology": "computer software phone robot screen app internet keyboard program chip laptop website battery code data network update server camera password",
    "health": "doctor hospital medicine patient fever nurse vaccine headache clinic sleep exercise cough pill surgery dentist illness blood diet therapy pain",
    "school": "teacher pupil lesson exam homework class student library grade textbook university lecture professor blackboard essay classroom test course term degree",
    "music": "song band guitar concert singer piano album drum orchestra melody violin choir stage tune rhythm composer opera microphone trumpet festival",
    "animals": "dog cat bird horse lion nest zoo fish elephant puppy farm tail wolf kitten rabbit fur whale monkey owl sheep",
    "money": "bank loan price tax salary dollar account budget invoice debt coin market credit euro interest payment profit stock wage savings",
}
TOPIC_SHAPES = """The {a} and the {b} were ready.|Everyone talked about the {a} after the {b}.|The {a} was better than the {b}.|We need a new {a} before the {b}.|They spoke about the {a} and the {b} for an
hour.|A {a} like this needs a good {b}.|The {b} depends on the {a}.|First came the {a}, then the {b}.|The {a} changed everything for the {b}.|People worry about the {a} this year.|Nobody expected such a
{a}.|The news today is about the {a} and the {b}.|I read an article about the {a}.|Without the {a} there is no {b}.|She asked a question about the {a}.|He explained the {a} and the {b} to us.|There was a problem
with the {a}, but the {b} was fine.|The {a} was late because of the {b}.|The {a} was the best part, the {b} the worst.|Last week, the {a} surprised all of us.|You should look at the {a} and the {b}.|My brother
told me about the {a}.|Our {a} has never been so good.|This {a} is famous for its {b}.|The report describes the {a} and a {b}.|They lost the {a} near the {b}.""".replace(
    "\n", " "
).split(
    "|"
)
TOPIC_OWN = {
    "sports": "Our side won {n} to 2.|She scored in the last minute.|He ran faster than all others.|They play in the final on Sunday.|The fans cheered for the winners.",
    "food": "Stir it well and add salt.|She fried two eggs.|Bake it for {n} minutes.|It tastes sweet and sour.|He was hungry and ate three plates.",
    "travel": "We fly to {c} tomorrow.|They stayed in {c} for a week.|Pack your bags, we leave for {c}.|She booked a room in {c}.|He walked through the old town of {c}.",
    "weather": "It will be cold and wet tomorrow.|It has been raining for days.|Tomorrow will be sunny and warm.|The streets are icy this morning.|It is {n} degrees outside.",
    "technology": "Click on the icon to install it.|The device will not start.|Download the new version.|She writes programs all day.|Type your name and press enter.",
    "health": "She has a cold and stays in bed.|Take one tablet a day.|He broke his leg.|Wash your hands often.|My back hurts.",
    "school": "We learn to read and write.|She studies for {n} hours.|The children raise their hands.|He failed in maths.|The new term starts on Monday.",
    "music": "She sings in a clear voice.|He plays it on the radio.|They danced to the beat.|The audience clapped and asked for more.|He tuned the strings.",
    "animals": "It barked at the postman.|They feed on grass.|It laid three eggs.|The young ones sleep in a cave.|It purred on the sofa.",
    "money": "It costs too much.|She saves a hundred a month.|He cannot pay the rent.|Costs rose by {n} percent.|They sold it at a loss.",
}
FEELINGS = {
    "happy": "{N} got a big cake.|{N} found a shiny coin.|{N} won the race.|{N} laughed and danced.|{N} got a new puppy.|{N} smiled all day.|{N} had a party with friends.|{N} got a present.|{N} met an old friend.|{N} passed the "
    "test.|{N} played in the sun.|{N} got a hug from mom.|{N} ate ice cream.|It was the best day for {N}.|{N} found the lost {t}.|{N} got a new {t}.|{N} jumped for joy.|{N} sang a merry song.",
    "sad": "{N} lost the {t}.|{N} cried all night.|{N} lost a toy.|{N} misses a friend.|{N} broke the {t} and wept.|{N} sat alone in the rain.|{N} had to say goodbye.|{N}'s dog ran away.|{N} dropped the ice cream.|{N} failed the "
    "test.|Nobody came to the party of {N}.|{N} had tears in the eyes.|{N} was left alone.|{N}'s best friend moved away.|{N} could not find the {t}.|{N} wept softly.",
    "angry": "{N} yelled at the dog.|{N} shouted at the boy.|{N} slammed the door.|{N} threw the {t} at the wall.|{N} was mad at the driver.|Somebody stole the {t} of {N}, and {N} shouted.|{N} stamped on the floor.|{N} hit the table "
    "with a fist.|{N} had a fight with a neighbour.|{N} tore up the letter in rage.|{N} screamed at everybody.|{N} was furious about the {t}.|{N} argued loudly.|{N} kicked the {t}.",
    "scared": "{N} saw a big snake.|{N} heard a strange noise in the dark.|{N} hid under the bed.|{N} ran away from the wolf.|{N} trembled during the storm.|{N} was afraid of the dark.|{N} saw a ghost.|{N} froze when the lion came.|"
    "{N} had a nightmare.|{N} did not dare to move.|{N} shook with fear.|{N} screamed when the spider came.|{N} got lost in the dark forest.|{N} feared the huge dog.",
}
INTENTS = {
    "greeting": "Hello!|Hi there.|Good morning!|Hey, how are you?|Good evening, everybody.|Hi, nice to meet you.|Hello, is anybody there?|Good day to you.|Hey!|Hi, it is {N}.|Greetings from {C}!|Hello {N}!",
    "order": "I would like to order {q} {i}.|Please send me {q} {i}.|Can I buy {q} {i}?|I want {q} {i}.|I will take {q} {i}.|Put {q} {i} in my basket.|I need {q} {i} by Friday.|Could you ship {q} {i} to {C}?|Add {q} {i} to my order.|"
    "We want to buy {q} {i}.|I'd like to get {q} {i}, please.|Order {q} {i} for {N}.",
    "cancel": "Please cancel my order.|I want to cancel the {i}.|I do not need the {i} any more.|Stop my subscription.|Cancel the booking for {N}.|I have changed my mind, no {i} for me.|Call off the delivery.|Please delete my order of "
    "{i}.|Can I still cancel?|Cancel everything, please.|Take the {i} off my order.|I want to end my contract.",
    "complaint": "The {i} arrived broken.|This is not what I ordered.|The {i} are of bad quality.|I am very unhappy with your service.|Nobody answers the phone!|My {i} stopped working.|The parcel was damaged.|I waited two weeks for "
    "nothing.|Half of the {i} are missing.|The {i} are too small and dirty.|Your driver was rude.|I want to complain about the {i}.",
    "question": "What does it cost?|When do you open?|Where is your shop?|Do you have {i} in other colors?|How long does delivery take?|Which {i} do you have?|Is there a shop in {C}?|How do I clean the {i}?|Do you ship to {C}?|What is the "
    "size of the {i}?|Can you tell me more about the {i}?|How many {i} are left?",
    "thanks": "Thank you so much!|Thanks for the {i}.|Many thanks for your help.|I am very grateful.|Thanks, {N}!|Thank you, that was quick.|Thanks a lot.|That was kind of you, thanks.|Thank you for the fast delivery.|Thanks for everything, "
    "{N}.|I really appreciate your help.|Big thanks to the team!",
    "booking": "I want to book a room in {C}.|Please reserve a table for {q}.|Book a flight to {C}.|Can I reserve a seat?|A room for two nights, please.|I need a table for {q} at seven.|Reserve two tickets to {C} for {N}.|We would like to book a "
    "tour of {C}.|Is a room free on Friday? I would book it.|Please book a taxi for {N}.|Keep a seat for me on the train to {C}.|I would like to make a reservation.",
    "goodbye": "Goodbye!|See you later.|Bye, {N}.|Have a nice day, bye!|See you tomorrow.|Good night, {N}.|I have to go now, bye.|Until next time!|Take care, {N}.|Farewell, my friend.|Bye bye!|Talk to you soon.",
    "refund": "I want my money back.|Please refund the {i}.|When do I get my refund?|Give me a refund for the {i}.|I returned the {i}, where is my money?|Pay back what I paid.|I demand a refund.|Can I get a refund for {q} {i}?|Please return the "
    "money to my account.|I would like a refund, please.|You owe me the money for the {i}.|I sent back the {i} and want the price back.",
}


def tidy(text: str) -> tuple[str, ...]:
    return tuple(x.strip() for x in text.replace("\n", " ").split("|"))


SENTIMENT = {k: tidy(v) for k, v in SENTIMENT.items()}
TOPIC_OWN = {k: tidy(v) for k, v in TOPIC_OWN.items()}
TOPIC_WORDS = {k: tuple(v.split()) for k, v in TOPICS.items()}
FEELINGS = {k: tidy(v) for k, v in FEELINGS.items()}
INTENTS = {k: tidy(v) for k, v in INTENTS.items()}
SUBJECTS = tuple(x.strip() for x in SUBJECTS)
TOPIC_SHAPES = tuple(TOPIC_SHAPES)
