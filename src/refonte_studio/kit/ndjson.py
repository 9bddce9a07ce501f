"""NDJSON as it goes out: one JSON text a line, whatever a reader takes for the end of a line."""

# Characters beyond ASCII at which common readers (Python's `splitlines`, JavaScript's parsers) end a line. JSON allows
# them in strings as they are, and nowhere else, so that an escape says the same.
_LINE_ENDS = (
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
    ("\u0085".encode(), b"\\u0085"),
)


def escape_line_separators(text: bytes) -> bytes:
    """The same JSON, or lines of it, with every line separator inside of strings escaped."""
    for character, escape in _LINE_ENDS:
        text = text.replace(character, escape)
    return text
