"""Templates of pages that need nothing else, and the parts that they share."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from search.report.drawing import Picture


def template_environment(package: str, folder: str = "") -> Environment:
    """The templates in a folder of a package; whatever they are given is escaped."""
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_part(name: str) -> Markup:
    """A style sheet or a script beside this file."""
    return Markup((files("search.report.forms") / name).read_text(encoding="utf-8"))  # noqa: S704 -- our own file


def picture_json(picture: Picture) -> Markup:
    """A figure as JSON that cannot end the script element it stands in."""
    return Markup(picture.figure.to_json().replace("<", "\\u003c"))  # noqa: S704
