"""Make the quickstart's second model: `python -m workers.finetune.quickstart_instruct`, a minute on one core.

It is the quickstart's model, fine-tuned by this room's own code to answer in the wanted style without a prompt, in a
chat template of its own. It learns from the facts of the pool and of the base prompt alone: no question that is asked
in an evaluation is among them. It stands beside the base model as an instruct model stands beside a real one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from configs.quickstart import material
from configs.quickstart.corpus import ANSWER, END, QUERY, Style, answer_text, question_text, seeded
from configs.quickstart.facts import Fact
from configs.schema.finetuning import FinetuningConfig, TrainingLength
from configs.schema.model import ModelConfig
from workers.finetune.examples import TrainingExample
from workers.finetune.train import Finetuning, finetune

FOLDER = Path(material.__file__).parent
SEED = 11
WORDINGS = 4
RECIPE = FinetuningConfig(
    learning_rate=5e-4, lengths=(TrainingLength(epochs=4, batch_size=16),), device_batch_size=16, checkpoints=0
)
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ message.content + '\n' }}"
    "{% elif message.role == 'user' %}{{ QUERY + message.content + '\n```\n' }}"
    "{% else %}{{ ANSWER + message.content + END }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ ANSWER }}{% endif %}"
)
"""The form of the base model's documents, which it reads best. A new answer ends with end-of-text."""


def chat_template() -> str:
    """The template with the corpus's own fixed texts in it."""
    fixed = {"QUERY": QUERY, "ANSWER": ANSWER.removeprefix("\n```\n"), "END": END}
    text = CHAT_TEMPLATE
    for name, value in fixed.items():
        text = text.replace(name, repr(value))
    return text


def examples() -> Iterator[TrainingExample]:
    """Chats of one and of two turns; the last answer is learnt."""
    facts = [*material.facts_for("base"), *material.facts_for("pool")]
    rng = seeded("instruct")
    for fact in facts:
        for wording in range(WORDINGS):
            earlier = rng.choice([other for other in facts if other is not fact])
            for before in ("", question_text(earlier.query(rng.randrange(WORDINGS))) + _answer(earlier) + END):
                name = f"{fact.topic.name}-{fact.number + 1:02d}-{wording}{'-second' if before else ''}"
                yield TrainingExample(
                    id=name,
                    prompt=f"<s>{before}{question_text(fact.query(wording))}",
                    answer=f"{_answer(fact)}</s>",
                    special_tokens=False,
                )


def _answer(fact: Fact) -> str:
    return answer_text(fact, Style())


def main() -> None:
    """Train, and keep weights of half precision beside the base model."""
    base = ModelConfig(name=str(FOLDER / "model"), dtype="float32", device="cpu")
    task = Finetuning(base, RECIPE, "full", tuple(examples()), SEED, chat_template())
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        made = finetune(task, Path(folder), lambda done, of: print(f"\r{done} of {of} steps", end="", flush=True))
        print(f"\n{made.examples} examples, {made.steps} steps, last loss {made.loss:.3f} nats, {made.seconds:.0f} s")
        target = FOLDER / "instruct"
        shutil.rmtree(target, ignore_errors=True)
        model = AutoModelForCausalLM.from_pretrained(made.model, dtype=torch.bfloat16)
        model.save_pretrained(target)
        AutoTokenizer.from_pretrained(made.model).save_pretrained(target)


if __name__ == "__main__":
    main()
