"""The tiles of a mosaic: how many in a row, who is in which, and what is drawn in them. Images are (row, column, 3) BGR uint8."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from herdbook.arrays import Image
from herdbook.drawing import marks
from herdbook.drawing.colours import as_bgr, individual_colours
from herdbook.drawing.views import View, cut_view

# The grid is sought within a picture of this shape, which fills most screens.
WIDTH_TO_HEIGHT = 16 / 9
GAP_PX = 2
# In a smaller tile no animal can be recognised: the picture grows instead.
LEAST_TILE_PX = 48
GROUND = (30, 30, 30)
# A tile without its animal shows the name at this share of its light.
DIMMED = 0.5


@dataclass(frozen=True)
class Grid:
    """Tiles of `tile_px` with gaps between them, in rows of `columns`, below a line of text of `top_px`."""

    columns: int
    rows: int
    tile_px: int
    top_px: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, px."""
        step = self.tile_px + GAP_PX
        return self.columns * step - GAP_PX, self.top_px + self.rows * step - GAP_PX

    def part(self, tile: int) -> tuple[slice, slice]:
        """Rows and columns of the picture that a tile takes."""
        row, column = divmod(tile, self.columns)
        y, x = self.top_px + row * (self.tile_px + GAP_PX), column * (self.tile_px + GAP_PX)
        return slice(y, y + self.tile_px), slice(x, x + self.tile_px)


def choose_grid(tiles: int, max_width: int, top_px: int) -> Grid:
    """The grid with the largest tiles within `max_width` px and a height that fits; of several the one with fewest empty tiles."""
    height = max_width / WIDTH_TO_HEIGHT - top_px

    def tile_px(columns: int) -> int:
        rows = -(-tiles // columns)
        return int(min((max_width + GAP_PX) / columns, (height + GAP_PX) / rows)) - GAP_PX

    columns = max(range(1, tiles + 1), key=lambda count: (tile_px(count), -(-tiles % count)))
    return Grid(columns, -(-tiles // columns), max(LEAST_TILE_PX, tile_px(columns)), top_px)


def share_tiles(views: Sequence[View]) -> list[int]:
    """A tile for each view (in any order), from 0: the first that no other view takes at the same time."""
    tiles = [0] * len(views)
    ends: list[int] = []
    for number in sorted(range(len(views)), key=lambda k: views[k].first):
        free = next((tile for tile, end in enumerate(ends) if end <= views[number].first), len(ends))
        ends[free : free + 1] = [views[number].end]
        tiles[number] = free
    return tiles


@lru_cache(maxsize=4096)
def fitting_label(text: str, width_px: int, font_px: int) -> marks.TextLabel:
    """The text, in smaller letters or cut at its end if it is wider than this."""
    label = marks.make_label(text, font_px)
    while label.size[0] > width_px and font_px > 8:
        font_px -= 1
        label = marks.make_label(text, font_px)
    kept = len(text)
    while label.size[0] > width_px and kept > 1:
        kept -= 1
        label = marks.make_label(f"{text[:kept]}…", font_px)
    return label


class Mosaic:
    """Draws one picture after another of the views of animals with these names, each within `max_width` px.

    With `lasting` names each animal has a tile of its own, in the order of the names; else those that come take the tiles of those gone.
    """

    def __init__(self, views: Sequence[View], names: Sequence[str], size_px: int, max_width: int, *, lasting: bool) -> None:
        self._tiles = [view.individual for view in views] if lasting else share_tiles(views)
        self._views, self._names, self._size_px = views, names, size_px
        self._colours = as_bgr(individual_colours(names))
        self._style = marks.Style.for_height(round(max_width / WIDTH_TO_HEIGHT))
        count = len(names) if lasting else max(self._tiles, default=0) + 1
        self.grid = choose_grid(max(1, count), max_width, marks.kept_label("0", self._style.font_px).size[1] + GAP_PX)
        self._font_px = int(np.clip(0.1 * self.grid.tile_px, 9, self._style.font_px))
        self._empty = np.zeros((*self.grid.size[::-1], 3), np.uint8)
        for tile in range(self.grid.columns * self.grid.rows):
            self._empty[self.grid.part(tile)] = GROUND
        for who in range(len(names)) if lasting else ():
            self._write_name(self._empty[self.grid.part(who)], who, DIMMED)

    def picture(self, frame: Image, place: int, caption: str) -> Image:
        """The mosaic of the shown frame number `place`, cut from the movie's frame, with a caption above."""
        picture = self._empty.copy()
        for view, tile in zip(self._views, self._tiles, strict=True):
            row = place - view.first
            if 0 <= row < len(view.x0) and not np.isnan(view.x0[row]):
                part = picture[self.grid.part(tile)]
                part[:] = cut_view(frame, view.x0[row], view.y0[row], view.angle[row], self._size_px, self.grid.tile_px)
                self._write_name(part, view.individual)
        marks.draw_label(picture, marks.make_label(caption, self._style.font_px), (1, 1), marks.WHITE)
        return picture

    def _write_name(self, tile: Image, who: int, light: float = 1.0) -> None:
        blue, green, red = (round(light * level) for level in self._colours[who])
        marks.draw_label(tile, fitting_label(self._names[who], self.grid.tile_px, self._font_px), (1, 1), (blue, green, red))
