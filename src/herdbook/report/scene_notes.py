"""What the report says of scenes that change: within a movie, and from one movie of a recording to the next."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import open_artifact, read_attributes
from herdbook.segmentation.transitions import arena_sentences, arenas_stay, change_sentences, motion_between


def scene_notes(recordings: Mapping[str, Sequence[str]], files: Mapping[str, Mapping[str, Path]]) -> list[str]:
    """A sentence for each change of the scene; `recordings` are the movies of each, `files` the paths by artifact and file stem.

    Movies that share one background show no change, for then the stage background refuses them.
    """
    notes = []
    for movies in recordings.values():
        for movie in movies:
            if movie in files["background"]:
                notes += _notes_of_movie(movie, files)
        for before, after in pairwise(movies):
            if before in files["background"] and after in files["background"]:
                notes += _notes_between(before, after, files)
    return [sentence[0].upper() + sentence[1:] for sentence in notes]


def _notes_of_movie(movie: str, files: Mapping[str, Mapping[str, Path]]) -> list[str]:
    background = Background.load(files["background"][movie], without=("luma", "luma_noise", "bgr", "bgr_noise"))
    if background.change is None:
        return []
    sentences = [*change_sentences(background), *arena_sentences(background, _arenas(files["blobs"][movie]))]
    return [f"in {movie}, {sentence}" for sentence in sentences]


def _notes_between(before: str, after: str, files: Mapping[str, Mapping[str, Path]]) -> list[str]:
    scenes = [Background.load(files["background"][movie], without=("luma_noise", "bgr", "bgr_noise")) for movie in (before, after)]
    index = Index.load(files["index"][after], without=("pts", "time_s", "keyframe"))
    motion = motion_between(scenes[0], scenes[1], index.full_range)
    if motion is None:
        return []
    x, y = np.round(motion.at((index.width - 1) / 2, (index.height - 1) / 2), 1)
    arenas = _arenas(files["blobs"][after])
    stay = f": {arenas_stay(arenas)} both movies, unless they are wide enough" if arenas else ""
    return [f"the picture of {after} has moved by {x:+.1f} px in x and {y:+.1f} px in y against that of {before}{stay}."]


def _arenas(blobs: Path) -> list[str]:
    """Names of the arenas with which a movie was segmented."""
    with open_artifact(blobs, Blobs.kind) as file:
        return [arena.get("name", "arena") for arena in json.loads(read_attributes(file)["settings"]).get("arenas", [])]
