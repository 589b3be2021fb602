"""A run's result as a data set for a hub: demonstrations, prompt, scores, and a card that says how good they are."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.errors import InputError
from search.export import written
from search.export.best_prompt import BestPrompt, read_best_prompt
from search.export.card import card
from search.export.hugging_face import hugging_face
from search.export.json_record import record
from search.report.findings import find
from search.results.wording import shown_model

_ALWAYS = frozenset({"README.md", "found.json", "manifest.json"})
_NAMES = _ALWAYS | {"demonstrations.jsonl", "held_out.jsonl", "prompt.txt", "chat.json"}
_FOLDERS = re.compile(r"(?<![^\s\"'=])/(?:[^/\s]+/)+")


def push(
    path: Path,
    folder: Path,
    upload: str | None = None,
    private: bool = True,
    best_so_far: bool = False,
    anyway: bool = False,
) -> str | None:
    """Write the best candidate of the run at `path` into `folder`, and upload that if wanted.

    Args:
        folder: holds nothing but an earlier push.
        upload: OWNER/NAME of a data set on the hub, which is made where there is none.
        private: of a data set that is made.
        anyway: as `read_best_prompt` takes it; the card says how sure it is.

    Returns:
        The data set's address where it was uploaded.

    Raises:
        InputError: as `export`; or the folder holds other files; or there is no token, or the hub refuses.
    """
    hub = None
    if upload is not None:
        from search.export.hub import Hub  # noqa: PLC0415 -- huggingface_hub

        hub = Hub(upload, private)
    best = read_best_prompt(path, best_so_far, anyway)
    _write(folder, _files(best))
    return hub.upload(folder, sorted(_NAMES)) if hub else None


def _files(best: BestPrompt) -> dict[str, str]:
    findings = find(best.results)
    shown = record(best)
    tables = {"demonstrations.jsonl": _alike(shown["demonstrations"]), "held_out.jsonl": _held_out(best)}
    files = {name: _lines(rows) for name, rows in tables.items() if rows}
    if best.is_chat:
        files["chat.json"] = _dump(hugging_face(best) | {"model": shown_model(best.config.model.name)})
    else:
        files["prompt.txt"] = written(best, "urial")
    manifest = _without_folders(best.results.manifest)
    files["found.json"] = _dump(shown | {"provenance": manifest})
    files["manifest.json"] = _dump(manifest)
    return {"README.md": card(best, findings, list(files))} | files


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose columns have one type each: where one demonstration has several turns, all are lists."""
    if not any(isinstance(row["query"], list) for row in rows):
        return rows
    return [row | {name: _as_list(row[name]) for name in ("query", "answer")} for row in rows]


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _without_folders(content: Any) -> Any:
    """A path's last part: what stands before it is nobody's business."""
    if isinstance(content, dict):
        return {name: _without_folders(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_without_folders(value) for value in content]
    return _FOLDERS.sub("", content) if isinstance(content, str) else content


def _held_out(best: BestPrompt) -> list[dict[str, Any]]:
    """A row a question that has been scored behind either prompt; a score that is missing is null."""
    held_out, status = best.results.held_out, best.status
    assert status.base is not None
    sides = [
        held_out[candidate].scores if candidate in held_out else {}
        for candidate in (best.chosen.candidate, status.base.candidate)
    ]
    return [
        {
            "id": question.id,
            "category": question.category,
            "score": sides[0].get(question.id),
            "base_score": sides[1].get(question.id),
        }
        for question in best.material.held_out
        if any(question.id in scores for scores in sides)
    ]


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = {file.name for file in folder.iterdir()}
        unexpected = sorted(present - _NAMES if present >= _ALWAYS else present)
        if unexpected:
            raise InputError(f"{folder} holds {unexpected[0]}, which `push` has not written: choose an empty folder")
        for name in _NAMES - files.keys():
            (folder / name).unlink(missing_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}): choose another folder") from None


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _dump(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
