"""The names of the experiments, in the order of the help, which reads them before anything is loaded."""

from typing import Literal

ExperimentName = Literal[
    "greedy",
    "components",
    "many_shot",
    "decoding",
    "matching",
    "multi_turn",
    "aligned",
    "icl_vs_finetuning",
    "transfer",
    "sufficient",
]
