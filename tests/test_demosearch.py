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
        search.reports  # type: ignore[attr-defined]  # noqa: B018


def test_search_has_the_same_names_after_its_folders_were_imported_and_no_others() -> None:
    program = """
import importlib, pkgutil, sys
import search
for folder in pkgutil.iter_modules(search.__path__, "search."):
    if not folder.name.endswith("__"):
        importlib.import_module(folder.name)
assert not hasattr(search, "__wrapped__") and not hasattr(search, "_repr_html_")
assert "demosearch" not in sys.modules
from search import export, fetch, report
import search.report.forms
starred = {}
exec("from search import *", starred)
import demosearch
public = {name: getattr(demosearch, name) for name in demosearch.__all__}
assert (export, fetch, report) == (public["export"], public["fetch"], public["report"])
assert {name: getattr(search, name) for name in search.__all__} == public
assert {name for name in starred if name != "__builtins__"} == public.keys() <= {*dir(search)}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_users_own_search_module_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("", encoding="utf-8")
    program = f"import sys; sys.path.append({str(Path(demosearch.__file__).parent)!r}); import demosearch"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{tmp_path}/search.py stands in the way of demosearch's own package" in done.stderr
