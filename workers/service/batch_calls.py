"""What the Batch API is asked: to take a file of requests, for a batch by its mark, for a file of results."""

import json
from collections.abc import Mapping
from typing import Any

from workers.service.connection import Connection
from workers.service.failures import ReplyUnusable

Body = dict[str, Any]
ENDPOINT = "/v1/chat/completions"
MARK = "demosearch"
"""Key of our mark in a batch's metadata."""


async def create_batch(connection: Connection, mark: str, requests: Mapping[str, Body]) -> str:
    """Upload the requests, by custom id, and submit them as one batch; its name at the service."""
    lines = [
        {"custom_id": request, "method": "POST", "url": ENDPOINT, "body": body} for request, body in requests.items()
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    tried = False

    async def upload(client: Any) -> str:
        file = await client.files.create(file=(f"{mark}.jsonl", content), purpose="batch")
        return _name(getattr(file, "id", None))

    async def create(client: Any) -> str:
        nonlocal tried
        if tried and (name := await find_batch(client, mark)):  # the answer was lost, the batch was not
            return name
        tried = True
        body = {
            "input_file_id": file,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {MARK: mark},
        }
        return _name(field(await client.post("/batches", cast_to=object, body=body), "id"))

    file = await connection.call(upload)
    return await connection.call(create)


async def find_batch(client: Any, mark: str) -> str | None:
    """The name of the batch with this mark; None where the service has none."""
    after = ""
    while True:
        listing = await client.get(f"/batches?limit=100{after}", cast_to=object)
        batches = field(listing, "data")
        if not isinstance(batches, list):  # silence here would have the batch paid for twice
            raise ReplyUnusable("was asked for its batches and answered with something else")
        for batch in batches:
            if field(field(batch, "metadata"), MARK) == mark:
                return _name(field(batch, "id"))
        if not batches or not field(listing, "has_more"):
            return None
        after = f"&after={_name(field(batches[-1], 'id'))}"


async def fetch_lines(connection: Connection, file: object) -> list[dict[str, Any]]:
    """The lines of a file of results that have a custom id; none where there is no file."""
    if not isinstance(file, str):
        return []

    async def content(client: Any) -> str:
        return str((await client.files.content(file)).text)

    lines = [_parsed(line) for line in (await connection.call(content)).split("\n")]
    return [line for line in lines if isinstance(line, dict) and isinstance(line.get("custom_id"), str)]


def _parsed(line: str) -> Any:
    """The JSON of a line; None where it is none: that request has no answer."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def field(holder: object, name: str) -> Any:
    """What a JSON object has under this name; None where it is no object, or has nothing there."""
    return holder.get(name) if isinstance(holder, dict) else None


def reason_of(batch: Any) -> str:
    """The first error of a batch, in brackets; "" where it has none."""
    errors = field(field(batch, "errors"), "data")
    words = [str(field(e, "message") or field(e, "code")) for e in errors] if isinstance(errors, list) else []
    return f" ({words[0]})" if words else ""


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise ReplyUnusable("took a file or a batch without giving it a name")
    return name
