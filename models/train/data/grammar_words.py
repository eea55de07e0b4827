"""Words and short clauses of grammar.py; every list is cut into train, dev and test like all others."""


def cut(text: str) -> tuple[str, ...]:
    return tuple(" ".join(t.split()) for t in text.split("|"))


LINKS = "at in from near of for by with to under via over through as around behind beside past".split()
ON = "on on on on for by until from before since".split()
MANNERS = cut("happily|quietly|alone|mostly|now|still|often|again|together with friends|with two cats|all year|for now|already")
ADVERBIALS = cut(
    """today|again|this week|last night|now|since May|with a friend|every day|on weekdays|in the morning|at noon|for years|most of the time|as usual|without delay|for the first time|
    after work|during the summer|in a hurry|by bus|before lunch|on Tuesday|for fun|all alone|these days|at last|next week|in spring|from time to time|with pleasure|if possible|as promised|by mistake|
    straight away|until Friday|once more|later on|by train|at the weekend|right now"""
)
STAY = cut(
    """lives|works|stays|studies|teaches|sleeps|waits|rests|trains|cooks|sings|dwells|lodges|camps|practises|serves|trades|farms|paints|writes|keeps a shop|rents a room|has a flat|has an office|owns a
    house|runs a bakery|sells flowers|has relatives|goes to school|goes to work|drives a bus|feels at home|was raised|was seen|was last seen|is at home|is registered|has been living|is working|is staying|grew old|
    spent a year|spends the winter|can be met|was educated|found work|keeps bees|is known|married|settled down"""
)
STAY_FIRST = cut(
    """live|work|stay|study|teach|sleep|rest|train|cook|dwell|farm|paint|have a flat|rent a room|own a house|run a bakery|go to school|feel at home|was raised|am at home|am registered|have been living|am working|
    am staying|spent a year|spend the winter|found work|keep bees"""
)
NEAR = cut("in|in|in|in|near|close to|outside|just outside|not far from|in the centre of|in the north of|in the old part of|at the edge of|right in the middle of|south of|around|in beautiful|in rainy|back in|up in")
MOVED = cut(
    """comes from|moved to|returned to|went to|drove to|left for|arrived in|travels to|is from|hails from|was sent to|flew to|walked to|commutes to|emigrated to|is new in|knows|loves|misses|left|reached|has never left|
    visits|made a home in|has roots in|represents|plays for|votes in|originates from|was born in|ended up in|is moving to|is well known in|writes home to|has come from|is on the way to|calls from|is a guest in|belongs to"""
)
AGE_VP = cut(
    """is {age}|is {age}|is {age} years old|is now {age}|is {age} this year|is just {age}|is {age} years of age|is a {age}-year-old|has lived for {age} years|looks good for {age}|turned {age}|
    has turned {age}|became {age}|reached {age}|admits to being {age}|says {he} is {age}|is proud to be {age}|counts {age} years|was {age} on the last birthday|has {age} candles on the cake|is exactly {age}|
    celebrates being {age}|is {age} and not a day older|at {age} is the oldest|still works at {age}|learned to swim at {age}|is {age} and healthy|must be {age}|will stay {age} until winter|had {age} birthdays"""
)
AGE_FIRST = cut("am {age}|am {age} years old|turned {age}|am now {age}|just became {age}|will be {age} until May|am {age} and healthy|am already {age}|have lived for {age} years|am a {age}-year-old {job}|am proud to be {age}")
EMAIL_VP = cut(
    """writes from {email}|uses {email}|answers at {email}|gave {email}|left {email}|sent {email}|noted {email}|spelled {email}|has {email}|prefers {email}|checks {email}|forwards everything to {email}|can be mailed at {email}|replies
    from {email}|gave the address {email}|wants answers to {email}|collects mail at {email}|has the account {email}|opened the account {email}|told us to use {email}|is listed with {email}|is listed under {email}|subscribed with
    {email}|receives letters at {email}|would like mail to {email}|entered {email}|confirmed {email}|changed the address to {email}|wrote to us from {email}|is {email} on the list|logs in with {email}|is easiest to reach via {email}|
    got the mailbox {email}|asks you to write to {email}|appears as {email}"""
)
EMAIL_FIRST = cut(
    """write from {email}|use {email}|answer at {email}|have the address {email}|prefer {email}|am at {email}|can be mailed at {email}|log in with {email}|check {email}|subscribed with {email}|changed my address to {email}|
    want answers to {email}|have opened {email}|get mail at {email}|am listed under {email}|left {email} with you"""
)
JOB_VP = cut("is a {job}|works as a {job}|trained as a {job}|became a {job}|is employed as a {job}|is a good {job}|makes money as a {job}|has the job of a {job}|started out as a {job}|is busy as a {job}")
JOB_FIRST = cut("am a {job}|work as a {job}|trained as a {job}|became a {job}|earn money as a {job}|am a busy {job}")
HOBBY_VP = cut("likes {hobby}|loves {hobby}|is fond of {hobby}|cannot stop {hobby}|is good at {hobby}|has {hobby} as a hobby|spends Sundays {hobby}|talks only about {hobby}|prefers {hobby}|lives for {hobby}")
HOBBY_FIRST = cut("like {hobby}|love {hobby}|am fond of {hobby}|am good at {hobby}|live for {hobby}|prefer {hobby}")
GOT = cut(
    """got|ordered|bought|wants|needs|requested|reserved|collected|demanded|acquired|took away|carried home|paid for|asked us for|is after|hopes for|is getting|wished for|found|rented|imported|borrowed|returned|fetched|
    picked|won|owns|shipped|sent|stored|sold|donated|lost|packed|unpacked|loaded|counted|delivered|tested|stole|cleaned|repaired|painted|made|gathered|saved up for|signed for|settled on|went for|decided on|grabbed|dropped off|
    brought|insists on|orders|buys|requires|chose|exchanged|examined|inherited|swapped|bid on|pre-ordered|has to pick up|cancelled|sent back|would love"""
)
DONE = cut(
    """left|arrived|called|sang|slept|laughed|waited|travelled|started|finished|paid|danced|wrote|answered|smiled|worked|met|helped|visited|cleaned|opened|closed|fixed|painted|followed|watched|heard|carried|found|lost|kept|
    moved|turned|filled|drew|cut|planted|shared|cooked|signs|checks|starts|ends|leaves|comes|speaks|plays|retires|marries|returns|goes|flies|moves|performs|presents|reports|joins|resigns|competes|rides|runs|was born|was chosen|
    was elected|was away|was invited|is free|is expected|is back|gets a prize|will call|will come|will stop|has to go|has an exam"""
)
GIVEN = cut("ordered|bought|reserved|packed|sent|delivered|requested|collected|set aside|put away|needed|paid|kept|shipped|wrapped|picked up|returned|booked|prepared|made|chosen|counted|received|promised")
GIVE = cut("send|ship|bring|give|sell|pack|reserve|keep|prepare|deliver|please send|please bring|please reserve|do not forget to send|we must send|can you send|remember to give|hand over|put aside|get|find|order|buy|mail|we owe")
WANT = cut("want|need|order|would like|ordered|bought|am looking for|request|require|must have|wish to buy|will take|reserve|am missing|returned|would love|could use|have to get|wish for")
BE = "were are was have been will be is had been".split() + ["were", "are", "were"]
KIN = cut(
    """my neighbour|my friend|my aunt|my uncle|our colleague|our guest|the customer|a man called|a woman named|somebody called|his cousin|her brother|their teacher|my old friend|our new colleague|the famous|the owner,|Mr|Ms|Dr|the
    client|member|student|the winner,|a visitor named|young|old|little|poor|captain|professor|my boss,|the tenant,|the patient|the buyer|one|Mrs|Aunt|Uncle"""
)
APPOSED = {
    "age": cut("{age}|{age} years old|aged {age}|now {age}|a {age}-year-old|only {age}|{age} years of age|just {age}|at {age}"),
    "city": cut("{city}|from {city}|of {city}|living in {city}|in {city}|born in {city}|now in {city}|at home in {city}|a {job} in {city}|a {job} from {city}|resident in {city}"),
    "email": cut("{email}|e-mail {email}|at {email}|reachable under {email}|address {email}|mail to {email}|{email} for short notes"),
}
LEADS = {
    "age": cut("at {age},|at the age of {age},|aged {age},|{age} years old,|when {he} was {age},|now {age},|only {age},|being {age} already,"),
    "city": cut("in {city},|from {city},|near {city},|back in {city},|born in {city},|here in {city}|not far from {city},|on the way to {city},|out of {city}|{city}:"),
    "email": cut("from {email},|under {email},|by mail ({email}),|via {email},|as {email},"),
    "date": cut("on {date},|on {date}|since {date},|by {date},|before {date},|{date}:"),
}
TURNED = {
    "city": cut("{city} is where {name} lives|{city} is the town of {name}|in {city} lives {name}|{city} was left by {name}|the streets of {city} are known to {name}|we went to {city} to see {name}|it was in {city} that {name} was seen|there is somebody in {city}, {name}|{city} welcomed {name}|the mayor of {city} thanked {name}"),
    "age": cut("there are {age} candles for {name}|{age} is the age of {name}|we sang for {name}, now {age}|the {age}-year-old is called {name}|a {age}-year-old named {name} came|at {age} you find {name} here|the cake says {age}, it is for {name}"),
    "email": cut("{email} is used by {name}|{email} was given by {name}|under {email} you get {name}|mail to {email} is read by {name}|behind {email} is {name}|the mailbox {email} is owned by {name}|letters to {email} please {name}"),
    "order": cut("{qty} {item} were sold to {name}|{qty} {item} are what {name} needs|it was {qty} {item} that {name} got|the box with {qty} {item} is from {name}|there are {qty} {item} here from {name}"),
}
SAYS = cut("I heard that {t}|they say {t}|we know that {t}|everybody knows that {t}|it is true that {t}|the letter says that {t}|as you know, {t}|I think {t}|{other2} told me that {t}|the file shows that {t}|I remember that {t}")
HELLO = cut("I am {name}|my name is {name}|this is {name}|hello, I am {name}|hi, {name} here|I'm {name}|hey, it's {name}|good morning, {name} speaking|they call me {name}|you may call me {name}|I am called {name}|it is me, {name}")
SIGNED = cut("yours, {name}|best, {name}|greetings, {name}|thanks, {name}|regards, {name}|signed: {name}|kind regards {name}|- {name}|cheers, {name}|{name}|sincerely, {name}|bye, {name}|love, {name}|many thanks, {name}")
NAMED = cut("this is about {name}|the name is {name}|we met {name}|meet {name}|here is {name}|{name} is new here|let me tell you about {name}|the person is called {name}|today we saw {name}|please welcome {name}|{name} was there|do you know {name}?|I write about {name}|our member is {name}|it concerns {name}|{name} came in|a message about {name}")
ALONE = {
    "age": cut("the age is {age}|{His} age is {age}|the age given is {age}|{age} years is {his} age|age: {age}|{He} gave {age} as {his} age|at {age}, {he} is strong|the years are {age}|the form says {age} years|{He} had {his} birthday and is {age}"),
    "city": cut("{His} home is {city}|the town is {city}|home: {city}|{city} is {his} home|{His} address is in {city}|you find {him} in {city}|the place is {city}|{His} house stands in {city}|{He} came here from {city}|the letter came from {city}|it all happened in {city}|{His} school is in {city}|the office is in {city}|{city} is the place"),
    "email": cut("{His} e-mail is {email}|mail: {email}|the address is {email}|write to {email}|{email} is the e-mail|the mail goes to {email}|{His} account: {email}|please answer to {email}|for more, ask {email}|reply to {email}|{email} works best|{email} is where mail arrives|the contact is {email}|send news to {email}|copy to {email}"),
    "job": cut("the job is {job}|{He} is a {job}|{His} work: {job}|a {job} by trade|{He} has been a {job} for years"),
    "hobby": cut("the hobby is {hobby}|{His} hobby is {hobby}|{hobby} is what {he} likes|in the evening it is {hobby}|{He} loves {hobby}"),
    "amount": cut("the total is {amount}|the bill is {amount}|it was {amount} in all|price: {amount}|total: {amount}|{amount} was paid|{He} paid {amount}|that cost {amount}|the sum of {amount} is due|we charge {amount}|please pay {amount}|{amount} is still open|the invoice says {amount}|this adds up to {amount}|it was worth {amount}|{amount} went to the shop|the price of it all was {amount}|amount due {amount}|we got {amount} for it"),
    "date": cut("the date is {date}|that was on {date}|delivery on {date}|date: {date}|it will arrive on {date}|it is due on {date}|we ship on {date}|the day is {date}|{date} is the day|written on {date}|paid on {date}|the order came in on {date}|please deliver by {date}|it was {date}|the parcel left on {date}"),
}
NOTE_LABELS = {
    "name": cut("name|name|person|customer|client|from|who|buyer|contact|full name|guest|owner|for|member"),
    "age": cut("age|age|years|age in years|how old"),
    "city": cut("city|city|town|place|home|lives in|location|residence|from"),
    "email": cut("email|e-mail|mail|address|contact|write to|reply to|account"),
    "job": cut("job|work|profession|trade|occupation"),
    "hobby": cut("hobby|likes|free time|interests"),
    "item": cut("item|product|article|goods|thing|what"),
    "qty": cut("quantity|count|number|qty|pieces|how many|amount"),
    "date": cut("date|day|when|on"),
}
CALLS = cut("write to|mail|ask|contact|invite|call|inform|thank|please write to|please ask|you can reach|you find|we reach|I talked to|we wrote to|try|message|forward this to|send the papers to|notify|greet|please tell|the message is for|copy|remind|add|meet|pay|return it to|the answer came from|news from|speak to")
VIA = cut("at|at|under|via|by mail at|on|using|through|(|with the address|,|:|, e-mail|, that is|– |by writing to|, whose address is|, who uses|; mail:|whose e-mail is|, i.e.")
CONTACT_WHOLE = cut(
    """the account {email} was opened by {name}|the mail from {email} was signed {name}|{email} / {name}|mail for {name}: {email}|to: {email}, attention {name}|cc {name}, {email}|reply to {email} and ask for {name}|if you miss {name},
    try {email}|message from {name} (sent from {email})|dear {name}, we have your address as {email}|hi, {name} here; my address is {email}|thanks, {name} {email}|{name} (e-mail: {email}) is waiting|{name} wrote: please use {email}|in
    the address book: {name}, {email}|with {name} we talk through {email}|the list has {email} next to {name}|is {email} still the address of {name}?|does {name} use {email}?|who is {email}? It is {name}|under the name {name} we
    found {email}|{name} changed the old address to {email}|author: {name}, correspondence: {email}|{email}, owner {name}|the owner of {email} is {name}|{name} can only be written to, at {email}|our contact is {name}, see {email}|for
    {name} we have {email}|{name} has moved from paper to {email}|please add {email} for {name}|Sender {email}, name {name}|{name} is the person behind {email}|{email} goes straight to {name}|the form of {name} says {email}"""
)
ORDER_WHOLE = cut(
    """{name}'s order: {qty} {item}|{name}'s basket holds {qty} {item}|on {name}'s list are {qty} {item}|customer {name}, {qty} {item}|for {name}: {qty} {item}|{qty} {item} go to {name}|{name}: {qty} {item}|{qty} {item}, {name}|to {name} we
    sent {qty} {item}|there were {qty} {item} in the parcel of {name}|{name} came for {qty} {item}|we owe {name} {qty} {item}|the shop sold {name} {qty} {item}|{other} gave {name} {qty} {item}|please keep {qty} {item} ready for {name}|with
    {qty} {item} {name} went home|what {name} wants is {qty} {item}|the customer is {name} and the goods are {qty} {item}|{qty} {item} – {name} is waiting|do we have {qty} {item} for {name}?|{name} called about {qty} {item}|{name} asked: can
    I have {qty} {item}?|order from {name}, {qty} {item} in total|the receipt of {name} lists {qty} {item}|{qty} of the {item} belong to {name}|a van brought {qty} {item} to {name}|{name} filled in the form for {qty} {item}|{name} is the one who
    ordered {qty} {item}|in the cart of {name}: {qty} {item}|sold to {name}, {qty} {item}|{name} could not carry {qty} {item} alone|delivery for {name} with {qty} {item}|{qty} times {item} for {name}|the wish of {name} is {qty} {item}"""
)
FOR = cut("for {amount}|at {amount}|worth {amount}|costing {amount}|priced at {amount}|at a price of {amount}|total {amount}|({amount})|that is {amount}|to pay: {amount}|which cost {amount}|paying {amount}|in exchange for {amount}|{amount} altogether|for just {amount}|sum {amount}|with a bill of {amount}|this is {amount}")
PAID = cut(
    """{name} paid {amount} for {qty} {item}|{name} spent {amount} on {qty} {item}|for {amount}, {name} got {qty} {item}|{amount} was paid by {name} for {qty} {item}|it cost {name} {amount} to get {qty} {item}|we billed {name} {amount} for {qty}
    {item}|{qty} {item} at {amount} for {name}|{amount}: {qty} {item}, {name}|{name} owes us {amount} for {qty} {item}|with {amount} in hand, {name} bought {qty} {item}|{name} transferred {amount} and received {qty} {item}|{name} handed over {amount}
    for {qty} {item}|bill of {amount} to {name} for {qty} {item}|{qty} {item} cost {name} {amount}|{name} gave {amount} and took {qty} {item}|the {amount} from {name} is for {qty} {item}|{name}, {qty} {item}, {amount}"""
)
OCCASIONS = cut("meeting|lesson|party|exam|interview|visit|appointment|concert|talk|trip|dinner|wedding|birthday|hearing|match|lunch|walk|show|operation|delivery|course|flight|holiday|call|workshop|audition|tour|check-up|rehearsal|tasting")
NOISE = cut(
    """the sun was shining|nobody was at home|it was late|we were tired|the phone rang twice|that is all|thank you|please hurry|the line was long|it took {n} minutes|the shop has {n} shelves|room {n} was free|{other} said hello|{other} was there too|I saw
    {other} yesterday|{other} is a {job}|the {thing} was {color}|call me back|we hope for the best|more news soon|this is not urgent|please reply soon|it rained on Monday|Friday is a holiday|the file is number {n}|line {n} is closed|see page {n}|our
    office is closed|prices may change|there is no hurry|{other2} and {other} are friends|I have known {him} for years|what a day|the coffee was good|nothing else is known|the rest is missing|do not tell {other}|the dog barked all night|the train
    stopped twice|it is {n} degrees outside"""
)
OPENINGS = cut(
    """FYI:|note:|news:|reminder:|as agreed:|in short:|today:|yesterday|hello!|good morning.|dear all,|by the way,|message {n}:|once upon a time|first of all,|so|well,|update:|for the record:|please note that|attention:|on Monday|last week|in May,|this morning|urgent:
    |re: order {n}|ticket {n}:|finally,|of course|we are happy:|sorry,|P.S."""
)
