"""The report's page: sections of text, tables and pictures, written as one HTML file that needs no other."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import jinja2
import numpy as np

from herdbook.artifacts import HOW_KNOWN, SOURCES
from herdbook.colours import as_css, individual_colours
from herdbook.doubts import Doubt
from herdbook.scoring import Score
from herdbook.summaries import IndividualTotals, MovieFacts, Recording

# More notes than this are a fault of all labels alike.
MOST_NOTES = 200
MOST_DOUBTS = 20


@dataclass(frozen=True)
class Cell:
    """A table's cell: text, with a link to a file beside the report (a relative path, not yet quoted) or a colour (#rrggbb) before it;
    `code` is shown as such and may be long.
    """

    text: str
    path: str = ""
    colour: str = ""
    code: bool = False

    @property
    def href(self) -> str:
        """The link as a URL."""
        return quote(self.path)


@dataclass(frozen=True)
class Table:
    """A table; its first column holds names, all others numbers or short texts."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture with the name of its file beside the page."""

    file: str
    png: bytes
    caption: str

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + b64encode(self.png).decode()


@dataclass(frozen=True)
class Section:
    """A section, shown in this order: sentences, tables, preformatted text, pictures; `folded` ones open on a click."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    preformatted: str = ""
    pictures: Sequence[Picture] = ()
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """The whole page; `key_figures` are pairs of value and what it means."""

    title: str
    subtitle: str
    key_figures: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default_factory=list)
    footer: str = ""

    @property
    def pictures(self) -> list[Picture]:
        """All pictures on the page."""
        return [picture for section in self.sections for picture in section.pictures]


def render_page(page: Page) -> str:
    """The page as HTML; every text is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("herdbook", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(page=page)


def percent(share: float) -> str:
    """A share 0..1 in percent; what is not all or nothing never reads 100 or 0."""
    if np.isnan(share):
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    share = min(max(share, 0.0001), 0.9999)
    return f"{100 * share:.2f} %" if share < 0.01 or share > 0.99 else f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """A length of time for reading."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def movies_section(recordings: Sequence[Recording]) -> Section:
    """What was tracked, with links to the table and the overlay movies."""

    def row(recording: Recording, movie: MovieFacts) -> list[Cell]:
        facts = (
            f"{movie.frames:,}",
            f"{movie.tracked:,}",
            duration(movie.duration_s),
            f"{movie.width} × {movie.height}",
            f"{movie.fps:g}",
            movie.codec,
        )
        return [Cell(movie.name), Cell(recording.name), *map(Cell, facts), Cell(f"{movie.name}.mp4", path=f"../overlay/{movie.name}.mp4")]

    rows = [row(recording, movie) for recording in recordings for movie in recording.movies]
    header = ("movie", "recording", "frames", "tracked", "duration", "size (px)", "frames/s", "codec", "overlay movie")
    files = Table(("all positions",), [[Cell("trajectories.csv", path="../trajectories.csv")]])
    return Section("What was tracked", tables=[Table(header, rows), files])


def quality_section(totals: IndividualTotals, frames: int, marked: bool) -> Section:
    """How many frames each individual has, where the positions come from and how the identities are known."""
    if not marked:
        return _fragments_section(totals)
    colours = as_css(individual_colours(totals.names))
    found = totals.sources.sum(axis=1)
    rows, known = [], []
    for row, (name, colour) in enumerate(zip(totals.names, colours, strict=True)):
        shares = (totals.sources[row] / frames).tolist()
        confidence = totals.confidence[row]
        last = "–" if np.isnan(confidence) else f"{confidence:.3f}"
        rows.append([Cell(name, colour=colour), Cell(percent(found[row] / frames)), *(Cell(percent(s)) for s in shares), Cell(last)])
        ways = (totals.how_known[row] / frames).tolist()
        known.append([Cell(name, colour=colour), *(Cell(percent(s)) for s in ways), Cell(percent(max(0.0, 1 - sum(ways))))])
    if len(totals.names) > 1:
        cells = frames * len(totals.names)
        shares, ways = ((counts.sum(axis=0) / cells).tolist() for counts in (totals.sources, totals.how_known))
        weighted = float(np.nansum(totals.confidence * found)) / max(1, int(found.sum()))
        last = f"{weighted:.3f}" if found.any() else "–"
        rows.append([Cell("all"), Cell(percent(float(found.sum()) / cells)), *(Cell(percent(s)) for s in shares), Cell(last)])
        known.append([Cell("all"), *(Cell(percent(s)) for s in ways), Cell(percent(max(0.0, 1 - sum(ways))))])
    return Section(
        "How complete",
        [
            "Shares of the tracked frames. A single animal is seen alone; a resolved one is told apart inside a merged blob; an "
            "interpolated position lies between two that were seen; a merged one is a guess inside a blob that nobody was seen to enter or "
            "leave.",
        ],
        [
            Table(("individual", "has a position", *SOURCES, "mean confidence"), rows, "Where the positions come from"),
            Table(("individual", *HOW_KNOWN, "unknown"), known, "How the identity is known"),
        ],
    )


def _fragments_section(totals: IndividualTotals) -> Section:
    found = totals.sources.sum(axis=1)
    frames = int(found.sum())
    sentence = "The animals were tracked without identity: a fragment is one animal for as long as it could be followed."
    if not frames:
        return Section("How complete", [sentence, "No position was found."])
    shares = (totals.sources.sum(axis=0) / frames).tolist()
    lengths = [f"{len(found):,}", f"{np.median(found):,.0f}", f"{found.max():,}", f"{frames:,}"]
    return Section(
        "How complete",
        [sentence],
        [
            Table(("", "fragments", "median length (frames)", "longest (frames)", "positions"), [[Cell("all"), *map(Cell, lengths)]]),
            Table(("", *SOURCES), [[Cell("share of positions"), *(Cell(percent(share)) for share in shares)]]),
        ],
    )


def score_section(score: Score, text: str, radius_px: float, named: bool) -> Section:
    """How right the positions are, in a sentence and in figures; `text` comes from `format_score`."""
    name = "its name" if named else "the name that fits it best"
    sentence = (
        f"Of {score.cells:,} true positions {percent(score.assigned)} have a position under {name}: {percent(score.correct)} are "
        f"right (within {radius_px:g} px of the truth), {percent(score.wrong)} are those of another animal, "
        f"{percent(score.off)} lie beside every animal."
    )
    return Section("How right", [sentence], preformatted=text)


def review_section(doubts: Sequence[Doubt]) -> Section:
    """The spans in which an answer of a person is worth most."""
    if not doubts:
        return Section("Worth a look", ["No span is in doubt enough to be worth a look."])
    rows = [
        [
            Cell(doubt.movie),
            Cell(f"{doubt.frame:,}"),
            Cell(f"{doubt.x:.0f}, {doubt.y:.0f}"),
            Cell(doubt.assigned or "nobody"),
            Cell(f"{doubt.name} {doubt.probability:.2f}" + (f"; {doubt.others}" if doubt.others else "")),
            Cell(f"{doubt.from_frame:,} to {doubt.to_frame:,}" + ("" if doubt.from_movie == doubt.to_movie else f" of {doubt.to_movie}")),
            Cell(f"{doubt.gain:,.0f}"),
        ]
        for doubt in doubts[:MOST_DOUBTS]
    ]
    total = sum(doubt.gain for doubt in doubts)
    many = "one span is" if len(doubts) == 1 else f"{len(doubts):,} spans are"
    sentence = (
        f"Of all that is not sure, {many} worth a look: answers are expected to correct or to name {total:,.0f} frames of an animal. "
        "Copy the row of doubtful.csv, with the right name, to the table of animals.facts."
    )
    header = ("movie", "frame", "place (px)", "assigned", "who it can be", "frames of the span", "expected gain (frames)")
    files = Table(("all of them",), [[Cell("doubtful.csv", path="../doubtful.csv")]])
    return Section("Worth a look", [sentence], [Table(header, rows), files])


def classifier_section(card: dict[str, object], recordings: Sequence[Recording], pictures: Sequence[Picture]) -> Section:
    """What the classifier learned and how well it reads images that it was not trained on."""
    accuracy = card.get("accuracy")
    sentences = []
    if isinstance(accuracy, float | int):
        sentences.append(
            f"Of the single images kept for validation it reads {percent(float(accuracy))} rightly; a tracklet has many images."
        )
    of_tracklets = card.get("tracklet_accuracy")
    if isinstance(of_tracklets, float | int):
        sentences.append(
            f"Of the {card['validation_tracklets']} tracklets kept for validation it reads {percent(float(of_tracklets))} rightly."
        )
    tracklets = sum(recording.tracklets for recording in recordings)
    if tracklets:
        read, images = (sum(getattr(r, key) for r in recordings) for key in ("tracklets_read", "images_read"))
        sentences.append(f"It looked at {images:,} images in {read:,} of {tracklets:,} tracklets.")
    return Section("The classifier", sentences, pictures=pictures)


def notes_section(notes: Sequence[str]) -> Section:
    """What the training set and the classifier lack, such as labels that were not used, each with its reason."""
    return Section(f"Notes on the labels ({len(notes)})", notes[:MOST_NOTES], folded=len(notes) > 10)
