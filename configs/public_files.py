"""The public files that presets read: where each is, at a revision that does not move, and what it must hold.

Sizes and checksums were computed from the files themselves. That these addresses hold them is what other projects say
beside the same checksums, except for the pool and the prompts: of the pool, length and end were compared with a stored
copy of that revision; of `urial.txt` and of the third set from Evol-Instruct, only their neighbours were seen there.
"""

from dataclasses import dataclass

FOLDER = "data"
"""The folder in which presets look for these files, below the working directory."""

_FAST_CHAT = "https://raw.githubusercontent.com/lm-sys/FastChat/587d5cfa1609a43d192cedb8441cac3c17db105d/fastchat"
_ICL_ALIGNMENT = "https://raw.githubusercontent.com/tml-epfl/icl-alignment/cd779a7140bd0d22452ad71379db14e77e42dc55"
_ALPACA_EVAL = "https://raw.githubusercontent.com/tatsu-lab/alpaca_eval/15fd513071d389b79dab27fd464800c6fe10c15a"
_ALPACA_EVAL_HUB = (
    "https://huggingface.co/datasets/tatsu-lab/alpaca_eval/resolve/2edc6fad8be6b14ea7230aabfd08188da6b8b814"
)
_SKILL_MIX = (
    "https://raw.githubusercontent.com/princeton-pli/Instruct-SkillMix/ef48c0348f8caf760a2b1da293ba439446ce6fb1"
)


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file that is fetched.

    Attributes:
        path: below the folder that it is fetched into, with `/`.
        url: where it is.
        size: in bytes, as it is sent.
        sha256: of what is sent, in hexadecimal digits.
        licence: as its publishers give it.
        written_sha256: of the file that is written, where a list of rows is written as JSON lines; None where it is
            written as it is sent.
    """

    path: str
    url: str
    size: int
    sha256: str
    licence: str
    written_sha256: str | None = None


PUBLIC_FILES: dict[str, tuple[PublicFile, ...]] = {
    "urial": (
        PublicFile(
            "urial.txt",
            f"{_ICL_ALIGNMENT}/urial_prompts/urial.txt",
            5502,
            "226e9719f2e3fe03a937c26ba6175bf8bc604295577dab28f0e0c78a4ffecfed",
            "Apache-2.0",
        ),
    ),
    "evol_instruct": (
        PublicFile(
            "urial.plus.best_4.examples.txt",
            f"{_ICL_ALIGNMENT}/urial_prompts/urial.plus.best_4.examples.txt",
            9061,
            "239417d260f9f43ad8bd932b5168c993a0d1dbca41ca2816facc3ea9031b69d3",
            "Apache-2.0",
        ),
        PublicFile(
            "urial.plus.best_4&5.examples.txt",
            f"{_ICL_ALIGNMENT}/urial_prompts/urial.plus.best_4%265.examples.txt",
            9863,
            "cf3522a186521dd81a1b6b4672854ccd3bc885994f166e9655d90f03cd51d739",
            "Apache-2.0",
        ),
        PublicFile(
            "urial.plus.best_4&5&6.examples.txt",
            f"{_ICL_ALIGNMENT}/urial_prompts/urial.plus.best_4%265%266.examples.txt",
            9951,
            "1d92b23d37b11ecc404ba1061d8677d069396b6eb2f111ddaae19c3753913516",
            "Apache-2.0",
        ),
    ),
    "mt_bench": (
        PublicFile(
            "mt_bench/question.jsonl",
            f"{_FAST_CHAT}/llm_judge/data/mt_bench/question.jsonl",
            48929,
            "119565adbab82227089cefdb44c8d7e2cf04dc0a0ec233634c82e7d4e2a944f7",
            "Apache-2.0",
        ),
        PublicFile(
            "mt_bench/reference_answer/gpt-4.jsonl",
            f"{_FAST_CHAT}/llm_judge/data/mt_bench/reference_answer/gpt-4.jsonl",
            51109,
            "f957a5bc977badb66885ec970e6cd08527845780313f0995764260e5777b9b3f",
            "Apache-2.0",
        ),
        PublicFile(
            "mt_bench/judge_prompts.jsonl",
            f"{_FAST_CHAT}/llm_judge/data/judge_prompts.jsonl",
            10449,
            "fd283293406d024f44c174b094ef48031d0687a4682fd3a56b29b138f80281b6",
            "Apache-2.0",
        ),
    ),
    "alpaca_eval": (
        PublicFile(
            "alpaca_eval/model_outputs.json",
            f"{_ALPACA_EVAL_HUB}/alpaca_eval_gpt4_baseline.json",
            1899765,
            "83db546b872ddebee8965fd05fa48461ee3c32bc695c62fb57f2d214ff741ec4",
            "CC BY-NC 4.0",
        ),
        PublicFile(
            "alpaca_eval/alpaca_eval_clf.txt",
            f"{_ALPACA_EVAL}/src/alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt",
            1398,
            "784227e6dc2832fc08c43d2c8ea3a308e7523780187a1aaad2f85e30bac85f62",
            "Apache-2.0",
        ),
    ),
    "skillmix": (
        PublicFile(
            "pool.jsonl",
            f"{_SKILL_MIX}/datasets/ism_sda_k2_1000.json",
            3386074,
            "1c4be594ef2c059813dc4336d51d6a8fb1670729a53ff59cc09905a88726e4bf",
            "MIT",
            "dad49df5dff5a6e469d0b9b178a31d29cbdb95868d89c5ba4e0e1210288ba396",
        ),
    ),
}
"""Public files by the name that `demosearch fetch` takes."""


def is_public_file(path: str) -> bool:
    """Whether this is where a preset finds one of these files, in any folder."""
    return any(path.endswith(f"{FOLDER}/{file.path}") for files in PUBLIC_FILES.values() for file in files)
