"""Descriptions of knobs, from the source."""

from configs.schema.attribute_docstrings import attribute_docstrings
from configs.schema.knobs import Knobs


class Parent(Knobs):
    """Two knobs."""

    kept: int = 0
    """In two
    lines."""
    bare: int = 0
    changed: int = 0
    """Before."""


class Child(Parent):
    changed: int = 1
    """After."""
    own: str = ""
    """Its own."""


DESCRIBED = {"kept": "In two\nlines.", "changed": "After.", "own": "Its own."}


def test_the_string_below_a_field_describes_it_and_what_is_inherited_is_described_too() -> None:
    described = attribute_docstrings(Child)
    assert {name: described.get(name) for name in Child.model_fields} == {**DESCRIBED, "bare": None}


def test_editors_are_shown_the_same() -> None:
    properties = Child.model_json_schema()["properties"]
    assert {name: knob["description"] for name, knob in properties.items() if "description" in knob} == DESCRIBED
