"""Bad input: damaged movies, experiment files, tables and artifacts, what becomes of each, and whether any fault shows.

    python benchmarks/trust.py movies
    python benchmarks/trust.py experiments --number 50 --first 300
    python benchmarks/trust.py page

A fault is a traceback without a message, a hang, more than 2 GB, a crash, a message that names neither file nor remedy, or a result that
looks right and is not. Each is printed with its number, from which the damaged file can be made again, and the script ends with 1. The
figures go into results/trust_<what>.json, if all were tried, and into docs/trust.md; `page` writes that from what other scripts measured.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trust_page import ROOT, keep_result, write_page

sys.path.insert(0, str(ROOT))

from tests.support.damage import artifacts, experiments, hostile, movies, tables
from tests.support.damage.limits import FAULTS, MEMORY_BYTES, PASSED, TOLD, Outcome

SEED = 1
KEPT = "kept"
CLASSES = (PASSED, KEPT, TOLD)
Tried = tuple[str, str, str, str, list[Outcome]]


@dataclass(frozen=True)
class Kind:
    """One kind of bad input: what the page says of it, how many are tried, and how one is made and judged."""

    title: str
    text: str
    number: int
    start: Callable[[Path], Any]
    attempt: Callable[[Any, int, Path], Tried]


def write_whole_movies(folder: Path) -> list[Path]:
    whole = folder / "whole"
    whole.mkdir()
    return movies.write_movies(whole)


def try_movie(whole: list[Path], number: int, folder: Path) -> Tried:
    case = movies.damage(whole, number, folder, SEED)
    became, words, outcomes = movies.judge(case, folder)
    return case.kind, case.change, became, words, outcomes


def try_experiment(whole: dict[str, dict[str, Any]], number: int, folder: Path) -> Tried:
    case = experiments.damage(whole, number, folder, SEED)
    became, outcome = experiments.judge(case)
    return case.source, case.change, became, words_of(outcome), [outcome]


def write_whole_tables(folder: Path) -> dict[str, Path]:
    whole = folder / "whole"
    whole.mkdir()
    return tables.write_files(whole)


def try_table(whole: dict[str, Path], number: int, folder: Path) -> Tried:
    case = tables.damage(whole, number, folder, SEED)
    became, outcome = tables.judge(case)
    return case.kind, case.change, became, words_of(outcome), [outcome]


def write_whole_artifacts(folder: Path) -> Path:
    artifacts.write_chain(folder / "whole")
    return folder / "whole"


def try_artifact(whole: Path, number: int, folder: Path) -> Tried:
    case = artifacts.damage(whole, number, folder, SEED)
    became, outcome = artifacts.judge(case, whole)
    return f"{case.damaged}, read by {case.reader}", case.change, became, words_of(outcome), [outcome]


def write_whole_hostile(folder: Path) -> Path:
    # Imported here, once, and not by each fork; nothing is calculated before the forks.
    import herdbook.classifier.architectures  # noqa: F401

    (folder / "whole").mkdir()
    return hostile.write_whole(folder / "whole")


def try_hostile(whole: Path, number: int, folder: Path) -> Tried:
    case = hostile.damage(whole, number, folder, SEED)
    became, outcome = hostile.judge(case)
    return case.kind, case.source, became, f"{case.change}\n{words_of(outcome)}", [outcome]


def words_of(outcome: Outcome) -> str:
    """All that was printed, and what the judge holds against the result."""
    return outcome.printed + str(outcome.result.get("wrong") or "")


KINDS = {
    "movies": Kind(
        "Damaged movies",
        f"""Movies of eleven kinds, {movies.FRAMES} frames each, with bytes flipped, overwritten, cut, lost, repeated, inserted or appended,
        in headers and anywhere; of image sequences an image damaged, lost or of another size. Each goes through index, background and
        segment; one that is refused goes through them again with `on_broken: keep`. *passed*: exactly the frames that FFmpeg decodes by
        itself, pixel by pixel; *kept*: those before the fault; *told*: a message that names the file and what to do.""",
        330,
        write_whole_movies,
        try_movie,
    ),
    "experiments": Kind(
        "Damaged experiment files",
        """The files of `config`, and one with all keys of all sections for each kind of marking: keys lost, renamed, repeated, with the
        value of another key or with a strange one (empty, infinite, huge, deep, a path, a command); bytes damaged as those of movies; lines
        that YAML reads in strange ways (tabs, tags, aliases that blow up, 3000 brackets). Each is loaded, the settings of all stages are
        made, and it is checked as `herdbook check` does. *passed*: it is an experiment, the same when it is written and loaded again, and
        no name leads out of the results; *told*: a message of bounded length that names the place.""",
        350,
        lambda folder: experiments.whole_files(),
        try_experiment,
    ),
    "tables": Kind(
        "Damaged tables, body points and images",
        """Everything else that people give: labels, facts, corrections, truth, trajectories, the sheet of movies, the card of a classifier,
        files of body points of DeepLabCut, SLEAP, movement and DUSTrack, images of the scene, masks, folders of example images. Columns
        lost or renamed, cells too many, too few or strange, other delimiters and encodings, values of JSON exchanged, bytes damaged as
        those of movies. *passed*: it was read, and what was read holds (known movies and names, finite places, the right sizes); *told*: a
        message of bounded length that names the file.""",
        400,
        write_whole_tables,
        try_table,
    ),
    "artifacts": Kind(
        "Damaged artifacts",
        """Files among the results, bytes damaged as those of movies, and the stage that reads them. *passed*: the result is the one that
        the good artifact gives, value by value (the damage was where no data is); *told*: a message that names the file and the rule that
        makes it anew.""",
        300,
        write_whole_artifacts,
        try_artifact,
    ),
    "hostile": Kind(
        "Hostile files",
        """Files of body points (SLEAP, movement, DeepLabCut), training sets, folders of images and networks, as an enemy would make
        them. *links*: soft and external links, datasets with several names; *storage*: values in other files, external and virtual;
        *sizes*: shapes, counts and lengths of texts that are not there, or packed a thousand times smaller; *networks*:
        descriptions with huge layers, code or strange values, archives with members that lead out or unpack to 300 MB. Each is
        read, and files of body points are written with other places. A fault is also that any other file was changed or made.
        *passed*: it was read (what was done to it is in no part that is read); *told*: a message of bounded length that names the
        file.""",
        480,
        write_whole_hostile,
        try_hostile,
    ),
}


def try_all(kind: Kind, numbers: Sequence[int]) -> Iterator[Tried]:
    """Make, try and judge the inputs of these numbers; a fault is printed."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole = kind.start(folder)
        for number in numbers:
            # A folder each: a hundred copies of all artifacts would fill a small disk.
            own = folder / f"case{number}"
            own.mkdir()
            tried = kind.attempt(whole, number, own)
            shutil.rmtree(own)
            what, change, became, words, _ = tried
            if became in FAULTS:
                print(f"{number}: {what}, {change}: {became}\n{words[-3000:]}\n", flush=True)
            yield tried


def figures_of(found: Sequence[Tried]) -> dict[str, Any]:
    """How many were tried, what became of them, and what it took."""
    became = Counter(tried[2] for tried in found)
    outcomes = [outcome for tried in found for outcome in tried[4]]
    return {
        "tried": len(found),
        **{name: became[name] for name in CLASSES if name != KEPT or became[name]},
        **{f"faults: {name}": became[name] for name in FAULTS},
        "most CPU time of one process (s)": round(max(outcome.cpu_s for outcome in outcomes), 1),
        f"most memory of one process (MB), of at most {MEMORY_BYTES >> 20}": round(max(outcome.peak_bytes for outcome in outcomes) / 2**20),
        "CPU time in all (s)": round(sum(outcome.cpu_s for outcome in outcomes)),
    }


def table_of(found: Sequence[Tried], column: int, header: str) -> dict[str, Any]:
    """What became of the inputs by what they were (column 0) or what was done to them (column 1)."""
    classes = [name for name in CLASSES if any(tried[2] == name for tried in found)]
    rows = []
    for what in dict.fromkeys(tried[column] for tried in found):
        became = Counter(tried[2] for tried in found if tried[column] == what)
        rows.append([what, became.total(), *(became[name] for name in classes), sum(became[name] for name in FAULTS)])
    return {"header": [header, "tried", *classes, "faults"], "rows": rows}


def main() -> None:
    """Try the inputs, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*KINDS, "page"])
    parser.add_argument("--number", type=int, help="try so many, and keep no figures")
    parser.add_argument("--first", type=int, default=0, help="begin with this one (with --number)")
    told = parser.parse_args()
    if told.what == "page":
        write_page()
        return
    kind = KINDS[told.what]
    first, number = (told.first, told.number) if told.number else (0, kind.number)
    found = list(try_all(kind, range(first, first + number)))
    figures = figures_of(found)
    print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    if not told.number:
        keep_result(told.what, f"python benchmarks/trust.py {told.what}", kind.title, kind.text, figures, [table_of(found, 0, "what")])
    sys.exit(1 if any(tried[2] in FAULTS for tried in found) else 0)


if __name__ == "__main__":
    main()
