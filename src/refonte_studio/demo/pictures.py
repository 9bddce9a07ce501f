"""Generated pictures for the demo, so that it needs no internet access: coloured discs and squares on a desk."""

import random
import struct
import zlib
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 400
DESK = (222, 203, 174)
COLOURS = ((198, 61, 47), (47, 93, 161), (58, 134, 84), (226, 160, 40))


@dataclass(frozen=True, slots=True)
class Shape:
    """An object on the desk, by its bounding box."""

    label: str  # disc or square
    left: int
    top: int
    size: int
    colour: tuple[int, int, int]

    def covers(self, x: int, y: int) -> bool:
        if not (self.left <= x < self.left + self.size and self.top <= y < self.top + self.size):
            return False
        radius = self.size / 2
        beside = (x - self.left - radius) ** 2 + (y - self.top - radius) ** 2
        return self.label == "square" or beside <= radius**2


def shapes(chance: random.Random) -> list[Shape]:
    """Returns two to five shapes, one per column, so that none covers another."""
    columns = chance.sample(range(5), chance.randint(2, 5))
    found: list[Shape] = []
    for column in sorted(columns):
        size = chance.randint(40, 110)
        left = column * (WIDTH // 5) + chance.randint(4, WIDTH // 5 - size - 4)
        top = chance.randint(10, HEIGHT - size - 10)
        found.append(Shape(chance.choice(("disc", "square")), left, top, size, chance.choice(COLOURS)))
    return found


def png(things: list[Shape]) -> bytes:
    """Returns the picture as a PNG file."""
    rows = b"".join(b"\x00" + _row(things, y) for y in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _row(things: list[Shape], y: int) -> bytes:
    row = bytearray(DESK * WIDTH)
    for thing in things:
        for x in (x for x in range(thing.left, thing.left + thing.size) if thing.covers(x, y)):
            row[3 * x : 3 * x + 3] = bytes(thing.colour)
    return bytes(row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
