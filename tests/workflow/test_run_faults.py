"""Names given by users and faults of users in a run; the stages are stand-ins that only write their outputs."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflow.stand_ins import SMALL, Bench, changed

NAMES = ["it's; here", "$(touch pwned)", "`touch pwned`", "ünï 蟻", "a.b \\c", "~", "*?[x]", "%s|&,"]


def test_names_are_taken_as_they_are(stages: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "a folder's $HOME", stages)
    bench.movies(*NAMES)
    name, recording = 'ants "16" $(touch pwned)', 'day "1" & more'
    listed = [{"name": movie, "file": f"{movie}.mp4", "recording": recording} for movie in NAMES]
    raw = {"experiment": name, "movies": listed, "animals": {"marking": "none"}, "background": {"scope": "recording"}}
    done = bench.run(raw, "--until", "segment")
    assert done.status == 0, done.text
    calls = bench.calls()
    given = {call[call.index("--movie") + 1] for stage, call in calls if stage == "segment"}
    assert given == {str(bench.folder / f"{movie}.mp4") for movie in NAMES}
    (background,) = [call for stage, call in calls if stage == "background"]
    assert background[background.index("--out") + 1] == f"{name}/background/{recording}.h5"
    assert {path.stem for path in (bench.folder / "results" / name / "segment").glob("*.h5")} == set(NAMES)
    assert not list(tmp_path.rglob("pwned"))
    assert bench.plan(raw, "--until", "segment").jobs == set()


def test_names_that_end_like_files_of_another_movie_get_files_of_their_own(stages: Path, tmp_path: Path) -> None:
    names = ("a", "a.points", "a.excess")
    bench = Bench(tmp_path, stages)
    bench.movies(*names)
    raw = changed(SMALL, {"movies": [{"name": name, "file": f"{name}.mp4"} for name in names]})
    of_a_movie = ("index", "background", "segment", "tracklets", "propagate", "smooth", "overlay")
    assert bench.plan(raw).jobs == {f"{stage} {name}" for stage in of_a_movie for name in names} | {"export", "report"}
    done = bench.run(raw)
    assert done.status == 0, done.text
    calls = bench.calls()
    for stage, options in (("segment", {"out": "segment"}), ("smooth", {"out": "smooth", "points": "points", "blobs": "segment"})):
        given = [call for name, call in calls if name == stage]
        assert sorted(call[call.index("--movie") + 1] for call in given) == sorted(str(tmp_path / f"{name}.mp4") for name in names)
        for call in given:
            movie = Path(call[call.index("--movie") + 1]).stem
            assert {option: call[call.index(f"--{option}") + 1] for option in options} == {
                option: f"e/{folder}/{movie}.h5" for option, folder in options.items()
            }
    tables = {f"{name}.h5" for name in names}
    for folder, files in (("segment", tables | {f"{name}.excess.csv" for name in names}), ("smooth", tables), ("points", tables)):
        assert {path.name for path in (tmp_path / "results" / "e" / folder).iterdir()} == files
    assert bench.plan(raw).jobs == set()


def test_a_broken_movie_is_reported_and_the_others_continue(stages: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages)
    bench.movies("broken", "whole")
    listed = [{"name": name, "file": f"{name}.mp4"} for name in ("broken", "whole")]
    done = bench.run({"experiment": "e", "movies": listed, "animals": {"marking": "none"}})
    assert done.status != 0
    assert "broken.mp4 ends after 7 of 900 frames" in done.text
    assert (tmp_path / "results" / "e" / "smooth" / "whole.h5").exists()


MARKED = {"marking": "marked", "identities": ["red"], "labels": "labels.csv"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"movies": [{"name": n, "file": f"{n}.mp4"} for n in ("m", "lost", "gone")]}, ["movie lost", "lost.mp4", "movie gone"]),
        ({"segmnt": {}, "smooth": {"window": 1}}, ["did you mean 'segment'", "did you mean 'window_s'"]),
        ({"score": {"truth": "truth.csv"}}, ["score.truth", "truth.csv"]),
        ({"animals": {**MARKED, "facts": "no.csv"}}, ["animals.facts", "no.csv"]),
        ({"animals": MARKED}, ["labels.csv", "movie, frame, x, y, label"]),
        ({"simulate": {}}, ["movie m", "e/simulate/m.mp4"]),
        ({"experiment": "a{movie}"}, ["'a{movie}'", "must not contain"]),
    ],
    ids=["missing movies", "unknown keys", "missing truth", "missing facts", "missing labels", "simulated movie elsewhere", "braces"],
)
def test_a_fault_of_the_user_is_reported_on_one_screen(stages: Path, tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    bench = Bench(tmp_path, stages)
    bench.movies("m")
    done = bench.run(changed(SMALL, changes), "--dry-run")
    assert done.status != 0
    assert all(words in done.text for words in expected), done.text
    assert "Traceback" not in done.text
    assert len(done.text.splitlines()) < 10


@pytest.mark.parametrize("target", ["e/segment/nosuch.h5", "e/propagate/nosuch.h5"])
def test_a_target_of_a_movie_that_the_experiment_does_not_have_is_refused(stages: Path, tmp_path: Path, target: str) -> None:
    bench = Bench(tmp_path, stages)
    bench.movies("m")
    done = bench.run(SMALL, "--dry-run", target)
    assert done.status != 0
    assert "'nosuch': the experiment has no movie or recording of this name, but m\n" in done.text
    assert bench.plan(SMALL, target.replace("nosuch", "m")).jobs >= {f"{Path(target).parent.name} m"}
