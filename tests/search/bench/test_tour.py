"""The tour of the view that stands in the documentation."""

import re

import pytest

from search.bench.tour import MOST_BYTES, SHOTS
from tests.documents import ROOT

pytestmark = pytest.mark.heavy  # the browser's library


def test_every_picture_that_the_tour_takes_stands_in_the_docs_and_is_small() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(tour/(\w+)\.png\)", (ROOT / "docs" / "tour.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(shot.name for shot in SHOTS)
    sizes = {path.stem: path.stat().st_size for path in (ROOT / "docs" / "tour").iterdir()}
    assert sizes.keys() == set(shown)
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert {shot.scheme for shot in SHOTS} == {"light", "dark"}
