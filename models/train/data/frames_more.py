"""More sentence patterns, for training alone: the lists in frames.py are what the splits are cut from.

A pattern that reads like one of the dev or test part is dropped by `held.clean` (see `frames.choose`).
"""


def _list(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


AGE = _list(
    """
    is {age} and counting
    can hardly believe to be {age}
    has had {age} birthdays
    will stay {age} until spring
    is nearly {next}, so still {age}
    looks younger than {age}
    blew out {age} candles yesterday
    is the oldest of us with {age} years
    learned to drive at {age}
    entered the race at age {age}
    says that {age} is a good age
    retired at {age}
    is about {age}
    must be {age} by now
    is all of {age} years
    passed the exam at the age of {age}
    told us the age: {age}
    got a cake with the number {age}
    has lived for {age} years
    was {age} when we met
    gives the age as {age}
    is registered as {age} years old
    at {age} is the youngest member
    joined the team aged {age}
    is proud to be {age}
    made it to {age}
    hit {age} on Sunday
    feels old at {age}
    is over the moon about being {age}
    has {age} years behind {him}
    counts {age} years
    is not yet {next} but {age}
    """
)
CITY = _list(
    """
    drives a bus in {city}
    takes the tram through {city}
    has a desk at an office in {city}
    has family in {city}
    left for {city} last year
    came here from {city}
    dreams of leaving {city}
    spent a childhood in {city}
    knows every street of {city}
    is on the way home to {city}
    opened a bakery in {city}
    went to school in {city}
    plays for a team from {city}
    can be visited in {city}
    looks after a garden in {city}
    pays taxes in {city}
    sells bread on the market of {city}
    lost the heart to {city}
    married in {city}
    is at home in {city}
    keeps a boat in {city}
    was raised in {city}
    walks to work through {city}
    hails from {city}
    gets the post in {city}
    sings in a choir in {city}
    is a well known face in {city}
    has a room with a view of {city}
    spends the week in {city}
    will never leave {city}
    built a house outside {city}
    repairs bicycles in {city}
    gave the address as {city}
    is registered in {city}
    has an old mother in {city}
    wakes up in {city} every day
    cooks for a hotel in {city}
    started a new life in {city}
    does not like to leave {city}
    lives and works in {city}
    resides in {city}
    lives with two cats in {city}
    found a new home in {city}
    lives on the edge of {city}
    has a new place in {city}
    went back to {city}
    lives not far from {city}
    has a second home in {city}
    """
)
EMAIL = _list(
    """
    gets post at {email}
    says to write to {email}
    put {email} on the form
    listed {email} as the address
    receives letters at {email}
    answers from {email}
    is reachable by mail: {email}
    can be mailed at {email}
    wrote {email} on the card
    typed {email}
    replies fastest at {email}
    has an inbox at {email}
    entered {email} on the site
    logs in as {email}
    sent the note from {email}
    printed {email} on the flyer
    keeps the old address {email}
    subscribed as {email}
    told me to use {email}
    reads everything that comes to {email}
    spelled out the address {email}
    forwards mail to {email}
    would love to hear from you at {email}
    would like the answer at {email}
    has the mail account {email}
    no longer uses the phone but {email}
    confirmed the address {email}
    owns the mailbox {email}
    lists {email} under contact
    wants copies at {email}
    set up {email}
    is known online as {email}
    """
)
BUY = _list(
    """
    picks {qty} {item}
    carried off {qty} {item}
    went for {qty} {item}
    returned {qty} {item}
    collected {qty} {item} from the shop
    found {qty} {item} on sale
    will take {qty} {item}
    is after {qty} {item}
    has just paid for {qty} {item}
    signed for {qty} {item}
    added {qty} {item} to the list
    sent back {qty} {item}
    wrapped {qty} {item}
    had {qty} {item} delivered
    left with {qty} {item}
    chose to buy {qty} {item}
    begged for {qty} {item}
    was sent {qty} {item}
    is getting {qty} {item}
    brought home {qty} {item}
    booked {qty} {item}
    can use {qty} {item}
    hopes to get {qty} {item}
    orders {qty} {item} every month
    decided on {qty} {item}
    walked out with {qty} {item}
    wishes for {qty} {item}
    pays for {qty} {item}
    put in an order for {qty} {item}
    treated the family to {qty} {item}
    """
)
COST = _list(
    """
    and the price was {amount}
    and gave {amount}
    , which made {amount}
    at the price of {amount}
    , {amount} in total
    and {he} paid {amount}
    for just {amount}
    with a bill of {amount}
    for about {amount}
    , paying {amount}
    and it came to {amount}
    against {amount}
    """
)
COST_S = _list(
    """
    The sum is {amount}
    {He} has to pay {amount}
    The shop asked for {amount}
    We charged {amount}
    The receipt says {amount}
    The cost: {amount}
    {He} counted out {amount}
    To pay: {amount}
    The customer paid {amount} in cash
    {His} card was charged {amount}
    That is {amount} with tax
    It was a bargain at {amount}
    The final price is {amount}
    We got {amount} for it
    This adds up to {amount}
    {amount} was paid at once
    {amount} is still open
    It is worth {amount}
    """
)
WHEN_S = _list(
    """
    The van comes on {date}
    {He} needs it by {date}
    It was bought on {date}
    It leaves the store on {date}
    The day was {date}
    We sent it off on {date}
    Please deliver on {date}
    The sale took place on {date}
    It will be ready on {date}
    The letter is from {date}
    Due: {date}
    It should be here by {date}
    The bill was written on {date}
    {date} is the day of delivery
    {He} picked it up on {date}
    It was packed on {date}
    Payment is due by {date}
    """
)
EVENT = _list(
    """
    meets the mayor on {date}
    goes on holiday on {date}
    has to be at the office on {date}
    arrives on {date}
    sings in the church on {date}
    gets the keys on {date}
    has a day off on {date}
    was hired on {date}
    will be operated on {date}
    runs a marathon on {date}
    signs the contract on {date}
    holds a party on {date}
    is back on {date}
    goes to court on {date}
    takes the train on {date}
    met {other} on {date}
    retires on {date}
    came home on {date}
    reads from a new book on {date}
    has a meeting with {other} on {date}
    drives to the coast on {date}
    expects guests on {date}
    called on {date}
    is free on {date}
    """
)
PERSON_SPECIAL = _list(
    """
    {name} is {age} and was brought up in {city}.
    {city}: {name}, {age} years.
    Say hello to {name}, {age}, who came from {city}.
    {name} of {city} is {age}.
    Did you know that {name} from {city} is {age}?
    {name} / {age} / {city}
    I am {age} years old and called {name}. My home is {city}.
    The {job} {name} ({age}) lives in {city}.
    They call me {name}. I was born {age} years ago in {city}.
    {name} wrote from {city} and is {age} years old.
    Here is {name}: {age} years old, home in {city}.
    Guest: {name}, age {age}, of {city}
    Among the guests was {name}, {age}, from {city}.
    We have a new member from {city}: {name}, {age} years old.
    {name} told us about life in {city} at {age}.
    {age} years old and living in {city}: that is {name}.
    Person: {name}; home: {city}; age: {age}
    In {city} lives {name}. {He} is {age}.
    The winner is {name} from {city}, who is {age}.
    When {name} was {age}, {he} came to {city}.
    {name} is a {job} in {city} and {age} years old.
    My friend {name} is {age}. {His} home is {city}.
    Age {age}, name {name}, city {city}.
    {name}'s home is {city}. {He} is {age}.
    I live in {city}. I am {name}, {age}.
    Hey, {name} here, {age}, {city}.
    """
)
ORDER_SPECIAL = _list(
    """
    {name} wrote: please send {qty} {item}.
    New order from {name}: {qty} {item}
    Pack {qty} {item} for {name}.
    For {name}: {qty} {item}.
    {qty} {item} to {name}, {city}.
    Do you have {qty} {item}? This is {name}.
    Ship {qty} {item} to {name} in {city}, please.
    I would like {qty} {item}. {name}
    Customer {name} wants {qty} {item}.
    {name} is the buyer of {qty} {item}.
    Could {name} have {qty} {item}?
    There are {qty} {item} in the parcel for {name}.
    Hand {qty} {item} to {name}.
    Set aside {qty} {item} for {name}.
    {name} called and asked us to keep {qty} {item}.
    It was {name} who bought {qty} {item}.
    Bill {name} for {qty} {item}.
    My order: {qty} {item}. Best wishes, {name}
    Article: {item}, pieces: {quantity}, customer: {name}
    {name} - {item} - {quantity}
    """
)
CONTACT_SPECIAL = _list(
    """
    {name} answers at {email}.
    Ask for {name}: {email}
    {name}, mail {email}
    Please copy {name} ({email}).
    Add {email} to the list; it is the address of {name}.
    I am {name}. Write me: {email}
    {email} ({name})
    To reach {name}, use {email}.
    Send a note to {name} via {email}.
    Yours, {name}, {email}
    Signed: {name}, {email}
    The mail came from {email}, so from {name}.
    {name} has moved to {email}.
    Who writes as {email}? It is {name}.
    {name} sent this from {email}.
    Reply to {name}, please: {email}.
    Person in charge: {name}, {email}.
    You can write to {name}: {email}
    Under {email} you will find {name}.
    Do not forget {name}, {email}.
    Speaker: {name}. Mail: {email}.
    Hello, {name} speaking, my address is {email}.
    The new address of {name} reads {email}.
    Invite {name} ({email}) too.
    """
)
