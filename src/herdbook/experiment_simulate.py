"""Section of the experiment file on simulated recordings."""

from typing import Annotated, Literal

from pydantic import Field

from herdbook.experiment_base import Count, Positive, Section


class SimulateSection(Section):
    """A simulated recording with known truth: renders the movies, their labels and the truth."""

    number: Count = Field(8, description="animals")
    frames: Count = Field(600, description="frames per movie")
    fps: Positive = Field(20.0, description="frames per second")
    size: tuple[Count, Count] = Field((640, 480), description="width and height (px)")
    marking: Literal["colour", "texture", "none"] = Field(
        "colour", description="colour: two dots; texture: unmarked animals that differ in their pattern alone; none: in all, but subtly"
    )
    body_length_px: Positive = Field(37.0, description="mean length of a body (px)")
    leave: bool = Field(True, description="animals leave the arena through a gap in its rim, and return")
    labels_per_animal: Annotated[int, Field(ge=0)] = Field(6, description="labelled points per animal")
