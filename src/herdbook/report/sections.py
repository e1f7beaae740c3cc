"""Sections of the report's page: what was tracked, how right it is, where to look."""

from collections.abc import Sequence

from herdbook.identity.doubts import Doubt
from herdbook.movie.notes import join_notes
from herdbook.report.agreement import smoothing_sentences
from herdbook.report.links import PageLinks
from herdbook.report.page import Cell, PageSection, Table, duration, percent
from herdbook.report.summaries import MovieSummary, Recording
from herdbook.tables.scoring import Score

MOST_DOUBTS = 20


def movies_section(recordings: Sequence[Recording], links: PageLinks, notes: Sequence[str] = ()) -> PageSection:
    """What was tracked, movie by movie; `notes` are sentences on the movies."""

    def row(recording: Recording, movie: MovieSummary) -> list[Cell]:
        facts = (
            f"{movie.frames:,}",
            f"{movie.tracked:,}",
            duration(movie.duration_s),
            f"{movie.width} × {movie.height}",
            f"{movie.fps:g}",
            movie.codec,
        )
        return [Cell(movie.name), Cell(recording.name), *map(Cell, facts), *([links.overlay(movie.name)] if links.overlays else [])]

    rows = [row(recording, movie) for recording in recordings for movie in recording.movies]
    header: tuple[str, ...] = ("movie", "recording", "frames", "tracked", "duration", "size (px)", "frames/s", "codec")
    header += ("overlay movie",) if links.overlays else ()
    movies = [movie for recording in recordings for movie in recording.movies]
    sentences = [*notes, *join_notes({movie.name: movie.notes for movie in movies}), *smoothing_sentences(movies)]
    return PageSection("What was tracked", sentences, [Table(header, rows, "The movies")])


def score_section(score: Score, text: str, radius_px: float, named: bool) -> PageSection:
    """How right the positions are, in a sentence and in figures; `text` comes from `format_score`."""
    name = "its name" if named else "the name that fits it best"
    sentence = (
        f"Of {score.cells:,} true positions {percent(score.assigned)} have a position under {name}: {percent(score.correct)} are "
        f"right (within {radius_px:g} px of the truth), {percent(score.wrong)} are those of another animal, "
        f"{percent(score.off)} lie beside every animal."
    )
    return PageSection("How right", [sentence], preformatted=text)


def review_section(doubts: Sequence[Doubt], links: PageLinks, worst: Sequence[Table]) -> PageSection:
    """Where to look: `worst` are tables of what is least known; then the spans in which an answer of a person is worth most."""
    title = "Where to look"
    if not doubts:
        return PageSection(title, ["No span is in doubt enough to be worth a look."], worst)
    rows = [
        [
            Cell(str(number)),
            links.moment(doubt.movie, doubt.frame),
            Cell(doubt.movie),
            Cell(f"{doubt.frame:,}"),
            Cell(f"{doubt.x:.0f}, {doubt.y:.0f}"),
            Cell(doubt.assigned or "nobody"),
            Cell(f"{doubt.name} {doubt.probability:.2f}" + (f"; {doubt.others}" if doubt.others else ""), words=True),
            Cell(f"{doubt.from_frame:,} to {doubt.to_frame:,}" + ("" if doubt.from_movie == doubt.to_movie else f" of {doubt.to_movie}")),
            Cell(f"{doubt.gain:,.0f}"),
        ]
        for number, doubt in enumerate(doubts[:MOST_DOUBTS], 1)
    ]
    total = sum(doubt.gain for doubt in doubts)
    many = "one span is" if len(doubts) == 1 else f"{len(doubts):,} spans are"
    sentence = (
        f"Of all that is not sure, {many} worth a look: answers are expected to correct or to name {total:,.0f} frames of an animal. "
        "Copy the row of doubtful.csv, with the right name, to the table of animals.facts."
    )
    header = ("no.", "time", "movie", "frame", "place (px)", "assigned", "who it can be", "span (frames)", "gain (frames)")
    shown = "Spans worth an answer" + (f", the first {MOST_DOUBTS} of {len(doubts):,}" if len(doubts) > MOST_DOUBTS else "")
    return PageSection(title, [sentence], [*worst, Table(header, rows, shown)], links=[Cell("doubtful.csv", path="../doubtful.csv")])
