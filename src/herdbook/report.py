"""Stage `report`: one page that tells a biologist what was tracked, how completely, how it is known and how right it is."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

import herdbook
from herdbook import page, plots
from herdbook.artifacts import Background, Blobs, Evidence, Identities, Index, Tracklets, Trajectories
from herdbook.colours import as_css, individual_colours
from herdbook.doubts import read_doubts
from herdbook.errors import HerdbookError
from herdbook.page import Cell, Page, Picture, Section, Table
from herdbook.scoring import Score, format_score, load_trajectories, load_truth, score_as_dict, score_trajectories
from herdbook.stage import Job, run_stage
from herdbook.store import file_fingerprint, open_artifact, replacing, write_text
from herdbook.summaries import (
    MovieFacts,
    Recording,
    Tracks,
    bin_ranges,
    count_how_known,
    expected_error,
    frame_bins,
    sum_individuals,
    timeline_matrix,
    track_lines,
)
from herdbook.unmarked_report import unmarked_section

STAGE = "report"
STAGE_VERSION = 4

TIME_BINS = 900  # about one for each pixel of a picture
ERROR_BINS = 150  # a share needs many positions
MOST_FRAGMENTS = 40
LINE_POINTS = 20_000
MANY = ("index", "background", "blobs", "tracklets", "identities", "evidence", "trajectories")


def read_recording(name: str, movies: Sequence[str], files: dict[str, dict[str, Path]]) -> Recording:
    """Read what the report counts in one recording, movie by movie; `files` are the paths by artifact and file stem.

    Raises HerdbookError when an artifact of one of its movies is not among the files.
    """
    identities = Identities.load(_path(files, "identities", name))
    names = list(identities.individuals)
    facts, parts, times, blobs, animals = [], [], [], [], []
    tracklet_frames: dict[str, NDArray[np.int64]] = {}
    first_frame, start_s = 0, 0.0
    tracklets_read = images_read = 0
    for movie in movies:
        index = Index.load(_path(files, "index", movie))
        tracklets = Tracklets.load(_path(files, "tracklets", movie))
        with open_artifact(_path(files, "blobs", movie), Blobs.kind) as file:
            blob_frame, tracked = file["frame"][...], int(np.diff(file["intervals"][...]).sum())
        facts.append(MovieFacts(movie, len(index), tracked, index.duration_s, index.width, index.height, index.fps, index.codec))
        linked = tracklets.blob_tracklet >= 0
        held = identities.animals_of(movie)[tracklets.blob_tracklet[linked]]
        blobs.append(np.bincount(blob_frame, minlength=len(index)))
        animals.append(np.rint(np.bincount(blob_frame[linked], held, minlength=len(index))).astype(np.int64))
        tracklet_frames[movie] = np.bincount(tracklets.blob_tracklet[linked], minlength=len(tracklets))
        if movie in files["evidence"]:
            evidence = Evidence.load(files["evidence"][movie])
            tracklets_read += int((evidence.images > 0).sum())
            images_read += int(evidence.images.sum())
        tracks = Trajectories.load(_path(files, "trajectories", movie))
        names += [individual for individual in tracks.individuals if individual not in set(names)]
        parts.append((tracks, first_frame))
        times.append(index.time_s + start_s)
        first_frame += len(index)
        start_s += index.duration_s
    frames = np.zeros(len(identities.movie), np.int64)
    for number, movie in enumerate(identities.movies):
        rows = identities.movie == number
        frames[rows] = tracklet_frames[movie][identities.tracklet[rows]]
    background = files["background"].get(name) or _path(files, "background", movies[0])
    return Recording(
        name=name,
        movies=facts,
        tracks=_join_tracks(names, parts),
        time_s=np.concatenate([*times, [start_s]]),
        blobs=np.concatenate(blobs),
        animals=np.concatenate(animals),
        how_known=count_how_known(identities.individual.astype(np.int64), identities.how, frames, len(names)),
        gap=identities.gap,
        tracklets=sum(len(counts) for counts in tracklet_frames.values()),
        tracklets_read=tracklets_read,
        images_read=images_read,
        background=Background.load(background).bgr[0],
    )


def recording_section(recording: Recording, marked: bool, number: int | None) -> Section:
    """The pictures of one recording."""
    tracks, end = recording.tracks, recording.time_s
    colours = as_css(individual_colours(tracks.names))
    edges = frame_bins(recording.frames, TIME_BINS)
    shown = np.arange(len(tracks.names)) if marked else tracks.longest(MOST_FRAGMENTS)
    drawn = range(len(tracks.names)) if marked else np.unique(tracks.individual).tolist()
    lines = track_lines(tracks, LINE_POINTS)
    figures = {
        "trajectories": (
            plots.plot_trajectories(
                recording.background, [lines[i] for i in drawn], [tracks.names[i] for i in drawn], [colours[i] for i in drawn]
            ),
            "Where the animals went, over the background image; a dot marks the last position.",
        ),
        "timeline": (
            plots.plot_timeline(
                timeline_matrix(tracks, shown, edges), end[edges], [tracks.names[i] for i in shown], [colours[i] for i in shown]
            ),
            "Where each position comes from, over time."
            + ("" if len(shown) == len(tracks.names) else f" Only the {len(shown)} longest fragments are shown."),
        ),
        "counts": (
            plots.plot_counts(bin_ranges(recording.blobs, edges), bin_ranges(recording.animals, edges), end[edges], number),
            "Blobs in each frame, and the animals that they hold: several animals that touch are one blob.",
        ),
    }
    if marked and len(tracks.frame):
        errors = expected_error(tracks, frame_bins(recording.frames, ERROR_BINS))
        figures["error"] = (
            plots.plot_expected_error(errors, end[frame_bins(recording.frames, ERROR_BINS)]),
            "Share of the positions that are expected to be wrong, over time.",
        )
    pictures = [Picture(f"{kind}_{recording.name}.png", plots.png_bytes(figure), text) for kind, (figure, text) in figures.items()]
    sentences = []
    if marked and np.isfinite(recording.gap):
        by = f" by more than {page.percent(recording.gap)}" if recording.gap > 0 else ""
        sentences.append(f"Of all ways to give the names, none fits the evidence and the movements better{by}.")
    if marked and len(tracks.frame):
        wrong = page.percent(float(np.mean(1.0 - tracks.confidence.astype(np.float64))))
        sentences.append(f"By their confidence, {wrong} of the positions are expected to be wrong.")
    return Section(f"Recording {recording.name}", sentences, pictures=pictures)


def provenance_section(paths: dict[str, list[Path]]) -> Section:
    """Settings, versions and fingerprints of all files that the report was made from."""
    settings: dict[tuple[str, str, str, str], list[str]] = {}
    files = []
    for path in (path for group in paths.values() for path in group):
        if path.suffix != ".h5":
            files.append([Cell(path.name), Cell("file"), Cell(file_fingerprint(path))])
            continue
        with h5py.File(path, "r") as file:
            attributes = {key: str(value) for key, value in file.attrs.items()}
        stage = attributes["stage"]
        key = (stage, attributes["stage_version"], attributes["herdbook_version"], attributes["settings"])
        settings.setdefault(key, []).append(path.stem)
        files.append([Cell(path.name), Cell(stage), Cell(attributes["fingerprint"])])
    rows = [
        [Cell(stage), Cell(version), Cell(release), Cell(_few(names)), Cell(text, code=True)]
        for (stage, version, release, text), names in settings.items()
    ]
    header = ("stage", "stage version", "Herdbook", "files", "settings")
    tables = [Table(header, rows, "Settings"), Table(("file", "stage", "fingerprint"), files, "Files")]
    return Section("Settings, versions and files", tables=tables, folded=True)


def _score(job: Job, fps: float) -> Score | None:
    if not job.files["truth"]:
        return None
    wanted: dict[str, Any] | None = job.settings["score"]
    if wanted is None:
        raise HerdbookError(
            f"{job.file('truth')}: a truth is given, but the experiment file has no section score. Add it, with its radius."
        )
    predicted, truth = load_trajectories(job.file("table")), load_truth(job.file("truth"))
    named = job.settings["marking"] == "marked"
    return score_trajectories(predicted, truth, named=named, radius_px=wanted["radius"], fps=fps, apart_px=wanted["apart"])


def _card_sections(job: Job, recordings: Sequence[Recording]) -> Iterator[Section]:
    if not job.files["card"]:
        return
    card = json.loads(job.file("card").read_text(encoding="utf-8"))
    if card.get("marking") == "unmarked":
        yield unmarked_section(card, recordings)
        if card["notes"]:
            yield page.notes_section(card["notes"])
        return
    confusion = np.asarray(card["confusion"], np.int64).reshape(len(card["classes"]), -1)
    figures = {
        "classifier": (
            plots.plot_classifier(confusion, card["classes"], card["history"]),
            "Left: what it answers for each label. Right: how it learned.",
        ),
        "reliability": (
            plots.plot_reliability(
                card["reliability"], card["tracklet_reliability"], np.asarray(card["tracklet_confusion"], np.int64), card["classes"]
            ),
            "Left: how often answers are right that claim a probability; on the line they claim what is true. "
            "Right: what it answers for each label, by tracklet.",
        ),
    }
    if card["worst"]:
        files = [np.frombuffer(base64.b64decode(one["png"]), np.uint8) for one in card["worst"]]
        images = [np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8) for file in files]
        captions = [f"{one['label']} read as {one['answer']}\n{one['movie']}, frame {one['frame']}" for one in card["worst"]]
        figures["worst_images"] = (plots.plot_images(images, captions), "The validation images that it reads worst, least probable first.")
    pictures = [Picture(f"{name}.png", plots.png_bytes(figure), text) for name, (figure, text) in figures.items()]
    yield page.classifier_section(card, recordings, pictures)
    if card.get("notes"):
        yield page.notes_section(card["notes"])


def make_page(job: Job, recordings: Sequence[Recording], score: Score | None) -> Page:
    """Put the page together."""
    marked = job.settings["marking"] != "none"
    frames, tracked = (sum(getattr(recording, name) for recording in recordings) for name in ("frames", "tracked"))
    totals = sum_individuals(list(recordings))
    number = len(job.settings["individuals"]) or None
    positions = int(totals.sources.sum())
    wanted = tracked * len(totals.names) if marked else sum(int(recording.animals.sum()) for recording in recordings)
    key_figures = [
        (f"{len(totals.names):,}", "individuals" if marked else "fragments"),
        (
            page.duration(sum(recording.duration_s for recording in recordings)),
            f"in {frames:,} frames" + (f", {tracked:,} tracked" if tracked < frames else ""),
        ),
        (page.percent(min(1.0, positions / wanted) if wanted else float("nan")), "of the animals' frames have a position"),
    ]
    sections = [page.movies_section(recordings), page.quality_section(totals, tracked, marked)]
    if score is not None:
        key_figures.append((page.percent(score.correct), "of the true positions are right"))
        sections.append(page.score_section(score, format_score(score), job.settings["score"]["radius"], marked))
    sections += [recording_section(recording, marked, number) for recording in recordings]
    if job.files["review"]:
        sections.append(page.review_section(read_doubts(job.file("review"))))
    sections += [
        *_card_sections(job, recordings),
        provenance_section({name: job.files[name] for name in (*MANY, "table", "card", "truth", "review")}),
    ]
    movies = sum(len(recording.movies) for recording in recordings)
    subtitle = f"{movies} movie{'s' * (movies != 1)} in {len(recordings)} recording{'s' * (len(recordings) != 1)}"
    return Page(job.settings["experiment"], subtitle, key_figures, sections, f"Herdbook {herdbook.__version__}")


def _work(job: Job) -> None:
    files = {kind: {path.stem: path for path in job.files[kind]} for kind in MANY}
    recordings = [read_recording(name, movies, files) for name, movies in job.settings["recordings"].items()]
    score = _score(job, recordings[0].movies[0].fps)
    folder = job.file("out").parent
    if score is not None:
        write_text(folder / "score.json", json.dumps(score_as_dict(score), indent=1) + "\n")
        write_text(folder / "score.txt", format_score(score) + "\n")
    report = make_page(job, recordings, score)
    for picture in report.pictures:
        with replacing(folder / picture.file) as temporary:
            temporary.write_bytes(picture.png)
    write_text(job.file("out"), page.render_page(report))


def _join_tracks(names: list[str], parts: Sequence[tuple[Trajectories, int]]) -> Tracks:
    row_of = {name: row for row, name in enumerate(names)}
    individual = []
    for tracks, _ in parts:
        rows = np.array([row_of[name] for name in tracks.individuals], np.int64)
        individual.append(rows[tracks.individual] if len(tracks.individual) else np.zeros(0, np.int64))
    return Tracks(
        names,
        np.concatenate([tracks.frame.astype(np.int64) + first for tracks, first in parts]),
        np.concatenate(individual),
        np.concatenate([tracks.x.astype(np.float32) for tracks, _ in parts]),
        np.concatenate([tracks.y.astype(np.float32) for tracks, _ in parts]),
        np.concatenate([tracks.source for tracks, _ in parts]),
        np.concatenate([tracks.confidence for tracks, _ in parts]),
    )


def _path(files: dict[str, dict[str, Path]], kind: str, name: str) -> Path:
    if name not in files[kind]:
        raise HerdbookError(
            f"--{kind}: no file for {name!r} among {_few(list(files[kind])) or 'none'}. Run snakemake, which names them all."
        )
    return files[kind][name]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("table", "out"), many=MANY, optional=("card", "truth", "review"), argv=argv)


if __name__ == "__main__":
    main()
