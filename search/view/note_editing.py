"""A request to change the tags and the note of a run, as `demosearch tag` does."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from search.run_directory.notes import change_notes

_LONGEST = 64 * 1024  # bytes of a request


class NotesChange(BaseModel):
    """What a page asks for: `demosearch tag RUN ADD... --remove REMOVE... --note NOTE`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    add: list[str] = []
    remove: list[str] = []
    note: str | None = None


async def edit_notes(request: Request, path: Path) -> Response:
    """Change the notes of the run at `path`, and answer with those that it has now; or with `error`, and why.

    Raises:
        DemosearchError: they cannot be changed.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            return JSONResponse({"error": f"a note can have {_LONGEST // 1024} KB at most"}, 413)
    try:
        change = NotesChange.model_validate_json(body)
    except ValidationError:
        return JSONResponse({"error": "expected a JSON object with add, remove or note"}, 400)
    notes = await asyncio.to_thread(change_notes, path, change.add, change.remove, change.note)
    return JSONResponse(asdict(notes), headers={"Cache-Control": "no-store"})
