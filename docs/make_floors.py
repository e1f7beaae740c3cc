"""Draw the floors of the package from the contract in pyproject.toml: `python docs/make_floors.py` writes docs/images/floors.svg."""

import sys
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images" / "floors.svg"
WIDTH, SIDE, HEIGHT, GAP = 900, 64, 62, 10
LETTERS_PER_PX = 1 / 6.1
FILLS = ("#f4d9b8", "#f6e3b4", "#e3ebbd", "#cfe6c4", "#c5e3d6", "#c3dde8", "#cad4ee", "#d8cdea", "#e6cbe0", "#e2e2e2")
IN_WORDS = {
    "stages": "one module per rule of the workflow",
    "commands": "the command herdbook: all that a person types",
    "app": "the browser app: all that a person does by looking",
    "job": "the command line that all stages share",
    "workflow": "what the rules know of an experiment",
    "report": "the page: what was tracked, and how right it is",
    "naming": "a recording named as a whole",
    "identity": "who is in which tracklet",
    "positions": "where each animal is, also in merged blobs",
    "bodypoints": "whose each body point is",
    "drawing": "overlay, close-ups, mosaics",
    "formats": "files of other tools, a module per tool",
    "segmentation": "from frames to blobs",
    "tracklets": "from blobs to tracklets",
    "classifier": "from images to evidence",
    "smoothing": "points smoothed by LK-RSTC",
    "tables": "tracks, events, score",
    "artifacts": "the files that stages hand on",
    "experiment": "the experiment file and the tables that people write",
    "movie": "movies read, written, simulated",
    "system": "files, processes, progress",
    "geometry": "regions, ellipses, intervals",
    "errors": "the exception that a user reads",
    "arrays": "types of arrays",
    "version": "the version of Herdbook",
}


def floors() -> list[list[str]]:
    """The rooms of each floor, highest floor first, as the contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def picture(rooms: list[list[str]]) -> str:
    """The picture as SVG: a row of boxes for each floor."""
    height = len(rooms) * (HEIGHT + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" fill="#222">',
        "<title>Floors of the package: a room imports only from floors below</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#fff"/>',
        f'<path d="M32 {GAP + 30}V{height - 30}m-7 -12l7 12l7 -12" fill="none" stroke="#777" stroke-width="2"/>',
        f'<text transform="translate(20 {height / 2}) rotate(-90)" text-anchor="middle" font-size="13" fill="#555">imports</text>',
    ]
    for number, floor in enumerate(rooms):
        width = (WIDTH - SIDE - GAP * len(floor)) / len(floor)
        for place, room in enumerate(floor):
            parts += _box(room, SIDE + place * (width + GAP), GAP + number * (HEIGHT + GAP), width, FILLS[number % len(FILLS)])
    return "\n".join([*parts, "</svg>", ""])


def _box(room: str, x: float, y: float, width: float, fill: str) -> list[str]:
    lines = textwrap.wrap(IN_WORDS.get(room, ""), int((width - 12) * LETTERS_PER_PX), break_on_hyphens=False)
    middle, first = x + width / 2, y + 22 + 7 * (2 - len(lines))
    return [
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="#999"/>',
        f'<text x="{middle:.1f}" y="{first}" text-anchor="middle" font-size="15" font-weight="bold">{escape(room)}</text>',
        *(
            f'<text x="{middle:.1f}" y="{first + 16 + 14 * number}" text-anchor="middle" font-size="12">{escape(line)}</text>'
            for number, line in enumerate(lines)
        ),
    ]


if __name__ == "__main__":
    OUT.write_text(picture(floors()), encoding="utf-8")
    sys.stdout.write(f"Wrote {OUT}.\n")
