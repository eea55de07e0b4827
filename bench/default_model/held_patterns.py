"""Sentence patterns and tools for the held-out test alone, written by someone who had not seen those of the training."""

# {name} is always the person asked about; {city} is where that person lives now.
PERSON = (
    "My neighbour {name} just turned {age}. {He} has lived in {city} for as long as I can remember.",
    "{name}, {age}, is based in {city} and spends most weekends on {hobby}.",
    "I'd like to introduce {name}, our new {job}. {He} is {age} years old and lives in {city}.",
    "At {age}, {name} still runs the family bakery in {city}, where {he} also lives.",
    "The {age}-year-old {job} {name} shares a flat in {city} with two cats.",
    "Name: {name}. Age: {age}. City: {city}.",
    "We spoke to {name} at {his} home in {city}. {He} had a birthday last week and is now {age}.",
    "Hi, I'm {name}! I live in {city}, I'm {age}, and I love {hobby}.",
    "From {city} comes our next guest: {name}, who at {age} is the youngest finalist this year.",
    "I heard from {other} that {name}, who lives in {city}, has just turned {age}.",
    "Patient {name}, resident of {city}, {age} years of age, was seen in room {n} this morning.",
    "Police are looking for {name}, aged {age}, who was last seen near {his} house in {city}.",
    "A resident of {city} has won the lottery. The winner, {name}, is {age} and plans to keep working.",
    "You asked about the new customer. {His} name is {name}, {he} is {age}, and the address is in {city}.",
    "{name} ({age}, {city}) finished the race in place {n}.",
    "Everyone in {city} knows {name}, who lives by the station. {He} is {age} by now and still goes out every day to enjoy {hobby}.",
    "My cousin is called {name}. {He} lives in {city} and is {age} years old.",
    "Living in {city} suits {name} well. The {job}, now {age}, has no plans to move.",
    "Our letter of the week was sent in by {name} from {city}, who is {age} and has been reading us for years.",
    "Although {he} is already {age}, {name} cycles across {city}, {his} home, every single morning.",
    "The photo was taken by {other}. It shows {name}, who is {age}, in front of the old house in {city} that {he} calls home.",
    "Applicant number {n} is {name}. The form gives an age of {age} and an address in {city}.",
    "Last month {name} moved to {city} to start a new life. Not bad for someone who is {age}!",
    "This is {name}, not {other}: {age} years old, living in {city}, and always busy with {hobby}.",
)

CONTACT = (
    "You can reach {name} at {email}.",
    "Please forward the contract to {name}. The address is {email}.",
    "For questions about the rota, write to {name} ({email}).",
    "From: {name} <{email}>",
    "Thanks for your call. Best wishes, {name}, {email}",
    "My name is {name} and I would like to join the newsletter. My email is {email}.",
    "{name} has a new email address: {email}. Please update the list.",
    "If the parcel does not turn up, drop a line to {email} and ask for {name}.",
    "Hello, this is {name}. I lost my password. The account is registered to {email}.",
    "Press enquiries should be sent to {name} via {email} before noon.",
    "The best person to ask is {name}. Messages sent to {email} are usually answered within 2 days.",
    "Contact person: {name}. Phone: on request. Email: {email}.",
    "I met {name} at the trade fair and got this address from the business card: {email}.",
    "Could you send a copy of the slides to {email}? That is the work address of {name}.",
    "Tickets were booked by {name}, and the confirmation went to {email}.",
    "Anyone who wants to help on Saturday should tell {name} by writing to {email}.",
    "Our treasurer, {name}, reads everything that arrives at {email}.",
    "The mail from {email} was written by {name}, who runs the bookshop on the corner.",
    "Good news: {name} has joined the support team! Reach out any time at {email}.",
    "I can't open the file. Please reply to {email}. Regards, {name}",
    "Use {email} if you need to get in touch with {name} over the holidays.",
    "Room 14 is {name}'s office, but {email} is the quicker way to get an answer.",
    "Account holder: {name}; login: {email}; status: active.",
    "As agreed with {name}, all invoices now go to {email}, so please stop sending paper.",
)

# {item} agrees with {qty}, so no verb or pronoun here depends on the number.
ORDER = (
    "{name} would like to order {qty} {item}.",
    "Please send {qty} {item} to {name} as soon as possible.",
    "Hi, this is {name}. I need {qty} {item} by Friday.",
    "Yesterday we shipped {qty} {item} to {name} in {city}.",
    "Customer: {name}. Order: {qty} {item}. Payment: on delivery.",
    "Could I get {qty} {item}, please? The name is {name}.",
    "Order 4471 came in this morning: {name} wants {qty} {item} delivered to {city}.",
    "We have put aside {qty} {item} for {name}, to be picked up at the counter.",
    "Our regular customer {name} called again and asked for {qty} {item} this time.",
    "Thank you for your order, {name}! You will receive {qty} {item} within a week.",
    "A van left for {city} with {qty} {item} on board. The recipient is {name}.",
    "After some thought, {name} decided to buy {qty} {item} in our online shop.",
    "Don't forget that {name} is still waiting for {qty} {item}.",
    "I'd like to place an order for {qty} {item}. Please address the box to {name}, {city}.",
    "The basket of {name} contains {qty} {item} and nothing else.",
    "{name} from {city} has ordered {qty} {item} and wants to pay by card.",
    "Good morning, please reserve {qty} {item} for me. Kind regards, {name}",
    "Having moved into a new office, {name} bought {qty} {item} from our catalogue.",
    "The warehouse confirmed that {qty} {item} went out to {name} on Monday.",
    "New purchase! Buyer: {name}, quantity and product: {qty} {item}, destination: {city}.",
    "There was a phone order while you were out. It was {name}, asking for {qty} {item}.",
    "Put {qty} {item} on the list for {name}, please.",
    "For the summer party, {name} has requested {qty} {item}.",
    "Can you check whether {qty} {item} will reach {name} before the weekend?",
)

# {amount} is the total for all of the goods.
INVOICE = (
    "Invoice for {name}: {qty} {item}, total {amount}.",
    "{name} bought {qty} {item} and paid {amount} in all.",
    "We charged {name} {amount} for {qty} {item}.",
    "Please bill {name} for {qty} {item}. The total comes to {amount}.",
    "Bill to: {name}. Goods: {qty} {item}. Amount due: {amount}.",
    "Dear {name}, we have received your payment of {amount} for {qty} {item}. Thank you!",
    "A total of {amount} is still owed by {name} for {qty} {item}.",
    "Last week {name} picked up {qty} {item} from the shop, and the receipt says {amount}.",
    "The sum of {amount} covers {qty} {item} supplied to {name}.",
    "{name} spent {amount} on {qty} {item} at the market.",
    "Invoice 2087 is overdue. It was sent to {name} and asks for {amount} for {qty} {item}.",
    "For {qty} {item}, {name} was asked to pay {amount} at the till.",
    "Hi, {name} here. You billed me {amount} for {qty} {item}, but nothing has arrived yet.",
    "I sold {qty} {item} to {name} for {amount} altogether.",
    "Receipt. Customer {name}, {qty} {item}, paid in cash: {amount}.",
    "We delivered {qty} {item} to {name} on Tuesday, so please issue an invoice over {amount}.",
    "Please refund {amount} to {name}, who has returned {qty} {item}.",
    "The card of {name} was debited with {amount}. The purchase was {qty} {item}.",
    "Your order of {qty} {item} costs {amount} including tax. It will be billed to {name}.",
    "According to our books, {name} purchased {qty} {item} at a total price of {amount}.",
    "To settle the account, {name} transferred {amount}, the full price of {qty} {item}.",
    "How much did {name} pay? The slip shows {amount} for {qty} {item}.",
    "Sold: {qty} {item}. Buyer: {name}. Price, all together: {amount}.",
    "With the discount, {name} got {qty} {item} for only {amount}.",
)

# {name} is a person.
EVENT = (
    "{name} was born on {date}.",
    "The wedding of {name} took place on {date} in a small chapel.",
    "On {date}, {name} signed the lease for the new shop.",
    "{name} joined the company on {date} and has worked here ever since.",
    "Please note that the appointment of {name} has been moved to {date}.",
    "The exhibition was opened by {name} on {date}.",
    "Guest: {name}. Date of arrival: {date}.",
    "It was on {date} that {name} crossed the finish line for the first time.",
    "We met {name} at the airport on {date}, a little after lunch.",
    "The library card issued to {name} expires on {date}.",
    "Dear all, {name} will give a talk about honey bees on {date}. Everyone is welcome.",
    "According to the records, {name} passed the driving test on {date}.",
    "Date: {date}. Speaker: {name}. Coffee is served from 3 pm.",
    "After 20 years in the job, {name} retired on {date}.",
    "I have an interview with {name} on {date}, so I can't come to the meeting.",
    "The concert on {date} was the last one that {name} played.",
    "Thank you for booking with us, {name}. Your tour starts on {date}.",
    "Since {date}, the choir has been led by {name}.",
    "{name} moved out of flat 7 on {date} and left the keys with the caretaker.",
    "The letter is dated {date} and signed by {name}.",
    "Do you remember when {name} won the cup? That was on {date}.",
    "Our records show that {name} visited the dentist on {date} for a check-up.",
    "A farewell dinner for {name} was held on {date}, and about 40 people came.",
    "Hello, my name is {name} and I would like to reserve a table for {date}.",
)

# (name, description, ((argument, kind), ...), (request, request, request)); {0} is the first argument, and so on.
TOOLS = (
    (
        "add_contact", "Save a person and their email address in the address book.",
        (("name", "name"), ("email", "email")),
        (
            "Add {0} to my contacts with the address {1}.",
            "Please save {1} in my address book as the email of {0}.",
            "New contact: {0}, {1}",
        ),
    ),
    (
        "send_email", "Send an email with the given text.",
        (("to", "email"), ("text", "phrase")),
        (
            "Send an email to {0}: {1}",
            "Write to {0} with this message: {1}",
            "Could you email {0} the following: {1}",
        ),
    ),
    (
        "transfer_money", "Transfer an amount of money to a person.",
        (("to", "name"), ("amount", "int")),
        (
            "Transfer {1} dollars to {0}.",
            "I owe {0} some money, please pay back {1} dollars from my account.",
            "Can you send {0} {1} dollars?",
        ),
    ),
    (
        "get_forecast", "Get the weather forecast for a city on a date.",
        (("city", "city"), ("date", "date")),
        (
            "What will the weather be like in {0} on {1}?",
            "Do I need an umbrella in {0} on {1}?",
            "Show me the forecast of {1} for {0}.",
        ),
    ),
    (
        "set_alarm", "Set an alarm clock.",
        (("time", "time"),),
        (
            "Wake me up at {0}.",
            "Set an alarm for {0}, please.",
            "I have to get up at {0}, so make the alarm ring then.",
        ),
    ),
    (
        "start_timer", "Start a countdown timer of some minutes.",
        (("minutes", "int"),),
        (
            "Start a timer for {0} minutes.",
            "The pasta needs {0} minutes, please count down.",
            "Countdown of {0} minutes, go!",
        ),
    ),
    (
        "create_event", "Put an event in the calendar.",
        (("title", "event"), ("date", "date"), ("time", "time")),
        (
            "Put {0} in my calendar for {1} at {2}.",
            "Please create a calendar entry: {0}, {1}, {2}.",
            "Block {2} on {1} in my calendar for {0}.",
        ),
    ),
    (
        "set_reminder", "Remind the user of a task at a time.",
        (("task", "task"), ("time", "time")),
        (
            "Remind me to {0} at {1}.",
            "At {1}, please remind me to {0}.",
            "I must not forget to {0}, so give me a reminder at {1}.",
        ),
    ),
    (
        "translate_text", "Translate a text into a language.",
        (("language", "language"), ("text", "phrase")),
        (
            "Translate this into {0}: {1}",
            "How do you say this in {0}: {1}",
            "I need a {0} translation of the following: {1}",
        ),
    ),
    (
        "convert_currency", "Convert an amount from one currency to another.",
        (("amount", "int"), ("source", "currency"), ("target", "currency")),
        (
            "How much is {0} {1} in {2}?",
            "Convert {0} {1} to {2}.",
            "I have {0} {1} left over from the trip, what would that be in {2}?",
        ),
    ),
    (
        "set_thermostat", "Set the heating in a room to a temperature.",
        (("room", "room"), ("degrees", "int")),
        (
            "Heat the {0} to {1} degrees.",
            "It is cold in the {0}, turn the heating up to {1} degrees.",
            "I want {1} degrees in the {0}, please.",
        ),
    ),
    (
        "set_light_color", "Change the color of the lights in a room.",
        (("room", "room"), ("color", "color")),
        (
            "Make the lights in the {0} {1}.",
            "Switch the {0} lights to {1}, please.",
            "I'd like {1} light in the {0}.",
        ),
    ),
    (
        "track_parcel", "Find out where a parcel is by its tracking code.",
        (("code", "code"),),
        (
            "Where is my parcel {0}?",
            "Please track the package with the number {0}.",
            "My delivery is late. The tracking code is {0}, can you look it up?",
        ),
    ),
    (
        "find_flights", "Search for flights between two cities on a date.",
        (("origin", "city"), ("destination", "city"), ("date", "date")),
        (
            "Find me a flight from {0} to {1} on {2}.",
            "I want to fly to {1} from {0} on {2}.",
            "Which planes leave {0} for {1} on {2}?",
        ),
    ),
    (
        "book_hotel", "Book a hotel in a city from a date for some nights.",
        (("city", "city"), ("arrival", "date"), ("nights", "int")),
        (
            "Book a hotel in {0} from {1} for {2} nights.",
            "I need a place to stay in {0}, arriving on {1}, for {2} nights.",
            "Please reserve {2} nights in a hotel in {0}, starting on {1}.",
        ),
    ),
    (
        "add_to_cart", "Put a number of a product in the shopping cart.",
        (("item", "item"), ("quantity", "int")),
        (
            "Put {1} {0} in my shopping cart.",
            "I want to buy {0}, please add {1} to the cart.",
            "Add {0} to my cart, quantity {1}.",
        ),
    ),
    (
        "search_news", "Search the latest news on a topic.",
        (("topic", "thing"),),
        (
            "What's in the news about {0}?",
            "Show me the latest headlines on {0}.",
            "Any recent news articles about {0}?",
        ),
    ),
    (
        "delete_file", "Delete a file.",
        (("file", "file"),),
        (
            "Delete {0}.",
            "I don't need {0} any more, please remove it.",
            "Please throw {0} in the bin for me.",
        ),
    ),
    (
        "share_file", "Share a file with someone by their email address.",
        (("file", "file"), ("recipient", "email")),
        (
            "Share {0} with {1}.",
            "Give {1} access to {0}, please.",
            "Can you let {1} open my file {0}?",
        ),
    ),
    (
        "call_person", "Call a person by phone.",
        (("name", "name"),),
        (
            "Call {0}.",
            "I'd like to talk to {0} on the phone now.",
            "Please ring {0} for me.",
        ),
    ),
)
