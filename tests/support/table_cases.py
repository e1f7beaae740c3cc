"""Tracks of synthetic animals, and the artifacts of a small recording, for the tests of tables and formats."""

import json

import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import LABELLED, Identities
from herdbook.artifacts.smooth import BodyPoints, Trajectories
from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.artifacts.tracklets import Tracklets
from herdbook.formats.files import TABLES, movie_files, table_files
from herdbook.formats.poses import no_poses
from herdbook.positions.body_points import body_points
from herdbook.smoothing.points import unsmoothed_points
from herdbook.stages import export
from herdbook.tables.motion import measure_speeds
from herdbook.tables.tracks import Tracks

ODD_NAMES = ("Ä1", "b, c", 'd "e"', "f;g", "0", "ünïcödé 猫", "x/y", "a:b")


def no_body_points() -> BodyPoints:
    """The artifact of a movie without body points."""
    nothing = no_poses(0)
    return body_points(nothing, unsmoothed_points(nothing.columns), np.zeros((0, 0, 0), bool), 0)


def make_tracks(rng, frames=40, individuals=ODD_NAMES, *, known=0.8, **changes):
    """Each individual has a position in a share `known` of the frames, at random; the second one in none."""
    present = rng.random((frames, len(individuals))) < known
    present[:, 1:2] = False
    frame, individual = (column.astype(np.int32) for column in np.nonzero(present))
    n = len(frame)
    x, y = rng.uniform(-0.5, 700, (2, n))
    time_s = 12.5 + np.cumsum(rng.uniform(0.03, 0.07, frames))
    alone = rng.random(n) < 0.7
    length = np.where(alone, rng.uniform(20, 40, n), np.nan)
    values = {
        "movie": "m",
        "individuals": tuple(individuals),
        "time_s": time_s,
        "frame": frame,
        "individual": individual,
        "x": x,
        "y": y,
        "heading": rng.uniform(-np.pi, np.pi, n),
        "confidence": rng.random(n),
        "source": rng.integers(0, 5, n).astype(np.uint8),
        "speed": measure_speeds(x, y, frame, individual, time_s),
        "length": length,
        "width": length / 3,
        "arena": rng.integers(-1, 2, n).astype(np.int16),
        "fps": 20.0,
        "size": (720, 704),
    }
    return Tracks(**values | changes)


# Tracklets of the drawn recording: movie, first and last frame, who is in it, whether its blob touches the edge at first and at last.
TRACKLETS = [
    ("a", 0, 9, "A", False, False),
    ("a", 0, 9, "B", False, False),
    ("a", 10, 14, "AB", False, False),
    ("a", 15, 19, "A", False, False),
    ("a", 15, 16, "B", False, True),
    ("b", 0, 19, "A", False, False),
    ("b", 5, 9, "B", True, False),
    ("b", 13, 19, "B", False, False),
    ("b", 13, 19, "", False, False),
    ("c", 0, 9, "A", False, False),
    ("c", 10, 14, "AB", False, False),
    ("c", 15, 19, "A", False, False),
]
EDGES = {"a": [(0, 2), (1, 2), (2, 3), (2, 4)], "b": [], "c": [(0, 1), (1, 2)]}
ANIMALS = ("A", "B", "C")
FRAMES, FPS = 20, 10.0


def place_of(animal, frame):
    """A goes right by 1 px in a frame, B stays; frames count through the recording."""
    return (10.0 + frame, 20.0) if animal == "A" else (60.0, 30.0)


def write_results(folder, *, marking="marked", formats=(), px_per_mm=None, starts=None, individuals=ANIMALS, movies="ab"):
    """Artifacts of a recording `day` of movies of 20 frames, a and b, and its tables; A and B meet, B leaves and returns, C is nowhere.

    Between the movies nothing is linked. With movie c, A and B meet there again. Points that were found are those in the folder `pose`,
    if there are any.
    """
    told = [one for one in TRACKLETS if one[0] in movies]
    origin = Provenance("test", 1, json.dumps({"marking": marking}))
    members = []
    for number, movie in enumerate(movies):
        mine = [one for one in told if one[0] == movie]
        _write_movie(folder, movie, mine, origin, individuals)
        members += [(number, k, individuals.index(who)) for k, one in enumerate(mine) for who in one[3]]
    columns = np.array(members, np.int32).reshape(-1, 3)
    columns = columns[np.lexsort(columns.T[::-1])]
    sizes = [sum(one[0] == movie for one in told) for movie in movies]
    Identities(
        list(movies),
        list(individuals),
        *columns.T.copy(),
        np.full(len(columns), 0.9, np.float32),
        np.full(len(columns), LABELLED, np.uint8),
        np.array([max(1, len(one[3])) for one in told], np.int16),
        np.cumsum([0, *sizes]),
        0.0,
    ).save(folder / "propagate" / "day.h5", origin)
    settings = {"recordings": {"day": list(movies)}, "marking": marking, "arenas": ["dish"], "px_per_mm": px_per_mm, "starts": starts or {}}
    settings |= {"formats": list(formats), "movement_names": "singular", "contact_gap_s": 0.0}
    artifacts = {"trajectories": "smooth", "index": "index", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"}
    files = {name: sorted((folder / stage).glob("*.h5")) for name, stage in artifacts.items()}
    files["found"] = sorted((folder / "pose").glob("*.h5"))
    files |= {"out": [folder / "trajectories.csv"], "hdf5": [folder / "trajectories.h5"]}
    files["tables"] = [folder / name for name in (*TABLES, *table_files(formats)) if name != "trajectories.h5"]
    files["formats"] = [folder / name for name in movie_files(formats, list(movies))]
    options = [part for name, paths in files.items() for part in (f"--{name}", *map(str, paths))]
    export.main([*options, "--settings", json.dumps(settings)])
    return folder


def _write_movie(folder, movie, tracklets, origin, individuals):
    """Index, blobs, tracklets and trajectories of a movie; an animal alone is 24 px long and 8 px wide."""
    start = FRAMES * "abc".index(movie)
    keyframe = np.ones(FRAMES, bool)
    Index(np.arange(FRAMES), np.arange(FRAMES) / FPS, keyframe, 100, 80, FPS, "h264", False, False, movie).save(
        folder / "index" / f"{movie}.h5", origin
    )
    blobs = sorted((frame, k) for k, one in enumerate(tracklets) for frame in range(one[1], one[2] + 1))
    frame, tracklet = np.array(blobs, np.int32).T
    whose = [tracklets[k][3] or "nobody" for k in tracklet]
    xy = np.array([np.mean([place_of(who, start + at) for who in names], axis=0) for at, names in zip(frame, whose, strict=True)])
    edge = [tracklets[k][4] if at == tracklets[k][1] else tracklets[k][5] and at == tracklets[k][2] for at, k in blobs]
    n = len(blobs)
    columns = {
        **{"frame": frame, "x": xy[:, 0], "y": xy[:, 1], "area": np.full(n, 150, np.int32), "box": np.zeros((n, 4), np.int32)},
        **{"moments": np.tile(np.array([36, 0, 4], np.float32), (n, 1)), "contrast": np.ones(n, np.float32)},
        **{"intensity": np.ones(n, np.float32), "arena": np.zeros(n, np.int16), "border": np.array(edge), "image": np.full(n, -1)},
    }
    with columns_writer(folder / "segment" / f"{movie}.h5", "segment", origin) as writer:
        for name, values in columns.items():
            writer.append(name, values)
        writer.put("intervals", np.array([[0, FRAMES]]))
        for name, value in {"frames": FRAMES, "width": 100, "height": 80, "fps": FPS}.items():
            writer.attribute(name, value)
    first, last = (np.array([one[k] for one in tracklets], np.int32) for k in (1, 2))
    m = len(tracklets)
    Tracklets(
        FRAMES,
        tracklet,
        first,
        last,
        np.array([max(1, len(one[3])) for one in tracklets], np.int16),
        np.ones(m, np.float32),
        np.zeros(m, np.uint8),
        np.zeros(m, np.int16),
        np.ones(m, np.float32),
        np.array(EDGES[movie], np.int32).reshape(-1, 2),
        np.ones(len(EDGES[movie]), np.float32),
        np.zeros((0, 2), np.int64),
    ).save(folder / "tracklets" / f"{movie}.h5", origin)
    rows = sorted((at, individuals.index(who)) for one in tracklets for at in range(one[1], one[2] + 1) for who in one[3])
    when, who = np.array(rows, np.int32).T
    x, y = np.array([place_of(individuals[k], start + at) for at, k in rows]).T
    zeros = np.zeros(len(rows), np.float32)
    both = (zeros + 0.9, np.zeros(len(rows), np.uint8), zeros, np.zeros(len(rows), bool))
    Trajectories(list(individuals), FRAMES, when, who, x, y, x, y, zeros, *both).save(folder / "smooth" / f"{movie}.h5", origin)
