# What the rules know of the experiment: its files, names and neighbours. Faults of the user end here, before any job.

import gc
import inspect
import os
import re
import sys
from pathlib import Path

# The package beside this workflow comes before an installed one and after PYTHONPATH, for the rules as for their jobs.
INSTALLED = [k for k, path in enumerate(sys.path) if path.endswith("site-packages")]
sys.path.insert(min(INSTALLED, default=0), str(Path(workflow.basedir, "src")))

from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from herdbook.experiment.written_movies import WRITTEN_MOVIES
from herdbook.experiment.sheets.facts import read_facts
from herdbook.formats.files import TABLES, movie_files, table_files
from herdbook.experiment.sheets.labels import read_labels
from herdbook.job import stage_version
from herdbook.system.files import file_fingerprint, make_writable_folder

# The jobs of a thousand movies are millions of objects that all stay; searching them for garbage again and again took a tenth of a dry run.
gc.set_threshold(200_000, 20, 100)

# Snakemake takes {word} for a wildcard and <word> for a path variable, and has no way to quote them.
UNUSABLE = re.compile(r"[{}<>\x00-\x1f]")


class Known(dict):
    """What is known of movies or recordings by their names; another name, in a target of the command line say, is a fault."""

    def __missing__(self, name):
        names = [*list(self)[:5], *(["..."] if len(self) > 5 else [])]
        raise HerdbookError(
            f"{name!r}: the experiment has no movie or recording of this name, but {', '.join(names)}"
        )


def asked_often(function):
    """The function with its signature at hand, which Snakemake would work out a dozen times for each job."""
    function.__signature__ = inspect.signature(function)
    return function


def read_experiment():
    """The experiment of --configfile, or the demo; --config key=value replaces single values."""
    demo = Path(workflow.basedir, "config", "demo.yaml")
    chosen = workflow.overwrite_configfiles or [demo]
    if len(chosen) > 1:
        raise HerdbookError(
            f"--configfile: an experiment is one file, found {len(chosen)}. "
            "Single values are replaced with --config key=value."
        )
    return load_experiment(Path(chosen[0]), workflow.config_settings.config)


def simulated_files():
    """Relative path of each file that the simulation writes, by its absolute path."""
    if not EXPERIMENT.simulate:
        return {}
    movies = [f"{movie.name}.mp4" for movie in EXPERIMENT.movies]
    made = [at(f"simulate/{name}") for name in (*movies, "labels.csv", "truth.csv")]
    by_path = {str(Path(EXPERIMENT.results, path).resolve()): path for path in made}
    refuse(
        [
            f"movie {movie.name}: the section simulate writes {path}, but the file is {movie.file}"
            for movie, path in zip(EXPERIMENT.movies, by_path)
            if movie.file != path
        ]
    )
    return by_path


def check_files():
    """Raise HerdbookError unless all files are there and have names that Snakemake can handle."""
    needed = {f"movie {movie.name}": movie.file for movie in EXPERIMENT.movies}
    needed |= {f"mask of the arena {k}": path for k, path in EXPERIMENT.masks.items()}
    if EXPERIMENT.background.file:
        needed["background.file"] = EXPERIMENT.background.file
    if FACTS:
        needed["animals.facts"] = FACTS[0]
    for key in ("use", "start"):
        for path in classifier_files(getattr(EXPERIMENT.train, key)):
            needed[f"train.{key}: {path}"] = path
    for path in classifier_files(EXPERIMENT.animals.like):
        needed[f"animals.like: {path}"] = path
    if EXPERIMENT.trainset.use:
        needed["trainset.use"] = EXPERIMENT.trainset.use
    if EXPERIMENT.train.model:
        needed["train.model"] = EXPERIMENT.train.model
    if EXPERIMENT.smooth.corrections:
        needed["smooth.corrections"] = EXPERIMENT.smooth.corrections
    for movie in EXPERIMENT.movies:
        needed |= {f"poses of movie {movie.name}: {path}": path for path in movie.poses}
    if EXPERIMENT.score:
        needed["score.truth"] = EXPERIMENT.score.truth
    names = [EXPERIMENT.results, EXPERIMENT.experiment, *RECORDINGS, *MOVIES, *LABELS]
    refuse(
        [
            f"{what}: there is no file {path}; correct the path in the experiment file"
            for what, path in needed.items()
            if path not in SIMULATED and not Path(path).exists()
        ]
        + [
            f"{text!r}: names and paths must not hold any of {{ }} < > or a line break"
            for text in (*names, *needed.values())
            if UNUSABLE.search(text)
        ]
    )


def refuse(faults):
    """Raise HerdbookError with these faults, if there are any."""
    if faults:
        more = [f"and {len(faults) - 10} more"] if len(faults) > 10 else []
        title = f"{EXPERIMENT.experiment}: the experiment cannot start:"
        raise HerdbookError("\n  ".join([title, *faults[:10], *more]))


def labelled_movies():
    """Names of the movies from which the classifier learns: those with labels, of unmarked animals all.

    The simulation labels the first one.
    """
    if EXPERIMENT.animals.marking == "unmarked":
        return list(MOVIES)
    if not LABELS:
        return []
    if LABELS[0] in SIMULATED:
        return list(MOVIES)[:1]
    known = [*EXPERIMENT.animals.classes, *EXPERIMENT.animals.other_labels]
    named = {label.movie for label in read_labels(Path(LABELS[0]), list(MOVIES), known)}
    return [movie for movie in MOVIES if movie in named]


def training_set():
    """What the classifier is trained with: no file if it is given, a given training set, or that of the labels.

    Only jobs that need labels ask for it: without any the workflow can still go as far as `before_labels`.
    """
    if EXPERIMENT.train.use:
        return []
    if (
        EXPERIMENT.animals.marking == "marked"
        and not LABELLED
        and not EXPERIMENT.trainset.use
    ):
        sys.exit(
            f"{LABELS[0]}: expected labels of each identity, found none. To be told which points to label, begin the "
            "command with snakemake before_labels, then: herdbook suggest"
        )
    return EXPERIMENT.trainset.use or at("trainset/trainset.h5")


def classifier_files(path):
    """A given classifier and the card beside it, if there is one."""
    return [path, str(Path(path).with_suffix(".json"))] if path else []


def at(path):
    """A path in the experiment's folder, relative to the working directory."""
    return f"{EXPERIMENT.experiment}/{path}"


def files(stage, names):
    """The artifacts of a stage for these movies, recordings or units."""
    return [at(f"{stage}/{name}.h5") for name in names]


def hdf5_table():
    """The positions as HDF5, if the experiment asks for them."""
    return [at("trajectories.h5")] if "hdf5" in FORMATS else []


def tables():
    """The other tables of all movies beside trajectories.csv."""
    wanted = [file for file in table_files(FORMATS) if at(file) not in hdf5_table()]
    return [at(file) for file in (*TABLES, *wanted)]


def tool_files():
    """Files of single movies for other tools."""
    return [at(file) for file in movie_files(FORMATS, MOVIES)]


def pose_tables():
    """Smoothed body points of the movies that have some, each as a file of the same kind."""
    names = [
        f"{movie.name}{Path(movie.poses[0]).suffix}"
        for movie in EXPERIMENT.movies
        if movie.poses
    ]
    files = [at(f"poses/{name}") for name in names]
    return [at("body_points.csv"), *files] if files else []


def written_movies():
    """Overlay movies, close-ups and mosaics of the movies that are to have them."""
    return [
        at(path.format(movie=movie))
        for stage, path in WRITTEN_MOVIES.items()
        for movie in MOVIES
        if EXPERIMENT.section(stage, movie).write
    ]


@asked_often
def movie_file(wildcards):
    """Input: the file of a movie."""
    return MOVIES[wildcards.movie]


def source(path):
    """A file that the experiment names, relative if the rule simulate makes it."""
    return SIMULATED.get(path, path)


def filmed(path):
    """A movie as an input: when a given one was last changed means nothing, for the rule index knows it by its fingerprint."""
    return SIMULATED.get(path) or ancient(path)


@asked_often
def movie_fingerprint(wildcards):
    """What tells whether a given movie is still the same; one that is simulated may not be there yet."""
    path = EXPERIMENT.movie(wildcards.movie).file
    return "" if path in SIMULATED else file_fingerprint(Path(path))


def first_of_recording(unit):
    """The movie with which the recording of this unit's movies begins."""
    return RECORDINGS[RECORDING_OF[UNITS[unit][0]]][0]


def file_of(stage, names):
    """Input: the artifact of a stage with the name that `names` gives a movie; a pattern, which is resolved sooner, if that is its own."""
    if all(movie == name for movie, name in names.items()):
        return at(f"{stage}/{{movie}}.h5")
    return lambda wildcards: at(f"{stage}/{names[wildcards.movie]}.h5")


def body_point_files():
    """Input: the files of body points of a movie."""
    if not any(movie.poses for movie in EXPERIMENT.movies):
        return []
    return lambda wildcards: EXPERIMENT.movie(wildcards.movie).poses


def previous(movie):
    """The movie before this one in its recording, as a list that may be empty."""
    members = RECORDINGS[RECORDING_OF[movie]]
    return members[: members.index(movie)][-1:]


def settings(stage):
    """What gives a job its settings; a function, for braces in a string would be taken for wildcards."""
    return asked_often(
        lambda wildcards: EXPERIMENT.settings(
            stage, wildcards.get("movie") or wildcards.get("unit")
        )
    )


def with_movie(wildcard, needs_others=False):
    """Group, on a cluster, of what is one job for each movie up to its tracklets, or None: for stages that wait for several movies.

    A stage that `needs_others` of its recording, or is needed by them, would let each movie of it wait for the one before.
    """
    waits = BY_RECORDING or (needs_others and len(RECORDINGS) < len(MOVIES))
    return None if waits else f"frames-{{{wildcard}}}"


def scaled(amount):
    """A resource that grows with each attempt, for profiles with retries."""
    return asked_often(lambda wildcards, attempt: amount * attempt)


def closing_words():
    """What a run that ended well prints: the score, if the truth is known, and where the report is."""
    score, page = Path(at("report/score.txt")), Path(at("report/report.html"))
    words = (
        [score.read_text(encoding="utf-8")]
        if EXPERIMENT.score and score.exists()
        else []
    )
    return "\n".join([*words, f"Report: {page.resolve()}"] if page.exists() else words)


try:
    EXPERIMENT = read_experiment()
    SIMULATED = simulated_files()
    MOVIES = Known({movie.name: filmed(movie.file) for movie in EXPERIMENT.movies})
    RECORDINGS = Known(EXPERIMENT.recordings)
    RECORDING_OF = Known(
        {movie: name for name, members in RECORDINGS.items() for movie in members}
    )
    BY_RECORDING = EXPERIMENT.background.scope == "recording"
    UNITS = RECORDINGS if BY_RECORDING else Known({movie: [movie] for movie in MOVIES})
    UNIT_OF = Known(
        {movie: unit for unit, members in UNITS.items() for movie in members}
    )
    NAMED = EXPERIMENT.animals.marking != "none"
    LABELS = [EXPERIMENT.animals.labels] if NAMED and EXPERIMENT.animals.labels else []
    FACTS = [EXPERIMENT.animals.facts] if EXPERIMENT.animals.facts else []
    FORMATS = EXPERIMENT.export.formats
    check_files()
    LABELLED = labelled_movies()
    for table in FACTS:
        read_facts(Path(table), list(MOVIES), EXPERIMENT.animals.classes)
    make_writable_folder(Path(EXPERIMENT.results))
except HerdbookError as error:
    sys.exit(str(error))

# Jobs run the Python that runs Snakemake, activated or not, and the package beside this workflow, also in a
# conda environment. Kernels are compiled once for all jobs.
PATHS = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
PACKAGES = [os.environ.get("PYTHONPATH", ""), str(Path(workflow.basedir, "src"))]
os.environ.update(
    PATH=os.pathsep.join(PATHS), PYTHONPATH=os.pathsep.join(filter(None, PACKAGES))
)
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(EXPERIMENT.results, ".numba_cache")))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
