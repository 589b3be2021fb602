"""Figures of the paper (arXiv 2405.19874v3), as they are printed: MT-Bench, judged by GPT-4, and AlpacaEval.

Those of figures 2, 3 and 5 are read off the drawings and are good to about 0.01; the others are printed in tables.
"""

from collections.abc import Mapping, Sequence

TURN_1, TURN_2, AVERAGE = "MT-Bench turn 1", "MT-Bench turn 2", "MT-Bench average"
ALPACA = "AlpacaEval 2.0"
"""AlpacaEval's name; its figures are win rates in per cent, controlled for length; they are given as shares, as our
preferences are."""
MISTRAL, LLAMA = "Mistral-7B-v0.2", "Llama-3.1-8B"

BASE = {MISTRAL: (6.52, 5.68, 6.1), LLAMA: (6.25, 5.17, 5.71)}  # table 3
URIAL = {MISTRAL: (6.99, 5.55, 6.27), LLAMA: (6.95, 5.31, 6.13)}  # table 1
INSTRUCT = {MISTRAL: (8.06, 7.21, 7.64), LLAMA: (8.27, 7.73, 8.0)}  # table 1

FEW = (3, 10, 20, 30, 40, 50)
MANY = (*FEW, 100, 150, 200, 250)
SHOTS: Mapping[str, tuple[Sequence[int], Mapping[tuple[str, str], Sequence[float]]]] = {  # figure 3
    MISTRAL: (
        FEW,
        {
            ("random", TURN_1): (7.1, 7.12, 7.23, 7.15, 7.19, 7.13),
            ("random and base prompt", TURN_1): (7.13, 7.3, 7.23, 7.15, 7.26, 7.41),
            ("random", TURN_2): (5.89, 5.62, 5.32, 5.22, 5.28, 4.93),
            ("random and base prompt", TURN_2): (5.51, 5.4, 5.2, 5.02, 4.82, 4.94),
        },
    ),
    LLAMA: (
        MANY,
        {
            ("random", TURN_1): (7.27, 7.34, 7.48, 7.52, 7.34, 7.34, 7.32, 7.28, 7.29, 7.14),
            ("random and base prompt", TURN_1): (6.96, 7.08, 7.27, 7.29, 7.08, 7.09, 7.35, 7.27, 7.25, 7.15),
            ("random", TURN_2): (5.54, 5.52, 5.52, 5.58, 5.27, 5.27, 5.3, 5.26, 5.14, 4.91),
            ("random and base prompt", TURN_2): (5.37, 5.02, 5.03, 4.72, 4.86, 4.75, 4.86, 4.65, 4.48, 4.57),
        },
    ),
}
TRAINED = (3, 10, 20, 30, 40, 50, 100, 300, 1000, 2000, 4000)
FINETUNED = {  # figure 5, Instruct-SkillMix
    (MISTRAL, TURN_1): (7.14, 7.15, 7.2, 7.2, 7.31, 7.3, 7.31, 7.26, 7.55, 7.52, 7.57),
    (MISTRAL, TURN_2): (6.5, 6.55, 6.8, 6.77, 6.88, 6.71, 6.68, 6.86, 6.96, 6.88, 6.99),
    (LLAMA, TURN_1): (6.94, 6.92, 6.93, 6.99, 7.12, 7.15, 7.21, 7.25, 7.36, 7.47, 7.56),
    (LLAMA, TURN_2): (6.41, 6.47, 6.35, 6.77, 6.82, 6.7, 6.76, 6.9, 7.16, 7.41, 7.22),
}
EVOL_FINETUNED = {  # figure 5, Evol-Instruct
    (MISTRAL, TURN_1): (6.35, 6.42, 6.43, 6.45, 6.58, 6.35, 6.33, 6.66, 6.79, 6.78, 6.8),
    (MISTRAL, TURN_2): (5.42, 5.88, 5.62, 5.53, 5.61, 5.5, 5.36, 5.77, 5.83, 5.99, 5.97),
    (LLAMA, TURN_1): (6.87, 6.72, 6.94, 6.98, 6.86, 6.98, 6.95, 6.91, 7.31, 7.12, 7.26),
    (LLAMA, TURN_2): (6.18, 5.94, 6.03, 6.15, 6.05, 6.45, 6.2, 5.96, 6.8, 6.64, 6.6),
}
EVOL_IN_CONTEXT = {  # figure 5, Evol-Instruct, for as many as in SHOTS
    (MISTRAL, TURN_1): (6.73, 6.73, 6.68, 6.67, 6.56, 6.65),
    (MISTRAL, TURN_2): (5.41, 5.17, 5.12, 4.92, 4.64, 4.73),
    (LLAMA, TURN_1): (6.57, 6.64, 6.58, 6.65, 6.66, 6.59, 6.8, 6.87, 6.8, 6.65),
    (LLAMA, TURN_2): (4.97, 4.95, 4.66, 4.85, 4.38, 4.44, 4.22, 4.41, 4.45, 4.06),
}
COMPONENTS = {  # figure 2, Mistral
    ("examples only", TURN_1): (6.55, 6.81, 7.11, 7.28),
    ("rules and examples", TURN_1): (6.5, 6.98, 7.05, 7.13),
    ("examples only", TURN_2): (5.59, 5.48, 5.34, 5.18),
    ("rules and examples", TURN_2): (5.51, 5.4, 5.3, 5.51),
}
COMPONENTS_INSTRUCT = ((7.8, 7.15, 7.48), (7.54, 6.82, 7.18), (7.7, 6.84, 7.27), (7.58, 6.48, 7.21))  # table 7
EMPTY_INSTRUCT = (7.92, 7.18, 7.55)
MATCHING = {  # table 2, URIAL's three, turn 1: Mistral, Llama
    "correct answers": (6.99, 6.95),
    "circular shift": (5.04, 5.69),
    "in-domain random answers": (6.24, 6.26),
    "out-of-domain random answers": (4.13, 3.73),
    "answers only": (6.94, 6.83),
    "queries only": (5.9, 4.48),
    "no demonstrations": (6.52, 6.25),
}
MATCHING_FOUND = {  # table 2, with three more that were found: Mistral, Llama
    "correct answers": (7.43, 7.81),
    "circular shift": (5.59, 2.13),
    "in-domain random answers": (4.63, 5.49),
    "out-of-domain random answers": (1.5, 4.36),
    "answers only": (7.02, 6.98),
    "queries only": (5.53, 5.1),
    "no demonstrations": (6.52, 6.25),
}
MULTI_TURN = {  # table 3, by demonstrations, their turns and the tag: Mistral, Llama
    ("base prompt", 2, "no"): ((7.18, 5.68, 6.43), (7.31, 6.44, 6.87)),
    ("base prompt and 3 drawn", 2, "no"): ((7.46, 5.88, 6.67), (7.21, 6.43, 6.82)),
    ("base prompt and 3 drawn", 2, "yes"): ((7.2, 6.31, 6.76), (7.22, 6.71, 6.97)),
    ("base prompt and 6 drawn", 2, "no"): ((7.18, 5.89, 6.53), (7.14, 6.26, 6.7)),
    ("base prompt and 6 drawn", 2, "yes"): ((7.24, 5.78, 6.51), (6.89, 6.33, 6.61)),
}
MATCHING_INSTRUCT = {  # table 8, Mistral-7B-Instruct-v0.2
    "no demonstrations": (7.92, 7.18, 7.55),
    "queries only": (4.29, 6.06, 5.18),
    "answers only": (7.53, 6.85, 7.19),
    "circular shift": (6.09, 5.99, 6.04),
    "in-domain random answers": (6.62, 5.94, 6.28),
    "out-of-domain random answers": (5.69, 5.5, 5.6),
    "correct answers": (7.58, 6.48, 7.21),
}
TRANSFER = {  # table 9, turn 1: the base prompt, then one to three that were found on Mistral in Evol-Instruct
    "Llama-2-7B-80k": (5.19, 5.56, 5.57, 5.1),
    "Mixtral-8x22B-v0.1-4bit": (8.28, 8.36, 7.79, 8.58),
    MISTRAL: (6.99, 7.46, 7.69, 7.68),  # table 6
}
TEMPERATURES, TOP_PS = (0.0, 0.3, 0.5, 1.0), (0.6, 0.8, 1.0)
DECODING = {  # heat maps, turn 1; a row for each top-p
    (MISTRAL, "base", 1.15): ((6.59, 6.01, 6.1, 5.51), (6.6, 5.94, 6.1, 4.53), (6.61, 6.12, 5.5, 1.78)),
    (MISTRAL, "base with prompt", 1.15): ((7.14, 7.11, 7.12, 7.26), (7.1, 7.39, 7.19, 6.86), (7.0, 6.64, 7.34, 2.39)),
    (MISTRAL, "instruct", 1.15): ((7.4, 7.78, 7.62, 7.97), (7.6, 7.64, 7.72, 7.66), (7.62, 7.83, 7.56, 7.48)),
    (MISTRAL, "base", 1.0): ((5.89, 5.53, 5.8, 5.61), (5.9, 5.91, 5.75, 5.31), (5.91, 5.84, 5.66, 3.61)),
    (MISTRAL, "base with prompt", 1.0): ((7.1, 7.18, 7.13, 7.19), (7.12, 7.23, 7.01, 7.36), (7.04, 6.95, 6.83, 6.17)),
    (MISTRAL, "instruct", 1.0): ((7.85, 7.8, 7.61, 7.96), (7.73, 7.8, 7.54, 7.61), (7.78, 7.76, 7.78, 7.74)),
    (LLAMA, "base", 1.0): ((6.16, 5.87, 5.93, 5.44), (6.14, 6.03, 6.15, 5.21), (6.14, 6.04, 5.91, 3.88)),
    (LLAMA, "base with prompt", 1.0): ((7.32, 7.12, 6.92, 7.22), (7.23, 7.21, 7.4, 7.44), (7.34, 7.27, 7.26, 6.15)),
    (LLAMA, "base", 1.15): ((6.22, 5.97, 6.07, 5.12), (6.35, 5.83, 5.66, 4.32), (6.3, 5.81, 5.26, 1.9)),
    (LLAMA, "base with prompt", 1.15): ((6.97, 6.86, 6.84, 6.7), (6.95, 6.78, 7.2, 5.33), (6.9, 7.01, 6.97, 2.17)),
}
ALIGNED = {  # table 1: base with prompt, instruct
    "Llama-2-7B": ((5.75, 3.91, 4.83), (7.14, 5.91, 6.53)),
    "Llama-2-70B": ((7.61, 6.61, 7.11), (7.37, 7.03, 7.2)),
    "Llama-3-8B": ((6.84, 4.65, 5.75), (8.29, 7.42, 7.86)),
    "Llama-3-70B": ((7.71, 5.09, 6.4), (8.96, 8.51, 8.74)),
    "Mistral-7B-v0.1": ((7.49, 5.86, 6.67), (7.31, 6.39, 6.85)),
    "Mixtral-8x22B-v0.1-4bit": ((8.28, 7.14, 7.71), (8.78, 8.25, 8.52)),
    "GPT-4": ((7.96, 5.04, 6.5), (8.96, 9.03, 8.99)),
    **{name: (URIAL[name], INSTRUCT[name]) for name in (MISTRAL, LLAMA)},
}
ALPACA_GREEDY = {MISTRAL: (8.22, 7.53, 7.78, 8.55), LLAMA: (7.28, 8.61, 8.16, 8.19)}  # table 4
ALPACA_SHOTS = {  # table 10, random ones without the base prompt
    MISTRAL: {0: 2.92, 1: 11.98, 3: 12.5, 10: 14.86, 20: 13.2, 30: 12.45, 40: 12.51, 50: 13.8},
    LLAMA: {0: 2.99, 1: 8.66, 3: 11.56, 10: 15.11, 20: 15.18, 30: 13.9, 40: 14.95, 50: 15.49},
}
ALPACA_TRANSFER = {  # tables 9 and 6
    "Llama-2-7B-80k": (1.81, 1.5, 1.84, 2.91),
    "Mixtral-8x22B-v0.1-4bit": (14.77, 15.74, 13.2, 14.68),
    MISTRAL: (8.09, 7.91, 8.38, 9.22),
}
GREEDY = {MISTRAL: (7.0, 7.52, 7.47, 7.43), LLAMA: (6.95, 7.61, 7.77, 7.81)}  # table 4, turn 1, by chosen examples

GREEDY_TURN_2 = {MISTRAL: (5.59, 5.59, 5.5, 5.36), LLAMA: (5.31, 4.73, 5.39, 5.84)}  # figure 3

PrintedRound = tuple[int, float, float, float | None]
"""Candidates, their mean score and its standard deviation, and the score of the one that was kept where it is told."""
ROUNDS: Mapping[str, Mapping[int, PrintedRound]] = {  # figures 4 and 12: the search judge's scores, by chosen examples
    MISTRAL: {
        0: (1, 6.2375, 0.0, None),
        1: (101, 6.409, 0.15, 6.8125),
        2: (77, 6.454, 0.145, 6.75),
        3: (64, 6.486, 0.146, None),
    },
    LLAMA: {
        0: (1, 6.0875, 0.0, None),
        1: (101, 6.349, 0.194, 6.9),
        2: (78, 6.464, 0.17, 6.825),
        3: (76, 6.5, 0.156, None),
    },
}
