"""JSON schema of the experiment file for editors: `python -m herdbook.experiment.schema > workflow/schemas/experiment.schema.json`."""

import json
from typing import Any, cast

from herdbook.experiment.base import Section
from herdbook.experiment.model import OVERRIDABLE, Experiment


def experiment_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the experiment file: that of the model, with two additions.

    `movies` may be the path of a TSV sheet, and `override` of a movie may contain the sections of OVERRIDABLE.
    """
    schema = Experiment.model_json_schema()
    properties = schema["properties"]
    movies = properties["movies"]
    listed = {key: movies.pop(key) for key in ("type", "items", "minItems")}
    movies["anyOf"] = [listed, {"type": "string"}]
    schema["$defs"]["Movie"]["properties"]["override"] |= {
        "additionalProperties": False,
        "properties": {stage: {"$ref": f"#/$defs/{_model(stage).__name__}"} for stage in OVERRIDABLE},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def schema_text() -> str:
    """The schema as the text of workflow/schemas/experiment.schema.json."""
    return json.dumps(experiment_schema(), indent=2, ensure_ascii=False) + "\n"


def _model(stage: str) -> type[Section]:
    return cast(type[Section], Experiment.model_fields[stage].annotation)


if __name__ == "__main__":
    print(schema_text(), end="")
