"""The commands `herdbook trainset`, `suggest` and `validate`: work with labels before and after a run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from herdbook.commands.options import ExperimentFile, check_movies, split_list
from herdbook.commands.screen import add_row, echo, show, text_table
from herdbook.errors import HerdbookError

if TYPE_CHECKING:
    from rich.table import Table

    from herdbook.artifacts.trainset import TrainingSet
    from herdbook.commands.labelling.rates import Rate
    from herdbook.experiment.model import Experiment
    from herdbook.experiment.sheets.answers import Point

# Exit status if a person must resolve contradictions first; nothing was written.
EXIT_UNDECIDED = 1
MOST_LISTED = 20

SetFile = Annotated[Path, typer.Argument(metavar="FILE", help="the experiment file, a training set (.h5), or a folder of images")]

trainset_app = typer.Typer(help="Inspect training sets, clean them as folders of images, and merge them.", no_args_is_help=True)


# Modules for images, tables and statistics take a second to import: commands import them when they run.


@trainset_app.command("export")
def export_set(file: SetFile, folder: Annotated[Path, typer.Argument(metavar="DIR", help="new folder for the images")]) -> None:
    """Write the images of a training set as `DIR/<label>/<movie>.<tracklet>.<frame>.png`."""
    from herdbook.classifier.image_folders import export_images

    examples = _set_of(file)
    export_images(examples, folder)
    _print_set(examples)
    echo(f"Wrote {len(examples.label):,} images to {folder}. To read them again: herdbook trainset import {folder} --into set.h5")


@trainset_app.command("import")
def import_set(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder with one subfolder of images per label")],
    into: Annotated[Path, typer.Option(help="file of the training set (.h5)")],
) -> None:
    """Make a training set from a folder of images, written by `export` or another program such as anTraX."""
    from herdbook.classifier.image_folders import import_images, save_set
    from herdbook.classifier.merging import find_contradictions, images_twice, list_examples

    examples = import_images(folder)
    save_set(examples, into, "trainset import", [folder])
    rows = list_examples(examples)
    _print_list("repeated images", [" = ".join(str(rows[k]) for k in same) for same in images_twice(examples.images)])
    _print_list("contradictory labels", list(find_contradictions(examples.images, rows)))
    _print_set(examples)
    echo(f"Wrote {into}. To train with it: trainset: {{use: {into}}}")


@trainset_app.command("merge")
def merge(
    a: Annotated[Path, typer.Argument(metavar="A", help="a training set: a file (.h5), a folder of images, or an experiment file")],
    b: Annotated[Path, typer.Argument(metavar="B", help="another one, whose images are converted to the form of A")],
    into: Annotated[Path, typer.Option(help="file of the training set of both (.h5)")],
    add_classes: Annotated[bool, typer.Option("--add-classes", help="include labels that only one of them has")] = False,
    other_movies: Annotated[bool, typer.Option("--other-movies", help="movies with the same name are different movies")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="omit all images with contradictory labels")] = False,
) -> None:
    """Merge two training sets. Exit status 1, and nothing is written, if labels contradict each other."""
    from herdbook.classifier.image_folders import save_set
    from herdbook.classifier.merging import class_differences, crop_differences, merge_sets
    from herdbook.commands.labelling.sets import renamed_movies

    first, second = _set_of(a), _set_of(b)
    differences = class_differences((str(a), str(b)), first.classes, second.classes)
    if differences and not add_classes:
        raise HerdbookError("\n  ".join(["the sets have different labels (to include all of them: --add-classes):", *differences]))
    _print_list("labels in one set only", differences)
    _print_list("images made in different ways", crop_differences(first, second))
    rename = renamed_movies(first, second) if other_movies else {}
    merged = merge_sets(first, second, rename=rename, leave_out=leave_out)
    _print_list("repeated images, kept once", merged.twice)
    _print_list("contradictory labels", merged.contradictions)
    if merged.contradictions and not leave_out:
        echo("Nothing was written. Correct the labels, or give --leave-out, or --other-movies if only the movies' names are the same.")
        raise typer.Exit(EXIT_UNDECIDED)
    save_set(merged.examples, into, "trainset merge", [a, b])
    _print_set(merged.examples)
    echo(f"Wrote {into}; {merged.left_out:,} images were omitted.")


@trainset_app.command("montage")
def draw_montages(file: SetFile, folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder for the pictures")]) -> None:
    """Write a picture for each label, `DIR/<label>.png`, with the images of each tracklet."""
    import cv2

    from herdbook.classifier.merging import blocks_of
    from herdbook.drawing.montage import montage

    examples = _set_of(file)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, name in enumerate(examples.classes):
        blocks = blocks_of(examples, number)
        if blocks:
            count += 1
            cv2.imwrite(str(folder / f"{name.replace('/', '_')}.png"), montage(blocks))
    _print_set(examples)
    echo(f"Wrote {count} pictures to {folder}.")


def suggest(
    file: ExperimentFile,
    number: Annotated[int, typer.Option("--number", "-n", help="number of points", min=1, max=500)] = 20,
    movies: Annotated[str | None, typer.Option(help="only points of these movies, separated by commas")] = None,
    out: Annotated[Path | None, typer.Option(help="folder; by default suggest in the experiment's results")] = None,
    take: Annotated[bool, typer.Option("--take", help="add the names that you filled in to labels.csv; ok accepts the guess")] = False,
    points: Annotated[bool, typer.Option("--points", help="suggest frames whose body points to label, for the section pose")] = False,
) -> None:
    """Suggest points whose labels would help most, with pictures, as rows for labels.csv; or frames whose body points to label.

    What you filled in is never overwritten.
    """
    from herdbook.commands.labelling.suggest import suggest_points, write_points
    from herdbook.experiment.file import load_experiment

    experiment = load_experiment(file)
    if take:
        _take_answers(experiment, out or experiment.folder / "suggest")
        return
    wanted = [movie.name for movie in experiment.movies] if movies is None else split_list(movies)
    check_movies(wanted, experiment, file)
    if points:
        _suggest_frames(experiment, number, wanted, out or experiment.folder / "suggest_points")
        return
    suggested = suggest_points(experiment, number, wanted)
    if not suggested.points:
        raise HerdbookError(f"{file}: no unlabelled tracklet of a single animal is left. Check the overlay movie and the section segment.")
    folder = out or experiment.folder / "suggest"
    kept = write_points(experiment, suggested, folder)
    if kept:
        echo(f"The names that you filled in before are kept in {kept / 'suggested.csv'}.")
    echo(f"Wrote {len(suggested.points)} points to {folder / 'suggested.csv'}, best first, with a picture of each; all of them: sheet.png")
    echo("Fill in the column label, or write ok where the guess is right. Then: herdbook suggest FILE --take")
    echo("Labelling takes less time on the page: herdbook app FILE")


def _suggest_frames(experiment: "Experiment", number: int, movies: list[str], folder: Path) -> None:
    from herdbook.commands.labelling.point_frames import TABLE, suggest_frames, write_frames

    found = suggest_frames(experiment, number, movies)
    write_frames(experiment, found, folder)
    echo(f"Wrote {len(found)} frames to {folder / TABLE}, the most helpful first, with their pictures in {folder / 'labeled-data'}.")
    echo("Label the body points of all animals in them, with DeepLabCut, SLEAP or in a table movie,frame,individual,point,x,y,")
    echo("and name the file in pose: {labels: [...]}.")


def validate(
    file: ExperimentFile,
    number: Annotated[int, typer.Option("--number", "-n", help="number of points", min=1, max=5000)] = 100,
    seed: Annotated[int, typer.Option(help="seed of the random points", min=0)] = 1,
    out: Annotated[Path | None, typer.Option(help="folder; by default validate in the experiment's results")] = None,
    answers: Annotated[Path | None, typer.Option(help="the table with your answers: print the rates of errors")] = None,
) -> None:
    """Draw random points to be judged right or wrong, or print how often names are wrong according to your answers."""
    from herdbook.commands.labelling.validate import SHEET, TABLE, draw_points, write_sheet
    from herdbook.experiment.file import load_experiment

    experiment = load_experiment(file)
    if answers is not None:
        _print_answers(experiment, answers)
        return
    points, length_px = draw_points(experiment, number, seed)
    folder = out or experiment.folder / "validate"
    write_sheet(experiment, points, length_px, folder)
    shown = sum(point.assigned for point in points)
    echo(f"Drew {len(points)} points; {shown} have a position and are shown in {folder / SHEET}.")
    echo(f"Answer them there and save {TABLE}, or fill in {folder / TABLE} by hand.")
    echo(f"Then: herdbook validate {file} --answers {TABLE}")


def _take_answers(experiment: "Experiment", folder: Path) -> None:
    from herdbook.commands.labelling.taking import filled_tables, take_answers

    tables = filled_tables(folder)
    if not tables:
        raise HerdbookError(f"{folder}: no name is filled in. Write names into the column label of suggested.csv.")
    taken = take_answers(experiment, tables)
    _print_list("rows that cannot be used", taken.faults)
    if taken.faults:
        echo("Nothing was written. Correct these rows.")
        raise typer.Exit(EXIT_UNDECIDED)
    there = f"; {taken.there} were there already" if taken.there else ""
    echo(f"Added {taken.added} labels to {experiment.animals.labels}{there}. Then: herdbook run FILE names")


def _set_of(path: Path) -> "TrainingSet":
    from herdbook.commands.labelling.sets import set_of

    return set_of(path)


def _print_list(title: str, lines: list[str]) -> None:
    if lines:
        more = [f"  and {len(lines) - MOST_LISTED} more"] if len(lines) > MOST_LISTED else []
        echo("\n".join([f"{title} ({len(lines)}):", *(f"  {line}" for line in lines[:MOST_LISTED]), *more]))


def _print_set(examples: "TrainingSet") -> None:
    from herdbook.classifier.merging import count_labels

    table = text_table("label", "images", "tracklets")
    for name, images, tracklets in count_labels(examples):
        add_row(table, name, f"{images:,}", f"{tracklets:,}")
    show(table)


def _print_answers(experiment: "Experiment", path: Path) -> None:
    from herdbook.commands.labelling.rates import hour_of
    from herdbook.commands.labelling.validate import count_moved
    from herdbook.experiment.sheets.answers import read_answers

    points = read_answers(path)
    if not any(point.answer for point in points):
        raise HerdbookError(f"{path}: there are no answers. Write right, wrong or cannot say into the column answer.")
    moved = count_moved(experiment, points)
    if moved:
        echo(f"note: {moved} of {len(points)} points have another position now: these answers are about older results.")
    for title, key in (("all", lambda point: "all"), ("individual", lambda point: point.individual), ("hour", hour_of)):
        show(_rate_table(title, points, key, with_assigned=True))
    known = [point for point in points if point.assigned]
    show(_rate_table("how it is known", known, lambda point: point.known, with_assigned=False))


def _rate_table(title: str, points: list["Point"], key: Callable[["Point"], str], *, with_assigned: bool) -> "Table":
    from herdbook.commands.labelling.rates import summarise_by

    table = text_table(title, *(["assigned"] if with_assigned else []), "wrong", "cannot say", "not answered")
    for found in sorted(summarise_by(points, key), key=lambda found: found.group):
        cells = [_rate(found.assigned)] if with_assigned else []
        add_row(table, found.group, *cells, _rate(found.wrong), str(found.cannot_say), str(found.unanswered))
    return table


def _rate(rate: "Rate") -> str:
    if not rate.trials:
        return "–"
    return f"{rate.share:.1%} ({rate.low:.1%} to {rate.high:.1%}; {rate.count} of {rate.trials})"
