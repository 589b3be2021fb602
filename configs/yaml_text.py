"""YAML as a config needs it: keys that are names, nothing twice, and one sentence for whatever cannot be read."""

import re
from typing import Any

import yaml

_DEEPEST = 100  # levels
_LARGEST = 100_000  # values, aliases spelled out
_LARGEST_NUMBER = 2**53
_OLD_NUMBER = re.compile(r"[-+]?(?:0[0-7_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)")  # not what they look like
_MERGE = "tag:yaml.org,2002:merge"
_NOT_TEXT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlError(ValueError):
    """What is wrong with a YAML text, in a few words.

    Attributes:
        line: from 1; None where it is not known.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def parse_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        YamlError: it is malformed, nested too deeply or too large; a key is no name, or stands twice in one mapping; or
            a value cannot be what its form says, such as a date with a 99th month.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(f"holds the character {text[error.position]!r}, which YAML does not take", line) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML ({' '.join(str(error).split())})") from None
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_excess(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        problem = error.problem or "not YAML"
        raise YamlError(problem, error.problem_mark.line + 1 if error.problem_mark else None) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise YamlError("nested too deeply") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Plain YAML in which dates are text. Every value that cannot be made is an error with its line."""

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 -- PyYAML's name
        """Begin a list or mapping in brackets. PyYAML takes quadratic time for brackets inside one another."""
        if self.flow_level >= _DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        super().fetch_flow_collection_start(TokenClass)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag in _NOT_TEXT or not key.value.strip():
                raise _error(key, f"{_shown(key)} cannot be a setting's name; quote it or delete it")
            if key.value in seen and key.tag != _MERGE:
                raise _error(key, f"the key '{key.value}' occurs twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception:  # PyYAML lets through what int, float, datetime and base64 raise
            raise _error(node, f"{_shown(node)} cannot be read as {_kind(node)}") from None
        if isinstance(value, int | float) and isinstance(node, yaml.ScalarNode) and _OLD_NUMBER.fullmatch(node.value):
            raise _error(node, f"{_shown(node)} is {value:g} to YAML (octal or base 60); write that, or quote the text")
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise _error(node, f"the number {_shown(node)} is too large")
        if isinstance(value, str) and not _is_encodable(value):
            raise _error(node, "the text holds half a character (a lone surrogate)")
        return value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _shown(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a list or mapping"
    return repr(node.value if len(node.value) <= 40 else f"{node.value[:37]}...")


def _kind(node: yaml.Node) -> str:
    """What a tag says that a value is, as it is written: `!!int`."""
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")


def _refuse_excess(root: yaml.Node) -> None:
    """Raises MarkedYAMLError where a value holds itself, is nested too deeply, or grows too large by its aliases."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(node: yaml.Node, depth: int) -> int:
        if id(node) in above:
            raise _error(node, "a value refers to itself")
        if depth > _DEEPEST:
            raise _error(node, "nested too deeply")
        if id(node) not in sizes:
            above.add(id(node))
            sizes[id(node)] = 1 + sum(size(part, depth + 1) for part in _parts(node))
            above.remove(id(node))
        if sizes[id(node)] > _LARGEST:
            raise _error(node, "too many values (aliases count as what they stand for)")
        return sizes[id(node)]

    size(root, 0)


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
