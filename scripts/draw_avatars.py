"""Draws the pictures of the shipped characters, without any library: flat shapes, own design.

    python scripts/draw_avatars.py [NAME…]    writes src/corpusmith/presets/characters/*/*.png

All ten take half a minute.

A portrait is a list of shapes, painted in order, in a unit square (x to the right, y down).
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

SIZE = 192
FINE = 3
"""Samples along each side of a pixel, for smooth edges."""

FOLDER = Path(__file__).parent.parent / "src" / "corpusmith" / "presets" / "characters"

Colour = tuple[int, int, int]
Shape = tuple[Callable[[float, float], bool], Colour]


def rgb(text: str) -> Colour:
    value = int(text, 16)
    return value >> 16, value >> 8 & 255, value & 255


def oval(x: float, y: float, rx: float, ry: float, colour: str, below: float = 2.0) -> Shape:
    """An ellipse; of it, only what is above the line `below`."""
    return (
        lambda px, py: py < below and ((px - x) / rx) ** 2 + ((py - y) / ry) ** 2 <= 1,
        rgb(colour),
    )


def ring(x: float, y: float, r: float, thick: float, colour: str, below: float = 2.0) -> Shape:
    """A circle's line; of it, only what is above the line `below`."""
    return (
        lambda px, py: py < below and (r - thick) ** 2 <= (px - x) ** 2 + (py - y) ** 2 <= r * r,
        rgb(colour),
    )


def area(colour: str, *points: tuple[float, float]) -> Shape:
    """A polygon, by the even-odd rule."""
    edges = list(zip(points, points[1:] + points[:1], strict=True))

    def inside(px: float, py: float) -> bool:
        hits = sum(
            (ay > py) != (by > py) and px < (bx - ax) * (py - ay) / (by - ay) + ax
            for (ax, ay), (bx, by) in edges
        )
        return hits % 2 == 1

    return inside, rgb(colour)


def face(skin: str, shade: str, smile: float = 0.02) -> list[Shape]:
    """Neck, ears, head, eyes, nose and mouth."""
    mouth = [
        oval(0.5, 0.555, 0.06, 0.02 + smile, "8f4a3f"),
        oval(0.5, 0.545 - smile / 2, 0.07, 0.02 + smile / 2, skin),
    ]
    return [
        area(shade, (0.43, 0.55), (0.57, 0.55), (0.59, 0.78), (0.41, 0.78)),
        oval(0.325, 0.46, 0.03, 0.05, shade),
        oval(0.675, 0.46, 0.03, 0.05, shade),
        oval(0.5, 0.44, 0.175, 0.215, skin),
        oval(0.43, 0.44, 0.018, 0.022, "2b2724"),
        oval(0.57, 0.44, 0.018, 0.022, "2b2724"),
        oval(0.5, 0.5, 0.018, 0.02, shade),
        *mouth,
    ]


def brows(colour: str, tilt: float = 0.0) -> list[Shape]:
    return [
        area(colour, (0.39, 0.395 + tilt), (0.465, 0.39), (0.465, 0.405), (0.39, 0.41 + tilt)),
        area(colour, (0.61, 0.395 + tilt), (0.535, 0.39), (0.535, 0.405), (0.61, 0.41 + tilt)),
    ]


def glasses(colour: str) -> list[Shape]:
    return [
        ring(0.43, 0.44, 0.062, 0.011, colour),
        ring(0.57, 0.44, 0.062, 0.011, colour),
        area(colour, (0.485, 0.43), (0.515, 0.43), (0.515, 0.441), (0.485, 0.441)),
    ]


def shoulders(colour: str) -> Shape:
    return oval(0.5, 1.02, 0.36, 0.3, colour)


def collar(colour: str) -> Shape:
    return area(colour, (0.4, 0.72), (0.6, 0.72), (0.5, 0.86))


def lin() -> list[Shape]:
    books = ["7a4b3a", "c59d5f", "4f6d64", "a3553f", "d8c7a0", "54607c", "8c7448"]
    shelf = [
        area(colour, (x, 0.08), (x + 0.12, 0.08), (x + 0.12, 0.36), (x, 0.36))
        for x, colour in zip((0.02 + 0.14 * i for i in range(7)), books, strict=True)
    ]
    return [
        area("e7dcc6", (0, 0), (1, 0), (1, 1), (0, 1)),
        *shelf,
        area("6b4a34", (0, 0.36), (1, 0.36), (1, 0.39), (0, 0.39)),
        oval(0.5, 0.42, 0.23, 0.25, "2c2a2e"),
        oval(0.5, 0.19, 0.09, 0.07, "2c2a2e"),
        shoulders("33476b"),
        *face("f0cfae", "dcb48f", 0.012),
        oval(0.5, 0.285, 0.19, 0.1, "2c2a2e", below=0.33),
        *brows("3a3330", 0.008),
        collar("ece6da"),
        area("c8b27a", (0.66, 0.86), (0.86, 0.81), (0.9, 0.96), (0.7, 1.0)),
        area("fbf5e6", (0.69, 0.875), (0.86, 0.832), (0.865, 0.85), (0.695, 0.893)),
    ]


def zhou() -> list[Shape]:
    return [
        area("bfd9e2", (0, 0), (1, 0), (1, 0.55), (0, 0.55)),
        area("4f8aa3", (0, 0.55), (1, 0.55), (1, 1), (0, 1)),
        area("ffffff", (0.04, 0.5), (0.2, 0.5), (0.17, 0.57), (0.07, 0.57)),
        area("b3472f", (0.1, 0.4), (0.15, 0.4), (0.15, 0.5), (0.1, 0.5)),
        shoulders("2f4858"),
        *face("d9a577", "bf8a5e", 0.022),
        oval(0.5, 0.3, 0.2, 0.1, "1f2f3a", below=0.31),
        area("1f2f3a", (0.3, 0.3), (0.7, 0.3), (0.73, 0.34), (0.27, 0.34)),
        oval(0.5, 0.26, 0.028, 0.028, "e0b54a"),
        *brows("e8e4dc", -0.008),
        area("e8e4dc", (0.43, 0.525), (0.57, 0.525), (0.6, 0.548), (0.4, 0.548)),
        area("e9eef0", (0.42, 0.72), (0.58, 0.72), (0.58, 0.8), (0.42, 0.8)),
        area("2d6ea8", (0.42, 0.745), (0.58, 0.745), (0.58, 0.765), (0.42, 0.765)),
    ]


def su() -> list[Shape]:
    return [
        area("27325a", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.82, 0.17, 0.085, 0.085, "f4e7b0"),
        oval(0.855, 0.15, 0.075, 0.075, "27325a"),
        *[oval(x, y, 0.008, 0.008, "f4e7b0") for x, y in ((0.12, 0.2), (0.24, 0.1), (0.6, 0.07))],
        oval(0.5, 0.44, 0.215, 0.24, "241d1d", below=0.6),
        shoulders("a8d5d0"),
        *face("f4d3b5", "e0b896", 0.02),
        area(
            "241d1d", (0.32, 0.4), (0.36, 0.24), (0.66, 0.24), (0.68, 0.4), (0.6, 0.3), (0.4, 0.31)
        ),
        *brows("3a2c28"),
        collar("ffffff"),
        area("ffffff", (0.62, 0.83), (0.74, 0.83), (0.74, 0.93), (0.62, 0.93)),
        oval(0.66, 0.82, 0.022, 0.022, "f2913d"),
        oval(0.71, 0.82, 0.022, 0.022, "8b5fb0"),
    ]


def he() -> list[Shape]:
    return [
        area("3a2620", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.14, 0.24, 0.17, 0.17, "6b3a22"),
        area("f0c060", (0.09, 0.17), (0.19, 0.17), (0.2, 0.33), (0.08, 0.33)),
        area("b3392b", (0.07, 0.14), (0.21, 0.14), (0.21, 0.17), (0.07, 0.17)),
        area("b3392b", (0.07, 0.33), (0.21, 0.33), (0.21, 0.36), (0.07, 0.36)),
        oval(0.5, 0.42, 0.22, 0.24, "17110f", below=0.56),
        oval(0.5, 0.17, 0.11, 0.09, "17110f"),
        area("d9ae4c", (0.34, 0.13), (0.68, 0.2), (0.68, 0.215), (0.34, 0.15)),
        oval(0.69, 0.207, 0.022, 0.022, "c23b3b"),
        shoulders("8c2f39"),
        *face("f1cda8", "d9ad85", 0.018),
        oval(0.5, 0.275, 0.18, 0.09, "17110f", below=0.32),
        *brows("17110f", -0.018),
        area("e5c987", (0.4, 0.72), (0.46, 0.72), (0.6, 1.0), (0.52, 1.0)),
        area("e5c987", (0.6, 0.72), (0.54, 0.72), (0.44, 0.95), (0.5, 0.99)),
        ring(0.3, 0.92, 0.05, 0.012, "c9a24a"),
    ]


def tang() -> list[Shape]:
    return [
        area("13254a", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.84, 0.22, 0.08, 0.08, "e3b46a"),
        area("f2d9a0", (0.7, 0.25), (0.98, 0.17), (0.985, 0.19), (0.705, 0.272)),
        *[
            oval(x, y, 0.009, 0.009, "ffffff")
            for x, y in ((0.1, 0.12), (0.2, 0.3), (0.08, 0.5), (0.3, 0.08), (0.92, 0.5))
        ],
        shoulders("5b7f5a"),
        *face("eec49b", "d3a479", 0.03),
        oval(0.5, 0.27, 0.19, 0.1, "2a211d", below=0.34),
        area(
            "2a211d",
            (0.36, 0.25),
            (0.33, 0.12),
            (0.45, 0.19),
            (0.52, 0.1),
            (0.57, 0.19),
            (0.66, 0.14),
            (0.64, 0.27),
        ),
        *brows("2a211d", -0.004),
        *glasses("c07f3c"),
        collar("f3efe4"),
        oval(0.76, 0.84, 0.06, 0.06, "ef8a2b"),
        oval(0.775, 0.79, 0.016, 0.008, "4c7a3a"),
    ]


def nora() -> list[Shape]:
    return [
        area("d5cdbb", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.16, 0.22, 0.13, 0.13, "7b5b3a"),
        oval(0.16, 0.22, 0.105, 0.105, "f7f1e0"),
        area("2b2724", (0.155, 0.13), (0.165, 0.13), (0.165, 0.22), (0.155, 0.22)),
        area("2b2724", (0.16, 0.215), (0.225, 0.25), (0.22, 0.262), (0.155, 0.227)),
        oval(0.5, 0.42, 0.215, 0.235, "a9a9a6", below=0.56),
        shoulders("5c4d6b"),
        *face("edc9ae", "d3a98b", 0.006),
        oval(0.5, 0.28, 0.185, 0.095, "a9a9a6", below=0.33),
        *[oval(0.7 - 0.004 * i, 0.58 + 0.07 * i, 0.038, 0.042, "b7b7b3") for i in range(5)],
        oval(0.682, 0.93, 0.03, 0.03, "7b3f3f"),
        oval(0.58, 0.27, 0.05, 0.05, "2b2724"),
        oval(0.58, 0.27, 0.033, 0.033, "bcd7e0"),
        *brows("8b8b88", 0.004),
        collar("e8e1d2"),
    ]


def desmond() -> list[Shape]:
    return [
        area("2a2f3a", (0, 0), (1, 0), (1, 1), (0, 1)),
        area("b8322a", (0.06, 0.1), (0.3, 0.1), (0.3, 0.19), (0.06, 0.19)),
        *[
            area("f6e6d8", (x, 0.135), (x + 0.03, 0.135), (x + 0.03, 0.155), (x, 0.155))
            for x in (0.1, 0.165, 0.23)
        ],
        oval(0.5, 1.03, 0.43, 0.33, "7a5a2b"),
        *face("7b4f35", "64402a", 0.03),
        oval(0.5, 0.275, 0.175, 0.085, "1c1614", below=0.31),
        oval(0.5, 0.62, 0.13, 0.06, "1c1614", below=2),
        oval(0.5, 0.585, 0.115, 0.055, "7b4f35"),
        oval(0.5, 0.56, 0.06, 0.03, "5a2a26"),
        oval(0.5, 0.548, 0.066, 0.026, "7b4f35"),
        *brows("1c1614", -0.004),
        ring(0.5, 0.42, 0.245, 0.02, "9aa3b0", below=0.42),
        oval(0.3, 0.46, 0.045, 0.075, "3f4a5c"),
        oval(0.7, 0.46, 0.045, 0.075, "3f4a5c"),
        collar("e9dcc0"),
        oval(0.2, 0.78, 0.06, 0.085, "1a1c22"),
        area("9aa3b0", (0.19, 0.84), (0.21, 0.84), (0.21, 1.0), (0.19, 1.0)),
    ]


def wren() -> list[Shape]:
    freckles = (
        (0.41, 0.5),
        (0.44, 0.515),
        (0.46, 0.495),
        (0.54, 0.495),
        (0.56, 0.515),
        (0.59, 0.5),
    )
    return [
        area("cfe0b4", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.1, 0.9, 0.22, 0.2, "7fa35c"),
        oval(0.92, 0.92, 0.2, 0.2, "8fb26a"),
        *[oval(x, y, 0.02, 0.02, "f3f0dc") for x, y in ((0.1, 0.78), (0.18, 0.84), (0.88, 0.8))],
        oval(0.5, 0.45, 0.25, 0.27, "a8522a", below=0.72),
        oval(0.29, 0.6, 0.07, 0.13, "a8522a"),
        oval(0.71, 0.6, 0.07, 0.13, "a8522a"),
        shoulders("5a6b3b"),
        *face("f6d8bd", "e2b795", 0.03),
        oval(0.5, 0.27, 0.19, 0.09, "a8522a", below=0.33),
        *[oval(x, y, 0.006, 0.006, "b9754a") for x, y in freckles],
        *brows("8a4120", -0.01),
        area("7a5a3a", (0.24, 0.78), (0.3, 0.76), (0.68, 1.0), (0.6, 1.0)),
        collar("e9dfc4"),
        area("3c7a3f", (0.62, 0.2), (0.72, 0.1), (0.74, 0.2), (0.66, 0.26)),
        oval(0.53, 0.615, 0.012, 0.016, "2f3d66"),
    ]


def anselm() -> list[Shape]:
    return [
        area("b9a789", (0, 0), (1, 0), (1, 1), (0, 1)),
        area("8fb4c4", (0.08, 0.32), (0.08, 0.16), (0.14, 0.07), (0.2, 0.16), (0.2, 0.32)),
        area("6e5c44", (0.135, 0.07), (0.145, 0.07), (0.145, 0.32), (0.135, 0.32)),
        oval(0.5, 0.74, 0.27, 0.16, "4a3526"),
        oval(0.5, 1.04, 0.42, 0.33, "5d4331"),
        oval(0.5, 0.4, 0.21, 0.18, "8d7f72", below=0.47),
        *face("efc0a0", "d79c7c", 0.03),
        oval(0.5, 0.3, 0.13, 0.1, "efc0a0"),
        oval(0.39, 0.51, 0.035, 0.026, "e59f86"),
        oval(0.61, 0.51, 0.035, 0.026, "e59f86"),
        *brows("7c6e62", 0.006),
        area("d9c79b", (0.44, 0.86), (0.47, 0.86), (0.46, 1.0), (0.43, 1.0)),
        area("d9c79b", (0.53, 0.86), (0.56, 0.86), (0.57, 1.0), (0.54, 1.0)),
        area("9a6b3c", (0.72, 0.8), (0.86, 0.8), (0.85, 0.97), (0.73, 0.97)),
        ring(0.87, 0.88, 0.05, 0.016, "9a6b3c"),
        oval(0.79, 0.8, 0.085, 0.03, "fbf3de"),
    ]


def priya() -> list[Shape]:
    return [
        area("f2d58a", (0, 0), (1, 0), (1, 1), (0, 1)),
        oval(0.15, 0.62, 0.4, 0.22, "8aa65b"),
        oval(0.9, 0.66, 0.36, 0.24, "6f9150"),
        area("c5483b", (0.74, 0.4), (0.96, 0.4), (0.96, 0.54), (0.74, 0.54)),
        area("dbeef2", (0.77, 0.42), (0.84, 0.42), (0.84, 0.47), (0.77, 0.47)),
        oval(0.79, 0.545, 0.025, 0.025, "2b2724"),
        oval(0.91, 0.545, 0.025, 0.025, "2b2724"),
        oval(0.5, 0.44, 0.22, 0.25, "191416", below=0.64),
        oval(0.68, 0.24, 0.09, 0.09, "191416"),
        shoulders("2f7f86"),
        *face("b57d55", "9a6742", 0.03),
        oval(0.5, 0.275, 0.185, 0.095, "191416", below=0.33),
        *brows("191416", -0.012),
        collar("f6ead2"),
        area("8f99a6", (0.24, 0.84), (0.28, 0.82), (0.34, 0.98), (0.3, 1.0)),
        ring(0.25, 0.82, 0.04, 0.018, "8f99a6"),
    ]


def pixel(shapes: list[Shape], column: int, row: int) -> Colour:
    total = [0, 0, 0]
    for sample in range(FINE * FINE):
        x = (column + (sample % FINE + 0.5) / FINE) / SIZE
        y = (row + (sample // FINE + 0.5) / FINE) / SIZE
        colour = next(paint for inside, paint in reversed(shapes) if inside(x, y))
        total = [old + new for old, new in zip(total, colour, strict=True)]
    red, green, blue = (value // (FINE * FINE) for value in total)
    return red, green, blue


def picture(shapes: list[Shape]) -> bytes:
    """The PNG, 8 bits a channel, no filter."""
    rows = (
        b"\0" + bytes(part for column in range(SIZE) for part in pixel(shapes, column, row))
        for row in range(SIZE)
    )
    header = struct.pack(">2I5B", SIZE, SIZE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


PORTRAITS = {
    "zh": (he, lin, su, tang, zhou),
    "en": (anselm, desmond, nora, priya, wren),
}


def main(wanted: list[str]) -> None:
    for language, draws in PORTRAITS.items():
        for draw in draws:
            if wanted and draw.__name__ not in wanted:
                continue
            path = FOLDER / language / f"{draw.__name__}.png"
            path.write_bytes(picture(draw()))
            print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
