"""How the sources are laid out and written. What the layers are, import-linter checks (pyproject.toml)."""

import ast
import re
from collections.abc import Iterable
from fnmatch import fnmatch

import pytest

from tests.house.sources import ROOMS, ROOT, SRC, imports, modules, tree

FUNCTION_LINES = 40
NESTING = 3

# What only a few places may know, so that it can be changed in a few places.
KNOWN_ONLY_TO = {
    "starlette": ("web.*", "main", "demo.api"),
    "refonte_studio.web": (
        "web",
        "web.*",
        "*.routes",
        "*.routes.*",
        "api_reference.*",
        "main",
        "server.background",
        "cli.bulk",
    ),
    "uvicorn": ("server.process", "server.protocol"),
    "uvloop": ("server.process",),
    "httpx": ("callbacks.service.delivery", "files.service.download", "files.service.outbound", "demo.api"),
    "asyncpg": ("db.postgres", "db.version"),
    "sqlite3": ("db.sqlite", "db.sqlite_file", "db.version", "cli.base"),
    "sqlalchemy": ("db.schema", "db.transfer", "db.migrate", "db.migrations.*"),
    "alembic": ("db.migrate", "db.migrations.*"),
    "argon2": ("teams.service.passwords",),
    "smtplib": ("teams.service.mail",),
    "numpy": ("consensus.*", "task_types.parts.*", "analytics.policy.pace", "analytics.policy.simulation"),
    "scipy": ("consensus.*",),
    "rapidfuzz": ("consensus.*",),
    "typer": ("cli.*",),
    "rich": ("cli.*",),
    "subprocess": ("db.version", "server.supervisor"),
}


def listed(found: Iterable[object]) -> str:
    return "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize("package", KNOWN_ONLY_TO)
def test_a_library_is_known_only_to_those_who_need_it(package: str):
    strangers = [
        name
        for name in modules()
        if any(found == package or found.startswith(f"{package}.") for found in imports(name))
        and not any(fnmatch(name.removeprefix("refonte_studio."), place) for place in KNOWN_ONLY_TO[package])
    ]
    assert not strangers, listed(strangers)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_others_its_service_and_its_model(room: str):
    shown = re.compile(rf"refonte_studio\.{room}\.(service|model)\b")
    trespasses = [
        (name, found)
        for name in modules()
        if name.split(".")[1:2] != [room] and name.split(".")[1:2] in [[other] for other in ROOMS]
        for found in imports(name)
        if found.startswith(f"refonte_studio.{room}.") and not shown.match(found)
    ]
    assert not trespasses, listed(trespasses)


def test_nobody_but_the_room_itself_knows_its_store():
    trespasses = [
        (name, found)
        for name in modules()
        for found in imports(name)
        if re.match(r"refonte_studio\.\w+\.store\b", found) and found.split(".")[1] != name.split(".")[1]
    ]
    assert not trespasses, listed(trespasses)


def test_a_service_reaches_sql_through_its_store():
    """SQL stands in stores, in db, and nowhere else."""
    sql = re.compile(
        r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b[\s\S]*\b(FROM|VALUES|SET|SELECT)\b", re.MULTILINE
    )
    found = [
        (name, text[:60])
        for name in modules()
        if not re.search(r"\.store(\.\w+)?$|^refonte_studio\.(db|invariants\.rules)\b", name)
        for text in _texts(tree(modules()[name]))
        if sql.match(text)
    ]
    assert not found, listed(found)


def _texts(module: ast.Module) -> list[str]:
    return [node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize(
    ("never", "but_in"),
    [
        (r"SELECT \*", ""),
        (r"\bcommit\(|\bCOMMIT\b", r"^refonte_studio\.db\b"),
        (r"\bdatetime\.(now|utcnow|today)\(|\btime\.(time|time_ns)\(|\bdate\.today\(", r"^refonte_studio\.kit\.clock$"),
        # these hand it on, or answer with it
        (r"\bexcept (Base)?Exception\b|\bexcept:", r"\.db\.sqlite$|\.teams\.service\.mail$|\.web\.app$"),
        (r"type: ignore|pyright: ignore", ""),
        (
            r"\.is_(global|private|reserved)\b",
            "",
        ),  # Python's lists differ from release to release: kit.networks has ours
        (r"\b(TODO|FIXME|XXX)\b|\bfor now\b", ""),
        # the parameter of that name in the lists of batches and tasks; each has a bound or is short
        (r"\bOFFSET\b", r"^refonte_studio\.(batches\.store\.batches|tasks\.store\.lists)$"),
    ],
)
def test_some_things_are_not_written(never: str, but_in: str):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for name, path in modules().items()
        if not (but_in and re.search(but_in, name))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(never, line)
    ]
    assert not found, listed(found)


def test_functions_are_short_and_flat():
    long, deep = [], []
    for name, path in modules().items():
        if name.startswith("refonte_studio.db.migrations.versions."):
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = _lines_of_code(node)
            if lines > FUNCTION_LINES:
                long.append(f"{name}.{node.name}: {lines} lines")
            if (depth := _depth(node)) > NESTING:
                deep.append(f"{name}.{node.name}: {depth} deep")
    assert not long + deep, listed(long + deep)


def _lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Of what it does: without its parameters and its docstring."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = function.body[1:] if is_docstring else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _depth(node: ast.AST) -> int:
    """How deep choices, loops and `try` stand in each other; `elif` is no deeper than its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        block = isinstance(child, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Match | ast.Try)
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and [child] == node.orelse
        deepest = max(deepest, _depth(child) + (1 if block and not is_elif else 0))
    return deepest


def test_every_module_says_what_it_is():
    silent = [
        name for name, path in modules().items() if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert not silent, listed(silent)


def test_nothing_speaks_of_the_machine_it_was_written_on():
    own = re.compile(r"/(work/(main|shared)|farm|root)/|/tmp/[a-z]")
    kinds = ("*.py", "*.md", "*.toml", "*.txt", "*.html", "*.json")
    folders = (SRC, ROOT / "docs", ROOT / "examples", ROOT / "bench", ROOT / "script")
    files = [path for folder in folders for kind in kinds for path in folder.rglob(kind)] + list(ROOT.glob("*.*"))
    found = [str(path.relative_to(ROOT)) for path in files if path.is_file() and own.search(path.read_text())]
    assert not found, listed(found)
