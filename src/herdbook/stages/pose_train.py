"""Stage pose_train: the network that finds body points, taught with labelled crops, with a card that tells how good it is."""

import json
from collections.abc import Sequence

from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.bodypoints.learned.cards import check_points, read_pose_card
from herdbook.classifier.cards import copy_given
from herdbook.job import Job, run_stage
from herdbook.system.files import replacing, write_text
from herdbook.system.words import say

STAGE = "pose_train"
STAGE_VERSION = 2


def take_given(job: Job) -> None:
    """Copy the given network and its card; nothing is trained."""
    network, card = job.files["model"]
    check_points(read_pose_card(card), job.settings["points"])
    copy_given(network, card, job.file("out"), job.file("card"))


def _work(job: Job) -> None:
    if job.files["model"]:
        take_given(job)
        return
    # The network's library takes seconds to come, so only training asks for it.
    from herdbook.bodypoints.learned.lessons import teach_points
    from herdbook.classifier.architectures import save_model

    network, card = teach_points(PoseExamples.load(job.file("examples")), job.file("examples"), job.settings, job.seed)
    card["versions"]["stage"] = STAGE_VERSION
    with replacing(job.file("out"), ".keras") as temporary:
        save_model(network, temporary)
    write_text(job.file("card"), json.dumps(card, indent=1, ensure_ascii=False))
    if card["median_px"] is not None:
        say(
            f"points of frames kept back are {card['median_px']:.1f} px off (half of them less; 19 of 20 less than {card['p95_px']:.1f} px)"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("out", "card"), optional=("examples",), many=("model",), argv=argv)


if __name__ == "__main__":
    main()
