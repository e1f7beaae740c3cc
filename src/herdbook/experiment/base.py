"""Base class of all models of the experiment file, which refuses unknown keys, and the types of their values."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from herdbook.experiment.sheets.text import composed

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

# Larger numbers, and smaller ones other than 0, are typing errors; their products would exceed the range of integers and floats.
LARGEST, SMALLEST = 10**9, 1e-9
# Each animal has an entry in every table.
MOST_ANIMALS = 10_000

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
# Names that look alike are one name, however their letters were typed.
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(composed)]
FilePath = Annotated[str, Field(min_length=1)]
Point = tuple[float, float]


class Section(BaseModel):
    """Base class of all models: unknown keys and absurdly large or small numbers are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    # Keys that are not passed to a job: files, which are inputs of the rule, and keys that only decide whether the rule runs.
    not_settings: ClassVar[frozenset[str]] = frozenset()
    # Whether single movies may override the section: true for stages that run once per movie.
    overridable: ClassVar[bool] = False

    @field_validator("*")
    @classmethod
    def _in_range(cls, value: Any) -> Any:
        _check_numbers(value)
        return value

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """Settings passed to a job of this section's stage: the section, and values of other sections that the stage needs.

        `unit` is the movie, scene or recording of the job; None for a job of the whole experiment.
        """
        return self.model_dump(mode="json", exclude=set(self.not_settings))

    def job_of(self, stage: str, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """Settings passed to a job of a `stage`, for a section that several stages share."""
        return self.job(experiment, unit)


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
