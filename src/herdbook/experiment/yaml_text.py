"""YAML as people write it into an experiment file or a cell: plain values, no key twice, no number beyond those of a computer."""

from typing import Any

import yaml

# Larger ones are no float either, and those of more than 4300 digits cannot even be printed.
MOST_BITS = 1024


class _PlainLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would silently keep the last and lose a whole section, and huge whole numbers."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is given twice: merge the two", key.start_mark)
            keys.add(str(key.value))
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        value = int(super().construct_yaml_int(node))
        if value.bit_length() > MOST_BITS:
            raise yaml.constructor.ConstructorError(None, None, "a number of more than 300 digits", node.start_mark)
        return value


_PlainLoader.add_constructor("tag:yaml.org,2002:int", _PlainLoader.construct_yaml_int)


def load_yaml(text: str) -> Any:
    """The content of a text. Raises errors of many kinds for a text that is no YAML: dates, sets and numbers have their own."""
    return yaml.load(text, _PlainLoader)
