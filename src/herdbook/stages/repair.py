"""Stage repair: the body points of a file handed to the animals they belong to, under Herdbook's names."""

from collections.abc import Sequence

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.bodypoints.movies import check_repairable, repair_movie, see_animals, summary_of
from herdbook.formats.pose_files import read_poses
from herdbook.job import Job, run_stage
from herdbook.positions.body_points import check_inside
from herdbook.system.words import say

STAGE = "repair"
STAGE_VERSION = 1


def _work(job: Job) -> None:
    file, believed = ", ".join(map(str, job.files["poses"])), job.settings["names"] == "file"
    index, trajectories = Index.load(job.file("index")), Trajectories.load(job.file("trajectories"))
    read = read_poses(job.files["poses"])
    check_repairable(read, trajectories.individuals, believed, file)
    poses = read.likely(job.settings["likelihood"]).lasting(len(index), file)
    check_inside(poses, (index.height, index.width), file)
    path = job.file("blobs")
    blobs = Blobs.load(path, without=("box", "area", "contrast", "intensity", "arena", "border", "image"))
    with open_blob_images(path) as images:
        tables = Tracklets.load(job.file("tracklets")), Identities.load(job.file("identities"))
        seen = see_animals(poses.xy, trajectories, blobs, images, *tables, path.stem)
        points = repair_movie(poses, len(read), trajectories, seen, index.time_s, job.settings["least"], believed, file)
    say(f"{STAGE}: {summary_of(points)}")
    points.save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("index", "blobs", "tracklets", "identities", "trajectories", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, many=("poses",), argv=argv)


if __name__ == "__main__":
    main()
