import pytest

from configs.errors import InputError
from configs.schema.workers import RayConfig, WorkersConfig
from workers.ray_cluster.placement import Placement, grown, place, room

LAPTOP = {"CPU": 8.0}
SERVER = {"CPU": 64.0, "GPU": 8.0}


def test_auto_is_one_cpu_worker_where_there_is_no_gpu() -> None:
    assert place(WorkersConfig(), [LAPTOP]) == Placement(1, 0, 1)


def test_auto_is_one_worker_for_every_gpu_of_the_cluster() -> None:
    assert place(WorkersConfig(), [LAPTOP, SERVER, SERVER]) == Placement(16, 1, 1)


@pytest.mark.parametrize(("share", "count"), [(0.5, 16), (0.3, 24), (2, 4), (3, 2)])
def test_auto_counts_fractions_and_multiples_of_a_gpu(share: float, count: int) -> None:
    assert place(WorkersConfig(gpus_per_worker=share), [SERVER]).count == count


def test_a_worker_larger_than_every_node_is_refused_with_what_there_is() -> None:
    with pytest.raises(InputError) as refusal:
        place(WorkersConfig(gpus_per_worker=4), [LAPTOP, LAPTOP, {"CPU": 8.0, "GPU": 2.0}])
    assert str(refusal.value) == (
        "a worker of 4 GPUs and 1 CPU core fits on no node; there are 2 nodes with 8 CPU cores and 0 GPUs, "
        "1 node with 8 CPU cores and 2 GPUs: lower workers.gpus_per_worker or workers.cpus_per_worker, "
        "add a larger node, or set workers.ray.autoscaling where an autoscaler will bring one"
    )


def test_more_workers_than_fit_are_refused_although_the_sum_of_all_nodes_would_do() -> None:
    with pytest.raises(InputError, match=r"4 workers of 3 GPUs and 1 CPU core each were asked for, but only 2 fit"):
        place(WorkersConfig(count=4, gpus_per_worker=3), [{"CPU": 8.0, "GPU": 5.0}] * 2)


def test_gpus_without_the_cores_to_feed_them_are_refused_and_not_left_idle() -> None:
    with pytest.raises(InputError, match=r"lower .*workers\.cpus_per_worker"):
        place(WorkersConfig(cpus_per_worker=8), [{"CPU": 8.0, "GPU": 2.0}])


def test_workers_without_cores_of_their_own_fit_everywhere() -> None:
    assert place(WorkersConfig(count=100, cpus_per_worker=0), [LAPTOP]) == Placement(100, 0, 0)


def test_one_and_a_half_gpus_are_refused() -> None:
    with pytest.raises(InputError, match="a fraction below 1 or a whole number"):
        place(WorkersConfig(gpus_per_worker=1.5), [SERVER])


def test_auto_makes_no_more_workers_than_the_most() -> None:
    assert place(WorkersConfig(max_count=5), [SERVER]) == Placement(5, 1, 1)
    assert place(WorkersConfig(max_count=5), [LAPTOP]) == Placement(1, 0, 1)
    assert place(WorkersConfig(max_count=5, count=7), [SERVER]) == Placement(7, 1, 1)


def test_nodes_that_join_later_get_workers_of_the_same_size() -> None:
    one = Placement(1, 0.5, 2)
    assert grown(WorkersConfig(), one, [LAPTOP, {"CPU": 8.0, "GPU": 1.0}]) == 2
    assert grown(WorkersConfig(), one, [SERVER, {"CPU": 3.0, "GPU": 1.0}]) == 16 + 1
    assert grown(WorkersConfig(max_count=9), one, [SERVER]) == 9


def test_workers_without_a_gpu_stay_as_many_as_they_were() -> None:
    assert grown(WorkersConfig(), Placement(1, 0, 1), [LAPTOP, SERVER]) == 1


AUTOSCALED = RayConfig(autoscaling=True)


def test_what_an_autoscaler_may_bring_is_not_refused() -> None:
    asked = WorkersConfig(count=4, gpus_per_worker=8, ray=AUTOSCALED)
    assert place(asked, [LAPTOP]) == Placement(4, 8, 1)
    assert place(asked, []) == Placement(4, 8, 1)
    assert room(Placement(4, 8, 1), [LAPTOP, SERVER]) == 1


def test_with_an_autoscaler_auto_asks_for_one_worker_at_least() -> None:
    assert place(WorkersConfig(gpus_per_worker=1, ray=AUTOSCALED), [LAPTOP]).count == 1
    assert place(WorkersConfig(ray=AUTOSCALED), [SERVER]) == Placement(8, 1, 1)


def test_the_size_of_a_worker_cannot_be_read_off_nodes_that_are_not_there_yet() -> None:
    with pytest.raises(InputError, match=r"set workers\.gpus_per_worker \(0 for none\)"):
        place(WorkersConfig(ray=AUTOSCALED), [LAPTOP])
