"""What all models of the experiment file share: the base that refuses unknown keys, and the types of values."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

# Larger numbers, and smaller ones that are not 0, are mistakes of the keyboard; products of them leave the range of what can be counted.
LARGEST, SMALLEST = 10**9, 1e-9
# Each of them has a place in every table.
MOST_ANIMALS = 10_000

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
FilePath = Annotated[str, Field(min_length=1)]
Point = tuple[float, float]


class Section(BaseModel):
    """Base of all models: unknown keys are refused, and numbers beyond all measure."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    # Keys that name files, which are inputs of the rule, and those that decide only whether it runs: no settings of a job.
    not_settings: ClassVar[frozenset[str]] = frozenset()
    # Whether a movie may override the section: that of a stage that works movie by movie.
    overridable: ClassVar[bool] = False

    @field_validator("*")
    @classmethod
    def _measured(cls, value: Any) -> Any:
        _check_numbers(value)
        return value

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """What a job of this section's stage gets: the section, and what the stage needs of the rest of the experiment.

        `unit` is the movie, or else the scene or recording, that the job is for; None for a job of the whole experiment.
        """
        return self.model_dump(mode="json", exclude=set(self.not_settings))


def _check_numbers(value: Any) -> None:
    match value:
        case bool():
            return
        case int() | float() if abs(value) > LARGEST or 0 < abs(value) < SMALLEST:
            raise ValueError(f"expected a number of at most {LARGEST} and, unless it is 0, of at least {SMALLEST:g}")
        case list() | tuple():
            for part in value:
                _check_numbers(part)
        case dict():
            _check_numbers(list(value.values()))
