"""How long it takes to compare a pool with a benchmark, and how much memory, for any size of both.

    python -m search.bench.contamination --pool 100000 --questions 10000

Texts are made of random words, frequent ones more often; every thousandth demonstration is a question of the benchmark.
"""

import argparse
import resource
import time
from dataclasses import replace

from search.bench.large_pools import made_material
from search.problem.overlap import Text, find_overlaps


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.contamination", description=__doc__)
    parser.add_argument("--pool", type=int, default=100_000, help="demonstrations")
    parser.add_argument("--questions", type=int, default=10_000, help="held-out questions")
    parser.add_argument("--words", type=int, default=60, help="of an answer; a query has twelve")
    arguments = parser.parse_args()
    material = made_material(arguments.pool, arguments.questions, arguments.words, seed=0)
    texts = [Text("pool", shown.id, "", shown.query, shown.answer) for shown in material.pool]
    planted = range(0, arguments.pool, 1000)
    for at in planted:
        texts[at] = replace(texts[at], query=material.search[at % arguments.questions].query)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    overlaps = find_overlaps(texts, material.search, "held-out")
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shown = len({overlap.id for overlap in overlaps if overlap.degree == "same"} & {texts[at].id for at in planted})
    print("| demonstrations | questions | planted | found | CPU s | peak GiB | of it for the comparison |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {arguments.pool:,} | {arguments.questions:,} | {len(planted)} | {shown} | {seconds:.1f} | "
        f"{peak / 2**20:.2f} | {(peak - before) / 2**20:.2f} |"
    )


if __name__ == "__main__":
    main()
