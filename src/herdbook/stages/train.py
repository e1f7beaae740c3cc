"""Stage train: the classifier of one experiment, calibrated on tracklets it has not seen, with a card that tells all about it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.cards import check_classes, copy_given, read_card
from herdbook.classifier.image_folders import check_given_set, load_set
from herdbook.job import Job, run_stage
from herdbook.system.files import replacing, write_text
from herdbook.system.words import say

STAGE = "train"
STAGE_VERSION = 4


def take_given(job: Job) -> None:
    """Copy the given classifier and its card; nothing is trained."""
    network, card = job.files["use"]
    check_classes(read_card(card), job.settings["identities"])
    copy_given(network, card, job.file("out"), job.file("card"))


def _work(job: Job) -> None:
    if job.files["use"]:
        take_given(job)
        return
    network, card = _learn_unmarked(job) if "numbers" in job.settings else _learn_marked(job)
    card["versions"]["stage"] = STAGE_VERSION
    _save(network, job.file("out"))
    write_text(job.file("card"), json.dumps(card, indent=1, ensure_ascii=False))


# The network's library takes seconds to come, so only training asks for it.
def _save(network: Any, path: Path) -> None:
    from herdbook.classifier.architectures import save_model

    with replacing(path, ".keras") as temporary:
        save_model(network, temporary)


def _learn_marked(job: Job) -> tuple[Any, dict[str, Any]]:
    from herdbook.classifier.training import train_classifier

    examples = load_set(job.file("trainset"))
    start: Path | None = job.files["start"][0] if job.files["start"] else None
    model: Path | None = job.files["model"][0] if job.files["model"] else None
    given = "given" in job.settings
    if given:
        check_given_set(examples, job.file("trainset"), job.settings["identities"])
    network, card = train_classifier(examples, job.file("trainset"), job.settings, job.seed, start=start, custom=model)
    return network, card | ({"given": True} if given else {})


def _learn_unmarked(job: Job) -> tuple[Any, dict[str, Any]]:
    from herdbook.classifier.unmarked.training import train_unmarked

    like: Path | None = job.files["like"][0] if job.files["like"] else None
    network, card = train_unmarked(UnmarkedSet.load(job.file("trainset")), job.file("trainset"), job.settings, job.seed, like)
    for warning in card["warnings"]:
        say(f"warning: {warning}", log=False)
    for note in card["notes"]:
        say(f"note: {note}", log=False)
    say(f"{100 * card['estimated_accuracy']:.1f} % of the frames of single animals are estimated to have the right animal", log=False)
    return network, card


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = {"one": ("out", "card"), "many": ("use", "start", "like"), "optional": ("trainset", "model")}
    run_stage(STAGE, STAGE_VERSION, _work, argv=argv, **files)


if __name__ == "__main__":
    main()
