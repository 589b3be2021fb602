"""A recipe for a cluster, run on a made-up one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT, named

pytestmark = pytest.mark.heavy

NEEDED = ("unshare", "ip", "ray", "demosearch")


WORKERS = (os.cpu_count() or 1) + 1
"""Of one core each, so that one node cannot hold them all."""


def quickstart() -> str:
    """The preset as a file that may stand anywhere, shortened."""
    config = yaml.safe_load((ROOT / "configs" / "quickstart.yaml").read_text(encoding="utf-8"))
    config["strategy"] = {"kind": "random", "trials": 6, "insert": "back"}
    config["workers"] = {"kind": "ray", "count": WORKERS}
    return yaml.safe_dump(config).replace(" quickstart/", f" {ROOT}/configs/quickstart/")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces takes root")
def test_the_script_for_slurm_searches_on_two_nodes_and_submitted_again_resumes(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    assert all(shutil.which(name, path=environment["PATH"]) for name in NEEDED)
    activate = tmp_path / "demosearch" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()
    (tmp_path / "job.sbatch").write_text(named("job.sbatch").text, encoding="utf-8")
    (tmp_path / "search.yaml").write_text(quickstart(), encoding="utf-8")
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    job = [*own, "bash", str(ROOT / "tests" / "two_nodes.sh"), str(tmp_path), "job.sbatch"]
    for verb in ("run", "resume"):
        done = subprocess.run(job, env=environment, capture_output=True, text=True, check=False)
        assert f"Running command on head node: ['demosearch', '{verb}'" in done.stdout, done.stderr
        assert f"{WORKERS} workers" in done.stderr
        assert "On questions the search never saw" in done.stdout, done.stderr
    status = [sys.executable, "-m", "search", "status", str(tmp_path / "runs" / "slurm"), "--json"]
    read = json.loads(subprocess.run(status, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert read["state"] == "finished"
    assert read["trials"] == 7
