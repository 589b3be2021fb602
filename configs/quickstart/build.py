"""Make everything the quickstart needs: `python -m configs.quickstart.build [--data-only | --check]`.

Writes the prompt file, the pool, the questions, the tokenizer and the model beside this file. The data are the same
byte for byte everywhere; the weights on the same machine with the same two threads.
Fifteen to thirty minutes on two cores. Its sibling with a chat template is made of it by
`python -m workers.finetune.quickstart_instruct`.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from configs.quickstart.corpus import Document, documents
from configs.quickstart.material import (
    base_prompt,
    pool_rows,
    question_rows,
    sum_rows,
    two_turn_base_rows,
    two_turn_pool_rows,
    two_turn_rows,
)

HERE = Path(__file__).parent
SEED = 7
VOCABULARY = 2048
SPECIAL = ("<s>", "</s>", "<pad>")
THREADS = 2

PAIRS = 14  # questions a document: more than a prompt ever holds
TOKENS = 640  # longest document kept, in tokens
DOCUMENTS = 8  # a step
STEPS = 1000
WARMUP = 60  # steps
PEAK_RATE = 3e-3
IGNORED = -100


def write_data() -> None:
    """The prompt file, the pool and the questions, each of one turn and of two."""
    (HERE / "base_prompt.txt").write_text(base_prompt(), encoding="utf-8")
    _write_rows(HERE / "pool.jsonl", pool_rows())
    _write_rows(HERE / "questions.jsonl", question_rows())
    _write_rows(HERE / "two_turn_questions.jsonl", two_turn_rows())
    _write_rows(HERE / "two_turn_pool.jsonl", two_turn_pool_rows())
    _write_rows(HERE / "two_turn_base_prompt.jsonl", two_turn_base_rows())
    _write_rows(HERE / "sums.jsonl", sum_rows())


def _write_rows(path: Path, rows: Iterable[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def train_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE, so any text can be encoded; adds `<s>` in front, as Llama's does."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator((document.text for document in itertools.islice(documents(SEED, PAIRS), 2000)), trainer)
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        **dict(zip(("bos_token", "eos_token", "pad_token"), SPECIAL, strict=True)),
        model_max_length=2048,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def new_model() -> LlamaForCausalLM:
    """An untrained Llama of about a million parameters."""
    torch.manual_seed(SEED)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
        )
    )


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Adam with a cosine schedule on answers alone, never the same document twice."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 0.02, 1.0, WARMUP),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - WARMUP, PEAK_RATE / 50),
        ],
        [WARMUP],
    )
    model.train()
    with _progress() as progress:
        bar = progress.add_task("training", total=STEPS, loss=float("nan"))
        for tokens, labels in itertools.islice(_batches(tokenizer), STEPS):
            loss = _loss(model, tokens, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            progress.update(bar, advance=1, loss=loss.item())
    model.train(False)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f} nats"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )


def _loss(model: LlamaForCausalLM, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state[:, :-1]
    learned = labels[:, 1:] != IGNORED
    return cross_entropy(model.lm_head(hidden[learned]), labels[:, 1:][learned])


def _batches(tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    stream = documents(SEED + 1, PAIRS)
    while True:
        encoded = [_encode(document, tokenizer) for document in itertools.islice(stream, DOCUMENTS)]
        yield (
            torch.tensor([_fit(tokens, 2) for tokens, _ in encoded]),
            torch.tensor([_fit(labels, IGNORED) for _, labels in encoded]),
        )


def _encode(document: Document, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Tokens and labels. Pieces meet at line breaks, where the tokenizer never joins, so each is encoded alone."""
    tokens, labels = [0], [IGNORED]
    for index, piece in enumerate(tokenizer(list(document.pieces), add_special_tokens=False)["input_ids"]):
        tokens += piece
        labels += piece if index % 2 else [IGNORED] * len(piece)
    return tokens, labels


def _fit(values: list[int], filler: int) -> list[int]:
    return (values + [filler] * TOKENS)[:TOKENS]


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """The usual five files, greedy decoding as the default."""
    model.generation_config.do_sample = False
    model.save_pretrained(HERE / "model")
    tokenizer.save_pretrained(HERE / "model")


def main() -> None:
    """Build, or look at what was built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-only", action="store_true", help="write the prompt, pool and questions; keep the model")
    parser.add_argument("--check", action="store_true", help="change nothing; print what the demonstrations do")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    if options.check:
        from configs.quickstart.check import check  # noqa: PLC0415 - sacrebleu is not needed to build

        return check()
    write_data()
    if not options.data_only:
        tokenizer, model = train_tokenizer(), new_model()
        train(model, tokenizer)
        save(model, tokenizer)
    return None


if __name__ == "__main__":
    main()
