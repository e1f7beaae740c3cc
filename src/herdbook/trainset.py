"""Stage trainset: points that a person named become example images of whole tracklets."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import SINGLE, Background, BlobImages, Blobs, Tracklets, TrainingSet, open_blob_images
from herdbook.clicks import blob_at
from herdbook.crops import CropSpec, crop_length, light_of, make_crops, spread_rows
from herdbook.errors import HerdbookError
from herdbook.examples import choose_examples
from herdbook.heads import head_directions
from herdbook.intervals import interval_of
from herdbook.linking import body_length
from herdbook.place_faults import label_place_faults
from herdbook.sheets import Label, read_labels
from herdbook.stage import Job, run_stage
from herdbook.unmarked_trainset import gather_unmarked

STAGE = "trainset"
STAGE_VERSION = 3

# So many times the images that are wanted are looked at, to choose the best.
CANDIDATES = 3


@dataclass
class Gathered:
    """Example images of the tracklets so far: a part of each column per tracklet; of groups: movie, tracklet, first and last frame."""

    images: list[NDArray[np.uint8]] = field(default_factory=list)
    label: list[NDArray[np.int32]] = field(default_factory=list)
    frame: list[NDArray[np.int32]] = field(default_factory=list)
    time_s: list[NDArray[np.float64]] = field(default_factory=list)
    head: list[NDArray[np.float32]] = field(default_factory=list)
    chroma: list[NDArray[np.float32]] = field(default_factory=list)
    groups: list[tuple[int, int, int, int]] = field(default_factory=list)


def labelled_tracklets(
    labels: Sequence[Label], blobs: Blobs, tracklets: Tracklets, images: BlobImages, homes: Mapping[str, Collection[int]]
) -> tuple[dict[int, str], list[str]]:
    """The label of each labelled tracklet of one movie, and the notes on labels that could not be used.

    A point belongs to the blob that `blob_at` finds. `homes` tells the numbers of the arenas where each identity lives; only labels that
    are no identity may name a tracklet that holds more or less than one animal.
    """
    found: dict[int, dict[str, Label]] = defaultdict(dict)
    notes = []
    for label in labels:
        where = f"line {label.line} ({label.movie}, frame {label.frame}, {label.label})"
        if interval_of(label.frame, blobs.intervals) < 0:
            notes.append(f"{where}: the frame is outside of segment.intervals")
            continue
        blob = blob_at(label.frame, label.x, label.y, blobs, images)
        if blob is None:
            notes.append(f"{where}: there is no blob at ({label.x:g}, {label.y:g})")
            continue
        if label.label in homes and blobs.arena[blob] not in homes[label.label]:
            notes.append(f"{where}: the animal lives in another arena")
            continue
        tracklet = int(tracklets.blob_tracklet[blob])
        if tracklets.tracklet_kind[tracklet] != SINGLE and label.label in homes:
            notes.append(f"{where}: the blob holds {tracklets.animals[tracklet]} animals, not one")
            continue
        found[tracklet][label.label] = label
    for named in found.values():
        if len(named) > 1:
            lines = ", ".join(f"line {label.line} says {name}" for name, label in named.items())
            notes.append(f"contradictory labels on one tracklet of {next(iter(named.values())).movie}: {lines}; none is used")
    return {tracklet: next(iter(named)) for tracklet, named in found.items() if len(named) == 1}, notes


def coexisting_pairs(movie: NDArray[np.int32], first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pairs (p, 2) of groups of one movie that share a frame, hence show two animals."""
    together = (movie[:, None] == movie) & (first[:, None] <= last) & (first <= last[:, None])
    return np.argwhere(np.triu(together, 1)).astype(np.int32)


def _work(job: Job) -> None:
    settings = job.settings
    classes = [*settings["identities"], *settings["other_labels"]]
    table = job.files["labels"]
    labels = read_labels(table[0], [path.stem for path in job.files["blobs"]], classes) if table else []
    all_blobs = {path.stem: Blobs.load(path) for path in job.files["blobs"]}
    if table:
        _check_places(labels, all_blobs, table[0])
    homes = {name: [k for k, names in enumerate(settings["homes"]) if name in names] for name in settings["identities"]}
    length = float(np.median([body_length(b.moments) for b in all_blobs.values()]))
    spec = CropSpec(
        length_px=settings["crop_length"] or crop_length(length),
        size=(settings["size"][0], settings["size"][1]),
        blank=settings["blank"],
        neighbours=settings["neighbours"],
        white_balance=settings["white_balance"],
    )
    notes: list[str] = []
    gathered = Gathered()
    paths = zip(job.files["blobs"], job.files["tracklets"], job.files["background"], strict=True)
    if "numbers" in settings:

        def named_in(movie: str, blobs: Blobs, tracklets: Tracklets, images: BlobImages) -> dict[int, str]:
            named, problems = labelled_tracklets([label for label in labels if label.movie == movie], blobs, tracklets, images, homes)
            notes.extend(problems)
            return named

        unmarked = gather_unmarked(
            list(paths), classes, settings["numbers"], spec, length, settings["images_per_tracklet"], job.seed, named_in
        )
        unmarked.notes = notes
        unmarked.save(job.file("out"), job.provenance())
        return
    for number, (path, tracklets_path, background_path) in enumerate(paths):
        blobs, tracklets = all_blobs[path.stem], Tracklets.load(tracklets_path)
        light = light_of(Background.load(background_path), spec.white_balance)
        mine = [label for label in labels if label.movie == path.stem]
        with open_blob_images(path) as blob_images:
            named, problems = labelled_tracklets(mine, blobs, tracklets, blob_images, homes)
            notes += problems
            rows, offsets = tracklets.blob_rows()
            direction, head = head_directions(rows, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, length)
            wanted = settings["images_per_tracklet"]
            chosen = spread_rows(rows, offsets, (blobs.image >= 0) & ~blobs.border, CANDIDATES * wanted)
            at_border = spread_rows(rows, offsets, blobs.image >= 0, CANDIDATES * wanted)
            for tracklet, name in sorted(named.items()):
                # An animal that is never apart from the border is better shown so than not at all.
                candidates = chosen[tracklet] if len(chosen[tracklet]) else at_border[tracklet]
                images, chroma = make_crops(blob_images, blobs, candidates, direction, light, spec)
                best = choose_examples(images, wanted)
                kept = candidates[best]
                gathered.images.append(images[best])
                gathered.chroma.append(chroma[best])
                gathered.label.append(np.full(len(kept), classes.index(name), np.int32))
                gathered.frame.append(blobs.frame[kept])
                gathered.time_s.append(blobs.frame[kept] / blobs.fps)
                gathered.head.append(head[kept])
                gathered.groups.append((number, tracklet, int(tracklets.first[tracklet]), int(tracklets.last[tracklet])))
    _check(settings["identities"], classes, gathered.label, job, notes)
    movie, tracklet_of, first, last = np.array(gathered.groups, np.int32).reshape(-1, 4).T
    TrainingSet(
        classes=classes,
        movies=list(all_blobs),
        notes=notes,
        crops=json.dumps(spec.as_dict()),
        body_length_px=length,
        images=np.concatenate(gathered.images),
        label=np.concatenate(gathered.label),
        frame=np.concatenate(gathered.frame),
        time_s=np.concatenate(gathered.time_s),
        head=np.concatenate(gathered.head),
        chroma=np.concatenate(gathered.chroma),
        group=np.repeat(np.arange(len(movie), dtype=np.int32), [len(part) for part in gathered.label]),
        group_movie=movie.copy(),
        group_tracklet=tracklet_of.copy(),
        coexisting=coexisting_pairs(movie, first, last),
    ).save(job.file("out"), job.provenance())
    for note in notes:
        print(f"label not used: {note}")


def _check_places(labels: Sequence[Label], all_blobs: Mapping[str, Blobs], table: Path) -> None:
    places = label_place_faults(
        labels,
        {name: blobs.frames for name, blobs in all_blobs.items()},
        {name: (blobs.width, blobs.height) for name, blobs in all_blobs.items()},
    )
    if places:
        more = [f"and {len(places) - 10} more"] if len(places) > 10 else []
        title = f"{table}: these labels lie outside of their movie; correct or delete their lines:"
        raise HerdbookError("\n  ".join([title, *places[:10], *more]))


def _check(identities: list[str], classes: list[str], labels: list[NDArray[np.int32]], job: Job, notes: list[str]) -> None:
    seen = {classes[k] for part in labels for k in part}
    missing = [name for name in identities if name not in seen]
    for name in missing:
        notes.append(f"{name}: no usable label; this animal can only be found by elimination")
    needed, found = min(2, len(identities)), len(seen & set(identities))
    if found < needed:
        reasons = "\n  ".join(notes[:10])
        raise HerdbookError(
            f"{job.file('labels')}: at least {needed} of the identities must have usable labels, found {found}. "
            f"Label points on animals that are apart from others.\n  {reasons}"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), optional=("labels",), many=("blobs", "tracklets", "background"), argv=argv)


if __name__ == "__main__":
    main()
