"""What the demo's team works on: texts, and what is right about each."""

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
)
CATEGORIES = ("billing", "bug", "wish", "praise")

# Known beforehand, for training and evaluation.
KNOWN_TICKETS = (
    ("Where can I download last month's invoice?", "billing"),
    ("The report shows last year's numbers under this year's heading.", "bug"),
    ("Please make the font larger, or let me choose it.", "wish"),
)

# A sentence of news and the names in it, with their labels.
NEWS = (
    ("Ada Marsh opened the new library in Turin on Friday.", {"Ada Marsh": "person", "Turin": "place"}),
    ("Northwind Ferries will sail to Oslo again from May.", {"Northwind Ferries": "company", "Oslo": "place"}),
    ("In Porto, Rui Alves won the river race for a third time.", {"Porto": "place", "Rui Alves": "person"}),
    ("Helio Foods moves its bakery from Lyon to Ghent.", {"Helio Foods": "company", "Lyon": "place", "Ghent": "place"}),
    ("Mayor Ines Roth thanked the firefighters of Graz.", {"Ines Roth": "person", "Graz": "place"}),
    ("Blue Kite Games hired Sam Idowu as its new director.", {"Blue Kite Games": "company", "Sam Idowu": "person"}),
    ("The orchestra of Leeds will tour Japan in autumn.", {"Leeds": "place", "Japan": "place"}),
    ("Orla Quinn sold her shares of Harbour Steel.", {"Orla Quinn": "person", "Harbour Steel": "company"}),
)
NAMES = ("person", "place", "company")

# A pair of product titles, and whether they mean the same product.
PAIRS = (
    ("Kettle, steel, 1.7 l", "1.7 litre electric kettle (stainless steel)", "yes"),
    ("Desk lamp, black", "Floor lamp, black, 150 cm", "no"),
    ("Garden hose 20 m", "Garden hose, 65 feet", "yes"),
    ("Notebook A5, lined", "Notebook A5, squared", "no"),
    ("Wool blanket 140 x 200", "Blanket, wool blend", "cannot tell"),
)
SAME = ("yes", "no", "cannot tell")
