"""The layout of an experiment's folder of results: which file each stage leaves there. Paths are relative to the folder."""

# Files of stages that run once per experiment; the others leave `<stage>/<unit>.h5` for each movie, scene or recording.
WHOLE = {
    "trainset": "trainset/trainset.h5",
    "train": "train/classifier.keras",
    "export": "trajectories.csv",
    "report": "report/report.html",
}
CARD = "train/classifier.json"
SCORE = "report/score.txt"
SCORE_JSON = "report/score.json"
BODY_POINTS = "body_points.csv"
# What the stages that write movies make of each movie.
WRITTEN_MOVIES = {"overlay": "overlay/{movie}.mp4", "closeups": "closeups/{movie}", "mosaic": "mosaic/{movie}.mp4"}
# The stage whose file an argument of a later stage takes.
MADE_BY = {
    **{"index": "index", "reference": "index", "background": "background", "blobs": "segment", "previous": "segment"},
    **{"tracklets": "tracklets", "trainset": "trainset", "classifier": "train", "card": "train", "evidence": "classify"},
    **{"identities": "propagate", "trajectories": "smooth", "points": "points"},
}


def artifact(stage: str, unit: str = "") -> str:
    """The file of a stage: for a `unit` (movie, scene or recording), or that of the whole experiment."""
    return WHOLE.get(stage, f"{stage}/{unit}.h5")


def doubts(recording: str) -> str:
    """The places of a recording where an answer of a person is worth most."""
    return f"propagate/{recording}.doubtful.csv"


def simulated(file: str) -> str:
    """A file that the stage simulate makes."""
    return f"simulate/{file}"


def pose_file(movie: str, suffix: str) -> str:
    """The smoothed body points of a movie, as a file of the kind that they came from."""
    return f"poses/{movie}{suffix}"
