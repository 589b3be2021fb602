"""Requests to change what people write: the tags and the note of a run, as `demosearch tag` does, and reviews."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from search.run_directory.notes import change_notes
from search.run_directory.reviews import Review, Reviewed, write_review

T = TypeVar("T", bound=BaseModel)
_LONGEST = 64 * 1024  # bytes of a request


class NotesChange(BaseModel):
    """What a page asks for: `demosearch tag RUN ADD... --remove REMOVE... --note NOTE`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    add: list[str] = []
    remove: list[str] = []
    note: str | None = None


class ReviewChange(BaseModel):
    """What a page says of an answer now; what it leaves out stays, since somebody else may have said it meanwhile."""

    model_config = ConfigDict(extra="forbid", strict=True)

    good: bool | None = None
    comment: str = ""
    blind: bool = False


async def edit_notes(request: Request, path: Path) -> Response:
    """Change the notes of the run at `path`, and answer with those that it has now; or with `error`, and why.

    Raises:
        DemosearchError: they cannot be changed.
    """
    change = await _asked(request, NotesChange, "expected a JSON object with add, remove or note")
    if isinstance(change, Response):
        return change
    notes = await asyncio.to_thread(change_notes, path, change.add, change.remove, change.note)
    return JSONResponse(asdict(notes), headers={"Cache-Control": "no-store"})


async def edit_review(request: Request, path: Path, of: Reviewed) -> Response:
    """Change the review of an answer of the run at `path`, and answer with it; or with `error`, and why.

    Raises:
        DemosearchError: it cannot be written.
    """
    change = await _asked(request, ReviewChange, "expected a JSON object with good, comment and blind")
    if isinstance(change, Response):
        return change
    review, kept = Review(change.good, change.comment, change.blind), {"good", "comment"} - change.model_fields_set
    review = await asyncio.to_thread(write_review, path, of, review, kept)
    return JSONResponse(asdict(review), headers={"Cache-Control": "no-store"})


async def _asked(request: Request, expected: type[T], otherwise: str) -> T | Response:
    """What the request asks for, or the response that refuses it."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            return JSONResponse({"error": f"a note or a comment can have {_LONGEST // 1024} KB at most"}, 413)
    try:
        return expected.model_validate_json(body)
    except ValidationError:
        return JSONResponse({"error": otherwise}, 400)
