"""The drawn recording that golden figures are made from: four animals, two of which meet and are one blob for a while.

Only whole numbers and halves are used, so that every processor draws the same. Points are (x, y) in px, colours BGR.
"""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.artifacts.propagate import CLASSIFIED, Identities
from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.smooth import FROM_RESOLVED, FROM_SINGLE, SOURCES, Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.calibration import Calibration
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.network import use_threads
from herdbook.system.files import write_text
from herdbook.system.fingerprints import file_fingerprint
from herdbook.tables.event_tables import EVENT_COLUMNS
from herdbook.tables.positions import COLUMNS as TABLE
from tests.support.identity_cases import BLUE, FPS, GREEN, GROUND, RED, YELLOW, Body, Track, paint, write_evidence, write_movie

NAMES = ["R", "G", "B", "Y"]
COLOURS = [RED, GREEN, BLUE, YELLOW]
FRAMES, SIZE, KEYFRAMES = 40, (160, 120), 10
ORIGIN = Provenance("drawn", 1)
# R and G walk on rows of their own; B and Y meet, are one blob from frame 15 to 24, and part.
BODIES = [Body(30, 20, colours=(RED, RED)), Body(130, 100, colours=(GREEN, GREEN))]
LEFT, RIGHT = Body(30, 58, colours=(BLUE, BLUE)), Body(128, 60, colours=(YELLOW, YELLOW))
MET = (replace(LEFT, x=66.0), replace(RIGHT, x=86.0))
TRACKS = [
    *(Track(0, FRAMES - 1, (BODIES[0],), (2, 0)), Track(0, FRAMES - 1, (BODIES[1],), (-2, 0))),
    *(Track(0, 14, (LEFT,), (2, 0)), Track(0, 14, (RIGHT,), (-2, 0))),
    Track(15, 24, MET, (0, 1), animals=2),
    *(Track(25, FRAMES - 1, (replace(LEFT, x=62.0, y=68),), (-2, 0)), Track(25, FRAMES - 1, (replace(RIGHT, x=90.0, y=70),), (2, 0))),
]
EDGES = [(2, 4), (3, 4), (4, 5), (4, 6)]
HELD = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 2), (4, 3), (5, 2), (6, 3)]


def draw_recording(folder: Path) -> None:
    """Write the movie and all artifacts of a recording whose animals are known."""
    write_movie(folder, "m", TRACKS, frames=FRAMES, edges=EDGES, size=SIZE)
    _write_film(folder / "m.mkv")
    keyframe = np.arange(FRAMES) % KEYFRAMES == 0
    facts = (*SIZE, FPS, "h264", False, False, file_fingerprint(folder / "m.mkv"))
    Index(np.arange(FRAMES) * 100, np.arange(FRAMES) / FPS, keyframe, *facts).save(folder / "index" / "m.h5", ORIGIN)
    ground = np.full((1, SIZE[1], SIZE[0], 3), GROUND, np.uint8)
    luma = np.full(ground.shape[:3], _luma_and_chroma(ground)[0, 0, 0, 0], np.uint8)
    noise = np.full_like(ground, 4)
    Background(luma, ground, np.zeros(1, np.int64), noise[..., 0], noise, np.ones(1), 20).save(folder / "background" / "m.h5", ORIGIN)
    _write_names(folder)
    _write_positions(folder)
    _write_classifier(folder)
    _write_pose(folder, _write_points(folder))


def _write_film(path: Path) -> None:
    """Without loss, and in the planes of most cameras, so that frames are the same whatever the encoder and the processor."""
    lossless = {"qp": "0", "g": str(KEYFRAMES), "x264-params": "scenecut=0:bframes=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options=lossless)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in range(FRAMES):
            pixels, _ = paint([body for track in TRACKS if track.first <= frame <= track.last for body in track.at(frame)], SIZE)
            planes = _luma_and_chroma(pixels)
            chroma = [planes[::2, ::2, k].reshape(-1, SIZE[0]) for k in (1, 2)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([planes[..., 0], *chroma]), format="yuv420p")))
        container.mux(stream.encode(None))


def _luma_and_chroma(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma and both kinds of chroma (..., 3) of colours (..., 3), by BT.601 in whole numbers."""
    weights = np.array([[25, 129, 66], [112, -74, -38], [-18, -94, 112]])
    return ((bgr.astype(np.int64) @ weights.T + 128) // 256 + (16, 128, 128)).astype(np.uint8)


def _write_names(folder: Path) -> None:
    """Labels, facts, evidence, and who is in which tracklet."""
    named = zip(NAMES, (TRACKS[k].at(3)[0] for k in range(4)), strict=True)
    write_text(folder / "labels.csv", "movie,frame,x,y,label\n" + "".join(f"m,3,{body.x},{body.y},{name}\n" for name, body in named))
    write_text(folder / "facts.csv", "movie,frame,x,y,fact,name,last\nm,3,36,20,is,R,\n")
    write_evidence(folder, "m", NAMES, [*({name: 4.0} for name in NAMES), None, {"B": 2.0}, {"Y": 0.5}], {0: "R"})
    tracklet, individual = np.array(HELD, np.int32).T
    counts = np.array([track.animals for track in TRACKS], np.int16)
    known = np.full(len(HELD), 0.875, np.float32), np.full(len(HELD), CLASSIFIED, np.uint8)
    who = Identities(["m"], NAMES, 0 * tracklet, tracklet, individual, *known, counts, np.array([0, len(TRACKS)]), 0.0)
    who.save(folder / "propagate" / "m.h5", ORIGIN)


def _write_positions(folder: Path) -> None:
    """Positions as an artifact, as a table and as the truth, and a table of events."""
    rows = sorted(
        (frame, who, *((body := track.at(frame)[who - 2 if track.animals > 1 else 0]).x, body.y), track.animals)
        for number, who in HELD
        for track in [TRACKS[number]]
        for frame in range(track.first, track.last + 1)
    )
    frame, who, x, y, animals = (np.array(column) for column in zip(*rows, strict=True))
    zero = np.zeros(len(rows), np.float32)
    source = np.where(animals > 1, FROM_RESOLVED, FROM_SINGLE).astype(np.uint8)
    placed = frame.astype(np.int32), who.astype(np.int32), x, y, x + 0.25, y, zero, zero + 0.875, source, zero, zero > 0
    Trajectories(NAMES, FRAMES, *placed).save(folder / "smooth" / "m.h5", ORIGIN)
    names = np.array(NAMES, object)[who]
    place = {"movie": "m", "frame": frame, "x": x, "y": y}
    told = {"time": frame / FPS, "individual": names, "heading": 0.0, "confidence": 0.875, "source": np.array(SOURCES, object)[source]}
    pd.DataFrame(place | told).to_csv(folder / "trajectories.csv", index=False, columns=TABLE)
    pd.DataFrame(place | {"identity": names}).to_csv(folder / "truth.csv", index=False)
    write_text(folder / "events.csv", f"{','.join(EVENT_COLUMNS)}\nm,merge,m,15,m,24,1.5,1.0,B;Y,2,76.0,63.5,\n")


def _write_points(folder: Path) -> NDArray[np.float64]:
    """Body points as a table of DeepLabCut, in which two animals are exchanged for five frames and one point for one, and repaired."""
    offsets = np.array([[8, 0], [4, 0], [-4, 0], [-8, 0], [0, 5]])
    xy = np.full((FRAMES, len(NAMES), len(offsets), 2), np.nan)
    for number, who in HELD:
        track = TRACKS[number]
        for frame in range(track.first, track.last + 1):
            body = track.at(frame)[who - 2 if track.animals > 1 else 0]
            xy[frame, who] = [body.x, body.y] + offsets + np.stack([(frame + np.arange(5)) % 3, frame % 2 + np.zeros(5)], 1) / 2
    given = xy.copy()
    given[5:10, 2:4] = given[5:10, [3, 2]]
    given[20, :2, 4] = given[20, [1, 0], 4]
    levels = [["net"], NAMES, ["nose", "neck", "hip", "tail", "foot"], ["x", "y", "likelihood"]]
    columns = pd.MultiIndex.from_product(levels, names=["scorer", "individuals", "bodyparts", "coords"])
    values = np.concatenate([given, np.full((*given.shape[:3], 1), 0.875)], axis=-1).reshape(FRAMES, -1)
    pd.DataFrame(values, columns=columns).to_csv(folder / "poses.csv")
    slot = np.broadcast_to(np.arange(4)[:, None], xy.shape[:3]).astype(np.int16)
    told = np.full(xy.shape[:3], 0.875, np.float32)
    counts, moments = np.zeros((4, 1, 6), np.int64), np.zeros((0, 8), np.int32)
    RepairedPoints(
        *(NAMES, levels[2], NAMES, FRAMES, xy[..., 0], xy[..., 1], told, slot, told, slot[..., 0]),
        *(np.arange(4, dtype=np.int32), np.ones(xy.shape[:3], np.uint8), counts, moments),
    ).save(folder / "repair" / "m.h5", ORIGIN)
    return xy


def _write_pose(folder: Path, xy: NDArray[np.float64]) -> None:
    """Labelled body points of every third frame, a training set of plain crops, and a network that answers with levels of the picture, with
    its card.
    """
    import keras

    names = ["nose", "neck", "hip", "tail", "foot"]
    rows = [
        f"m,{t},{NAMES[who]},{name},{xy[t, who, k, 0]},{xy[t, who, k, 1]}"
        for t in range(0, FRAMES, 3)
        for who in range(len(NAMES))
        for k, name in enumerate(names)
    ]
    write_text(folder / "points.csv", "\n".join(["movie,frame,individual,point,x,y", *rows, ""]))
    count, wide, size = 24, 52, 32
    pictures = (np.arange(count * wide * wide) % 251).reshape(count, wide, wide).astype(np.uint8)
    points = 26 + np.stack([np.arange(-4, 6, 2), np.arange(5, -5, -2)], 1) + np.zeros((count, 5, 2))
    number = np.arange(count, dtype=np.int32)
    place, angle = np.full((count, 2), 60.0), np.zeros(count)
    PoseExamples(
        *(names, ["m"], NAMES, [], 30.0, size, 24.0, np.array([12.0, 4.0]), pictures, np.zeros_like(pictures), number < 0, points),
        *(0 * number, number // 2, number % 2, place, angle, place, angle, number >= 0, np.zeros((0, 5)), np.zeros(count + 1, np.int64)),
        *(np.stack([np.zeros(5), np.arange(-8, 12, 4)], 1), np.arange(5, dtype=np.int32)),
    ).save(folder / "pose_trainset" / "pose_trainset.h5", ORIGIN)
    network = keras.Sequential([keras.Input((size, size, 2)), keras.layers.Conv2D(5, 3, strides=2, padding="same")])
    weights = (np.arange(90) % 7 - 3).reshape(3, 3, 2, 5).astype(np.float32) / 64
    network.layers[-1].set_weights([weights, np.zeros(5, np.float32)])
    (folder / "pose_train").mkdir()
    network.save(folder / "pose_train" / "pose.keras")
    card = {"finds": "body points", "format": 1, "points": names, "side_body": 1.25, "size": size, "half_axes": [0.5, 0.15]}
    shape = [[0, -0.3], [0, -0.15], [0, 0.15], [0, 0.3], [0.2, 0]]
    errors = {"terms": [0.02, 0.3, 0.0], "points": [1.0] * 5}
    headings = {"terms": [3.0, 1.0], "alone": 0.9, "contact": 0.5}
    told = card | {"shape": shape, "usual_fit": -2.0, "body_px": 24.0, "errors": errors, "headings": headings}
    write_text(folder / "pose_train" / "pose.json", json.dumps(told))


def _write_classifier(folder: Path) -> None:
    """A training set of plain bars, three tracklets of each animal, the first with a label; a network that answers with the mean colour of
    an image, and its card.
    """
    import keras

    use_threads(1)
    crops = CropSpec(length_px=30.0).as_dict()
    label = np.repeat(np.arange(len(NAMES), dtype=np.int32), 24)
    images = np.full((len(label), 48, 32, 3), 127, np.uint8)
    number = np.arange(len(label))
    images[:, 6:42, 10:22] = (np.array(COLOURS)[label] + (number % 12)[:, None])[:, None, None].clip(0, 255)
    group = (number // 8).astype(np.int32)
    groups = np.arange(group.max() + 1, dtype=np.int32)
    ones = np.ones(len(label), np.float32)
    named = np.where(group % 3 == 0, label, -1).astype(np.int32)
    together = np.argwhere(np.triu(groups[:, None] % 3 == groups % 3, 1)).astype(np.int32)
    places = named, number.astype(np.int32), number / FPS, ones, 60 * ones, group, 0 * groups, groups // 3, together
    seen = np.zeros(len(groups), np.int16), 8 * (groups % 3), np.full(len(groups), 8, np.int32), np.array([9.6]), np.zeros(1)
    examples = UnmarkedSet(NAMES, ["m"], [], json.dumps(crops), 24.0, images, *places, *seen)
    examples.save(folder / "trainset" / "trainset.h5", ORIGIN)
    network = keras.Sequential([keras.Input((48, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(len(NAMES))])
    network.layers[-1].set_weights([np.array(COLOURS, np.float32).T / 512, np.zeros(len(NAMES), np.float32)])
    (folder / "train").mkdir()
    network.save(folder / "train" / "classifier.keras")
    card = {"format": 1, "classes": NAMES, "others": [], "crops": crops, "calibration": Calibration().as_dict(), "body_length_px": 24.0}
    write_text(folder / "train" / "classifier.json", json.dumps(card | {"chroma": 60.0, "prototypes": {}}))
