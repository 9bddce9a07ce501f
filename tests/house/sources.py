"""The source files as syntax trees, for rules that no linter has."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SRC = ROOT / "src"
ROOMS = (
    "analytics",
    "reviews",
    "dispatch",
    "quality",
    "callbacks",
    "annotator_models",
    "imports",
    "tasks",
    "batches",
    "files",
    "projects",
    "teams",
    "aggregation",
)


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found: dict[str, Path] = {}
    for path in sorted((SRC / "refonte_studio").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(name: str) -> Iterator[str]:
    """What a module imports, as dotted names; of `from a import b`, `a.b` where that is a module of ours."""
    for node in ast.walk(tree(modules()[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules() else node.module
