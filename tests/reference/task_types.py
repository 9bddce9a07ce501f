"""The page about task types: parameters, the shape of responses, and how positions are counted."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from refonte_studio.task_types import (
    ALIASES,
    COMMON_PARAMETERS,
    MAX_ANNOTATIONS,
    MAX_CHARACTERS,
    MAX_FRAMES,
    MAX_RUNS,
    MAX_VALUES,
    MAX_VERTICES,
    TYPES,
    Parameter,
    TaskType,
)
from tests.reference.markdown import json_block, table

INTRO = """\
# Task types

A task takes the parameters that every task takes, and those of its type; any other parameter is refused. Parameters of
the project apply unless the task gives its own. [`openapi.json`](../../openapi.json) has the same as JSON Schema, under
`Task_<type>` and `Response_<type>`.

## Positions

"""

# How positions are counted: what, in which unit, from where, and what else there is to know.
POSITIONS = (
    (
        "images",
        "pixels, fractions allowed",
        "0, 0 at the top left",
        "Pixels of the image as it is displayed: after the orientation in its EXIF data is applied. `x` and `left` "
        "grow to the right, `y` and `top` downwards. The server does not decode images; it checks shapes against the "
        "`image_size` that the task gives",
    ),
    ("rotations", "degrees", "0", "Around the middle of the shape, from −360 to 360"),
    (
        "masks",
        "runs of pixels (COCO run-length encoding)",
        "the background",
        "Column by column, background and foreground in turn; `size` is `[height, width]`; `counts` is a list, or "
        "COCO's compressed text",
    ),
    (
        "texts",
        "Unicode code points",
        "0",
        "The end is exclusive. A code point beyond U+FFFF counts once; in UTF-16, as in JavaScript, it counts twice",
    ),
    (
        "video frames",
        "frame numbers, `key`",
        "0",
        "Ascending within a track. The number of frames is `frame_count`, the number of attachments where each is a "
        "frame, or as many as `duration_s` holds at the highest frame rate given",
    ),
    (
        "video and audio time",
        "seconds, fractions allowed",
        "0, the start of the file",
        "Segments lie within `duration_s` where the task gives it",
    ),
    ("document pages", "page numbers, `page`", "0", "Positions on a page are in pixels, like those of an image"),
    ("conversations", "message numbers, `turn`", "0", "Every message counts, whoever wrote it"),
)


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any")
    name = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if name == "array" and "items" in schema:
        return f"array of {_type_of(schema['items'])}"
    return name


def _shape(schema: Mapping[str, Any]) -> str:
    """A JSON schema in short: `name?` may be left out, `…` stands for more of the same."""
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_shape(each) for each in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if "items" in schema:
        return f"[{_shape(schema['items'])}, …]"
    if "properties" in schema:
        required = schema.get("required", ())
        inner = (
            f"{name}{'' if name in required else '?'}: {_shape(each)}" for name, each in schema["properties"].items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"{{name: {_shape(schema['additionalProperties'])}, …}}"
    return _type_of(schema)


def _response_shape(kind: TaskType) -> str:
    """The shape, with each alternative of the whole response, or of an annotation, on lines of its own."""
    lines = (
        textwrap.fill(line, 116, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        for line in _shape(kind.response_schema()).replace("} | {", "}\n| {").splitlines()
    )
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    rows = [
        (f"`{name}`", _type_of(each.schema), "required" if each.required else "", each.description)
        for name, each in parameters.items()
    ]
    return table(("parameter", "type", "", "meaning"), rows)


def _section(kind: TaskType) -> str:
    words = "\n".join(line.strip() for line in (type(kind).__doc__ or "").strip().splitlines())
    either = "".join(f"At most one of {', '.join(f'`{name}`' for name in names)}.\n\n" for names in kind.either)
    older = "".join(f"Older clients call it `{alias}`.\n\n" for alias, name in ALIASES.items() if name == kind.name)
    parts = (
        f"## {kind.name}\n\n{words}\n\n{older}{_parameters(kind.parameters)}\n{either}",
        f"A task:\n\n{json_block(kind.example_params)}",
        f"The shape of a response, in which `name?` may be left out:\n\n{_response_shape(kind)}",
        f"A response to the task above:\n\n{json_block(kind.example_response)}",
    )
    return "\n".join(parts) + "\n"


def _limits() -> str:
    return (
        "## Size of a response\n\n"
        f"A response holds at most {MAX_ANNOTATIONS:,} annotations and, in all of them together, {MAX_RUNS:,} runs of\n"
        f"masks, {MAX_VERTICES:,} vertices, {MAX_FRAMES:,} frames, {MAX_CHARACTERS:,} characters of text and\n"
        f"{MAX_VALUES:,} other values. A larger response is refused with 400.\n\n"
    )


def document() -> str:
    common = f"## Parameters of every task\n\n{_parameters(COMMON_PARAMETERS)}\n"
    sections = [_section(TYPES[name]) for name in sorted(TYPES)]
    positions = table(("what", "counted in", "from", "details"), POSITIONS) + "\n"
    return (INTRO + positions + _limits() + common + "".join(sections)).rstrip() + "\n"
