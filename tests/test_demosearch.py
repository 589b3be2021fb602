"""`import demosearch`."""

import subprocess
import sys
from pathlib import Path

import pytest

import demosearch
import search


def test_search_has_the_same_names_even_where_they_name_its_folders() -> None:
    program = "import search; print(search.read_status, search.report, search.export, search.fetch)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("<function") == 4
    assert {name for name in demosearch.__all__ if getattr(search, name) is not getattr(demosearch, name)} == set()
    with pytest.raises(AttributeError, match="no attribute 'reports'"):
        search.reports  # noqa: B018


def test_a_users_own_search_module_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("", encoding="utf-8")
    program = f"import sys; sys.path.append({str(Path(demosearch.__file__).parent)!r}); import demosearch"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{tmp_path}/search.py stands in the way of demosearch's own package" in done.stderr
