"""Sections of the experiment file that say where animals can be, and which animals live where."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from herdbook.experiment_base import Count, FilePath, Name, Point, Positive, Section
from herdbook.experiment_faults import nearest


class EllipseShape(Section):
    """An ellipse: centre (x, y), semi-axes and the angle of the first axis."""

    centre: Point = Field(description="centre x, y (px)")
    axes: tuple[Positive, Positive] = Field(description="semi-axes (px)")
    angle: float = Field(0.0, description="angle of the first axis (degrees, image axes: x right, y down)")


class Region(Section):
    """A part of the frame: either an ellipse or a polygon."""

    ellipse: EllipseShape | None = Field(None, description="an ellipse")
    polygon: Annotated[list[Point], Field(min_length=3)] | None = Field(None, description="corners x, y (px)")

    @model_validator(mode="after")
    def _one_shape(self) -> "Region":
        if (self.ellipse is None) == (self.polygon is None):
            raise ValueError("a region is either an ellipse or a polygon: give exactly one of them")
        return self


class Step(Section):
    """A region added to an arena, or cut out of it."""

    include: Region | None = Field(None, description="a region to add")
    exclude: Region | None = Field(None, description="a region to cut out")

    @model_validator(mode="after")
    def _one_region(self) -> "Step":
        if (self.include is None) == (self.exclude is None):
            raise ValueError("a step includes or excludes one region: give exactly one of them")
        return self


class Arena(Section):
    """Where animals can be, and which of them live there. No animal ever leaves its arena."""

    name: Name = Field("arena", description="name of the arena")
    include: list[Region] = Field(default_factory=list, description="regions that belong to the arena; none means the whole frame")
    exclude: list[Region] = Field(default_factory=list, description="regions cut out of it")
    regions: list[Step] = Field(
        default_factory=list,
        description="instead of include and exclude: regions added and cut out in this order; from the whole frame if the first is cut out",
    )
    mask: FilePath | None = Field(
        None, description="image of the movie's size, not black where the arena is; regions are added to it and cut out of it"
    )
    identities: list[Name] = Field(default_factory=list, description="names of the animals that live here; all if there is one arena")
    number: Count | None = Field(None, description="how many animals live here; by default the number of identities")

    @model_validator(mode="after")
    def _one_way(self) -> "Arena":
        if self.regions and (self.include or self.exclude):
            raise ValueError("give either regions, whose order counts, or include and exclude")
        return self

    @property
    def size(self) -> int | None:
        """Number of animals, if the arena tells it."""
        return self.number or len(self.identities) or None


def with_names_of_arenas(raw: Any) -> Any:
    """The content of an experiment file in which animals that only the arenas name are animals of the experiment."""
    match raw:
        case {"animals": dict(animals), "arenas": list(arenas)} if not animals.get("identities"):
            lists = [arena.get("identities") for arena in arenas if isinstance(arena, dict)]
            names = [name for found in lists if isinstance(found, list) for name in found if isinstance(name, str)]
            return raw | {"animals": animals | {"identities": list(dict.fromkeys(names))}} if names else raw
    return raw


def faults_of_arenas(arenas: Sequence[Arena], identities: Sequence[str], number: int | None) -> list[str]:
    """What does not fit together between the arenas and the animals of an experiment, `number` being animals.number."""
    names = [arena.name for arena in arenas]
    faults = [
        f"the arena {name!r} is named twice: give each arena a name of its own" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    for arena in arenas:
        unknown = [name for name in arena.identities if name not in identities]
        faults += [f"arena {arena.name!r}: animals.identities have no {name!r}; {nearest(name, identities)}" for name in unknown]
        if arena.number is not None and arena.number < len(arena.identities):
            faults.append(f"arena {arena.name!r}: number: {arena.number} animals cannot have {len(arena.identities)} identities")
    if len(arenas) > 1 or any(arena.identities for arena in arenas):
        for identity in identities:
            homes = [repr(arena.name) for arena in arenas for name in arena.identities if name == identity]
            if len(homes) != 1:
                found = f"is in {len(homes)} arenas ({', '.join(homes)})" if homes else "is in no arena"
                faults.append(f"the identity {identity!r} {found}: name it in the identities of exactly one")
    return faults + _faults_of_numbers(arenas, bool(identities), number)


def population(arenas: Sequence[Arena], identities: Sequence[str], number: int | None) -> list[int | None]:
    """How many animals live in each arena, where that is known; without arenas the whole frame is one."""
    if len(arenas) > 1:
        return [arena.size for arena in arenas]
    told = arenas[0].number if arenas else None
    return [told or number or len(identities) or None]


def homes(arenas: Sequence[Arena], identities: Sequence[str]) -> list[list[str]]:
    """Who lives in each arena, in the order of `identities`; without arenas the whole frame is one."""
    if len(arenas) > 1:
        return [[name for name in identities if name in arena.identities] for arena in arenas]
    return [list(identities)]


def region_settings(arenas: Sequence[Arena]) -> list[dict[str, Any]]:
    """What the stage segment is told of the arenas: their regions; a mask is a file of its own, of which only the name is told."""
    values = [arena.model_dump(mode="json", exclude_defaults=True, exclude={"identities", "number"}) for arena in arenas]
    return [told | ({"mask": Path(told["mask"]).name} if "mask" in told else {}) for told in values]


def _faults_of_numbers(arenas: Sequence[Arena], identified: bool, number: int | None) -> list[str]:
    lacking = [repr(arena.name) for arena in arenas if arena.size is None]
    if len(arenas) > 1 and lacking and (identified or number is not None or len(lacking) < len(arenas)):
        return [f"the arenas do not say how many animals live in {', '.join(lacking)}: give each of them identities or a number"]
    sizes = [arena.size for arena in arenas if arena.size is not None]
    if number is not None and sizes and not lacking and sum(sizes) != number:
        told = ", ".join(f"{arena.name}: {arena.size}" for arena in arenas)
        return [f"animals.number is {number}, but {sum(sizes)} live in the arenas ({told}): correct one, or leave animals.number out"]
    return []
