"""Where lengths and speed come from."""

from pathlib import Path

from search.forecast.experience import Experience, measured
from search.run_directory.run import read_any_config
from tests.search.view.folder import made_folder


def test_an_earlier_run_is_gone_by_where_it_is_wished_or_nothing_was_measured(tmp_path: Path) -> None:
    made_folder(tmp_path)
    run, first, second = tmp_path / "compared", tmp_path / "first", tmp_path / "below" / "second"
    config = read_any_config(run)
    notes = [
        measured(config, path, Experience(like, otherwise=(first, second)))[2][0]
        for path, like in ((run, None), (run, second), (None, second), (None, None))
    ]
    assert notes == [f"lengths and speed: as measured in {source}" for source in ("this run", second, second, first)]
