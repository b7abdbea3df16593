"""What the made-up conversations of `planted.py` are about: requests and answers by topic, written for this."""

TOPICS: dict[str, tuple[tuple[str, str], ...]] = {
    "flights": (
        ("I have to move my flight from Lisbon to the morning.", "The 7:40 flight has seats left. Shall I book it?"),
        ("How many bags can I take on the plane to Oslo?", "One cabin bag and one suitcase of 23 kg are included."),
        ("My connection in Madrid was cancelled.", "You are rebooked on the evening flight, gate B12."),
        ("Can you book two seats next to each other to Rome?", "Seats 14A and 14B are now yours."),
    ),
    "bank": (
        ("My card was declined at the supermarket today.", "The daily limit was reached. It is raised now."),
        ("Please send 300 euros to my landlord.", "The transfer is on its way and arrives tomorrow."),
        ("There is a payment on my statement that I do not know.", "It is from a parking garage near your office."),
        ("What is the interest rate on a savings account?", "At the moment it is 2.1 percent a year."),
    ),
    "kitchen": (
        ("What can I cook with leeks and potatoes?", "A soup: soften the leeks, add potatoes and stock, blend."),
        ("My bread does not rise, what am I doing wrong?", "The water was too hot for the yeast. Use lukewarm water."),
        ("How long does a whole chicken need in the oven?", "About 80 minutes at 190 degrees."),
        ("Give me a vegetarian menu for six guests.", "Start with a beetroot salad, then mushroom risotto."),
    ),
    "code": (
        ("My loop over the list skips every second element.", "You remove items while iterating. Use a copy."),
        ("Write a query that counts orders by month.", "SELECT month, COUNT(*) FROM orders GROUP BY month;"),
        ("The build fails with a missing header file.", "Install the development package of the library."),
        ("How do I parse a date in JavaScript?", "Use the Date constructor with an ISO string."),
    ),
    "phone": (
        ("The internet is down since the storm.", "There is an outage in your street. It is being repaired."),
        ("I would like to keep my number with the new contract.", "That works: you get a form by mail."),
        ("The router blinks red all the time.", "Please pull the plug, wait ten seconds and plug it in again."),
        ("How much data is left in my plan?", "You have used 8 of 20 gigabytes."),
    ),
    "shop": (
        ("The blue jacket arrived in the wrong size.", "A new one in size M is on its way to you."),
        ("Where is my parcel with the order 4711?", "It was handed to the courier this morning."),
        ("Do you have this lamp in brass?", "Yes, in brass and in black steel."),
        ("I want to change the address of my delivery.", "The parcel now goes to the new address."),
    ),
    "health": (
        ("I need an appointment with an eye doctor.", "Dr. Lund has time on Thursday at ten."),
        ("Which shots do I need before going to Kenya?", "Yellow fever and hepatitis A are advised."),
        ("My insurance card has an old name on it.", "A card with the new name is being printed."),
        ("How often should I take these tablets?", "One in the morning and one in the evening, with food."),
    ),
    "school": (
        ("Help me to understand fractions.", "A fraction is a part of a whole: 3/4 are three of four parts."),
        ("Write an outline for an essay on the Silk Road.", "Begin with its routes, then trade, then its end."),
        ("When does the enrolment for the summer course end?", "It ends on the last day of May."),
        ("What does the word ubiquitous mean?", "It means that something is found everywhere."),
    ),
}
