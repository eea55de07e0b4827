"""A third set of sentence patterns, for training alone, written for breadth of syntax rather than for common phrasing.

Patterns are separated by line ends or by `|`; a written `\\n` is a line break inside the pattern.
"""


def _list(text: str) -> tuple[str, ...]:
    parts = (part.strip() for line in text.splitlines() for part in line.split("|"))
    return tuple(part.replace("\\n", "\n") for part in parts if part)


AGE = _list(
    r"""
    crossed into {age} without a fuss | put a {age} on the entry slip | admits, with a sigh, to {age} | just swapped the old number for {age} | became {age} over the weekend | will be {next} next year, after a whole year of {age} | reached {age} in good health | claims {age} but acts like a toddler
    still climbs trees, aged {age} | came in late, which is rude at {age} | waved at the crowd (age: {age}) | declined to comment on being {age} | has clocked up {age} years on this planet | wears the {age} years lightly | swims every morning despite being {age} | is, if the passport is right, {age}
    was asked for an age and said "{age}" | shouted "I'm {age}!" across the yard | celebrated number {age} with pancakes | is old enough at {age} to decide alone | is too old at {age} for a child's ticket, {he} says | finally got to {age} | began a year as a {age}-year-old in hospital | considers {age} the perfect age
    has been alive for {age} summers | is one year short of {next}, that is {age} | is down in the records as aged {age} | ticked {age} in the age box | found out that {age} is not the end of the world | took up {hobby} at {age} | has not changed a bit, even at {age} | got married when {he} was {age}
    turned exactly {age} at midnight | is a cheerful {age} | is a stubborn {age}-year-old | is only {age}, believe it or not | is, as of this morning, {age} | had the cake iced with "{age} today" | would be called a {age}-year-old in the papers | may look tired but is just {age}
    does not mind telling people the age, {age} | celebrates turning {age} with {n} friends | is aged {age} and sits in row {n} | lives on floor {n} and is {age} | keeps {n} hens and is {age} years of age | took bus {n} on the day {he} turned {age} | came in at place {n}, being {age} | carries a {color} {thing} and is {age}
    said 'older' but is really {age} | passes for an adult but is {age} | has yet to see {next}, being {age} | is {age}, going on {next} | won the cup while still {age} | moved out at age {age} | gave up smoking on turning {age} | was listed by the doctor as "{age} y/o"
    writes poems, now at {age} | runs the shop at {age} years young | plays the drums and is, by the way, {age} | has age {age} on the badge | is a person of {age} | is the sort of {age}-year-old everyone likes | whispered the number {age} | held up a sign with {age} on it
    filled in "{age}" under years | has a birthday badge that says {age} | needs reading glasses at {age} | is getting on: {age} already | is {age}, the same as last time we asked | was said to be {age} | is believed to be {age} years old | was described as {age} and tall
    states an age of {age} | reports being {age} | confirmed on the phone that {he} is {age} | replied that {he} was {age} | has the energy of a child at {age} | told the nurse "{age}, as of June" | is young, {age} to be exact | is older than you think: {age}
    hopes for many more years after {age} | will enjoy being {age} | loves being {age} | hates the sound of {age} | got a phone for turning {age} | sailed alone at the age of {age} | is at the tender age of {age} | stands at {age} years
    has turned the corner to {age} | will not be {next} for months and is thus {age} | lived to be {age} | has just begun year {next} of life, being {age} | comes to {age} years when you do the sums | rang in {age} with a song | is {age} (yes, really) | never expected to feel this fit at {age}
    """
)
CITY = _list(
    r"""
    settled down in {city} after the war | has put down roots in {city} | calls {city} home | would not swap {city} for anywhere | rents two rooms above a shop in {city} | can be found most days in {city} | bought a flat in the heart of {city} | is a {city} local through and through
    agreed, as a resident of {city} | phoned from the flat in {city} | sent a card from home (that is {city}) | was thanked as a guest from {city} | commutes within {city} by bike | grew tired of the village and moved to {city} | ended up in {city} by chance | has {city} on the doorplate, so to speak
    filled in {city} under "place of residence" | has an address in {city} | lists {city} as the home town | votes in {city} | walks the dog along the river in {city} | shares a house in {city} with {other} | lives in {city}, while {other} is abroad | has been in {city} for ages
    first saw the light of day in {city} | was born and bred in {city} | comes originally from {city} | traces the family back to {city} | is based in {city} these days | is now stationed in {city} | works out of {city} | runs a small firm in {city}
    teaches at a school in {city} | studies law in {city} | is learning a trade in {city} | trains with a club in {city} | lives on the north side of {city} | has a garden plot near {city} | inhabits an attic in {city} | lodges with an aunt in {city}
    sleeps on a houseboat in {city} | stays at number {n}, {city} | parks the {color} {thing} in {city} | takes line {n} home, right across {city} | told the reporter, "I am from {city}" | said that home was {city} | answered "{city}" when asked about home | wrote "{city}" after the street name
    has moved again, this time to {city} | packed up everything and went to {city} | relocated to {city} for work | returned home to {city} | emigrated to {city} as a child | fled the noise but came back to {city} | ran away to {city} | chose {city} to grow old in
    knows {city} like the back of a hand | misses {city} when away from home there | is homesick for {city} | is proud of coming from {city} | cheers for the home team, {city} | belongs to a chess club in {city} | has a stall at the station in {city} | delivers papers around {city}
    is a citizen of {city} | is on the council of {city} | holds a library card from {city} | has a doctor in {city} | keeps the curtains drawn, somewhere in {city} | laughed and said: "{city}, born and raised" | has keys to a cottage near {city} | keeps bees on a roof in {city}
    owns a third-floor flat in {city} | looks out over the harbour of {city} | spends winters and summers alike in {city} | rarely sets foot outside {city} | has lived nowhere but {city} | was sent by the company to {city} | found work and love in {city} | raised three kids in {city}
    can be reached by post in {city} | receives parcels in {city} | lives, as far as we know, in {city} | must live somewhere in {city} | resides at present in {city} | makes a home in {city} | dwells in an old mill in {city} | feels most at ease in {city}
    never moved away from {city} | has a bed, a desk and a {pet} in {city} | is staying put in {city} | lives right in the middle of {city} | hangs out in {city} | crashed on a sofa in {city} and stayed | represents {city} | writes to us from {city}
    """
)
EMAIL = _list(
    r"""
    can be contacted via {email} | checks {email} twice a day | has just opened the account {email} | picks up messages from {email} | has the details (ask {email}) | will help: just mail <{email}> | wrote as <{email}> | joined the list [{email}]
    handles bookings - {email} - all year | is at {email} | gave us {email} | left {email} with the receptionist | scribbled {email} on a napkin | dictated {email} over the phone | signs letters with {email} | switched to {email}
    would rather be written to at {email} | is best reached through {email} | is happy to take questions at {email} | is waiting for your reply at {email} | collects all invoices under {email} | registered for the course with {email} | signed up using {email} | created a login with {email}
    got a reminder at {email} | was notified at {email} | was sent the link at {email} | was added to the thread as {email} | asked that replies go to {email} | wants everything in writing, to {email} | insists on {email} for private matters | accepts applications at {email}
    has changed the contact address to {email} | updated the profile to {email} | corrected the typo: it is {email} | verified {email} yesterday | uses the address {email} for work | uses {email} and nothing else | works under {email} | maintains the inbox {email}
    told {other} to send it to {email} | asked {other} for help from {email} | shares a desk with {other} but writes from {email} | sits in room {n} and answers {email} | is in office {n}; mail goes to {email} | put up a poster with {email} on it | had {email} painted on the van | tattooed {email} on the {thing}, as a joke
    forgot the password for {email} | lost access to {email} and got it back | renewed {email} | pays for the domain behind {email} | shows up in the directory with {email} | appears in the system as {email} | is stored under {email} | is filed with the address {email}
    entered the contest through {email} | confirmed the booking from {email} | cancelled by mail from {email} | complained from {email} | writes long letters from {email} | replied to all from {email} | set an out-of-office note on {email} | reads mail at {email} even on holiday
    will get the ticket at {email} | expects the scan at {email} | needs the file sent to {email} | hopes you will write to {email} | said, "Mine is {email}" | spelled it letter by letter: {email} | noted "{email}" in the margin | answered the question about mail with {email}
    prefers mail ({email}) to calls | does not pick up the phone, so try {email} | has no phone, only {email} | can always be found behind {email} | gives {email} as the contact | quotes {email} in the footer | mentions {email} at the end | ends every post with {email}
    has a new business card reading {email} | linked {email} to the account | connected the calendar to {email} | tied the order to {email} | took over the mailbox {email} | answers for the team at {email} | monitors {email} on weekends | runs the help desk at {email}
    stays in touch through {email} | keeps in contact by way of {email} | made {email} the main address | still reads the mail that lands in {email}
    """
)
BUY = _list(
    r"""
    snapped up {qty} {item} | grabbed {qty} {item} on the way home | asked the clerk for {qty} {item} | was looking for {qty} {item} | placed {qty} {item} in the basket | clicked on {qty} {item} and paid | reserved {qty} {item} by phone | ordered online: {qty} {item}
    came in to buy {qty} {item} | stopped by for {qty} {item} | needs {qty} {item} by the weekend | urgently requires {qty} {item} | would be glad of {qty} {item} | cannot do without {qty} {item} | could not resist {qty} {item} | did not leave without {qty} {item}
    purchased, among friends, {qty} {item} | acquired {qty} {item} at auction | got hold of {qty} {item} at last | secured {qty} {item} before closing time | swapped an old bike for {qty} {item} | spent the bonus on {qty} {item} | splashed out on {qty} {item} | saved up for {qty} {item}
    gave {other} money for {qty} {item} | bought {other} {qty} {item} | picked out {qty} {item} as a present for {other} | sent {other} out to fetch {qty} {item} | will be needing {qty} {item} | is going to order {qty} {item} | plans on buying {qty} {item} | intends to purchase {qty} {item}
    has ordered {qty} {item} from us | has requested {qty} {item} | has received {qty} {item} | has been promised {qty} {item} | is down for {qty} {item} | is waiting on {qty} {item} | is still owed {qty} {item} | is in the market for {qty} {item}
    settled on {qty} {item} after some thought | opted for {qty} {item} | plumped for {qty} {item} in the end | made do with {qty} {item} | took home {qty} {item} in a bag | loaded {qty} {item} into the car | carried {qty} {item} up the stairs | unpacked {qty} {item} at home
    got through the till with {qty} {item} | walked to counter {n} and paid for {qty} {item} | waited at till {n} with {qty} {item} | left the {color} {thing} and took {qty} {item} | wrote down {qty} {item} on the order form | entered {qty} {item} in the web shop | typed "{qty} {item}" into the chat | texted the shop: {qty} {item}, please
    said, "{qty} {item}, if you have it in stock" | rang to order {qty} {item} | emailed about {qty} {item} | put a deposit on {qty} {item} | hired {qty} {item} at first, then bought the lot | subscribed to a monthly box with {qty} {item} | restocked with {qty} {item} | topped up the order by {qty} {item}
    exchanged a voucher for {qty} {item} | used a coupon on {qty} {item} | bargained for {qty} {item} | haggled over {qty} {item} and won | chose, quite happily, {qty} {item} | selected {qty} {item} from the catalogue | ended up with {qty} {item} | only wanted {qty} {item}
    stocked the kitchen with {qty} {item} | equipped the office with {qty} {item} | gifted the school {qty} {item} | donated {qty} {item} bought here | bought, as every spring, {qty} {item} | got - being first in line - {qty} {item} | had, it turned out, ordered {qty} {item} | takes the usual {qty} {item}
    fancies {qty} {item} | is keen to have {qty} {item} | would love {qty} {item} | might as well get {qty} {item} | demanded {qty} {item} at once | applied to us for {qty} {item} | commissioned {qty} {item} | shopped around for {qty} {item} and found the best here
    accepted delivery of {qty} {item} | took receipt of {qty} {item} | checked out with {qty} {item} | rushed in and bought {qty} {item}
    """
)
COST = _list(
    r"""
    for {amount} in all | at {amount} all told | , {amount} on the dot | - {amount} altogether | ({amount}) | ({amount} with tax) | , price {amount} | , total: {amount}
    at a cost of {amount} | for a total of {amount} | for the sum of {amount} | for no more than {amount} | for a mere {amount} | in exchange for {amount} | , which set {him} back {amount} | , handing over {amount}
    and was charged {amount} | and spent {amount} on it | and left {amount} on the counter | , worth {amount} | , invoiced at {amount} | , billed at {amount} | , and the till showed {amount} | , as the receipt shows: {amount}
    with an amount due of {amount} | and that was {amount} | / {amount} | [{amount}] | with {amount} to pay | with {amount} paid by card | after paying {amount} | by transferring {amount}
    , leaving a bill over {amount} | , all of it for {amount} | , at the reduced price of {amount} | on an invoice for {amount} | , postage included, for {amount} | , and {amount} was the price | , to the value of {amount} | and owes us {amount}
    , a deal at {amount} | and parted with {amount}
    """
)
COST_S = _list(
    r"""
    All in all it cost {amount} | Price tag: {amount} | The till rang up {amount} | {amount} changed hands | {amount}, and not a penny less, was the price | How much? {amount} | "That will be {amount}," said the cashier | The grand total comes to {amount}
    Amount due = {amount} | TOTAL {amount} | Balance: {amount} | Sum (incl. tax): {amount} | Paid by card: {amount} | We have booked {amount} to the account | A transfer of {amount} arrived this morning | {He} handed over {amount} without a word
    {He} wired us {amount} | {He} still owes {amount} | {He} thought {amount} was fair | {His} receipt is made out for {amount} | {His} bank shows a payment of {amount} | For this, {he} was billed {amount} | {amount} left {his} account | It set {him} back {amount}
    The invoice is over {amount} | The invoice amounts to {amount} | An invoice for {amount} is attached | Please transfer {amount} | Kindly pay {amount} within two weeks | Now payable: {amount} | The price was agreed at {amount} | The seller accepted {amount}
    After the discount the price dropped to {amount} | Nobody else would have parted with {amount} | With shipping it came out at {amount} | Shipping was free, so {amount} it stayed | No haggling: {amount} it was | Only {amount}, and I still cannot believe it
    I make that {amount} | Let us call it {amount} | The deal was closed at {amount} | The order value is {amount} | Order total {amount} | Subtotal and total: {amount} | Charge: {amount} [ok]
    payment received: {amount} | A bill for {amount} went out today | The accountant entered {amount} | Our books show {amount} | The label said {amount} | On the slip stood {amount} | Written at the bottom: {amount} | At the end of the list we read {amount}
    The whole thing was {amount} | Everything together makes {amount} | Taken together: {amount} | The lot went for {amount} | It sold for {amount} | It was had for {amount} | It went over the counter for {amount} | The purchase was worth {amount}
    We ask for {amount} in return | We will debit {amount} | We are owed {amount} | Our price for this is {amount} | The customer was glad to pay {amount} | The buyer left {amount} in an envelope | The cheque was for {amount} | Cash, {amount}, was counted twice
    {amount} has been refunded and charged again | {amount} is what the bill says | {amount} is the figure on the bill | {amount} covers it
    """
)
WHEN_S = _list(
    r"""
    The parcel is due on {date} | Delivery day: {date} | ETA {date} | Order date = {date} | The courier rang the bell on {date} | By {date} it has to be there | On {date} the truck sets off | Not before {date} will it arrive
    {date} was a busy day at the depot | {date}: shipped | [{date}] order received | Placed {date}, still open | We took the order down on {date} | The order reached us on {date} | This came in on {date} | Dated {date}
    {He} asked for delivery on {date} | {He} expects the van on {date} | {He} will be at home on {date} | {He} signed for the box on {date} | {His} receipt is stamped {date} | {His} order went through on {date} | For {him} it must be here on {date} | When does it come? On {date}
    I asked whether {date} was all right | I hope you can bring it on {date} | Let us say {date} | It would suit me on {date} | Please have it ready for {date} | Kindly confirm {date} | Let us meet on {date} to hand it over | Hold it back until {date}
    The meeting is set for {date} | We meet to settle the details on {date} | The appointment stands: {date} | A call about it is planned for {date} | The goods left our warehouse on {date} | The shipment was cleared on {date} | Customs let it through on {date} | The label was printed on {date}
    The invoice carries the date {date} | The bill is dated {date} | Payment arrived on {date} | The money was booked on {date} | Valid from {date} | Pick-up: {date} | Handover on {date}, at ten sharp | Return it before {date}, if at all
    "See you on {date}," said the driver | The driver wrote {date} on the slip | The calendar says {date} | The system shows {date} | The delay is over: it ships on {date} | It was promised for {date} | It got lost and turned up on {date} | It finally arrived on {date}
    The shop opens again on {date} and will send it then | The store confirmed it on {date} | All of this happened on {date} | That was on {date}
    """
)
EVENT = _list(
    r"""
    gets married on {date} | walks down the aisle on {date} | flies out on {date} | lands at noon on {date} | has an appointment at the dentist on {date} | sees the eye doctor on {date} | will have stitches removed on {date} | checks into the clinic on {date}
    starts the new job on {date} | hands in the notice on {date} | leaves the company on {date} | was promoted on {date} | graduates on {date} | sits the final exam on {date} | hands in the thesis on {date} | goes back to school on {date}
    is due in court on {date} | gives evidence on {date} | was sworn in on {date} | takes office on {date} | moves house on {date} | collects the new car on {date} | picks up the rental van on {date} | closes the shop on {date}
    opens a gallery on {date} | launches the app on {date} | unveils the statue on {date} | presents the results on {date} | gives a talk on {date} | chairs the session on {date} | leads the tour on {date} | teaches a class on {date}
    plays the organ on {date} | is on stage on {date} | has a concert on {date} | records an album on {date} | competes on {date} | swims in the final on {date} | runs for the club on {date} | climbs the peak on {date}
    lost the first match on {date} | came, as planned, on {date} | is excused (until {date}) | has a red cross on the wall planner at {date} | celebrates on {date} | throws a housewarming on {date} | hosts a dinner on {date} | is invited for {date}
    was born on {date} | was baptised on {date} | joined us on {date} | enrolled on {date} | registered on {date} | signed the lease on {date} | renewed the passport on {date} | applied for the post on {date}
    was interviewed on {date} | was last seen on {date} | fell ill on {date} | left hospital on {date} | phoned from the airport on {date} | wrote to us on {date} | mailed the form on {date} | replied on {date}
    meets {other} for lunch on {date} | drives {other} to the station on {date} | plays against {other} on {date} | takes over from {other} on {date} | visits {other} in hospital on {date} | has room {n} booked for {date} | sits at table {n} on {date} | takes flight {n} on {date}
    buys the {color} {thing} on {date} | needs a babysitter on {date} | cannot come on {date} | is away on {date} | has nothing planned except on {date} | keeps {date} free | circled {date} in the calendar | suggested {date} for the meeting
    agreed to {date} | asked to be picked up on {date} | is expected on {date} | will be back at work on {date} | must pay the fine by {date} | has until {date} to answer | is to report on {date} | has to renew the licence by {date}
    set {date} as the deadline | moved the meeting to {date} | put the visit off until {date} | chose {date} for the wedding
    """
)
PERSON_SPECIAL = _list(
    r"""
    Meet our newest colleague: {name}, {age}, who moved here from {city}. | From {city}, at the age of {age}, came {name}. | {name} ({age}, {city}) | {age} / {city} / {name}
    Name: {name}\nAge: {age}\nCity: {city} | City: {city}\nName: {name}\nAge: {age} | age={age}; name={name}; city={city} | {city} - {age} - {name}
    Participant\n{name}\n{city}\n{age} years | FULL NAME {name}, RESIDENCE {city}, YEARS {age} | "{name}", {age}, {city} | <{name}> {city}, {age} yrs
    [{city}] {name}: "I am {age}." | "I'm {age}," says {name}, sitting in a cafe in {city}. | "How old are you, {name}?" "{age}." "And where from?" "{city}." | "My name is {name}, I come from {city} and yes, I'm {age}."
    hi all, {name} from {city}, just turned {age} :) | yo, {name} here! {age}, stuck in {city} lol | new here... name's {name}, {age}, {city} based | hey im {name} and im {age} and i live in {city}
    Dear team, I am {age}, live in {city} and would like to join. Regards, {name} | To whom it may concern: I, {name}, aged {age}, of {city}, hereby apply. | Best wishes from {city}, where I have just turned {age}. Yours, {name} | Greetings from {city}! Love, {name} (now {age})
    Police in {city} are looking for {name}, {age}. | A {age}-year-old from {city}, {name}, has won the lottery. | {city} (news) - {name}, {age}, rescued a {pet} from a roof. | The {age}-year-old {name} was named citizen of the year in {city}.
    Born {age} years ago and still at home in {city}: {name}. | In {city} everyone knows {name}, who at {age} still rides a bike to work. | At {age}, {name} has seen a lot, but never left {city}. | Though already {age}, {name} moved to {city} without fear.
    Because {name} is {age}, {he} can take a course in {city}, where {he} lives. | After {age} years of life, all in {city}, {name} wants to travel. | Having grown up in {city}, {name}, {age}, speaks the dialect. | Living in {city} suits {name}, who is {age}.
    It is in {city} that {name}, {age}, feels at home. | What {name} likes most at {age} is walking through {city}, {his} home. | Who is {age} and lives in {city}? {name}, of course. | Is {name} really {age}? Yes, and {he} lives in {city}.
    The form gives {city} as home, {age} as age and {name} as name. | On the list: {name}, {city}, {age}. | Under "{name}" the file notes an age of {age} and a home in {city}. | According to the register, {name} is {age} and resident in {city}.
    Patient {name}, {age} y., resident in {city}, came in with a cough. | Pat.: {name} / age {age} / from {city} / room {n} | Ward {n}: {name}, aged {age}, brought in from {city}. | The nurse wrote down: {name}, {age}, {city}.
    Row {n}, {name}, {city}, {age} years | No. {n}: {name} from {city} (age {age}) | Starter {n} is {name}, {age}, who runs for {city}. | Bib {n} / {name} / {city} / age group: {age}
    {other} introduced us to {name}, who is {age} and lives in {city}. | "Have you met {name}?" asked {other}. "{He} is {age} and comes from {city}." | Unlike {other}, {name} is {age} and lives in {city}. | {other} took the photo. In it you see {name}, {age}, of {city}.
    With {other} as a witness, {name}, {age}, signed the lease for a flat in {city}. | {name} is a friend of {other}; {he} is {age} and has a flat in {city}. | {name}, {other}'s neighbour, is {age}. Both houses are in {city}. | A letter for {other} came from {name}, {age}, in {city}.
    {name} bought a {color} {thing}. {He} is {age} and lives in {city}. | The owner of the {color} {thing} is {name}, {age}, {city}. | Wearing the {color} coat: {name}, {age} years old, from {city}. | At 9:30 the doorbell rang: {name} from {city}, {age} years old.
    {name} works as a {job} in {city}; {he} is {age}. | As a {job}, {name} ({age}) has a workshop in {city}. | {job}, {age}, {city}: {name} | Our {job} is called {name}, is {age} and comes from {city}.
    {name} is {age}. Home for {him} is {city}. | {name} is {age}. At weekends {he} walks around {city}, where {he} was born. | {name} lives in {city}. Last week {he} turned {age}. | {city} is where {name} lives. {His} age is {age}.
    He or she who reads this should know: {name} is {age} and at home in {city}. | Let me tell you about {name}. {He} was born in {city}. {He} is {age} years old. | There once was a {job} called {name}, who was {age} and lived in {city}. | Far away, in {city}, sits {name}, a dreamer of {age}.
    Interviewer: Your name? - {name}. - Age? - {age}. - Town? - {city}. | Q: Who are you? A: {name}, {age}, from {city}. | Caller: {name}. Calling from: {city}. Age given: {age}. | Host: And our next guest is {name} from {city}, only {age}!
    INFO user created name="{name}" age={age} city="{city}" | LOG new member: {city}, {name}, {age} | 08:15 login {name} (age {age}, loc {city}) | update profile: {name} -> city {city}, age {age}
    name,age,city\n{name},{age},{city} | city;name;age\n{city};{name};{age} | {name}\n{age}\n{city} | - name: {name}\n- lives in: {city}\n- years: {age}
    Applicant: {name}. Resident of: {city}. Years of age: {age}. | Surname/first name: {name} * Age: {age} * Place: {city} | Member card: {name}, {city}. Age at entry: {age}. | Ticket holder {name}, age {age}, boarding in {city}, {his} home town.
    Congratulations, {name}! {age} today! Your friends in {city} send their love to your home there. | {age} already, {name}! A big hug to you in {city}! | Dear {name}, how does it feel to be {age}? Is life in {city} still good? | {name}, you are {age} now. Time to leave {city}!
    You must be {name}. {age}, right? From {city}? | So you, {name}, live in {city} and are {age}. | We have you down as {name}, age {age}, city {city}. | Thank you, {name}. We noted that you are {age} and live in {city}.
    I have lived in {city} for all my {age} years. Signed, {name} | My age is {age}, my home {city}, my name {name}. | Call me {name}; {age} is my age; {city}, my home. | I'm from {city}, people call me {name}, and I've been around for {age} years.
    Everyone in my family lives in {city}. I'm {name} and I'm {age}. | I moved to {city} last spring. By the way, I'm {name}, {age}. | Just a short note about me: {age}, likes {hobby}, lives in {city}. {name} | I like {hobby}. I am {name}, {age}, and you can find me in {city}.
    {name} likes {hobby}, is {age} and rents a room in {city}. | A fan of {hobby} since childhood, {name} from {city} is now {age}. | Hobby: {hobby}. Name: {name}. Home: {city}. Age: {age}. | With {n} cats and a garden in {city}, {name} is happy at {age}.
    The youngest on the team, {name}, is {age} and hails from {city}. | The oldest tenant is {name}: {age} years, always in {city}. | None of us knew that {name} was {age} or that {he} lived in {city}. | I was told that {name} was {age} and had a house in {city}.
    {other} says {name} is {age}. I only know that {he} lives in {city}. | People say {name} moved to {city} when {he} was just {age}. | Rumour has it that {name}, who lives in {city}, is {age}. | The neighbours report that {name} is {age} and never leaves {city}.
    Missing since Monday: {name}, {age}, from {city}. | Wanted: a flatmate. I'm {name}, {age}, and the flat is in {city}. | Lost and found: wallet of {name}, {age}, resident of {city}. | For sale by {name} ({age}), {city}: one {color} {thing}.
    Reader's letter by {name}, {age}, {city} | Photo: {name} ({age}) at home in {city} | Winner of the week: {name} / {city} / {age} years | Profile of the month: {city}'s own {name}, {age}
    Two things about {name}: {he} is {age}, and {he} lives in {city}. | Short version: {name}, {age}, {city}. Long version follows. | Name first: {name}. Then age: {age}. Then town: {city}. | In brief - {city}, {age} years, {name}.
    {name}, whose home is {city}, will stay {age} until next year. | {name}, born in {city} and now {age}, paints. | {name}, {age} and single, loves {city}, {his} home. | {name}, though only {age}, knows all of {city}, where {he} grew up.
    The train to {city} was full of people going home, {name} ({age}) among them. | When the bus stopped in {city}, {name} got off. At {age}, {he} was home again. | A flat in {city}, a good job and good health at {age}: {name} has it all. | Neither rain nor snow keeps {name}, {age}, from a walk through {city}, {his} home town.
    Entry {n} in the guest book: {name}, {age}, {city} - "lovely stay!" | Our test group: {name} from {city}, {age} years old, right-handed. | The choir in {city} has a new voice: {name}, {age}. | Club list, page {n}: {name} is {age} and lives in {city}.
    Tell the doctor: name {name}, age {age}, comes from {city}. | Please register {name}, {age} years, living in {city}. | Can you add {name} to the list? {age}, {city}. | Correction: {name} is {age}, and the home town is {city}.
    {age} candles for {name}, the pride of {city}! | Old? {age} is not old, says {name} from {city}. | Home is {city}. Age is {age}. Name is {name}. That's all. | {city}, early morning. {name}, {age}, opens the shop.
    """
)
CONTACT_SPECIAL = _list(
    r"""
    Contact\n{name}\n{email} | Name: {name}\nMail: {email} | E-mail: {email}\nName: {name} | name={name} email={email}
    {name} <{email}> | <{email}> {name} | "{name}" <{email}> | [{name}] {email}
    {name} / {email} | {email} / {name} | {name} - {email} | {name} :: {email}
    From: {name} <{email}>\nSubject: Friday | To: {name} <{email}>\nHello! | Cc: {name} ({email}) | Reply-To: {email}\nFrom: {name}
    name,email\n{name},{email} | email;name\n{email};{name} | {name}\n{email} | * {name}, e-mail {email}
    INFO signup ok user="{name}" mail={email} | 10:42 password reset for {name} sent to {email} | WARN bounce: {email} (owner: {name}) | login {email} -> {name}
    Kind regards\n{name}\n{email} | Cheers,\n{name}\n-- \n{email} | All the best from {name} (you can answer to {email}) | Sincerely yours, {name} / mailto {email}
    Thanks for your help! {name}, {email} | Many greetings, {name}. PS: my mail is {email}. | With love, {name}. And write to {email}! | Looking forward to your answer at {email}. {name}
    My name is {name}, and {email} is my address. | I'm {name}; drop me a line at {email}. | {name} is my name, {email} my inbox. | You can find me at {email}, and my name, in case you forgot, is {name}.
    hey its {name}, ping me at {email} | yo, mail me: {email} - {name} | {name} here, new address!! {email} | lol forgot to say, it's {email}. - {name}
    Hi, this is {name}. Could you send the slides to {email}? | Good morning, {name} here. The invoice should go to {email}. | Hello! Please add me ({name}, {email}) to the mailing list. | Dear Sir or Madam, I am {name} and can be contacted at {email}.
    If you have questions about the trip, {name} will answer them: {email}. | Should anything break, mail {email}; {name} is on duty. | Unless {name} replies from {email}, call the office. | When in doubt, ask {name}, whose mail is {email}.
    Because {name} is travelling, please write to {his} private address, {email}. | As {name} has left the firm, {he} now uses {email}. | Although {name} has a phone, {email} is the better way. | Since Monday {name} has had the address {email}.
    Who is behind {email}? That would be {name}. | Do you know the address of {name}? Yes: {email}. | What is {name}'s mail again? - {email} | Is it true that {name} reads {email}?
    "Write to {email}," said {name}. "I read it every day." | "{email}," {name} spelled out slowly. | {name} said that {his} address was {email}. | {name} told the class, "Send your essays to {email}."
    {other} gave me the address of {name}: {email}. | According to {other}, {name} can be reached at {email}. | {other} is on leave. Please turn to {name}, {email}. | Not {other} but {name} answers mail at {email}.
    {name} (not {other}!) owns {email}. | {other} asked for the mail of {name}, so here it is: {email}. | Forwarded by {other}. Original sender: {name}, {email} | {other}, please invite {name} - {email} - as well.
    Meeting with {other}; minutes by {name} ({email}). | {name} took over from {other} and writes from {email}. | Tell {other} to mail {name} at {email}. | In place of {other}, {name} will reply, from {email}.
    Room {n}: {name}, {email} | Desk {n} - {name} - mail {email} | Ticket {n}, opened by {name} ({email}) | Seat {n} is booked for {name}; confirmation sent to {email}.
    Group {n} is led by {name}. Write to {email} to join. | Page {n}: article by {name}, {email} | Extension {n}, {name}. Or mail: {email}. | On floor {n} sits {name}, who answers {email}.
    {name} lost a {color} {thing}. If you find it, mail {email}. | Found a {color} {thing}? Tell {name} at {email}. | The {color} {thing} belongs to {name} ({email}). | For sale: {color} {thing}. Ask {name}, {email}.
    Office hours 9:00 to 12:00, {name}, {email} | From 14:00 {name} is away, but {email} works. | The call is at 3 pm; host {name}, mail {email}. | Open till 6 pm. Manager: {name}. Mail: {email}.
    The {job} {name} takes bookings under {email}. | {name}, {job}. {email} | Looking for a {job}? {name}: {email} | As our {job}, {name} can be mailed at {email}.
    Flat to let in {city}. Contact {name}, {email}. | {name}, {city}, {email} | Our branch in {city} is run by {name} (mail: {email}). | Moved to {city}! Same mail as ever: {email}. {name}
    Author: {name}. Correspondence: {email}. | Corresponding author {name}; e-mail {email} | Maintainer: {name} <{email}> | Editor of this issue is {name}, {email}.
    Report bugs to {name} at {email}. | Patch sent by {name} <{email}> | Copyright {name}, {email} | Thanks to {name} ({email}) for the fix.
    Emergency contact: {name}; mail {email} | Guardian: {name}, mail address {email} | Tenant: {name} // {email} | Customer {name} wants the receipt at {email}.
    Subscriber {email} gave the name {name}. | Account {email} was opened by {name}. | The mailbox {email} belongs to {name}. | The address {email} has been assigned to {name}.
    A message from {email} arrived; it was signed {name}. | A copy was sent to {name} under {email}. | An invitation has gone out to {name}, {email}. | The newsletter goes to {email}, that is, to {name}.
    {name} has been added. Mail on file: {email}. | {name} was removed, as {email} no longer works. | {name} was asked to confirm {email}. | {name} got a ticket by mail ({email}).
    Please update our records: {name} now has {email}. | Please note the new mail of {name}, which is {email}. | Please find {name}'s address below.\n{email} | Please send all forms to {name}.\nMail: {email}
    Change {name}'s contact to {email}. | Save {email} under {name}. | Store this: {name}, {email}. | Remember that {name} uses {email}.
    Volunteers wanted! Sign up with {name} at {email}. | Piano lessons, all ages: {name}, {email} | Kittens free to a good home. {email}, ask for {name} | Carpool on weekdays? Mail {name} - {email}
    Tickets can be had from {name} by writing to {email}. | Tours are arranged by {name}; a mail to {email} is enough. | Cakes for the bazaar are collected by {name}, {email}. | Complaints are dealt with by {name} ({email}).
    Questions? {name}, {email}. | Interested? Mail {email} and say hi to {name}. | Late? Let {name} know: {email} | Lost? {name} helps: {email}
    Trainer {name} (mail {email}) | Coach: {name} [{email}] | Doctor {name}, appointments by mail: {email} | Professor {name}'s inbox: {email}
    Hand this to {name}. No printer? Then mail it: {email}. | I spoke with {name} yesterday, who now uses {email}. | I met {name} at a fair; on the card it said {email}. | I tried to ring {name}, then wrote to {email} instead.
    We received your request, {name}. A reply was sent to {email}. | Welcome, {name}! Your login is {email}. | Hi {name}, we could not deliver to {email}. | Dear {name}, is {email} still your address?
    {name}, your receipt is waiting at {email}. | Good news, {name}: {email} is confirmed. | Thank you for registering, {name}. We will write to {email}. | {name}: please check {email} for the code.
    Reached only by mail: {name}, {email}. | Always there for you: {name}, {email}. | Responsible under press law: {name}, {email} | Person to ask: {name}. Where: {email}.
    At {email} you will get an answer from {name}. | Behind the address {email} hides {name}. | With {email}, {name} has an address easy to remember. | On the back of the card {name} had written {email}.
    Mail, not phone: {email}. Yours, {name} | One more thing - it's {name}, and the mail is {email}. | In short: {name}, {email}. | For the record: {email} is used by {name} alone.
    {name} uses two phones but only one mail: {email}. | {name}, who likes {hobby}, started a club; join via {email}. | {name} loves {hobby} and letters. Try {email}. | {name} keeps {pets}; if you want one, {email} is the address.
    """
)
ORDER_SPECIAL = _list(
    r"""
    Customer: {name}\nOrder: {qty} {item} | Item: {item}\nQuantity: {quantity}\nCustomer: {name} | {quantity} x {item} ({name}) | {name}: {quantity}x {item}
    ORDER {name} / {quantity} / {item} | qty={quantity} item="{item}" buyer="{name}" | [{name}] {qty} {item} | {item} ({quantity}) -> {name}
    buyer;item;count\n{name};{item};{quantity} | count,item,buyer\n{quantity},{item},{name} | {name}\n{item}\n{quantity} | Pos. 1: {item}, {quantity} pcs, for {name}
    INFO order accepted: {quantity} {item}, user {name} | 11:05 cart checkout {name}: {item} x{quantity} | LOG {name} added {quantity} {item} to cart | job print_label to="{name}" goods="{item}" n={quantity}
    Dear shop, kindly send me {qty} {item}. Yours faithfully, {name} | Hello, I need {qty} {item} as soon as you can. Thanks, {name} | To the sales team: we hereby order {qty} {item}. Signed, {name} | Good day! {qty} {item}, please, to my usual address. {name}
    hi, {name} here, can i get {qty} {item}? thx | hey! need {qty} {item} asap - {name} | {qty} {item} pls :) {name} | its {name} again, put me down for {qty} {item}
    "I'd like {qty} {item}," said {name}. | "{qty} {item}, please," {name} told the clerk. | "What can I get you, {name}?" "{qty} {item}." | {name} said that {he} needed {qty} {item}.
    Who ordered {qty} {item}? That was {name}. | What did {name} order? {qty} {item}. | Has {name} got {qty} {item} yet? | How about {qty} {item} for {name}?
    Was it {name} who asked for {qty} {item}? Yes. | May I have {qty} {item}? My name is {name}. | Could you put {qty} {item} on the bill of {name}? | Would you send {name} {qty} {item} today?
    {qty} {item} went to {name} this morning. | {qty} {item}, ordered by {name}, left the depot. | {qty} {item} for {name}, gift wrapped | {qty} {item} on the account of {name}
    A parcel with {qty} {item} is waiting for {name}. | A box holding {qty} {item} was handed to {name}. | An order over {qty} {item} came in; the buyer is {name}. | The delivery for {name} consists of {qty} {item}.
    The order of {name} reads: {qty} {item}. | The customer, {name}, wishes to have {qty} {item}. | The slip says {name}, {qty} {item}. | The van brings {qty} {item} to {name}.
    In the basket of {name} we found {qty} {item}. | In {name}'s cart: {qty} {item} | On behalf of {name}, I order {qty} {item}. | Under the name {name} somebody reserved {qty} {item}.
    From the catalogue {name} picked {qty} {item}. | With a smile {name} took {qty} {item} from the shelf. | After a long search {name} bought {qty} {item}. | Before closing time {name} rushed in for {qty} {item}.
    Because the old stuff broke, {name} ordered {qty} {item}. | When {name} came in, {he} wanted {qty} {item}. | If you have {qty} {item}, keep everything for {name}. | As soon as it is in stock, {name} gets {qty} {item}.
    Although the shop was full, {name} managed to buy {qty} {item}. | While waiting, {name} added {qty} {item} to {his} order. | Having read the reviews, {name} went for {qty} {item}. | Needing a present, {name} chose {qty} {item}.
    {name}, a regular of ours, takes {qty} {item}. | {name}, who never buys much, left with {qty} {item}. | {name} (new customer) - {qty} {item} | {name} from {city} orders {qty} {item}.
    {name}, {city}: {qty} {item} | Deliver to {city}: {qty} {item}; recipient {name} | {qty} {item} by express to {name} in {city} | Our customer in {city}, {name}, bought {qty} {item}.
    Recipient: {name}\nCity: {city}\nGoods: {item}\nNumber: {quantity} | The shop in {city} sold {qty} {item} to {name}. | In {city}, {name} came across {qty} {item} and bought on the spot. | Freight to {city} for {name}, contents: {qty} {item}
    {name} rang from {city} to order {qty} {item}. | Send it off to {city}, please: {qty} {item}, for {name}. | Ship to: {name}, {city}. Goods: {item}. Pieces: {quantity}. | City {city}, name {name}, order {qty} {item}.
    {other} took the call: {name} wants {qty} {item}. | {other} cancelled, but {name} still takes {qty} {item}. | {name} bought {qty} {item}; {other} only looked around. | While {other} paid for parking, {name} bought {qty} {item}.
    As a gift for {other}, {name} ordered {qty} {item}. | {other} from sales noted: {name}, {qty} {item}. | Not {other} but {name} is to get {qty} {item}. | Order taken by {other}. Customer: {name}. Goods: {qty} {item}.
    {name} and not {other} signed for {qty} {item}. | {other} asked who had bought {qty} {item}; it was {name}. | Driver: {other}. Customer: {name}. Load: {qty} {item}. | {name} wants {qty} {item}, says {other}.
    Order no. {n}: {name}, {qty} {item} | Shelf {n} - {qty} {item} - {name} | Table {n}, {name}: {qty} {item} | Counter {n} has {qty} {item} for {name}.
    Lane {n}: {name} is paying for {qty} {item}. | Ticket {n}. {name} would like {qty} {item}. | Box {n} goes to {name} and contains {qty} {item}. | Door {n}, ring at {name}, leave {qty} {item}.
    {name} left the {color} {thing} and bought {qty} {item}. | Leave it by the {color} {thing}. {qty} {item}, for {name}. | {name} came with a {color} {thing} and left with {qty} {item}. | No {color} {thing} this time; {name} just wants {qty} {item}.
    By 8:00 {name} had already ordered {qty} {item}. | Pick-up at 17:30: {name}, {qty} {item} | At 4 pm {name} will fetch {qty} {item}. | Noon delivery, {qty} {item}, {name}
    Please put {qty} {item} aside; {name} will come by. | Please change the order of {name} to {qty} {item}. | Please note down {qty} {item} for {name}. | Please check whether {name} has received {qty} {item}.
    Get {name} {qty} {item}. | Give {qty} {item} to {name} and a smile on top. | Bring {name} {qty} {item}, would you? | Reserve {qty} {item}. Name? {name}.
    Wanted by {name}: {qty} {item}. | Sold to {name}: {qty} {item} | Shipped: {qty} {item}. To: {name}. | Reserved ({name}): {qty} {item}
    Confirmed! {name}, you get {qty} {item}. | Dear {name}, your order of {qty} {item} is on its way. | Thank you, {name}. We have noted {qty} {item}. | {name}, your {item} (quantity: {quantity}) can be collected.
    Hi {name}, did you order {qty} {item}? | Good news, {name}: {qty} {item} from your wish list can be sent today. | Sorry, {name}, the delivery of {qty} {item} is late. | {name}, we packed {qty} {item} for you.
    I am {name} and I need {qty} {item}. | My name is {name}, and my order is {qty} {item}. | I, {name}, order {qty} {item}. | It's me, {name}. I forgot to order {qty} {item}.
    We, that is {name}, would like to buy {qty} {item}. | I was promised {qty} {item}. Where is it all? {name} | I'll have {qty} {item}, thanks. The name is {name}. | Put it under {name}: {qty} {item}.
    Purchase order. Buyer {name}. Article {item}. Units {quantity}. | Delivery note: {quantity} units of {item}, consignee {name} | Packing list for {name} - {item} - {quantity} | Stock out: {quantity} {item}. Reason: order by {name}.
    Units: {quantity}. What: {item}. Who: {name}. | Who: {name}. What: {item}. How many: {quantity}. | {item}, {quantity} in number, for {name} | Number of {item}: {quantity}; ordered by {name}
    It took {name} an hour to pick {qty} {item}. | There was a call from {name} about {qty} {item} to be delivered. | Nobody but {name} would buy {qty} {item}. | Only {name} could want {qty} {item}.
    All {name} wants is {qty} {item}. | Nothing makes {name} happier than {qty} {item}, so {he} ordered. | Never before had {name} bought {qty} {item}. | Once more {name} is ordering {qty} {item}.
    """
)
INVOICE_SPECIAL = _list(
    r"""
    Invoice\nCustomer: {name}\nItem: {qty} {item}\nTotal: {amount} | {name} / {qty} {item} / {amount} | {amount} - {qty} {item} - {name} | {qty} {item}; {amount}; {name}
    Bill to: {name}. For: {qty} {item}. Due: {amount}. | Total {amount}, {qty} {item}, {name} | [{amount}] {name}: {qty} {item} | ({name}) {qty} {item} = {amount}
    RECEIPT\n{qty} {item}\n{amount}\nThank you, {name}! | name;goods;sum\n{name};{qty} {item};{amount} | INFO payment {amount} ok, buyer {name}, cart: {qty} {item} | 12:30 sale: {qty} {item} to {name}, {amount}
    We charge {name} {amount} for {qty} {item}. | We hereby invoice {name} for {qty} {item} in the amount of {amount}. | We received {amount} from {name} for {qty} {item}. | We sold {name} {qty} {item} and got {amount}.
    For {qty} {item}, {name} paid {amount}. | For {amount}, {name} got {qty} {item}. | For the sum of {amount}, {qty} {item} passed to {name}. | To {name}: {qty} {item}, payable {amount}
    {amount} is what {name} gave for {qty} {item}. | {amount} was charged to {name} for {qty} {item}. | {amount} for {qty} {item}? {name} paid without blinking. | {amount} from {name}, who bought {qty} {item}
    {name} owes {amount} for {qty} {item}. | {name} picked up {qty} {item} and left {amount} at the till. | {name} transferred {amount}; we sent {qty} {item}. | {name} bargained until {qty} {item} went for {amount}.
    {name} was billed {amount} after ordering {qty} {item}. | {name} got {qty} {item}, and the card was charged {amount}. | {name}, who ordered {qty} {item}, is to pay {amount}. | {name}, paying {amount} in cash, took {qty} {item}.
    Dear {name}, for {qty} {item} we ask you to pay {amount}. | Dear {name}, your payment of {amount} for {qty} {item} has arrived. | Hello {name}, the total for {qty} {item} is {amount}. | Hi {name}, {amount} is still open for {qty} {item}.
    Thank you, {name}! You paid {amount} and will get {qty} {item}. | {name}, please transfer {amount}. Subject: {qty} {item} | Reminder for {name}: {qty} {item}, {amount} overdue | Good morning {name}, attached is the bill ({amount}) for {qty} {item}.
    I paid {amount} for {qty} {item}. Please send a receipt. {name} | I bought {qty} {item} from you and was charged {amount}. Regards, {name} | hey, {name} here, just sent {amount} for {qty} {item} | ok so thats {qty} {item} for {amount}, right? - {name}
    My name is {name}. {qty} {item} for {amount} - is that right? | I am {name}, and I want my {amount} back for {qty} {item}. | This is {name}; I ordered {qty} {item} at {amount}. | I, {name}, confirm having paid {amount} for {qty} {item}.
    "That makes {amount} for {qty} {item}," the clerk told {name}. | "{qty} {item}? {amount}, please," - and {name} paid. | "I got {qty} {item} for {amount}!" said {name} proudly. | {name} told everyone that {qty} {item} had cost {amount}.
    What did {name} pay for {qty} {item}? {amount}. | Did {name} really spend {amount} on {qty} {item}? | How much for {name}, with {qty} {item}? {amount}. | Who paid {amount} and took {qty} {item}? {name}.
    {other} wrote the bill: {name}, {qty} {item}, {amount}. | {other} sold {qty} {item} to {name} for {amount}. | Seller {other}, buyer {name}, goods {qty} {item}, price {amount} | {name} paid {amount} for {qty} {item}, and {other} carried the bags.
    Cashier: {other}\nCustomer: {name}\n{qty} {item}\n{amount} | Not {other} but {name} has to pay {amount} for {qty} {item}. | {other} complained, yet {name} gladly paid {amount} for {qty} {item}. | {name} paid {amount} to give {other} {qty} {item}.
    Invoice no. {n} to {name}: {qty} {item}, {amount} | Till {n}: {name}, {qty} {item}, {amount} | Page {n} of the ledger: {name} / {amount} / {qty} {item} | Payable in {n} days: {amount}, by {name}, for {qty} {item}
    Instead of the {color} {thing}, {name} bought {qty} {item} for {amount}. | {name} put {amount} next to the {color} {thing} and took {qty} {item}. | At 10:15 {name} paid {amount} for {qty} {item}. | Closed at 6 pm with a last sale to {name}: {qty} {item}, {amount}.
    Send {name} in {city} a bill over {amount} for {qty} {item}. | {city}, {name}: {qty} {item}, {amount} paid | From {city} {name} wired {amount} for {qty} {item}. | Our shop in {city} charged {name} {amount} for {qty} {item}.
    Charge {amount} to {name}; goods: {qty} {item}. | Please bill {name}. It was {qty} {item}, so {amount}. | Make out a receipt to {name} for {amount} ({qty} {item}). | Refund {name} {amount}, since {qty} {item} never came.
    Paid in full: {amount}. Goods: {qty} {item}. Payer: {name}. | Payer: {name}\nAmount: {amount}\nFor: {qty} {item} | Debit {amount}, account holder {name}, text: {qty} {item} | Payment slip - {name} - {amount} - for {qty} {item}
    The invoice for {name} lists {qty} {item} and ends with {amount}. | The total on {name}'s bill, {amount}, covers {qty} {item}. | The price of {qty} {item} was {amount}, and {name} agreed. | The customer {name} had {qty} {item}; value {amount}.
    With tax, {qty} {item} cost {name} {amount}. | After the discount {name} paid only {amount} for {qty} {item}. | Since {qty} {item} cost {amount}, {name} had to borrow money. | When {name} saw {qty} {item} for {amount}, {he} bought at once.
    Sold: {qty} {item}. Buyer: {name}. Price: {amount}. | Price {amount} / goods {qty} {item} / customer {name} | Goods: {qty} {item} - Buyer: {name} - Sum: {amount} | Item and number: {qty} {item}. Total: {amount}. Billed to: {name}.
    A bill of {amount} awaits {name}, who had {qty} {item} sent. | A cheque over {amount} from {name} came in for {qty} {item}. | An order by {name}: {qty} {item}, to be paid with {amount}. | It cost {name} {amount} to get {qty} {item}.
    In the end {name} spent {amount} on {qty} {item}. | On {name}'s receipt we read: {qty} {item}, {amount}. | Under {name} we booked {amount} for {qty} {item}. | Between us: {name} paid {amount} for {qty} {item}.
    Never again will {name} pay {amount} for {qty} {item}. | Not bad: {qty} {item} for {amount}, well done, {name}. | Too dear? {name} thought {amount} was fine for {qty} {item}. | Cash or card, {name}? {qty} {item} makes {amount}.
    Quote for {name}: {qty} {item} at {amount} all in | Offer accepted by {name}: {amount}, {qty} {item} | Deposit {amount} from {name} towards {qty} {item} | {qty} {item} worth {amount} shipped to {name}
    """
)
EVENT_SPECIAL = _list(
    r"""
    {date}: {name} | {name} - {date} | Name: {name}\nDate: {date} | Date: {date}\nGuest: {name}
    {date} / {name} / room {n} | date={date} name="{name}" | [{date}] visit of {name} | <{name}> booked for {date}
    {date}, dentist, {name} | name;day\n{name};{date} | INFO appointment created: {name}, {date} | LOG {date} login by {name}
    On {date}, {name} will be in town. | On {date} it is the turn of {name}. | On {date} nobody but {name} has time. | As of {date}, {name} is head of the team.
    Until {date}, {name} is on leave. | Since {date} {name} has been a member. | From {date} on {name} works from home. | By {date} {name} must hand in the report.
    Not until {date} does {name} come back. | Only on {date} could {name} see the doctor. | {date} is the day {name} gets married. | {date} was when {name} first walked in here.
    {date} would suit {name} best. | {date} has been reserved for {name}. | {date} marks the start of {name}'s new job. | {date}? {name} can make it.
    When is {name} due? On {date}. | When did {name} call? {date}. | Who comes on {date}? It's {name}. | Is {name} free on {date}?
    Could {name} come in on {date}? | Does {date} work for {name}? | Has {name} been told that the exam is on {date}? | What about {date} for the talk by {name}?
    Dear {name}, we look forward to seeing you on {date}. | Dear {name}, your appointment has been moved to {date}. | Hello {name}, do not forget: {date}! | {name}, your parcel comes on {date}.
    Hi {name}, are we still on for {date}? | Thank you, {name}. You are booked for {date}. | Reminder to {name}: check-up on {date} | {name}, please be at the gate on {date}.
    I'll be there on {date}. Yours, {name} | I have to cancel my visit on {date}. Sorry! {name} | I was born on {date}, and my name is {name}. | I, {name}, will start on {date}.
    hey, {name} here, does {date} work? | {name} again - cant do {date} sorry | lets meet {date}!! xx {name} | its {name}, see u on {date}
    My name is {name} and I need an appointment on {date}. | This is {name} calling about the table on {date}. | It's {name}. Please pick me up on {date}. | We meet on {date}. Best, {name}
    Written on {date} and signed by {name} | Signed: {name}, {date} | Approved {date}, {name} | Given on {date} under the hand of {name}
    "See you on {date}," said {name}. | "{date} is fine with me," {name} replied. | {name} said that {he} would come on {date}. | {name} asked, "Can we do it on {date}?"
    {other} will meet {name} on {date}. | {other} told me that {name} was coming on {date}. | In place of {other}, {name} gives the talk on {date}. | {name} stands in for {other} on {date}.
    Not {other} but {name} has the day off on {date}. | {other} is ill, so {name} takes the shift on {date}. | {name} visits {other} on {date}. | Doctor: {other}. Patient: {name}. Date: {date}.
    {date}, 10:30, {name} | {name} arrives at 8:15 on {date}. | At 3 pm on {date} {name} has an interview. | The meeting with {name} is on {date} at noon.
    Room {n} is taken by {name} on {date}. | Flight {n}, passenger {name}, {date} | Group {n}, led by {name}, starts on {date}. | Slot {n} on {date} went to {name}.
    {name} gets the {color} {thing} back on {date}. | On {date} the {color} {thing} goes to {name}. | {name} travels to {city} on {date}. | {city}, {date}: concert by {name}
    The birthday of {name} falls on {date}. | The wedding of {name} is planned for {date}. | The visit by {name} took place on {date}. | The contract with {name} ends on {date}.
    The calendar has {name} down for {date}. | The next patient, {name}, comes on {date}. | The file notes that {name} was seen on {date}. | The prize will be given to {name} on {date}.
    {name}, who was away, returned on {date}. | {name}, absent since {date}, sent a note. | {name} ({date}) | {name} moved in on {date} and has not left since.
    {name} has an operation on {date}, so no visits. | {name} will sing if the hall is free on {date}. | {name} was hired on {date} as a {job}. | {name} missed the bus on {date}.
    Because of a strike, {name} flies on {date}. | If it rains, {name} will play on {date} instead. | After months of waiting, {name} got the visa on {date}. | Before leaving on {date}, {name} must sign.
    Please put {name} down for {date}. | Please move {name} to {date}. | Remind {name} of the meeting on {date}. | Book a table for {name} on {date}.
    Last seen: {date}. Name: {name}. | Born: {date}. Called: {name}. | Entry {date}: {name} left the building. | Due {date} - task owner {name}
    """
)
