"""Animals without labels: the whole chain on recordings with known truth, how right it is, how sure it says it is, and what it costs.

    python benchmarks/unmarked.py --data ../shared/data
    python benchmarks/unmarked.py --data ../shared/data --sets simulated flies2 --work /tmp/unmarked

Runs snakemake to the report for each recording and prints a table in Markdown, then warnings of each. `another_day` is movie02 of ants16
by itself, its names taken over from the classifier of movie01 (set ants16, which it needs). Settings come from one look at each movie.
Times are those of snakemake and all its jobs; the movie of the set `simulated` is rendered before the clock starts.
"""

import argparse
import csv
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from measuring import run_chain

from herdbook.movie.reading import read_frames
from herdbook.movie.scanning import scan_movie
from herdbook.movie.writing import MovieWriter
from herdbook.tables.scoring import load_trajectories, load_truth, score_trajectories

DISH = {"arenas": [{"name": "dish", "include": [{"ellipse": {"centre": [507, 363], "axes": [352, 352]}}]}]}


@dataclass(frozen=True)
class Recording:
    """A recording: `folder` of the data, `movies`, `number` of animals, sections of its experiment file, and how it is scored."""

    folder: str
    number: int
    radius_px: float
    sections: dict[str, Any]
    movies: tuple[str, ...] = ("movie",)
    min_visible: float | None = None
    animals: dict[str, Any] = field(default_factory=dict)
    grey: bool = False


ANTS = {**DISH, "segment": {"difference": 25, "area": [60, 20000]}}
RECORDINGS = {
    "flies2": Recording("flies2", 2, 40, {"segment": {"difference": 25, "polarity": "bright", "area": [300, 50000]}}),
    "ants16": Recording("ants16", 16, 20, ANTS, ("movie01",)),
    "mice4": Recording(
        "mice4", 4, 30, {"segment": {"difference": 25, "polarity": "bright", "area": [100, 20000]}}, ("movie01", "movie02"), 0.3
    ),
    "ants16_grey": Recording("ants16", 16, 20, ANTS, ("movie01",), grey=True),
    # Guppies are about 45 px long as far as they stand out: the radius is half of that.
    "guppies8": Recording("guppies8", 8, 22, {"segment": {"difference": 20, "area": [200, 50000]}}),
    "another_day": Recording("ants16", 16, 20, ANTS, ("movie02",)),
    "simulated": Recording(
        "",
        6,
        30,
        {
            "segment": {"difference": 25, "area": [100, 50000]},
            "simulate": {
                **{"number": 6, "frames": 1500, "fps": 30, "size": [800, 800]},
                **{"marking": "texture", "body_length_px": 60, "leave": False, "labels_per_animal": 0},
            },
        },
    ),
}


def experiment_file(name: str, data: Path, folder: Path) -> Path:
    """Write the experiment file of a recording, and what it needs, into a folder."""
    recording = RECORDINGS[name]
    source = data / recording.folder
    files = {movie: source / f"{movie}.mp4" for movie in recording.movies}
    if "simulate" in recording.sections:
        files = {movie: folder / "results" / name / "simulate" / f"{movie}.mp4" for movie in recording.movies}
    if recording.grey:
        files = {movie: without_colour(path, folder / f"{name}_{movie}.mp4") for movie, path in files.items()}
    animals = {"marking": "unmarked", "number": recording.number, **recording.animals}
    if name == "another_day":
        animals["like"] = str(folder / "results" / "ants16" / "train" / "classifier.keras")
    experiment = {
        "experiment": name,
        "results": str(folder / "results"),
        "movies": [{"name": movie, "file": str(path), "recording": "day1"} for movie, path in files.items()],
        "animals": animals,
        **recording.sections,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")
    return path


def without_colour(movie: Path, out: Path) -> Path:
    """The movie in grey."""
    if not out.exists():
        index = scan_movie(movie)
        with MovieWriter(out, index.width, index.height, index.fps, crf=16) as writer:
            for frame in read_frames(movie, index):
                writer.write(frame.grey()[:, :, None].repeat(3, axis=2))
    return out


def peak_memory(results: Path) -> float:
    """Peak memory of any job (MB)."""
    tables = [csv.DictReader(path.open(encoding="utf-8"), delimiter="\t") for path in (results / "benchmarks").rglob("*.tsv")]
    return max((float(row["max_rss"]) for table in tables for row in table if row["max_rss"] not in ("-", "NA")), default=float("nan"))


def measure(name: str, data: Path, folder: Path, cores: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The row of one recording, and its classifier's card."""
    recording, file = RECORDINGS[name], experiment_file(name, data, folder)
    results = folder / "results" / name
    truth = data / recording.folder / "truth.csv"
    if "simulate" in recording.sections:
        truth = results / "simulate" / "truth.csv"
        run_chain(file, cores, f"{name}/simulate/truth.csv")
    wall_s, cpu_s = run_chain(file, cores)
    table = results / "trajectories.csv"
    named = load_truth(truth)["movie"].iloc[0] != ""
    score = score_trajectories(
        load_trajectories(table),
        load_truth(truth),
        named=False,
        radius_px=recording.radius_px,
        min_visible=recording.min_visible,
        movies=recording.movies if named else None,
    )
    card = json.loads((results / "train" / "classifier.json").read_text(encoding="utf-8"))
    estimate = float(pd.read_csv(table)["confidence"].mean()) * (1 - card["disagreement"])
    row = {
        "recording": name,
        "animals": str(recording.number),
        "identity accuracy": f"{score.identity_accuracy_permuted:.4f}",
        "assigned": f"{score.assigned:.4f}",
        "IDF1": f"{score.idf1:.4f}",
        "covered": f"{score.covered:.4f}",
        "estimated accuracy": f"{estimate:.4f}",
        "training steps": f"{card['history']['step'][-1]:.0f}",
        "wall s": f"{wall_s:.0f}",
        "CPU s": f"{cpu_s:.0f}",
        "peak memory MB": f"{peak_memory(results):.0f}",
    }
    return row, card


def matched(card: dict[str, Any], folder: Path, data: Path) -> str:
    """How many of the animals of another day were matched rightly, by what the truth says of both days."""
    truth = load_truth(data / "ants16" / "truth.csv")
    who = [_true_names(folder / "results" / name / "trajectories.csv", truth, movie) for name, movie in MATCHED]
    right = sum(who[0].get(name) == true for name, true in who[1].items() if true is not None)
    sure = dict(zip(card["match"]["animals"], card["match"]["certainty"], strict=True))
    least = min(sure.values())
    return f"another_day: {right} of {len(who[1])} animals have the name that they had the day before; certainty {least:.3f} or more"


MATCHED = (("ants16", "movie01"), ("another_day", "movie02"))


def _true_names(table: Path, truth: pd.DataFrame, movie: str) -> dict[str, str]:
    """The true identity that is nearest to each individual in most frames."""
    found = pd.read_csv(table)
    true = truth[truth["movie"] == movie]
    both = found[found["frame"] % 25 == 0].merge(true, on="frame", suffixes=("", "_true"))
    both["away"] = (both["x"] - both["x_true"]) ** 2 + (both["y"] - both["y_true"]) ** 2
    label = "identity" if "identity" in both else "individual_true"
    nearest = both.loc[both.groupby(["frame", "individual"])["away"].idxmin()]
    return nearest.groupby("individual")[label].agg(lambda names: names.mode().iloc[0]).to_dict()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--sets", nargs="+", choices=RECORDINGS, default=[*RECORDINGS], help="which recordings")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores for snakemake")
    parser.add_argument("--work", type=Path, help="keep all results in this folder")
    given = parser.parse_args()
    data = given.data.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.work or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rows, words = [], []
        for name in given.sets:
            row, card = measure(name, data, folder, given.cores)
            rows.append(row)
            print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
            words += [f"{name}: {warning}" for warning in card["warnings"]]
            if name == "another_day":
                words.append(matched(card, folder, data))
        lines = [" | ".join([key, *(row[key] for row in rows)]) for key in rows[0]]
        print(
            "\n".join(["", f"| {lines[0]} |", f"| {' | '.join(['---'] * (len(rows) + 1))} |", *(f"| {line} |" for line in lines[1:]), ""])
        )
        print("\n".join(words))


if __name__ == "__main__":
    main()
