"""`import demosearch`."""

import subprocess
import sys
from pathlib import Path

import demosearch
import search


def test_it_is_the_public_api_of_search() -> None:
    assert demosearch.__all__ == search.__all__
    assert {name for name in search.__all__ if getattr(demosearch, name) is not getattr(search, name)} == set()


def test_a_users_own_search_module_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("", encoding="utf-8")
    program = f"import sys; sys.path.append({str(Path(demosearch.__file__).parent)!r}); import demosearch"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{tmp_path}/search.py stands in the way of demosearch's own package" in done.stderr
