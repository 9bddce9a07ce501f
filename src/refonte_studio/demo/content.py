"""The texts that the demo's team labels, with their correct labels."""

# A support ticket and its category.
TICKETS = (
    ("I was charged twice for October. Please refund one of the payments.", "billing"),
    ("The export button does nothing since yesterday's update.", "bug"),
    ("It would be great if I could sort the table by date.", "wish"),
    ("Just wanted to say that your team is wonderful!", "praise"),
    ("My invoice shows the wrong VAT number.", "billing"),
    ("After I log in, the page stays white.", "bug"),
    ("Could you add a dark theme?", "wish"),
    ("How do I change the card that you charge?", "billing"),
    ("The phone app closes when I rotate the screen.", "bug"),
    ("Thank you for the quick help on Monday.", "praise"),
    ("Please let us invite people from a spreadsheet.", "wish"),
    ("The yearly plan was renewed although I had cancelled it.", "billing"),
    ("Search finds nothing when the name has an accent.", "bug"),
    ("We would like single sign-on with our own accounts.", "wish"),
    ("The new charts are beautiful, our whole office loves them.", "praise"),
    ("Why is the price on the receipt higher than on the site?", "billing"),
    ("Notifications arrive three times.", "bug"),
    ("Keyboard shortcuts would save us hours.", "wish"),
    ("The invoice of September is missing from my account.", "billing"),
    ("Since this morning, uploads stop at 99 percent.", "bug"),
    ("Please add a reminder before a subscription ends.", "wish"),
    ("Your support on the weekend saved our launch. Thank you!", "praise"),
    ("You charged me in dollars, but my contract says euros.", "billing"),
    ("The map shows our shop in the wrong street.", "bug"),
    ("Could the report be sent to several people at once?", "wish"),
    ("The discount code was accepted, yet I paid the full price.", "billing"),
    ("Dragging a file into the window opens it in the browser instead.", "bug"),
    ("I enjoy working with this every single day.", "praise"),
    ("A button to copy the last order would help us.", "wish"),
    ("I need a receipt with our company's address on it.", "billing"),
    ("The page for settings answers with an error 500.", "bug"),
    ("Please offer the app in Portuguese.", "wish"),
    ("The refund that you promised has not arrived yet.", "billing"),
    ("Undo takes back two steps instead of one.", "bug"),
    ("The new editor is the best that I have used.", "praise"),
    ("Let us hide columns that we never use.", "wish"),
)
CATEGORIES = ("billing", "bug", "wish", "praise")

# Ambiguous tickets: each labeler's answer, and the reviewer's decision.
DOUBTFUL_TICKETS = (
    (
        "Lovely new checkout! But my card is refused. Will you add PayPal, or is it broken?",
        {"ben": "bug", "dee": "billing", "gus": "praise", "ida": "wish"},
        "bug",
    ),
    (
        "Great update! If it only remembered my discount when I log in again.",
        {"ben": "wish", "dee": "bug", "gus": "praise", "ida": "billing"},
        "wish",
    ),
    (
        "I like the new price list, though on a phone the prices run into each other.",
        {"ben": "bug", "dee": "praise", "gus": "billing", "ida": "wish"},
        "bug",
    ),
)

# Tickets with known categories, for training and evaluation.
KNOWN_TICKETS = (
    ("Where can I download last month's invoice?", "billing"),
    ("The report shows last year's numbers under this year's heading.", "bug"),
    ("Please make the font larger, or let me choose it.", "wish"),
    ("Your last newsletter made our whole team smile.", "praise"),
    ("The receipt lists three seats, but we booked two.", "billing"),
    ("The timer keeps running after I press stop.", "bug"),
    ("Could you show the totals at the top of the page?", "wish"),
    ("I was billed on the first instead of the fifteenth.", "billing"),
)
TRAINING_TICKETS = 2  # the first ones are for training, the others for evaluation

# Mistakes of a hasty reader in some evaluation tickets.
MISREAD_TICKETS = {
    "The receipt lists three seats, but we booked two.": {"gus": "bug"},
    "Could you show the totals at the top of the page?": {"gus": "bug"},
    "Your last newsletter made our whole team smile.": {"gus": "wish"},
}

# A sentence of news with its names and their labels.
NEWS = (
    ("Ada Marsh opened the new library in Turin on Friday.", {"Ada Marsh": "person", "Turin": "place"}),
    ("Northwind Ferries will sail to Oslo again from May.", {"Northwind Ferries": "company", "Oslo": "place"}),
    ("In Porto, Rui Alves won the river race for a third time.", {"Porto": "place", "Rui Alves": "person"}),
    ("Helio Foods moves its bakery from Lyon to Ghent.", {"Helio Foods": "company", "Lyon": "place", "Ghent": "place"}),
    ("Mayor Ines Roth thanked the firefighters of Graz.", {"Ines Roth": "person", "Graz": "place"}),
    ("Blue Kite Games hired Sam Idowu as its new director.", {"Blue Kite Games": "company", "Sam Idowu": "person"}),
    ("The orchestra of Leeds will tour Japan in autumn.", {"Leeds": "place", "Japan": "place"}),
    ("Orla Quinn sold her shares of Harbour Steel.", {"Orla Quinn": "person", "Harbour Steel": "company"}),
    ("Tall Pine Radio begins to broadcast from Bergen.", {"Tall Pine Radio": "company", "Bergen": "place"}),
    ("The painter Noor Haddad shows her work in Ghent.", {"Noor Haddad": "person", "Ghent": "place"}),
    ("Lars Winther swims across the lake of Geneva.", {"Lars Winther": "person", "Geneva": "place"}),
    ("Quiet Motors builds its buses in Brno.", {"Quiet Motors": "company", "Brno": "place"}),
)
NAMES = ("person", "place", "company")

# Two product titles, and whether they mean the same product.
PAIRS = (
    ("Kettle, steel, 1.7 l", "1.7 litre electric kettle (stainless steel)", "yes"),
    ("Desk lamp, black", "Floor lamp, black, 150 cm", "no"),
    ("Garden hose 20 m", "Garden hose, 65 feet", "yes"),
    ("Notebook A5, lined", "Notebook A5, squared", "no"),
    ("Wool blanket 140 x 200", "Blanket, wool blend", "cannot tell"),
)
SAME = ("yes", "no", "cannot tell")
