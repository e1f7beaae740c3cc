"""Sections of the experiment file on the movies, filmed or simulated."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from herdbook.experiment.base import Count, FilePath, Name, Positive, Section
from herdbook.experiment.sheets.text import composed

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment


class Movie(Section):
    """A movie file."""

    name: Name = Field(description="name of the movie in all tables")
    file: FilePath = Field(description="path of the movie file, of a folder of images, or of a TIFF file whose pages are the frames")
    recording: Annotated[str, AfterValidator(composed)] | None = Field(
        None, description="name of the recording; its movies follow each other without a break, in this order"
    )
    start: datetime | None = Field(
        None, description="date and time of the first frame, such as 2026-05-17 14:03:20; those of later movies of the recording follow"
    )
    fps: Positive | None = Field(
        None, description="frames per second; by default as the file says, and 25 for images, which say nothing of it"
    )
    times: FilePath | None = Field(
        None,
        description="table with the time of each frame of the file, as cameras write it: s, or dates and times; one line for each frame",
    )
    rotate: Literal["auto", 0, 90, 180, 270] = Field(
        "auto", description="turn the stored picture clockwise (degrees); auto: as the file asks to be shown"
    )
    stream: Annotated[int, Field(ge=0)] | None = Field(
        None, description="number of the video stream, from 0; needed only for files that have several"
    )
    bits: Literal[8, 10, 12, 14, 16] | None = Field(
        None, description="number of bits that grey levels of 16 bits use; by default found from the pictures"
    )
    poses: list[FilePath] = Field(
        default_factory=list, description="file of body points; several are layers of DUSTrack, of which the last one with a point counts"
    )
    override: dict[str, dict[str, Any]] = Field(default_factory=dict, description="settings of stages for this movie only")


class SimulateSection(Section):
    """A simulated recording with known truth: movies, labels and the true positions are generated."""

    number: Count = Field(8, description="number of animals")
    frames: Count = Field(600, description="frames per movie")
    fps: Positive = Field(20.0, description="frames per second")
    size: tuple[Count, Count] = Field((640, 480), description="width and height (px)")
    marking: Literal["colour", "texture", "none"] = Field(
        "colour",
        description="colour: animals with two coloured dots; texture: unmarked animals that differ in their pattern alone; none: unmarked "
        "animals that differ only slightly",
    )
    body_length_px: Positive = Field(37.0, description="mean length of a body (px)")
    leave: bool = Field(True, description="animals leave the arena through a gap in its rim, and return")
    labels_per_animal: Annotated[int, Field(ge=0)] = Field(6, description="number of labelled points per animal")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, the names of the movies and animals, and the seed."""
        movies = [movie.name for movie in experiment.movies]
        return super().job(experiment, unit) | {"seed": experiment.seed, "movies": movies, "identities": experiment.animals.identities}
