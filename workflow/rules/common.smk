# Helpers that need Snakemake; what the rules know about the experiment is in herdbook.workflow. Faults in the user's files are reported
# here, before any job starts.

import gc
import inspect
import os
import sys
from pathlib import Path

# The package beside this workflow is imported before an installed one and after PYTHONPATH, by the rules and by their jobs.
INSTALLED = [k for k, path in enumerate(sys.path) if path.endswith("site-packages")]
sys.path.insert(min(INSTALLED, default=0), str(Path(workflow.basedir, "src")))

from herdbook.errors import HerdbookError
from herdbook.job import stage_version
from herdbook.system.fingerprints import FOLDER
from herdbook.system.fingerprints import VARIABLE as FINGERPRINTS
from herdbook.system.kernels import kernel_folder
from herdbook.workflow import Plan, classifier_files, read_experiment

# The jobs of a thousand movies are millions of objects that stay in memory; garbage collection over them took a tenth of a dry run.
gc.set_threshold(200_000, 20, 100)

try:
    EXPERIMENT = read_experiment(
        workflow.overwrite_configfiles,
        Path(workflow.basedir, "config", "demo.yaml"),
        workflow.config_settings.config,
    )
    PLAN = Plan(EXPERIMENT)
except HerdbookError as error:
    sys.exit(str(error))

at, files, source = PLAN.at, PLAN.files, PLAN.source
MOVIES, RECORDINGS, SCENES = PLAN.movies, PLAN.recordings, PLAN.scenes
NAMED = PLAN.named


def inspected(function):
    """The function with its signature stored, which Snakemake would otherwise determine a dozen times for each job."""
    function.__signature__ = inspect.signature(function)
    return function


def given(paths):
    """Input: given files. Their dates are ignored, since their contents are parameters: of the rule index, and in `version`.

    A file that the rule simulate makes is an output.
    """
    return [ancient(path) if path in PLAN.given else source(path) for path in paths]


def version(stage):
    """The version of a stage, with marks of the given files that it reads."""
    number = stage_version(stage)
    if not PLAN.read_by(stage):
        return number
    return inspected(
        lambda wildcards: PLAN.version(stage, number, wildcards.get("movie"))
    )


FILES = type(RECORDINGS)(
    {movie.name: given([movie.file])[0] for movie in EXPERIMENT.movies}
)


@inspected
def movie_file(wildcards):
    """Input: the file of a movie."""
    return FILES[wildcards.movie]


def training_set(wildcards):
    """Input: the training set of the classifier, if there is one."""
    try:
        return given(PLAN.training_set())
    except HerdbookError as error:
        sys.exit(str(error))


def file_of(stage, names):
    """Input: the artifact of a stage for the unit that `names` gives for a movie; a pattern, which is faster, if units are movies."""
    if all(movie == name for movie, name in names.items()):
        return at(f"{stage}/{{movie}}.h5")
    return lambda wildcards: at(f"{stage}/{names[wildcards.movie]}.h5")


def body_point_files():
    """Input: the files of body points of a movie."""
    if not any(movie.poses for movie in EXPERIMENT.movies):
        return []
    return lambda wildcards: given(EXPERIMENT.movie(wildcards.movie).poses)


@inspected
def repaired_points(wildcards):
    """Input: the repaired body points of a movie, if it has some."""
    return (
        files("repair", [wildcards.movie])
        if EXPERIMENT.repair and EXPERIMENT.movie(wildcards.movie).poses
        else []
    )


@inspected
def drawn_points(wildcards):
    """Input: the body points of a movie, if its overlay shows some."""
    return (
        files("points", [wildcards.movie])
        if EXPERIMENT.draws_points(wildcards.movie)
        else []
    )


def settings(stage):
    """The settings of a job, as a function: in a string, Snakemake would read braces as wildcards."""
    return inspected(
        lambda wildcards: EXPERIMENT.settings(
            stage, wildcards.get("movie") or wildcards.get("scene")
        )
    )


def with_movie(wildcard, needs_others=False):
    """Group that on a cluster joins the stages of one movie up to tracklets into one job; None for stages that wait for other movies.

    `needs_others`: the stage needs other movies of the recording, or is needed by them; in a group, each would wait for the one before.
    """
    waits = PLAN.scene_is_recording or (needs_others and len(RECORDINGS) < len(MOVIES))
    return None if waits else f"frames-{{{wildcard}}}"


def scaled(amount):
    """A resource that grows with each attempt, for profiles with retries."""
    return inspected(lambda wildcards, attempt: amount * attempt)


# Jobs use the Python that runs Snakemake, activated or not, and the package beside this workflow, also in a conda environment. Compiled
# kernels and fingerprints of given files are cached for all jobs.
PATHS = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
PACKAGES = [os.environ.get("PYTHONPATH", ""), str(Path(workflow.basedir, "src"))]
os.environ.update(
    PATH=os.pathsep.join(PATHS), PYTHONPATH=os.pathsep.join(filter(None, PACKAGES))
)
os.environ[FINGERPRINTS] = str(Path(EXPERIMENT.results, FOLDER))
os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_folder(Path(EXPERIMENT.results))))
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
