"""The command herdbook, run on small movies: written files can be used as they are, all faults are reported at once with exit status 2."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from herdbook.commands import cli
from herdbook.commands.check import MovieFacts, check_experiment
from herdbook.errors import HerdbookError
from herdbook.experiment.docs import keys_of
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.new import NewAnimals, experiment_text, find_movies
from herdbook.experiment.sheets.answers import Point, write_answers
from herdbook.system import snakemake
from herdbook.system.snakemake import planned_jobs
from tests.conftest import ROOT


def herdbook(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def write_movie(path: Path, frames: int = 12, size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            image = np.full((size[1], size[0], 3), 10 * (number % 25), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two movies in videos/, from where the command is run; no project with a Snakefile around it."""
    for name in ("movie2.mp4", "movie10.mp4"):
        write_movie(tmp_path / "videos" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(snakemake, "project_snakefile", lambda: None)
    return tmp_path


def marked(folder: Path, **changes: Any) -> Path:
    """A marked experiment on both movies with good labels."""
    raw: dict[str, Any] = {
        "experiment": "ants",
        "movies": [{"name": name, "file": f"videos/{name}.mp4", "recording": "day"} for name in ("movie2", "movie10")],
        "animals": {"marking": "marked", "identities": ["A", "B"], "labels": "labels.csv"},
    }
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nmovie2,0,5,6,A\nmovie10,11,63,47,B\n")
    path = folder / "ants.yaml"
    path.write_text(yaml.safe_dump(raw | changes))
    return path


# --- new


def test_new_writes_a_file_that_loads_with_movies_in_natural_order(folder: Path) -> None:
    result = herdbook("new", "ants", "--movies", "videos/*.mp4")
    assert result.exit_code == 0, result.output
    experiment = load_experiment(folder / "ants" / "ants.yaml")
    assert [movie.name for movie in experiment.movies] == ["movie2", "movie10"]
    assert [Path(movie.file) for movie in experiment.movies] == [folder / "videos" / f"{name}.mp4" for name in ("movie2", "movie10")]
    assert experiment.recordings == {"movie2": ["movie2"], "movie10": ["movie10"]}
    assert experiment.animals.marking == "none"
    assert "file: ../videos/movie2.mp4" in (folder / "ants" / "ants.yaml").read_text()
    assert not (folder / "ants" / "labels.csv").exists()


def test_new_for_marked_animals_writes_empty_labels_beside_it(folder: Path) -> None:
    result = herdbook(
        "new", "exp", "--movies", "videos/*.mp4", "--identities", "NO, 1,B", "--name", "day 1", "--number", "4", "--one-recording"
    )
    assert result.exit_code == 0, result.output
    experiment = load_experiment(folder / "exp" / "day 1.yaml")
    assert experiment.animals.identities == ["NO", "1", "B"]
    assert experiment.number == 4
    assert experiment.recordings == {"day 1": ["movie2", "movie10"]}
    assert (folder / "exp" / "labels.csv").read_text() == "movie,frame,x,y,label\n"


def test_new_keeps_labels_that_are_there(folder: Path) -> None:
    (folder / "labels.csv").write_text("mine")
    assert herdbook("new", ".", "--movies", "videos/*.mp4", "--identities", "A").exit_code == 0
    assert (folder / "labels.csv").read_text() == "mine"


def test_new_does_not_overwrite(folder: Path) -> None:
    (folder / "ants.yaml").write_text("mine")
    result = herdbook("new", ".", "--name", "ants", "--movies", "videos/*.mp4")
    assert result.exit_code == 2
    assert "exists and is not overwritten" in result.stderr
    assert (folder / "ants.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--movies", "video/*.mp4"], "no movie matches the pattern 'video/*.mp4'"),
        (["--movies", "videos/*.mp4", "--movies", "x.avi"], "no movie matches the pattern 'x.avi'"),
        (["--movies", "videos/*.mp4", "--marking", "marked"], "give --identities A,B,C"),
        (["--movies", "videos/*.mp4", "--marking", "unmarked"], "unmarked animals need number"),
        (["--movies", "videos/*.mp4", "--identities", "A,A"], "names given twice: A"),
        (["--movies", "videos/*.mp4", "--name", "../x"], "is the name of a folder"),
        (["--movies", "videos/*.mp4", "--number", "0"], "animals.number"),
    ],
)
def test_new_reports_faults_and_writes_nothing(folder: Path, arguments: list[str], expected: str) -> None:
    result = herdbook("new", "exp", *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output
    assert not list(folder.rglob("*.yaml"))


def test_movies_of_the_same_name_are_reported_apart_by_their_folders(folder: Path) -> None:
    for name in ("left", "right"):
        write_movie(folder / name / "cam.mp4", frames=1)
    assert herdbook("new", "exp", "--movies", "*/*.mp4").exit_code == 0
    assert [movie.name for movie in load_experiment(folder / "exp" / "exp.yaml").movies] == ["left_cam", "right_cam", "movie2", "movie10"]


def test_patterns_that_overlap_list_a_movie_once(folder: Path) -> None:
    assert len(find_movies(["videos/*", "videos/movie2.mp4", str(folder / "**" / "*.mp4")])) == 2


def test_every_setting_shown_is_valid_and_the_default(folder: Path) -> None:
    text = experiment_text("ants", {"m": "m.mp4"}, NewAnimals("marked", ("A",)))
    path = folder / "ants.yaml"
    path.write_text(text)
    plain = load_experiment(path)
    shown = re.sub(r"^#(?=\w|  )", "", text, flags=re.MULTILINE)
    # Sections that ask for files of body points, which this experiment does not have.
    given = yaml.safe_load(shown) | {"pose": {"labels": ["points.csv"]}}
    del given["repair"]
    path.write_text(yaml.safe_dump(given))
    full = load_experiment(path)
    unset = {"arenas": [], "score": None, "scale": None, "pose": None}
    assert full.model_copy(update=unset) == plain
    raw = yaml.safe_load(shown)
    for key in keys_of(Experiment):
        if key.name != "simulate":
            assert key.name in raw
        if key.inner and isinstance(raw.get(key.name), dict):
            assert set(raw[key.name]) == {inner.name for inner in keys_of(key.inner)}
            assert all(inner.meaning in text for inner in keys_of(key.inner))


def test_strange_names_survive_the_file(folder: Path) -> None:
    names = {"a: b": "../v/a: b.mp4", "#1": "v/#1.mp4", "it's, [so]": "v/it's, [so].mp4", "é": "é/ü.mp4", "1e3": "1e3", "null": "~"}
    (folder / "e.yaml").write_text(experiment_text("x #1", names, NewAnimals("none")), encoding="utf-8")
    experiment = load_experiment(folder / "e.yaml")
    assert experiment.experiment == "x #1"
    assert {movie.name: Path(movie.file) for movie in experiment.movies} == {k: (folder / v).resolve() for k, v in names.items()}


# --- check


def test_a_good_experiment_is_shown_as_a_table(folder: Path) -> None:
    result = herdbook("check", marked(folder))
    assert result.exit_code == 0, result.output
    row = next(line for line in result.stdout.splitlines() if "movie10" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["movie10", "12", "64 x 48", "10", "0:00:01", "day"]
    assert "snakemake --configfile" in result.stdout


def test_all_faults_are_reported_at_once(folder: Path) -> None:
    write_movie(folder / "videos" / "movie10.mp4", size=(32, 48))
    (folder / "videos" / "text.mp4").write_text("this is no movie")
    (folder / "truth.csv").write_text("movie,frame,identity,x,y\nmovie3,0,A,1,2\n")
    path = marked(
        folder,
        movies=[{"name": name, "file": f"videos/{name}.mp4", "recording": "day"} for name in ("movie2", "movie10", "none", "text")],
        arenas=[{"name": "dish", "include": [{"ellipse": {"centre": [300, 200], "axes": [20, 20]}}]}],
        score={"truth": "truth.csv"},
    )
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nmovie2,12,5,6,A\nmovie10,0,63,6,B\n")
    result = herdbook("check", path)
    assert result.exit_code == 2
    assert "8 faults" in result.stderr
    for expected in (
        "none.mp4",
        "text.mp4",
        "recording 'day': movie2 is 64 x 48 px, but movie10 is 32 x 48 px",
        "labels.csv, line 2: movie2 has frames 0 to 11, found frame 12",
        "labels.csv, line 3: (63, 6) is outside the frame of movie10, which is 32 x 48 px",
        "arena 'dish', include 1 (ellipse): lies outside the frame",
        "truth.csv: there is no movie 'movie3'; did you mean 'movie2'?",
    ):
        assert expected in result.stderr
    assert "Traceback" not in result.output


def test_empty_labels_and_animals_without_labels_are_reported(folder: Path) -> None:
    path = marked(folder)
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nmovie2,0,5,6,A\n")
    result = herdbook("check", path)
    assert result.exit_code == 0
    assert "no label of B" in result.stdout
    (folder / "labels.csv").write_text("movie,frame,x,y,label\n")
    result = herdbook("check", path)
    assert result.exit_code == 0
    assert "there are no labels yet" in result.stdout


def test_a_truth_without_movies_fits_one_movie_only(folder: Path) -> None:
    (folder / "truth.csv").write_text("frame,identity,x,y\n0,A,1,2\n")
    assert "with several movies, the table needs a column movie" in herdbook("check", marked(folder, score={"truth": "truth.csv"})).stderr
    one = marked(folder, score={"truth": "truth.csv"}, movies=[{"name": "movie2", "file": "videos/movie2.mp4"}])
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nmovie2,0,5,6,A\n")
    assert herdbook("check", one).exit_code == 0


def test_a_movie_that_is_cut_off_may_be_kept(folder: Path) -> None:
    path = write_movie(folder / "videos" / "cut.ts", frames=200)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    movie: dict[str, Any] = {"name": "cut", "file": "videos/cut.ts"}
    animals = {"marking": "none"}
    kept = marked(folder, movies=[movie | {"override": {"index": {"on_broken": "keep"}}}], animals=animals)
    result = herdbook("check", kept)
    assert result.exit_code == 0, result.output
    assert 0 < check_experiment(load_experiment(kept)).movies["cut"].frames < 200


def test_how_movies_are_read_is_told(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        for number in range(3):
            PIL.Image.fromarray(np.full((48, 64), 200 * 16 * number, np.uint16)).save(folder / name / f"{number}.png")
    movies: list[dict[str, Any]] = [{"name": name, "file": name} for name in ("one", "two")]
    result = herdbook("check", marked(folder, movies=movies, animals={"marking": "none"}))
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "movies one, two: images have no times: 25 frames/s are assumed" in words
    assert "use 14 of their 16 bits" in words
    (folder / "times.csv").write_text("time\n0\n2\n6\n")
    movies = [movies[0] | {"fps": 0.5}, movies[1] | {"times": "times.csv", "rotate": 90}]
    found = check_experiment(load_experiment(marked(folder, movies=movies, animals={"marking": "none"})))
    assert found.faults == []
    assert [(facts.fps, facts.size) for facts in found.movies.values()] == [(0.5, (64, 48)), (pytest.approx(1 / 3), (48, 64))]
    assert not [note for note in found.notes if "25 frames/s" in note]
    (folder / "times.csv").write_text("0\n2\n")
    assert "two has 3 frames, but its file of times" in herdbook("check", marked(folder, movies=movies, animals={"marking": "none"})).stderr


def test_a_faulty_table_of_answers_is_found_before_the_run(folder: Path) -> None:
    write_movie(folder / "videos" / "m.mp4")
    animals = {"marking": "unmarked", "number": 1, "answers": "answers.csv"}
    path = marked(folder, movies=[{"name": "m", "file": "videos/m.mp4"}], animals=animals)
    (folder / "answers.csv").write_text("number,movie\n1,m\n")
    (fault,) = check_experiment(load_experiment(path)).faults
    assert "answers.csv: missing columns recording, frame" in fault
    point = Point(1, "m", "m", 0, 0.0, "animal1", 1.0, 2.0, 0.9, "single", "classified", "right")
    write_answers(folder / "answers.csv", [point])
    assert check_experiment(load_experiment(path)).faults == []


def test_movies_that_will_be_simulated_need_not_be_there(folder: Path) -> None:
    path = marked(
        folder,
        simulate={"frames": 50, "size": [160, 120], "fps": 20},
        movies=[{"name": "m", "file": "results/ants/simulate/m.mp4"}],
        animals={"marking": "marked", "identities": ["A"], "labels": "results/ants/simulate/labels.csv"},
        score={"truth": "results/ants/simulate/truth.csv"},
    )
    result = herdbook("check", path)
    assert result.exit_code == 0, result.output
    assert "simulated" in result.stdout
    assert check_experiment(load_experiment(path)).movies == {"m": MovieFacts(50, (160, 120), 20, simulated=True)}


def test_a_faulty_file_is_reported_without_a_traceback(folder: Path) -> None:
    (folder / "e.yaml").write_text("experimnt: x\n")
    result = herdbook("check", "e.yaml")
    assert result.exit_code == 2
    assert "did you mean 'experiment'?" in result.stderr
    assert "Traceback" not in result.output


SNAKEFILE = """
rule all:
    input: expand("{name}.txt", name=config["names"])
rule make:
    output: "{name}.txt"
    shell: "touch {output}"
"""


def test_what_would_run_is_counted_and_nothing_is_run(tmp_path: Path) -> None:
    snakefile, config = tmp_path / "Snakefile", tmp_path / "c.yaml"
    snakefile.write_text(SNAKEFILE)
    config.write_text("names: [a, b, c]\n")
    assert planned_jobs(snakefile, config) == {"make": 3, "all": 1}
    assert not list(tmp_path.glob("*.txt"))
    for name in "abc":
        (tmp_path / f"{name}.txt").touch()
    assert planned_jobs(snakefile, config) == {}
    config.write_text("other: 1\n")
    with pytest.raises(HerdbookError, match=r"(?s)cannot plan this experiment.*names"):
        planned_jobs(snakefile, config)


def test_check_shows_the_jobs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snakemake, "project_snakefile", lambda: folder / "Snakefile")
    monkeypatch.setattr(snakemake, "planned_jobs", lambda *_: {"segment": 2, "all": 1})
    result = herdbook("check", marked(folder))
    assert re.search(r"segment\W+2\b", result.stdout)
    assert f"cd {folder}" in result.stdout


# --- run


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run, which do nothing and end with status 7."""
    ran: list[list[str]] = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: ran.append(command) or 7)
    return ran


def test_run_is_snakemake_with_the_rules_of_the_checkout(tmp_path: Path, commands: list[list[str]]) -> None:
    result = herdbook("run", marked(tmp_path), "names", "--cores", "2", "-n")
    assert result.exit_code == 7
    given = ["--configfile", str(tmp_path / "ants.yaml"), "--snakefile", str(ROOT / "Snakefile")]
    assert commands == [[sys.executable, "-m", "snakemake", *given, "names", "--cores", "2", "-n"]]


@pytest.mark.parametrize(
    ("options", "cores"), [([], ["--cores", "all"]), (["-j4"], []), (["--profile=x"], []), (["-n"], ["--cores", "all"])]
)
def test_run_takes_all_cores_unless_told_otherwise(tmp_path: Path, commands: list[list[str]], options: list[str], cores: list[str]) -> None:
    herdbook("run", marked(tmp_path), *options)
    assert commands[0][7:] == [*cores, *options]


def test_an_installed_package_runs_its_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "herdbook"
    (package / "project").mkdir(parents=True)
    monkeypatch.setattr(snakemake.herdbook, "__file__", str(package / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    assert snakemake.project_snakefile() is None
    with pytest.raises(HerdbookError, match="no workflow beside this package"):
        snakemake.snakemake_command(tmp_path / "my.yaml")
    (package / "project" / "Snakefile").touch()
    assert snakemake.project_snakefile() == package / "project" / "Snakefile"
    assert snakemake.is_packaged(package / "project" / "Snakefile")
    monkeypatch.chdir(ROOT)
    assert snakemake.project_snakefile() == ROOT / "Snakefile"


# --- score


def tables(folder: Path, names: str = "AB") -> tuple[Path, Path]:
    """Two animals that swap their names halfway through the prediction."""
    rows = [(frame, who, 10.0 * frame, 100.0 * who) for frame in range(10) for who in range(2)]
    truth, predicted = folder / "truth.csv", folder / "pred.csv"
    truth.write_text("movie,frame,identity,x,y\n" + "".join(f"m,{f},{'AB'[w]},{x},{y}\n" for f, w, x, y in rows))
    swapped = "".join(f"m,{f},{names[w ^ (f >= 6)]},{x},{y}\n" for f, w, x, y in rows)
    predicted.write_text("movie,frame,individual,x,y\n" + swapped)
    return predicted, truth


def test_score_goes_by_name_where_the_names_are_the_same(tmp_path: Path) -> None:
    result = herdbook("score", *tables(tmp_path))
    assert result.exit_code == 0, result.output
    assert "matched by name (both tables have the same names)" in result.stdout
    result = herdbook("score", *tables(tmp_path, names="12"))
    assert "matched by the best permutation (the tables have different names)" in result.stdout


@pytest.mark.parametrize(
    ("names", "option", "named", "correct"), [("AB", [], True, 0.6), ("BA", [], True, 0.4), ("BA", ["--permuted"], False, 0.6)]
)
def test_score_as_json(tmp_path: Path, names: str, option: list[str], named: bool, correct: float) -> None:
    printed = json.loads(herdbook("score", *tables(tmp_path, names), "--json", "--radius", "5", "--fps", "10", *option).stdout)
    assert printed["named"] is named
    assert printed["correct"] == pytest.approx(correct)
    assert printed["switches"] == 2


def test_score_of_chosen_movies(tmp_path: Path) -> None:
    predicted, truth = tables(tmp_path)
    truth.write_text(truth.read_text() + "other,0,A,5,5\n")
    assert json.loads(herdbook("score", predicted, truth, "--json", "--movies", "m").stdout)["cells"] == 20
    assert json.loads(herdbook("score", predicted, truth, "--json").stdout)["cells"] == 21
    result = herdbook("score", predicted, truth, "--movies", "m,none")
    assert result.exit_code == 2
    assert "no movie none" in result.stderr


def test_score_of_a_missing_table_is_reported(tmp_path: Path) -> None:
    result = herdbook("score", tmp_path / "none.csv", tables(tmp_path)[1])
    assert result.exit_code == 2
    assert "none.csv" in result.stderr
    assert "Traceback" not in result.output
