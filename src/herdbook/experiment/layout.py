"""The files in an experiment's folder of results, by stage. Paths are relative to the folder."""

# Files of stages that run once per experiment; the others write `<stage>/<unit>.h5` for each movie, scene or recording.
WHOLE = {
    "trainset": "trainset/trainset.h5",
    "train": "train/classifier.keras",
    "pose_trainset": "pose_trainset/pose_trainset.h5",
    "pose_train": "pose_train/pose.keras",
    "export": "trajectories.csv",
    "report": "report/report.html",
}
# The folder of a stage that has not its name.
FOLDERS = {"smooth_points": "points"}
CARD, POSE_CARD = "train/classifier.json", "pose_train/pose.json"
SCORE = "report/score.txt"
NOTES = "report/notes.txt"
EXPECTED_ERROR = "report/expected_error.json"
SCORE_JSON = "report/score.json"
BODY_POINTS = "body_points.csv"
POINT_MISTAKES, POINT_MOMENTS = "point_mistakes.csv", "point_moments.csv"
# Files or folders that the stages that write movies make for each movie.
WRITTEN_MOVIES = {"overlay": "overlay/{movie}.mp4", "closeups": "closeups/{movie}", "mosaic": "mosaic/{movie}.mp4"}
# By name of a stage's argument: the stage that makes the file.
MADE_BY = {
    **{"index": "index", "reference": "index", "background": "background", "blobs": "segment", "previous": "segment"},
    **{"tracklets": "tracklets", "trainset": "trainset", "classifier": "train", "card": "train", "evidence": "classify"},
    **{"identities": "propagate", "trajectories": "smooth", "points": "points", "repaired": "repair"},
    **{"examples": "pose_trainset", "network": "pose_train", "pose_card": "pose_train", "found": "pose"},
}


def artifact(stage: str, unit: str = "") -> str:
    """The file of a stage, for a `unit` (movie, scene or recording) or for the whole experiment."""
    return WHOLE.get(stage, f"{FOLDERS.get(stage, stage)}/{unit}.h5")


def doubts(recording: str) -> str:
    """The review list of a recording: doubtful assignments for a person to check."""
    return f"propagate/{recording}.doubtful.csv"


def simulated(file: str) -> str:
    """A file that the stage simulate makes."""
    return f"simulate/{file}"


def pose_file(movie: str, suffix: str) -> str:
    """The smoothed body points of a movie, as a file of the same kind as the given one."""
    return f"poses/{movie}{suffix}"
