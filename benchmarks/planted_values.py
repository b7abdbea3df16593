"""Open values as models write them: for each attribute, the spellings of each of its values, one value a line.

Values that are alike and yet others stand beside each other on purpose: opposites, versions, members of one family. The
second half of the attributes had no part in the choice of the limits.
"""

from dataclasses import dataclass

_TOPICS = """
refund request | Refund | refunds | asking for a refund | refund_request | Requests a refund
return an item | item return | product return | returning a product
exchange an item | product exchange | swap item
late delivery | delayed delivery | Delivery delay | late deliveries | shipping delay
missing parcel | lost package | Lost parcel | package lost
damaged item | Damaged product | broken item | item arrived damaged
cancel order | order cancellation | Cancelling an order | cancel an order
change order | order modification | modify order
change shipping address | address change | update delivery address | shipping address change
login problem | Login issue | log-in problem | login issues | cannot log in
password reset | reset password | Resetting a password | forgot password
account deletion | delete account | deleting an account
account creation | create account | sign up | creating an account
billing dispute | disputed charge | Dispute a charge | charge dispute
double charge | charged twice | duplicate charge
discount code | promo code | coupon code | Discount codes
gift card | Gift cards | giftcard
loyalty points | reward points | rewards points
warranty claim | Warranty claims | warranty
technical support | tech support | Technical Support
"""
_SENTIMENTS = """
satisfied | Satisfied | satisfied customer
dissatisfied | Dissatisfied | unsatisfied | not satisfied
positive | Positive | positive sentiment
negative | Negative | negative sentiment
neutral | Neutral
angry | Angry | anger | very angry
frustrated | frustration | Frustrated
happy | happiness | Happy
unhappy | not happy | Unhappy
confused | confusion | Confused
grateful | thankful | Grateful
worried | anxious | concerned | Worried
impatient | Impatient | impatience
polite | Polite
impolite | rude | Impolite
"""
_LANGUAGES = """
Python | python | python3 | Python 3
JavaScript | javascript | Javascript | java script
Java | java
TypeScript | typescript
C++ | c++ | C ++
C# | c# | C sharp
C | c
Go | golang | Go language
Rust | rust
Ruby | ruby
SQL | sql | SQL query
Bash | bash | bash script | Bash scripting
HTML | html
CSS | css
R | r
Kotlin | kotlin
Swift | swift
PHP | php
"""
_PRODUCTS = """
iPhone 12 | iphone 12 | Apple iPhone 12
iPhone 13 | iphone 13 | Apple iPhone 13
iPhone 13 Pro | iphone 13 pro
Galaxy S21 | Samsung Galaxy S21 | galaxy s21
MacBook Air | macbook air | Macbook Air
MacBook Pro | macbook pro | Macbook Pro
wireless headphones | Wireless headphone | wireless headphones
wired headphones | Wired headphones
wireless earbuds | wireless ear buds
bluetooth speaker | Bluetooth speakers | bluetooth loudspeaker
smart watch | smartwatch | Smart Watch | smartwatches
fitness tracker | fitness trackers | Fitness tracker
coffee machine | coffee maker | Coffee Machine
espresso machine | espresso maker
toaster | Toaster
electric kettle | Kettle, electric | electric kettles
desk lamp | Desk Lamp | desk lamps
floor lamp | floor lamps
office chair | Office Chair | desk chair
running shoes | Running shoe | running sneakers
hiking boots | Hiking boot | hiking boots
water bottle | Water Bottle | water bottles
"""
_INTENTS = """
book a flight | flight booking | Book flight | booking a flight
change a flight | flight change | Change flight | rebook a flight
cancel a flight | flight cancellation | Cancel flight | cancel flight booking
flight status | Flight Status | check flight status | status of a flight
book a hotel | hotel booking | Hotel reservation | book hotel | reserve a hotel
cancel a hotel | hotel cancellation | cancel hotel booking
rent a car | car rental | Car rentals | renting a car
baggage allowance | luggage allowance | Baggage Allowance
lost baggage | lost luggage | Lost Baggage | missing luggage
add baggage | add luggage | extra baggage
seat selection | choose a seat | Seat selection | select a seat
seat upgrade | upgrade a seat | upgrade seat
meal request | special meal | meal preference
visa requirements | visa information | Visa requirement
travel insurance | Travel Insurance | insurance for travel
check in | check-in | Check-in online | online check-in
increase credit limit | credit limit increase | Increase of credit limit | raise credit limit
decrease credit limit | credit limit decrease | lower credit limit
open account | account opening | opening an account
close account | account closing | account closure | closing an account
transfer money | money transfer | Money transfers
exchange rate | exchange rates | Exchange Rate
block card | card blocking | block a card
unblock card | card unblocking | unblock a card
report stolen card | stolen card | card stolen
order new card | new card | request a new card
"""
_OUTCOMES = """
resolved | Resolved | issue resolved | problem resolved
unresolved | Unresolved | not resolved | issue not resolved
escalated | Escalated | escalated to human | escalation to a human agent
abandoned | user abandoned | abandoned by the user
partially resolved | partly resolved | Partially Resolved
successful | success | Successful
unsuccessful | failure | failed | not successful
approved | Approved | request approved
rejected | denied | Denied | request rejected | declined
pending | Pending | waiting
completed | Completed | complete
incomplete | Incomplete | not completed
"""
_CITIES = """
New York | new york | New York City | NYC
Newark | newark
San Francisco | san francisco | SF | San Francisco, CA
San Diego | san diego
San Jose | san jose
Los Angeles | los angeles | LA
Las Vegas | las vegas | Vegas
Paris | paris | Paris, France
London | london | London, UK
Berlin | berlin
Munich | munich | München
Vienna | vienna | Wien
Tokyo | tokyo
Kyoto | kyoto
Sydney | sydney
Melbourne | melbourne
"""
_CAUSES = """
timeout | time-out | Timeout error | request timed out | time out
connection refused | connection refused error | Connection refused
connection lost | lost connection | connection dropped
out of memory | Out of memory error | memory exhausted | OOM
disk full | no disk space | disk space full
permission denied | access denied | no permission | Permission denied error
file not found | missing file | File not found error | file missing
invalid input | bad input | Invalid input error
missing input | Missing input | no input
wrong password | incorrect password | invalid password
expired token | token expired | expired access token
missing token | no token | token missing
syntax error | Syntax errors | syntax problem
type error | TypeError | type errors
rate limit | rate limited | Rate limit exceeded | rate limiting
server error | Internal server error | server failure
client error | client-side error
network error | network problem | Network issue | network failure
hallucination | hallucinated answer | hallucinations
wrong tool | wrong tool called | called the wrong tool | incorrect tool
wrong arguments | incorrect arguments | wrong tool arguments
loop | infinite loop | stuck in a loop | endless loop
HTTP 404 | 404 error | 404
HTTP 500 | 500 error | 500
"""


@dataclass(frozen=True, slots=True)
class Open:
    """`values`: the spellings of each value."""

    name: str
    values: tuple[tuple[str, ...], ...]
    held_out: bool


def _read(name: str, text: str, held_out: bool) -> Open:
    lines = [line for line in text.splitlines() if line.strip()]
    return Open(name, tuple(tuple(part.strip() for part in line.split("|")) for line in lines), held_out)


ATTRIBUTES = (
    _read("topic", _TOPICS, False),
    _read("sentiment", _SENTIMENTS, False),
    _read("programming_language", _LANGUAGES, False),
    _read("product", _PRODUCTS, False),
    _read("intent", _INTENTS, True),
    _read("outcome", _OUTCOMES, True),
    _read("city", _CITIES, True),
    _read("cause", _CAUSES, True),
)
