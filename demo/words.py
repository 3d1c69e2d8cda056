"""The words demo products are made of. Our own: nothing is taken from a real shop."""

from typing import Final

ADJECTIVES: Final = (
    "Amber", "Birch", "Bright", "Calm", "Classic", "Coastal", "Compact", "Copper", "Cosy", "Crisp",
    "Dusky", "Everyday", "Fine", "Folding", "Gentle", "Heavy", "Hollow", "Light", "Linen", "Little",
    "Marble", "Misty", "Mossy", "Narrow", "Northern", "Oak", "Plain", "Quiet", "Rough", "Rustic",
    "Silver", "Slim", "Smooth", "Soft", "Solid", "Sunny", "Tall", "Velvet", "Walnut", "Woollen",
)  # fmt: skip
CATALOG: Final = {
    "kitchen": ("Bowl", "Carafe", "Cutting Board", "Jug", "Kettle", "Mug", "Pan", "Plate"),
    "lighting": ("Candle", "Desk Lamp", "Floor Lamp", "Lantern", "Night Light", "Pendant"),
    "textiles": ("Apron", "Blanket", "Cushion", "Curtain", "Rug", "Tablecloth", "Towel"),
    "garden": ("Bench", "Bird Bath", "Planter", "Rake", "Trellis", "Watering Can"),
    "office": ("Chair", "Inkwell", "Letter Tray", "Notebook", "Pen Stand", "Shelf"),
    "travel": ("Backpack", "Bottle", "Duffel", "Money Belt", "Passport Case", "Umbrella"),
}  # fmt: skip
TREE: Final = (
    ("home", "Home", None), ("kitchen", "Kitchen", "home"), ("lighting", "Lighting", "home"),
    ("textiles", "Textiles", "home"), ("outdoors", "Outdoors", None),
    ("garden", "Garden", "outdoors"), ("travel", "Travel", "outdoors"), ("work", "Work", None),
    ("office", "Office", "work"),
)  # fmt: skip
"""Slug, name and parent of each category, parents first."""
BRANDS: Final = ("Aldershaw", "Brackmoor", "Cindervale", "Dovetail & Son", "Eastlight", "Fennick")
TAGS: Final = ("bestseller", "gift", "handmade", "new", "recycled", "sale", "small-space")
SENTENCES: Final = (
    "Made to be used every day and to look better for it.",
    "Light enough to move around, heavy enough to stay put.",
    "The kind of thing that guests ask about.",
    "Wipes clean with a damp cloth.",
    "Comes ready to use, without tools or glue.",
    "Packed in paper, without a gram of plastic.",
)
FIRST_NAMES: Final = (
    "ada", "ben", "cleo", "dara", "eli", "fay", "gus", "hana", "ivo", "jun", "kim", "lou", "mia",
    "noa", "ola", "pia", "quin", "ravi", "sol", "tess", "uma", "vic", "wren", "xan", "yara", "zeb",
)  # fmt: skip
