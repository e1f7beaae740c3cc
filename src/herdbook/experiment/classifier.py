"""The sections of the experiment file that make and use networks: trainset, train and classify for names, pose for body points."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from herdbook.experiment.arenas import homes
from herdbook.experiment.base import Count, FilePath, Name, Positive, Section, Share

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

CropSide = Annotated[int, Field(ge=16, le=256)]


class TrainsetSection(Section):
    """Example images for the classifier."""

    not_settings: ClassVar = frozenset({"use", "left_out"})

    use: FilePath | None = Field(
        None, description="a training set (.h5 of herdbook trainset import or merge) to train with instead of images at the labels"
    )
    left_out: FilePath | None = Field(
        None, description="CSV with columns movie, frame, x, y, what: images and tracklets that are no examples"
    )
    images_per_tracklet: Count = Field(80, description="images taken from each labelled tracklet: sharp, away from the border, diverse")
    size: tuple[CropSide, CropSide] = Field((32, 48), description="width and height of the images that the classifier sees (px), head up")
    crop_length: Annotated[float, Field(ge=16, le=1024)] | None = Field(
        None, description="length of the part of the movie that an image shows (px); by default 1.25 times the length of the animals"
    )
    blank: Annotated[int, Field(ge=0, le=255)] = Field(127, description="grey level of pixels that are not the animal")
    neighbours: bool = Field(False, description="show other animals next to the one in the middle")
    white_balance: bool = Field(True, description="remove the colour of the light, as measured in the background")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """What a job gets: also the names, in which arenas they live, and for the embedding how many there are."""
        animals = experiment.animals
        values = super().job(experiment, unit) | {
            "identities": animals.classes,
            "homes": homes(experiment.arenas, animals.classes),
            "other_labels": animals.other_labels,
        }
        if experiment.learns_together:
            values |= {"numbers": experiment.population, "seed": experiment.seed, "needs_labels": animals.marking == "marked"}
        return values


class AugmentationSection(Section):
    """Random changes of the example images while the classifier learns: standard deviations."""

    shift: Share = Field(0.02, description="shift, as a share of the height")
    rotation: Annotated[float, Field(ge=0, le=180)] = Field(8.0, description="rotation (degrees)")
    shear: Share = Field(0.05, description="shear, as a slope")
    zoom: Share = Field(0.05, description="change of size, as a share")
    brightness: Share = Field(0.06, description="change of brightness, as a share")
    hue: Share = Field(0.02, description="change of each colour channel, as a share: small, because paint marks differ in colour")


class TrainSection(Section):
    """Training the classifier."""

    not_settings: ClassVar = frozenset({"use", "start", "model"})

    architecture: Literal["auto", "embedding", "small", "wide", "large", "mobilenetv2", "custom"] = Field(
        "auto",
        description="embedding: learns from all tracklets, whose animals differ where they are seen together; labels say which name is "
        "whose. The others learn from labelled images alone; custom is the network of model. auto: embedding, but small with groups, "
        "other_labels, start or a given training set",
    )
    model: FilePath | None = Field(None, description="Keras model (.json or .keras) with an answer for each labelled name (custom)")
    use: FilePath | None = Field(None, description="a classifier (.keras, with its card) to use as it is; nothing is trained")
    start: FilePath | None = Field(None, description="a classifier (.keras, with its card) to start from; new names are added to it")
    epochs: Count = Field(20, description="largest number of epochs; training stops earlier when the validation loss no longer falls")
    batch: Count = Field(64, description="images per batch")
    patience: Count = Field(4, description="epochs without progress before training stops")
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="share of the labelled tracklets kept for validation")
    rate: Annotated[float, Field(gt=0, le=0.1)] = Field(2e-3, description="learning rate at the beginning; it falls to 0")
    balance: bool = Field(True, description="all names have the same weight, however many images they have")
    symmetry: bool = Field(True, description="left and right side of an animal look alike: images are mirrored at random")
    augmentation: AugmentationSection = AugmentationSection()

    @model_validator(mode="after")
    def _one_way(self) -> "TrainSection":
        if self.use and (self.start or self.model):
            raise ValueError("use takes a classifier as it is; start and model are for training: give one of them")
        if self.start and self.model:
            raise ValueError("start goes on with the network of a classifier; it cannot have a model of its own: give one of them")
        if self.architecture == "embedding" and (self.start or self.use):
            raise ValueError("architecture: embedding begins with nothing; start and use are for classifiers of labelled images")
        if (self.architecture == "custom") != (self.model is not None):
            raise ValueError("architecture: custom needs model, a Keras model as .json or .keras, and no other does")
        return self

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """What a job gets: also the names, whether the training set is given, and for the embedding where they live and how many."""
        animals = experiment.animals
        values = super().job(experiment, unit) | _names(experiment)
        if experiment.trainset.use:
            values["given"] = True
        if experiment.learns_together:
            homes_here = homes(experiment.arenas, animals.classes)
            values |= {"homes": homes_here, "numbers": experiment.population, "marking": animals.marking}
        elif self.architecture == "auto":
            values["architecture"] = "small"
        return values


class ClassifySection(Section):
    """Identity evidence of each tracklet."""

    images: Count = Field(30, description="images classified per tracklet, spread over it")
    most_images: Count = Field(90, description="largest number of images per tracklet, classified while the identity is uncertain")
    drift: bool = Field(False, description="marks fade or change: the appearance of each name follows the certain tracklets of a movie")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section and the names."""
        return super().job(experiment, unit) | _names(experiment)


def _names(experiment: "Experiment") -> dict[str, Any]:
    """The classes of the classifier, and the seed of its random numbers."""
    animals = experiment.animals
    return {"seed": experiment.seed, "identities": animals.classes, "other_labels": animals.other_labels}


class PoseSection(Section):
    """Body points of the named animals, found by a network that learns them from some labelled frames."""

    # The keys of each of its stages: an edit of one runs that stage again and those after it, not the ones before.
    stages: ClassVar = {
        "pose_trainset": ("points", "mirror", "crop_body", "size"),
        "pose_train": ("steps", "batch", "rate"),
        "pose": ("points", "most_error"),
    }

    labels: list[FilePath] = Field(
        default_factory=list,
        description="files with labelled body points: tables with movie, frame, individual, point, x, y as those of corrections, labelled "
        "frames of DeepLabCut (CollectedData) or SLEAP (.slp), annotations of DUSTrack (.json)",
    )
    model: FilePath | None = Field(
        None, description="the network of another experiment (pose_train/pose.keras, with its card) to use as it is, instead of labels"
    )
    points: list[Name] | None = Field(None, description="names of the body points; by default those of the labels, in their order")
    mirror: dict[Name, Name] | None = Field(
        None, description="points on the left with their partners on the right; by default those whose names differ by left and right"
    )
    crop_body: Annotated[float, Field(gt=0, le=20)] | None = Field(
        None,
        description="side of the picture that the network sees, in lengths of the body; by default so that it holds all labelled points",
    )
    size: Annotated[int, Field(ge=32, le=256, multiple_of=16)] = Field(80, description="its side in px, a multiple of 16")
    steps: Count = Field(600, description="how many batches the network learns from")
    batch: Count = Field(32, description="pictures per batch")
    rate: Annotated[float, Field(gt=0, le=0.1)] = Field(3e-3, description="learning rate at the beginning; it falls to 0")
    most_error: Positive = Field(
        0.25, description="a point that is expected to be farther off than this, in lengths of the body, stays unknown"
    )

    @model_validator(mode="after")
    def _one_source(self) -> "PoseSection":
        if bool(self.labels) == bool(self.model):
            raise ValueError("expected either labels, files of labelled frames, or model, the network of another experiment")
        if self.points is not None and len(set(self.points)) < len(self.points):
            twice = next(name for name in self.points if self.points.count(name) > 1)
            raise ValueError(f"points has {twice!r} twice")
        return self

    def job_of(self, stage: str, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job of one of its stages: the keys of the stage, the seed of learning, and whom labels may name."""
        values = {key: value for key, value in self.job(experiment, unit).items() if key in self.stages[stage]}
        if stage == "pose_trainset":
            return values | {
                "movies": [movie.name for movie in experiment.movies],
                "individuals": experiment.animals.individuals,
            }
        if stage == "pose_train":
            # Of a given network only which points it must find matters.
            return {"points": self.points} if self.model else values | {"seed": experiment.seed}
        return values
