"""Prepares NDJSON for output: one JSON text per line, for every reader's idea of a line end."""

# Non-ASCII characters at which common readers (Python's `splitlines`, JavaScript parsers) end a line. JSON allows them
# only inside strings, so escaping them does not change the meaning.
_LINE_ENDS = (
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
    ("\u0085".encode(), b"\\u0085"),
)


def escape_line_separators(text: bytes) -> bytes:
    """Returns the same JSON, or lines of JSON, with line separators inside strings escaped."""
    for character, escape in _LINE_ENDS:
        text = text.replace(character, escape)
    return text
