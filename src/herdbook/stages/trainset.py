"""Stage trainset: points that a person named become example images of whole tracklets."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec, crop_length, light_of
from herdbook.classifier.examples import MovieImages
from herdbook.classifier.labelled import LabelReader, gather_labelled
from herdbook.classifier.unmarked.examples import gather_unmarked
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.labels import Label, read_labels
from herdbook.experiment.sheets.left_out import read_left_out
from herdbook.experiment.sheets.places import label_place_faults
from herdbook.geometry.ellipses import body_length
from herdbook.job import Job, run_stage
from herdbook.system.words import say

STAGE = "trainset"
STAGE_VERSION = 4


def _work(job: Job) -> None:
    settings, table = job.settings, job.files["labels"]
    identities = settings["identities"]
    classes = [*identities, *settings["other_labels"]]
    labels = read_labels(table[0], [path.stem for path in job.files["blobs"]], classes) if table else []
    left_out = [one for path in job.files["left_out"] for one in read_left_out(path)]
    blobs = {path.stem: Blobs.load(path) for path in job.files["blobs"]}
    if table:
        _check_places(labels, blobs, table[0])
    homes = {name: [k for k, names in enumerate(settings["homes"]) if name in names] for name in identities}
    length = float(np.median([body_length(b.moments) for b in blobs.values()]))
    spec = _crop_spec(settings, length)
    reader, most = LabelReader(labels, homes, left_out), settings["images_per_tracklet"]
    if "numbers" in settings:
        paths = list(zip(job.files["blobs"], job.files["tracklets"], job.files["background"], strict=True))
        asked = (reader.named_in, reader.examples_in)
        examples: TrainingSet = gather_unmarked(paths, classes, settings["numbers"], spec, length, most, job.seed, *asked)
    else:
        examples = gather_labelled(_movies(job, blobs, spec), classes, spec, length, most, reader)
    if settings.get("needs_labels", True):
        _check(examples, identities, job.files["labels"], reader.notes)
    for note in reader.notes:
        say(f"label not used: {note}", log=False)
    examples.notes = reader.notes
    examples.save(job.file("out"), job.provenance())


def _crop_spec(settings: Mapping[str, Any], body_length_px: float) -> CropSpec:
    width, height = settings["size"]
    length_px = settings["crop_length"] or crop_length(body_length_px)
    return CropSpec(length_px, (width, height), settings["blank"], settings["neighbours"], settings["white_balance"])


def _movies(job: Job, blobs: Mapping[str, Blobs], spec: CropSpec) -> Iterator[MovieImages]:
    """The movies, each open only while it is used."""
    paths = zip(job.files["blobs"], job.files["tracklets"], job.files["background"], strict=True)
    for path, tracklets, background in paths:
        light = light_of(Background.load(background), spec.white_balance)
        with open_blob_images(path) as images:
            yield MovieImages(path.stem, blobs[path.stem], Tracklets.load(tracklets), images, light)


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


def _check(examples: TrainingSet, identities: list[str], labels: list[Path], notes: list[str]) -> None:
    """Note who has no example; HerdbookError unless two identities, or the only one, have some."""
    seen = {examples.classes[k] for k in examples.label if k >= 0}
    missing = [name for name in identities if name not in seen]
    notes += [f"{name}: no usable label; this animal can only be found by elimination" for name in missing]
    needed, found = min(2, len(identities)), len(seen & set(identities))
    if found < needed:
        reasons = "\n  ".join(notes[:10])
        raise HerdbookError(
            f"{labels[0]}: at least {needed} of the identities must have usable labels, found {found}. "
            f"Label points on animals that are apart from others.\n  {reasons}"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(
        STAGE, STAGE_VERSION, _work, one=("out",), optional=("labels", "left_out"), many=("blobs", "tracklets", "background"), argv=argv
    )


if __name__ == "__main__":
    main()
