"""Stage trainset: points that a person named become example images of whole tracklets."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import BlobImages, Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec, crop_length, light_of, make_crops, spread_rows
from herdbook.classifier.examples import choose_examples
from herdbook.classifier.labelled import CANDIDATES, Gathered, coexisting_pairs, labelled_tracklets
from herdbook.classifier.unmarked.examples import gather_unmarked
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.labels import Label, read_labels
from herdbook.experiment.sheets.places import label_place_faults
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions
from herdbook.job import Job, run_stage

STAGE = "trainset"
STAGE_VERSION = 3


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
