"""The figures of a report as files, for papers: PNG and SVG, by kaleido and a Chromium that is installed."""

from collections.abc import Mapping
from pathlib import Path

import plotly.io

from configs.errors import InputError
from configs.text_files import why
from search.report.drawing import Picture

_WIDTH = 760  # pixels; a PNG has twice as many
_ON_PAPER = {
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "font": {"family": "Helvetica, Arial, Liberation Sans, sans-serif", "color": "#1d2125"},
    "xaxis": {"gridcolor": "#e2e3df"},
    "yaxis": {"gridcolor": "#e2e3df"},
}


def write_pictures(shown: Mapping[str, Picture], folder: Path) -> list[Path]:
    """Write them, by name, into `folder`, which is made where there is none.

    Raises:
        InputError: what draws them is missing, or the folder cannot be written.
    """
    figures = [(name, picture.figure.update_layout(_ON_PAPER)) for name, picture in shown.items()]
    paths = [folder / f"{name}.{kind}" for kind in ("png", "svg") for name, _ in figures]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if figures:
            heights = [figure.layout.height for _, figure in figures] * 2
            plotly.io.write_images([figure for _, figure in figures] * 2, paths, width=_WIDTH, height=heights, scale=2)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({why(error)}): choose another --figures") from error
    except Exception as error:  # kaleido's own, and those of the browser that it starts, have no common ancestor
        raise InputError(
            f"the figures cannot be drawn ({error}): install `demosearch[figures]` and a Chromium or Chrome, or take "
            "them from the page"
        ) from error
    return paths
