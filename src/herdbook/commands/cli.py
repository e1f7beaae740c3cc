"""The command `herdbook`.

`new` writes an experiment file, `app` opens the page, `check` finds faults in a file, `run` runs it, `tune` proposes settings for its
animals, `score` compares trajectories with the truth; `trainset`, `suggest` and `validate` are for labels, `smooth-points`, `interpolate`,
`place-points` and `score-points` for body points; `status` shows the progress of an experiment, `summary` compares several, `provenance`
traces a file of the results to its origin.
"""

import json
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from herdbook.commands.labels import suggest, trainset_app, validate
from herdbook.commands.options import AsJson, ExperimentFile, check_movies, split_list
from herdbook.commands.poses import interpolate, place_points, score_points, smooth_points
from herdbook.commands.screen import add_row, echo, show, text_table
from herdbook.commands.studies import provenance, status, summary
from herdbook.errors import EXIT_USER_FAULT, HerdbookError

if TYPE_CHECKING:
    from rich.table import Table

    from herdbook.commands.check import Findings
    from herdbook.experiment.model import Experiment

# Commands import their modules when they run: all imports together take more than a second, which `--help` does not need.


class _Commands(TyperGroup):
    """Commands that end with the message of a HerdbookError and exit status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HerdbookError as error:
            echo(f"herdbook: {error}", err=True)
            raise typer.Exit(EXIT_USER_FAULT) from error


app = typer.Typer(
    cls=_Commands,
    help="Trajectories with names from movies of animal groups.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder of the experiment file")],
    movies: Annotated[list[str], typer.Option(help="pattern of the movies, in quotes: 'videos/*.mp4'; may be given several times")],
    name: Annotated[str | None, typer.Option(help="name of the experiment; by default that of the folder")] = None,
    marking: Annotated[
        Literal["marked", "unmarked", "none"] | None,
        typer.Option(help="how animals are identified; by default marked if --identities are given"),
    ] = None,
    identities: Annotated[str, typer.Option(help="names of marked animals, separated by commas: A,B,C")] = "",
    number: Annotated[int | None, typer.Option(help="number of animals")] = None,
    one_recording: Annotated[bool, typer.Option("--one-recording", help="the movies follow each other without a break")] = False,
) -> None:
    """Write a commented experiment file for your movies."""
    from herdbook.experiment.new import LABELS_FILE, NewAnimals, find_movies, write_experiment

    names = tuple(split_list(identities))
    found = find_movies(movies)
    if marking == "marked" and not names:
        raise HerdbookError("marked animals need names: give --identities A,B,C")
    animals = NewAnimals(marking or ("marked" if names else "none"), names, number)
    written = write_experiment(folder, found, animals, name=name, one_recording=one_recording)
    echo(f"Wrote {written[0]} with {len(found)} movie{'s' if len(found) > 1 else ''}.")
    if animals.marking == "marked":
        echo(f"Write points with the animals' names into {written[0].parent / LABELS_FILE} (movie,frame,x,y,label).")
    echo(f"Then: herdbook check {written[0]}")


@app.command()
def check(
    file: ExperimentFile,
    look: Annotated[int, typer.Option(help="number of movies, spread over the experiment, in whose frames blobs are counted", min=0)] = 3,
) -> None:
    """Check an experiment file, its movies, labels, arenas and truth, count blobs in some frames, and list the jobs that would run."""
    from herdbook.commands.check import check_experiment
    from herdbook.experiment.file import load_experiment
    from herdbook.system import snakemake

    experiment = load_experiment(file)
    findings = check_experiment(experiment, look)
    show(_movie_table(experiment, findings))
    for note in findings.notes:
        echo(f"note: {note}")
    if findings.looked_at:
        echo(f"Blobs were counted in frames of {', '.join(findings.looked_at)}.")
    if findings.faults:
        count = "one fault" if len(findings.faults) == 1 else f"{len(findings.faults)} faults"
        raise HerdbookError("\n  ".join([f"{file}: {count}:", *findings.faults]))
    snakefile = snakemake.project_snakefile()
    command = f"snakemake --configfile {shlex.quote(str(file.resolve()))} --cores all"
    if snakefile is None:
        echo(f"No faults. To run it, in the folder of Herdbook's Snakefile: {command}")
        return
    jobs = snakemake.planned_jobs(snakefile, file)
    if jobs:
        show(_job_table(jobs))
    state = "To run it" if jobs else "All results are up to date"
    in_project = f"cd {shlex.quote(str(snakefile.parent))} && {command}"
    echo(f"No faults. {state}: {f'herdbook run {shlex.quote(str(file))}' if snakemake.is_packaged(snakefile) else in_project}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context, file: ExperimentFile) -> None:
    """Run the workflow on an experiment: snakemake, with the Snakefile of the checkout around or of this package.

    All that follows FILE is for snakemake: targets such as names, and options such as --cores 2 (all cores otherwise), -n or --profile.
    """
    from herdbook.system.snakemake import snakemake_command

    raise typer.Exit(subprocess.call(snakemake_command(file, context.args)))


@app.command("app")
def open_app(
    place: Annotated[Path, typer.Argument(metavar="[FILE|DIR]", help="the experiment file, or a folder with experiments")] = Path(),
    port: Annotated[int, typer.Option(help="port of this machine; by default a free one", min=0, max=65535)] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="only print the address")] = False,
    root: Annotated[list[Path] | None, typer.Option(help="a further folder that the page may see; may be given several times")] = None,
) -> None:
    """Open the page on which animals are found and arenas drawn by looking at the movies."""
    from herdbook.app.start import run_app

    if not place.exists():
        raise HerdbookError(f"{place}: there is no such file or folder. `herdbook new DIR --movies 'videos/*.mp4'` writes an experiment.")
    file = None if place.is_dir() else place
    roots = [place if file is None else place.resolve().parent, *(root or [])]
    run_app(file, roots, port, browser=not no_browser, say=echo)


@app.command()
def tune(
    file: ExperimentFile,
    movie: Annotated[str | None, typer.Option(help="name of the movie to analyse; by default the first")] = None,
    frames: Annotated[int, typer.Option(help="number of frames to analyse, spread over the movie", min=10, max=1000)] = 60,
    out: Annotated[Path | None, typer.Option(help="folder of the pictures; by default tune in the experiment's results")] = None,
    write: Annotated[bool, typer.Option("--write", help="write the proposed values into the experiment file")] = False,
) -> None:
    """Propose how to find the animals of a movie, from sampled frames of it, with pictures to judge the proposal by.

    Proposed are segment.difference and segment.area, and where animals are missing another background or method, opening and closing.
    """
    from herdbook.commands.tuning.results import section_lines, write_values
    from herdbook.commands.tuning.reuse import proposal_basis, proposal_before
    from herdbook.experiment.file import load_experiment

    experiment = load_experiment(file)
    movie = experiment.movies[0].name if movie is None else movie
    check_movies([movie], experiment, file)
    folder, basis = out or experiment.folder / "tune", proposal_basis(experiment, movie, frames)
    found = proposal_before(folder / "tune.json", basis) if write else None
    if found is None:
        found = _tune(experiment, movie, frames, folder, basis)
    else:
        echo(f"This is the proposal in {folder / 'tune.json'}, which was made of the same movie and settings.")
        for warning in found["warnings"]:
            echo(f"warning: {warning}")
    (first, last), names = found["plateau"], ["background", "segment"]
    sections = {name: found[name] for name in names if name in found}
    echo(f"Proposed for {movie}, {found['sure']}: the plateau reaches from {first} to {last} grey levels.\n")
    echo(f"{section_lines(sections)}\n")
    echo(f"Look at the pictures in {folder}.")
    if write:
        write_values(file, experiment, movie, sections)
        echo(f"Wrote these values into {file}.")


def _tune(experiment: "Experiment", movie: str, frames: int, folder: Path, basis: dict[str, Any]) -> dict[str, Any]:
    """Compute a proposal, show its tables and warnings, write its pictures, and return what tune.json holds."""
    from herdbook.commands.tuning.measure import compare_ways
    from herdbook.commands.tuning.results import ladder_table, ways_table, write_results

    comparison = compare_ways(experiment, movie, frames)
    found = write_results(folder, experiment, comparison, basis)
    for table in (ways_table(comparison), ladder_table(comparison.chosen)):
        if table:
            show(table)
    for warning in found["warnings"]:
        echo(f"warning: {warning}")
    return found


@app.command()
def score(
    predicted: Annotated[Path, typer.Argument(metavar="PRED", help="table of trajectories (movie, frame, individual, x, y)")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="table of the truth ([movie,] frame, identity, x, y)")],
    named: Annotated[
        bool | None,
        typer.Option(
            "--named/--permuted", help="compare by name, or by the best permutation; by default by name if both tables have the same names"
        ),
    ] = None,
    radius: Annotated[float, typer.Option(help="a position is right within this distance of the true one (px)")] = 20.0,
    fps: Annotated[float | None, typer.Option(help="frames per second, for rates per hour")] = None,
    apart: Annotated[float | None, typer.Option(help="animals nearer than this are in contact (px); by default twice the radius")] = None,
    visible: Annotated[float | None, typer.Option(help="score only true positions that are visible to at least this share (0..1)")] = None,
    movies: Annotated[str | None, typer.Option(help="score only these movies, separated by commas")] = None,
    as_json: AsJson = False,
) -> None:
    """Score trajectories against a table of true positions."""
    from herdbook.tables.scoring import format_score, load_trajectories, load_truth, score_as_dict, score_trajectories

    tracks, true = load_trajectories(predicted), load_truth(truth)
    same = set(tracks["individual"]) == set(true["individual"])
    by_name = same if named is None else named
    wanted = None if movies is None else split_list(movies)
    result = score_trajectories(tracks, true, named=by_name, radius_px=radius, fps=fps, apart_px=apart, min_visible=visible, movies=wanted)
    if as_json:
        echo(json.dumps({"named": by_name, **score_as_dict(result)}))
        return
    reason = "" if named is not None else " (both tables have the same names)" if same else " (the tables have different names)"
    echo(f"individuals matched {'by name' if by_name else 'by the best permutation'}{reason}")
    echo(format_score(result))


def _movie_table(experiment: "Experiment", findings: "Findings") -> "Table":
    table = text_table("movie", "frames", "size (px)", "fps", "duration", "recording")
    for movie in experiment.movies:
        facts = findings.movies.get(movie.name)
        cells = ["-"] * 4
        if facts:
            cells = [str(facts.frames), f"{facts.size[0]} x {facts.size[1]}", f"{facts.fps:.4g}", _duration(facts.frames / facts.fps)]
            if facts.simulated:
                cells[0] += " (to be simulated)"
        add_row(table, movie.name, *cells, experiment.recording_of(movie.name))
    return table


def _job_table(jobs: dict[str, int]) -> "Table":
    table = text_table("rule", "jobs to run")
    for rule, count in jobs.items():
        add_row(table, rule, str(count))
    return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


app.add_typer(trainset_app, name="trainset")


for command in (suggest, validate, smooth_points, interpolate, place_points, score_points, status, provenance, summary):
    app.command()(command)
