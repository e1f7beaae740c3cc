# What only Snakemake can do; what the rules know of the experiment is herdbook.workflow. Faults of the user end here, before any job.

import gc
import inspect
import os
import sys
from pathlib import Path

# The package beside this workflow comes before an installed one and after PYTHONPATH, for the rules as for their jobs.
INSTALLED = [k for k, path in enumerate(sys.path) if path.endswith("site-packages")]
sys.path.insert(min(INSTALLED, default=0), str(Path(workflow.basedir, "src")))

from herdbook.errors import HerdbookError
from herdbook.job import stage_version
from herdbook.workflow import Plan, classifier_files, read_experiment

# The jobs of a thousand movies are millions of objects that all stay; searching them for garbage again and again took a tenth of a dry run.
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


def asked_often(function):
    """The function with its signature at hand, which Snakemake would work out a dozen times for each job."""
    function.__signature__ = inspect.signature(function)
    return function


# When a given movie was last changed means nothing, for the rule index knows it by its fingerprint; a simulated one is an output.
FILES = type(RECORDINGS)(
    {
        movie.name: PLAN.simulated.get(movie.file) or ancient(movie.file)
        for movie in EXPERIMENT.movies
    }
)


@asked_often
def movie_file(wildcards):
    """Input: the file of a movie."""
    return FILES[wildcards.movie]


def training_set(wildcards):
    """Input: what the classifier is trained with."""
    try:
        return PLAN.training_set()
    except HerdbookError as error:
        sys.exit(str(error))


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


def settings(stage):
    """What gives a job its settings; a function, for braces in a string would be taken for wildcards."""
    return asked_often(
        lambda wildcards: EXPERIMENT.settings(
            stage, wildcards.get("movie") or wildcards.get("scene")
        )
    )


def with_movie(wildcard, needs_others=False):
    """Group, on a cluster, of what is one job for each movie up to its tracklets, or None: for stages that wait for several movies.

    A stage that `needs_others` of its recording, or is needed by them, would let each movie of it wait for the one before.
    """
    waits = PLAN.scene_is_recording or (needs_others and len(RECORDINGS) < len(MOVIES))
    return None if waits else f"frames-{{{wildcard}}}"


def scaled(amount):
    """A resource that grows with each attempt, for profiles with retries."""
    return asked_often(lambda wildcards, attempt: amount * attempt)


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
