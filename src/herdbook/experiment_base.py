"""What all models of the experiment file share: the base that refuses unknown keys, and the types of values."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
FilePath = Annotated[str, Field(min_length=1)]
Point = tuple[float, float]


class Section(BaseModel):
    """Base of all models: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
