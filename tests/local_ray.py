"""A Ray cluster on this machine, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import ray


@contextmanager
def quiet_ray() -> Iterator[None]:
    """Ray as tests need it: it writes nothing home, and sends nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home directory
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Its handler makes SIGTERM a SystemExit in whatever test runs, and pytest goes on with a cluster that is gone.
        patch.setattr("ray._private.utils.set_sigterm_handler", lambda handler: None)
        yield


@contextmanager
def local_ray() -> Iterator[None]:
    """A cluster with two cores."""
    with quiet_ray():
        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=100 * 2**20, log_to_driver=False)
        try:
            yield
        finally:
            ray.shutdown()
