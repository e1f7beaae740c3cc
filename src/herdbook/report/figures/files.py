"""Figures as files: a PNG of about 1,000 px, and a PDF whose texts and lines stay sharp and can be edited."""

from io import BytesIO

import matplotlib
from matplotlib.figure import Figure

from herdbook.report.figures.style import png_bytes
from herdbook.report.page import Picture

# Of what is rasterised inside a PDF, as a thick bundle of lines is: the finest with which it stays below MOST_BYTES, or the last.
PDF_DPI = (150, 100)
MOST_BYTES = 2_000_000


def as_picture(name: str, figure: Figure, caption: str) -> Picture:
    """The figure as `name`.png and `name`.pdf with a caption."""
    png = png_bytes(figure)
    # Parts have found their places; to look for them again would take as long as all the rest.
    figure.set_layout_engine("none")
    return Picture(f"{name}.png", png, caption, _pdf_bytes(figure))


def _pdf_bytes(figure: Figure) -> bytes:
    content = b""
    for dpi in PDF_DPI:
        buffer = BytesIO()
        # Type 42 are whole letters, type 3 only their shapes.
        with matplotlib.rc_context({"pdf.fonttype": 42}):
            figure.savefig(buffer, format="pdf", dpi=dpi, metadata={"CreationDate": None, "Creator": None, "Producer": None})
        content = buffer.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return content
