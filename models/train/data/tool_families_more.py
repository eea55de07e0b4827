"""More tools as people describe them, for training alone: none does what a tool of tool_families.py does.

A line is: names | description | arguments (name variants:kind) | requests, separated by ` / `.
"""

TEXT = """
rate_movie score_film review_movie | Gives stars to a film | film/movie/title:item stars/points/rating:int | Give {0} {1} stars. / I rate {0} with {1}. / {1} points for {0}.
water_plants irrigate sprinkler | Waters the plants in a place | place/room/area:room minutes/time/length:int | Water the plants in the {0} for {1} minutes. / The flowers in the {0} are dry, give them {1} minutes. / Sprinkle the {0}, {1} minutes.
print_document print_out printer | Prints a file on paper | file/document/path:file copies/number/times:int | Print {0} {1} times. / I need {1} copies of {0}. / {1} times {0} on paper, please.
call_person phone_call dial ring | Calls a person by phone | name/person/who:name | Call {0}. / Get me {0} on the phone. / Ring {0}, please. / I want to talk to {0}.
book_table reserve_table restaurant | Reserves a table in a restaurant | people/guests/persons:int time/at/hour:time | A table for {0} at {1}. / We are {0} and want to eat at {1}. / Reserve for {0} people, {1}.
lock_door close_door door_lock | Locks the door of a room | room/door/place:room | Lock the {0}. / Close the door of the {0}. / Is the {0} locked? Please lock it.
heat_room set_temperature thermostat | Sets the temperature of a room | room/place/where:room degrees/temperature/value:int | Heat the {0} to {1} degrees. / I want {1} degrees in the {0}. / It is cold in the {0}, make it {1}.
clean_room vacuum start_vacuum robot | Lets the robot clean a room | room/place/area:room | Clean the {0}. / The {0} is dirty. / Send the robot to the {0}. / Vacuum the {0}, please.
add_note write_note note memo | Writes down a note | text/content/note:phrase | Note this: {0} / Write down: {0} / Keep in mind: {0} / Take a note: {0}
post_message publish tweet share_post | Posts a text for everybody | text/message/post:phrase | Post: {0} / Tell the world: {0} / Share this with all: {0}
send_sms text_message sms | Sends a short message to a person | to/person/name:name text/message/body:phrase | Text {0}: {1} / Send a message to {0}: {1} / Let {0} know: {1}
invite_guest invite ask_guest | Invites a person to an event | person/guest/name:name event/what/occasion:event | Invite {0} to {1}. / I want {0} at {1}. / Ask {0} to come to {1}.
cancel_event cancel call_off | Cancels an event | event/name/what:event | Cancel {0}. / There will be no {0}. / Call off {0}. / I cannot come to {0}, cancel it.
move_event postpone reschedule | Moves an event to another day | event/name/what:event date/day/to:date | Move {0} to {1}. / Let us have {0} on {1} instead. / Postpone {0} until {1}.
rename_file change_name rename | Gives a file a new name | old/from/file:file new/to/name:file | Rename {0} to {1}. / {0} should be called {1}. / Change the name of {0} to {1}.
copy_file duplicate copy | Copies a file | from/source/file:file to/target/copy:file | Copy {0} to {1}. / Make a copy of {0} called {1}. / Save {0} again as {1}.
zip_file compress pack_file | Makes a file smaller | file/path/name:file | Compress {0}. / Make {0} smaller. / Pack {0}.
share_file give_access send_file | Shares a file with a person | file/document/path:file to/person/user:name | Share {0} with {1}. / Give {1} access to {0}. / {1} should see {0}.
count_words word_count length_of | Counts the words of a text | text/input/content:phrase | How many words are in: {0} / Count the words: {0} / How long is this text: {0}
upper_case shout capitals | Writes a text in capitals | text/input/string:phrase | Write in capitals: {0} / Shout: {0} / Make this upper case: {0}
check_spelling spell_check spelling | Looks for spelling mistakes | text/input/words:phrase | Is this spelled right: {0} / Check the spelling of: {0} / Any mistakes in: {0}
multiply times product | Multiplies two numbers | a/x/first:int b/y/second:int | What is {0} times {1}? / Multiply {0} by {1}. / {0} x {1}?
divide quotient split_number | Divides two numbers | a/x/dividend:int b/y/divisor:int | What is {0} divided by {1}? / Divide {0} by {1}. / Split {0} into {1} parts.
square_root root sqrt | Takes the root of a number | number/x/value:int | What is the root of {0}? / Square root of {0}? / Root {0}, please.
roll_dice dice throw_dice | Throws dice | count/dice/number:int sides/faces/max:int | Throw {0} dice with {1} sides. / Roll {0} times a die of {1}. / {0} dice, {1} sides each.
rent_car hire_car car_rental | Rents a car | city/place/where:city days/duration/count:int | I need a car in {0} for {1} days. / Rent a car for {1} days in {0}. / {1} days with a car in {0}, please.
book_train train_ticket rail | Buys a ticket for the train | from/start/origin:city to/end/destination:city | A train ticket from {0} to {1}. / I go by train from {0} to {1}. / Rail from {0} to {1}, please.
call_taxi order_taxi cab | Orders a taxi | address/place/where:room time/at/when:time | A taxi to the {0} at {1}. / Send a cab at {1} to the {0}. / I need a taxi at the {0}, {1}.
find_restaurant restaurants eat_in | Finds places to eat | city/place/where:city | Where can I eat in {0}? / Good food in {0}? / I am hungry in {0}. / A restaurant in {0}, please.
find_museum museums sights | Lists the sights of a city | city/town/place:city | What can I see in {0}? / Which sights does {0} have? / Show me the museums of {0}.
city_population inhabitants population | Tells how many people live in a city | city/town/place:city | How many people live in {0}? / How big is {0}? / What is the population of {0}?
find_doctor doctor get_doctor | Finds a doctor | city/place/near:city | I am ill and in {0}. / Is there a doctor in {0}? / Find a doctor near {0}.
buy_ticket ticket get_ticket | Buys tickets for an event | event/show/what:event count/number/tickets:int | {1} tickets for {0}. / I want {1} tickets to {0}. / Get {1} seats for {0}.
add_to_list shopping_list put_on_list | Puts a thing on the shopping list | item/thing/what:item | Put {0} on the list. / We are out of {0}. / Remember to get {0}. / The list needs {0}.
remove_from_list cross_off list_remove | Takes a thing off the shopping list | item/thing/what:item | Take {0} off the list. / I have {0} already. / Cross off {0}.
get_price price how_much | Tells the price of a thing | item/article/product:item | What does {0} cost? / How expensive is {0}? / Price of {0}? / How much is {0}?
sell_item sell offer | Offers a thing for sale | item/thing/article:item price/amount/value:int | Sell {0} for {1}. / Offer {0} at {1}. / I want {1} for my {0}.
return_item send_back refund | Returns a thing to the shop | item/article/thing:item code/order/number:code | I want to return {0} from order {1}. / {0} is broken, the order was {1}. / Send {0} back, order {1}.
pay_bill settle pay_invoice | Pays a bill | code/number/bill:code amount/sum/value:int | Pay {1} for the bill {0}. / The bill {0} is {1}, pay it. / Settle {0} with {1}.
get_balance balance account | Tells how much is on an account | code/account/number:code | How much is on {0}? / Balance of {0}? / What is left on the account {0}?
block_card stop_card card_lost | Blocks a bank card | code/card/number:code | I lost the card {0}. / Block {0}. / My card {0} was stolen.
change_password set_password password | Changes the password of a user | user/email/login:email password/new/secret:code | Set the password of {0} to {1}. / {0} gets the password {1}. / New password for {0}: {1}
create_user add_user sign_up | Makes an account for a person | name/user/person:name email/mail/login:email | Make an account for {0} with {1}. / {0} wants to join, the mail is {1}. / Sign up {0}, {1}.
delete_user remove_user close_account | Removes an account | email/user/login:email | Remove the user {0}. / {0} has left, close the account. / Delete the account {0}.
restart_server reboot restart | Restarts a computer | server/name/host:file | Restart {0}. / Reboot {0}. / {0} hangs, start it again.
show_log logs read_log | Shows the last lines of a log | file/log/name:file lines/count/number:int | Show {1} lines of {0}. / The last {1} lines of {0}, please. / What do the last {1} lines of {0} say?
take_photo photo camera snapshot | Takes a picture in a room | room/place/where:room | Take a picture of the {0}. / What does the {0} look like? / A photo of the {0}, please.
open_window window open_blinds | Opens the window of a room | room/place/where:room | Open the window in the {0}. / Let some air into the {0}. / It is stuffy in the {0}.
set_volume volume loudness | Sets how loud it is | level/value/percent:int | Set the volume to {0}. / Make it {0} loud. / Volume {0}, please.
play_radio radio tune | Plays the radio of a city | city/station/place:city | Radio {0}, please. / Put on the radio from {0}. / I want to hear the station of {0}.
paint_wall paint color_wall | Paints a room | room/place/wall:room color/colour/paint:color | Paint the {0} {1}. / The {0} should become {1}. / {1} walls for the {0}.
mix_paint mix_color blend_colors | Mixes two colors | first/a/one:color second/b/two:color | Mix {0} with {1}. / What do {0} and {1} give? / Blend {0} and {1}.
define_word dictionary meaning | Explains a word | word/term/what:item | What does {0} mean? / Define {0}. / Explain the word {0}.
get_recipe recipe cook | Finds a recipe | dish/food/what:item people/persons/servings:int | How do I cook {0} for {1}? / A recipe of {0} for {1} people. / {1} of us want {0} for dinner.
log_food eat track_food | Writes down what was eaten | food/what/meal:item grams/amount/weight:int | I ate {1} grams of {0}. / Log {1} g of {0}. / {0}, {1} grams, for my diary.
log_run run track_run workout | Writes down a run | kilometres/distance/length:int minutes/time/duration:int | I ran {0} kilometres in {1} minutes. / {0} km, {1} minutes today. / Log a run of {0} km in {1} min.
hire_person add_employee employ | Adds a person to the staff | name/person/employee:name date/start/from:date | {0} starts on {1}. / We hire {0} from {1}. / Add {0} to the staff on {1}.
give_raise raise pay_rise | Raises the pay of a person | name/employee/person:name amount/euros/value:int | Give {0} {1} euros more. / {0} earned a raise of {1}. / Raise the pay of {0} by {1}.
take_leave day_off vacation | Books days off for a person | name/person/employee:name date/day/when:date | {0} is off on {1}. / A free day for {0} on {1}. / {0} takes a holiday on {1}.
assign_task give_task assign | Gives a task to a person | task/what/job:task name/person/to:name | Ask {1} to {0}. / {1} should {0}. / The job of {1} is to {0}.
finish_task done check_off | Marks a task as done | task/what/job:task | I did {0}. / Done: {0}. / Check off {0}. / No need to {0} any more.
get_news news headlines | Shows the news about a topic | topic/about/what:item language/lang/in:language | News about {0} in {1}. / What is new on {0}? In {1}, please. / {1} headlines on {0}.
detect_language which_language guess_language | Tells the language of a text | text/input/words:phrase | Which language is this: {0} / What language: {0} / Is this German: {0}
read_aloud say speak | Says a text aloud | text/what/words:phrase language/lang/voice:language | Say in {1}: {0} / Read aloud in {1}: {0} / Speak {1}: {0}
moon_phase moon get_moon | Tells how the moon looks on a day | date/day/when:date | How is the moon on {0}? / Full moon on {0}? / What does the moon look like on {0}?
week_day day_of_week weekday | Tells the day of the week | date/day/when:date | What day is {0}? / Is {0} a Sunday? / Which weekday is {0}?
days_until count_days days_left | Counts the days until a date | date/day/until:date | How many days until {0}? / How long is it till {0}? / Days left to {0}?
visa_rules visa entry_rules | Tells whether a visa is needed | city/destination/to:city language/nationality/passport:language | Do I need a visa for {0} with a {1} passport? / I am {1} and travel to {0}. / Entry to {0} for {1} people?
park_car parking find_parking | Finds a place to park | city/place/where:city hours/duration/time:int | Where can I park in {0} for {1} hours? / Parking in {0}, {1} hours. / I leave the car in {0} for {1} hours.
air_quality smog air | Tells how clean the air is | city/place/where:city | Is the air clean in {0}? / How bad is the smog in {0}? / Can I breathe in {0}?
bus_times bus next_bus | Tells when the next bus goes | from/stop/place:city time/after/at:time | When does a bus leave {0} after {1}? / Next bus from {0}, it is {1} now. / Buses in {0} from {1} on?
donate give_money charity | Gives money to a cause | cause/to/what:item amount/sum/euros:int | Donate {1} to {0}. / {1} euros for {0}, a gift. / I give {1} to {0}.
"""


def _family(line: str):
    names, description, arguments, requests = (part.strip() for part in line.split(" | "))
    return names, description, tuple(arguments.split()), tuple(r.strip() for r in requests.split(" / "))


MORE_FAMILIES = tuple(_family(line) for line in TEXT.strip().splitlines())
