"""Stage `report`: one page that tells a biologist what was tracked, how completely, how it is known and how right it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from herdbook.artifacts.origin import check_unchanged
from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.answers import read_answers
from herdbook.identity.doubts import Doubt, read_doubts
from herdbook.job import Job, run_stage
from herdbook.report import page
from herdbook.report.assumptions import Assumption, Given, as_json, assumptions_section, check_assumptions, told_first
from herdbook.report.classifier import card_sections
from herdbook.report.expected import ExpectedError, correct_error, sentence_of, still_valid
from herdbook.report.found import FoundBlobs, found_section, found_warnings, read_found
from herdbook.report.gist import Gist, expected_wrong
from herdbook.report.known import read_merges
from herdbook.report.links import PageLinks, files_section, find_links
from herdbook.report.origin import origin_sections
from herdbook.report.page import Page, PageSection, count
from herdbook.report.points.pictures import point_pictures
from herdbook.report.points.section import bodypoints_section
from herdbook.report.points.summaries import PointCounts, PointExample, read_points_of_movie, worst_example
from herdbook.report.quality import measure_recordings, quality_section, unknown_share, worst_places
from herdbook.report.reading import read_contacts, read_recording
from herdbook.report.recording import recording_section, review_pictures
from herdbook.report.scene_notes import scene_notes
from herdbook.report.sections import MOST_DOUBTS, movies_section, review_section, score_section
from herdbook.report.summaries import Recording, sum_individuals
from herdbook.system.files import replacing, write_text
from herdbook.tables.scoring import Score, format_score, load_trajectories, load_truth, score_as_dict, score_trajectories
from herdbook.version import VERSION

STAGE = "report"
STAGE_VERSION = 15

MANY = ("index", "background", "blobs", "tracklets", "identities", "evidence", "trajectories")
SINGLE = ("table", "card", "truth", "review", "answers")


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


@dataclass(frozen=True)
class Told:
    """What the stages found out: what was found in each movie; the `error` that is expected, if animals have names, and the `assumptions`
    on which it rests; the `doubts`; the score if the truth is known; a sentence on what a person `judged`, "" for nothing.
    """

    found: Sequence[FoundBlobs]
    assumptions: Sequence[Assumption]
    error: ExpectedError | None
    doubts: Sequence[Doubt]
    score: Score | None
    judged: str = ""


def make_page(job: Job, recordings: Sequence[Recording], told: Told) -> Page:
    """Put the page together."""
    found, doubts, score = told.found, told.doubts, told.score
    settings = job.settings
    named = settings["marking"] != "none"
    totals = sum_individuals(list(recordings))
    known = measure_recordings(recordings, read_merges(job.file("events")))
    folder = job.file("out").parents[1]
    files = [path.relative_to(folder).as_posix() for name in ("table", "tables", "review") for path in job.files[name]]
    links = find_links(recordings, files, settings["shown"])
    card = _card(job.file("card")) if job.files["card"] else None
    notes = scene_notes(settings["recordings"], _files_by_name(job))
    kept, alone = settings.get("keep", False), settings.get("alone", False)
    sections = [movies_section(recordings, links, notes), quality_section(known, totals, named, kept, alone)]
    sections += [assumptions_section(told.assumptions), found_section(found, settings["numbers"], settings["arenas"])]
    if score is not None:
        sections.append(score_section(score, format_score(score), settings["score"]["radius"], named))
    if named:
        review = review_section(doubts, links, worst_places(known, links))
        pictures = review_pictures(doubts[:MOST_DOUBTS], _files_by_name(job), settings["recordings"], totals.names)
        sections.append(replace(review, pictures=pictures))
    if job.files["points"]:
        sections += _body_points(job, recordings, links)
    sections += [recording_section(recording, named, len(settings["individuals"]) or None) for recording in recordings]
    sections += card_sections(card, recordings) if card else ()
    made_from = [path for name in (*MANY, "movie", "repaired", "points", *SINGLE) for path in job.files[name]]
    sections += [files_section(links, score is not None), *origin_sections(made_from, settings["marking"])]
    gist = Gist(
        recordings, totals, settings["marking"], kept, len(doubts), score, told.error, unknown_share(known), alone, told.assumptions
    )
    warnings = sum(len(one.warnings) for one in found)
    judged, more = [told.judged] if told.judged else [], [f"{count(warnings, 'warning')}: see What was found."] if warnings else []
    sentences = [*gist.sentences(), *judged, *more]
    return Page(settings["experiment"], gist.subtitle(), gist.key_figures(), sections, f"Herdbook {VERSION}", sentences)


def _body_points(job: Job, recordings: Sequence[Recording], links: PageLinks) -> list[PageSection]:
    """The section on body points; none if nothing is known of them, as of animals that have other names."""
    files, counts = _files_by_name(job) | {"points": {path.stem: path for path in job.files["points"]}}, PointCounts()
    repaired = {path.stem: RepairedPoints.load(path) for path in job.files["repaired"]}
    worst: tuple[int, PointExample] | None = None
    for movie, path in files["points"].items():
        points = read_points_of_movie(path, files["trajectories"][movie])
        counts.add(points)
        found = repaired[movie].worst if movie in repaired else None
        example = worst_example(points, *found[1:]) if found else None
        if found and example and (worst is None or found[0] > worst[0]):
            worst = found[0], example
    body_px = {movie.name: recording.body_length_px for recording in recordings for movie in recording.movies}
    pictures = point_pictures(counts.examples(worst[1] if worst else None), files, body_px, job.settings["skeleton"])
    known = counts.summary()
    return [bodypoints_section(repaired, links, known, pictures)] if repaired or known.points else []


def _expected_error(job: Job, recordings: Sequence[Recording]) -> tuple[ExpectedError | None, str]:
    """The expected error, None for animals without names, and a sentence on the answers that correct it."""
    if job.settings["marking"] == "none":
        return None, ""
    answers = [point for path in job.files["answers"] for point in read_answers(path)]
    valid = still_valid(answers, recordings)
    expected = expected_wrong(_card(job.file("card")) if job.files["card"] else None, recordings)
    return correct_error(expected, valid), sentence_of(answers, valid) if answers else ""


def _card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise HerdbookError(
            f"{path}: not a readable card ({error}). Delete it and run snakemake again: the rule 'train' makes it again."
        ) from error
    return card


def _files_by_name(job: Job) -> dict[str, dict[str, Path]]:
    files = {kind: {path.stem: path for path in job.files[kind]} for kind in MANY}
    return files | {"movie": dict(zip(files["index"], job.files["movie"], strict=False))}


def _found(job: Job, files: Mapping[str, Mapping[str, Path]]) -> list[FoundBlobs]:
    """What was found in each movie."""
    numbers, names = job.settings["numbers"], job.settings["arenas"]
    return [
        read_found(movie, files["blobs"][movie], Tracklets.load(files["tracklets"][movie]), numbers, names)
        for members in job.settings["recordings"].values()
        for movie in members
    ]


def _given(job: Job) -> Given:
    settings = job.settings
    return Given(settings["recordings"], settings["numbers"], settings["arenas"], settings["individuals"])


def _work(job: Job) -> None:
    for path in (*job.files["table"], *job.files["events"], *job.files["review"]):
        check_unchanged(path)
    files = _files_by_name(job)
    contacts = read_contacts(job.file("events")) if job.settings["marking"] != "none" else None
    given = {"px_per_mm": job.settings["px_per_mm"], "masks": job.files["masks"], "numbers": job.settings["numbers"]}
    recordings = [read_recording(name, movies, files, contacts=contacts, **given) for name, movies in job.settings["recordings"].items()]
    doubts = read_doubts(job.file("review"), "export") if job.files["review"] else []
    score = _score(job, recordings[0].movies[0].fps)
    folder = job.file("out").parent
    if score is not None:
        write_text(folder / "score.json", json.dumps(score_as_dict(score), indent=1) + "\n")
        write_text(folder / "score.txt", format_score(score) + "\n")
    found, assumptions = _found(job, files), check_assumptions(_given(job), files)
    lines = [*told_first(assumptions, job.settings["marking"] != "none"), *found_warnings(found)]
    write_text(folder / "notes.txt", "".join(f"{line}\n" for line in lines))
    error, judged = _expected_error(job, recordings)
    write_text(folder / "expected_error.json", as_json(assumptions, error))
    report = make_page(job, recordings, Told(found, assumptions, error, doubts, score, judged))
    for picture in report.pictures:
        for name, content in ((picture.file, picture.png), (picture.vector_file, picture.vector)):
            if content:
                with replacing(folder / name) as temporary:
                    temporary.write_bytes(content)
    write_text(job.file("out"), page.render_page(report))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    many, optional = (*MANY, "movie", "masks", "tables", "repaired", "points"), ("card", "truth", "review", "answers")
    run_stage(STAGE, STAGE_VERSION, _work, one=("table", "events", "out"), many=many, optional=optional, argv=argv)


if __name__ == "__main__":
    main()
