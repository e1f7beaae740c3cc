"""How well and how fast the classifier reads: against the network of anTraX, and per second.

    python benchmarks/classifier.py crops --data ../shared/data
    python benchmarks/classifier.py speed --data ../shared/data

crops: five folds of labelled crops of tagged ants, grouped by tracklet. speed: images per second of CPU time. Prints tables in Markdown;
times are CPU seconds of the process.
"""

import argparse
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
from measuring import markdown, run_chain
from numpy.typing import NDArray
from real_movies import experiment_file, machine

from herdbook.arrays import Pixels
from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.classifier.architectures import build_network
from herdbook.classifier.calibration import fit_calibration, image_scores, reliability, tracklet_posteriors
from herdbook.classifier.crops import CropSpec, crop_length, light_of, make_crops, spread_rows
from herdbook.classifier.network import Examples, Recipe, finish_network, predict_logits, split_groups, train_network, use_threads
from herdbook.experiment.file import load_experiment
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions

FOLDS = 5
FRAMES_PER_S = 10.0
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Crops:
    """Labelled crops: `images` (n, h, w, 3), `label` (n,) into `classes`, `group` (n,) tracklet, `frame` (n,) in it."""

    classes: list[str]
    images: Pixels
    label: Labels
    group: Labels
    frame: Labels


@dataclass(frozen=True)
class Answers:
    """What one network answered in one fold: by image, by tracklet with the probability of its answer, CPU time (s), parameters."""

    image_right: NDArray[np.bool_]
    tracklet_right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    cpu_s: float
    parameters: int


def read_crops(archive: Path) -> Crops:
    """Crops of a tar file whose names are <class>/<tracklet>.<number>.png."""
    images, names, tracklets, frames = [], [], [], []
    with tarfile.open(archive) as tar:
        for member in tar:
            found = re.search(r"([^/]+)/([^/]+)\.(\d+)\.png$", member.name)
            if found and member.isfile():
                content = tar.extractfile(member)
                assert content is not None
                images.append(cv2.imdecode(np.frombuffer(content.read(), np.uint8), cv2.IMREAD_COLOR))
                names.append(found[1])
                tracklets.append(f"{found[1]}/{found[2]}")
                frames.append(int(found[3]))
    classes, label = np.unique(names, return_inverse=True)
    group = np.unique(tracklets, return_inverse=True)[1]
    return Crops(classes.tolist(), np.stack(images), label.astype(np.int32), group.astype(np.int32), np.array(frames, np.int32))


def folds_of(crops: Crops, seed: int) -> NDArray[np.int64]:
    """The fold (n,) of each crop: the tracklets of each class are dealt out in turn."""
    rng, fold, start = np.random.default_rng(seed), np.zeros(crops.group.max() + 1, np.int64), 0
    for k in range(len(crops.classes)):
        groups = rng.permutation(np.unique(crops.group[crops.label == k]))
        fold[groups] = (start + np.arange(len(groups))) % FOLDS
        start += len(groups)
    return fold[crops.group]


def answer_small(crops: Crops, tested: NDArray[np.bool_], seed: int, architecture: str = "small") -> Answers:
    """Our network, trained and calibrated on the crops that are not tested."""
    began = time.process_time()
    rows = ~tested
    label, group = crops.label[rows], crops.group[rows]
    # Which end is up is known by the makers of these crops, most of the time.
    examples = Examples(crops.images[rows], label, np.full(len(label), 0.95, np.float32))
    held, _ = split_groups(label, group, np.zeros(len(label), np.int32), 0.2, np.random.default_rng(seed))
    keras.utils.set_random_seed(seed)
    model, _ = build_network(architecture, *crops.images.shape[1:3], len(crops.classes))
    recipe = Recipe(seed=seed)
    history = train_network(model, examples, held, recipe)
    time_s = crops.frame / FRAMES_PER_S
    calibration = fit_calibration(predict_logits(model, examples.images[held]), label[held], group[held], time_s[rows][held])
    finish_network(model, examples, int(np.argmin(history["val_loss"])) + 1, recipe)
    cpu_s = time.process_time() - began
    logits = predict_logits(model, crops.images[tested])
    scores = image_scores(logits, calibration.temperature)
    tracklets, posterior = tracklet_posteriors(scores, crops.group[tested], time_s[tested], calibration)
    truth = _label_of(crops, tracklets)
    right = posterior.argmax(axis=1) == truth
    return Answers(logits.argmax(axis=1) == crops.label[tested], right, posterior.max(axis=1), cpu_s, model.count_params())


def answer_antrax(crops: Crops, tested: NDArray[np.bool_], seed: int) -> Answers:
    """The network `small` of anTraX by its recipe (Gal et al. 2020, eLife 9:e58145): Adam, 5 epochs, batches of 32, classes balanced and
    the unreadable 20 times heavier, its changes of images; a tracklet's answer is the greatest sum over the images read as an animal.
    """
    began = time.process_time()
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential([keras.Input(crops.images.shape[1:])])
    for filters in (64, 128, 256):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
        model.add(layers.BatchNormalization())
        model.add(layers.Dropout(0.25))
    for layer in (layers.Flatten(), layers.BatchNormalization(), layers.Dropout(0.25), layers.Dense(len(crops.classes), "softmax")):
        model.add(layer)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, label = crops.images[~tested], crops.label[~tested]
    count = np.bincount(label, minlength=len(crops.classes))
    weight = len(label) / (len(crops.classes) * np.maximum(count, 1))
    unread = crops.classes.index("Unknown")
    weight[unread] *= 20
    for _ in range(5):
        for rows in np.array_split(rng.permutation(len(label)), len(label) // 32):
            model.train_on_batch(_antrax_changes(images[rows], rng), label[rows], sample_weight=weight[label[rows]])
    cpu_s = time.process_time() - began
    shares = predict_logits(model, crops.images[tested])
    answer = shares.argmax(axis=1)
    group = crops.group[tested]
    tracklets = np.unique(group)
    named, confidence = [], []
    for k in tracklets:
        mine = (group == k) & (answer != unread)
        total = np.delete(shares[mine], unread, axis=1).sum(axis=0)
        identity = np.delete(np.arange(len(crops.classes)), unread)
        named.append(identity[total.argmax()] if mine.any() else unread)
        confidence.append(total.max() / total.sum() if mine.any() else 1.0)
    right = np.array(named) == _label_of(crops, tracklets)
    return Answers(answer == crops.label[tested], right, np.array(confidence, np.float64), cpu_s, model.count_params())


def _antrax_changes(images: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
    """Shift of 10 px, shear of 5 and rotation of 10 degrees, zoom and brightness of 10 %, both flips; raw levels 0 to 255."""
    height, width = images.shape[1:3]
    changed = np.empty(images.shape, np.float32)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    for k, image in enumerate(images):
        turn, shear = np.radians(rng.uniform(-10, 10)), np.radians(rng.uniform(-5, 5))
        zoom, flip = rng.uniform(0.9, 1.1, 2), rng.choice([-1, 1], 2)
        linear = np.array([[np.cos(turn), -np.sin(turn + shear)], [np.sin(turn), np.cos(turn + shear)]]) * zoom * flip
        shift = middle + rng.uniform(-10, 10, 2) - linear @ middle
        moved = cv2.warpAffine(image, np.column_stack([linear, shift]), (width, height), borderMode=cv2.BORDER_REPLICATE)
        changed[k] = np.clip(moved * rng.uniform(0.9, 1.1), 0, 255)
    return changed


def _label_of(crops: Crops, tracklets: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.array([crops.label[crops.group == k][0] for k in tracklets], np.int64)


def measure_crops(data: Path, networks: Sequence[str], folds: int, seed: int) -> Iterator[dict[str, str]]:
    """One row per network."""
    crops = read_crops(data / "ant_crops" / "crops.tar.gz")
    fold = folds_of(crops, seed)
    print(
        f"{len(crops.label):,} crops, {crops.group.max() + 1} tracklets, {len(crops.classes)} classes, {folds} of {FOLDS} folds\n",
        flush=True,
    )
    for network in networks:
        found = []
        for k in range(folds):
            tested = fold == k
            found.append(answer_antrax(crops, tested, seed + k) if network == "antrax" else answer_small(crops, tested, seed + k, network))
            last = found[-1]
            print(
                f"{network} fold {k}: images {last.image_right.mean():.4f}, tracklets {last.tracklet_right.mean():.4f}",
                file=sys.stderr,
                flush=True,
            )
        images, tracklets = (np.concatenate([getattr(f, name) for f in found]) for name in ("image_right", "tracklet_right"))
        yield {
            "network": network,
            "image accuracy": f"{images.mean():.4f}",
            "tracklet accuracy": f"{tracklets.mean():.4f}",
            "ECE by tracklet": f"{reliability(np.concatenate([f.confidence for f in found]), tracklets)['ece']:.4f}",
            "parameters": f"{found[0].parameters:,}",
            "training, CPU s per fold": f"{np.mean([f.cpu_s for f in found]):.0f}",
        }


def measure_speed(folder: Path, movie: str) -> Iterator[dict[str, str]]:
    """Images per second of one thread, reading and making crops, and each network by itself; `folder` holds the stages of a recording."""
    blobs, tracklets = Blobs.load(folder / "segment" / f"{movie}.h5"), Tracklets.load(folder / "tracklets" / f"{movie}.h5")
    spec = CropSpec(crop_length(body_length(blobs.moments)))
    light = light_of(Background.load(folder / "background" / f"{movie}.h5"))
    rows, offsets = tracklets.blob_rows()
    chosen = np.sort(np.concatenate(spread_rows(rows, offsets, blobs.image >= 0, 30)))
    with open_blob_images(folder / "segment" / f"{movie}.h5") as images:
        # The first time the kernels are read from their cache.
        for some in (chosen[:50], chosen):
            began = time.process_time()
            direction, _ = head_directions(rows, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, body_length(blobs.moments))
            crops, _ = make_crops(images, blobs, some, direction, light, spec)
            making_s = time.process_time() - began
    yield {"step": "crops, made", "images per CPU s": f"{len(chosen) / making_s:.0f}", "parameters": "-"}
    for network in ("small", "wide", "large"):
        model, _ = build_network(network, *crops.shape[1:3], 16)
        predict_logits(model, crops[:512])
        began = time.process_time()
        predict_logits(model, crops)
        seconds = time.process_time() - began
        yield {"step": f"{network}, read", "images per CPU s": f"{len(crops) / seconds:.0f}", "parameters": f"{model.count_params():,}"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the classifier and print tables.")
    parser.add_argument("what", choices=("crops", "speed"))
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--networks", nargs="+", default=["small", "antrax"], help="small, wide, large, antrax (crops)")
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the five folds (crops)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="keep all results in this folder")
    given = parser.parse_args()
    data = given.data.resolve()
    print(machine())
    with tempfile.TemporaryDirectory() as temporary:
        work = (given.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        if given.what == "crops":
            use_threads(1)
            rows = []
            for row in measure_crops(data, given.networks, given.folds, given.seed):
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
        else:
            use_threads(1)
            cv2.setNumThreads(1)
            file = experiment_file("ants16", data, work)
            run_chain(file, 2, "ants16/tracklets/movie01.h5")
            rows = list(measure_speed(load_experiment(file).folder, "movie01"))
        print(markdown(rows))


if __name__ == "__main__":
    main()
