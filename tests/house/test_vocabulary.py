"""The vocabulary is that of the code: what it names exists, and a name means one thing."""

import ast
import re
from collections import defaultdict

from refonte_studio.db.schema import metadata
from tests.house.sources import ROOT, modules, tree
from tests.reference.architecture import layers

PAGE = (ROOT / "docs/development/vocabulary.md").read_text()
WORDS, UNUSED = re.split(r"^## Words that are not used$", PAGE, flags=re.MULTILINE)
ROWS = re.findall(r"^\| (?!word |---)(.+?) \| .+ \|(.*)\|$", WORDS, re.MULTILINE)
NAMES = re.findall(r"`(\w+)`", " ".join(names for _, names in ROWS))
ROOMS = {room for rooms in layers() for room in rooms}
TABLES = set(metadata.tables)


def _names() -> dict[str, list[str]]:
    """Public classes, and types that have a name, with the modules that define them."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, path in modules().items():
        for node in tree(path).body:
            names = [node.name] if isinstance(node, ast.ClassDef) else []
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            for name in names:
                if re.match(r"[A-Z]\w*[a-z]", name):
                    found[name].append(module.removeprefix("refonte_studio."))
    return found


def _classes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for module, path in modules().items():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module.removeprefix("refonte_studio."))
    return found


def test_what_the_vocabulary_names_exists():
    assert set(NAMES) - ROOMS - TABLES - set(_names()) == set()


def test_every_table_and_room_has_its_word():
    assert (ROOMS | TABLES) - set(NAMES) == set()


def test_a_word_stands_there_once():
    words = [word for row, _ in ROWS for word in row.split(", ")]
    assert sorted(set(words)) == sorted(words)


def test_no_two_classes_share_a_name():
    assert {name: places for name, places in _classes().items() if len(places) > 1} == {}


def test_words_that_were_replaced_name_nothing():
    unused = set(re.findall(r"^\| `(\w+)` \|", UNUSED, re.MULTILINE))
    parts = {part for module in modules() for part in module.split(".")}
    assert unused & (parts | TABLES | set(_classes())) == set()
