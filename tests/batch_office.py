"""The files and batches of an OpenAI-compatible service, as pages for `ServiceServer`.

office = BatchOffice()
with ServiceServer(pages=office) as server: ...
office.finish()             # every batch is done, its requests answered as the server would directly
office.finish("expired")    # or over in another way, answered as far as `answered` says
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from typing import Any

from tests.service_server import Reaction, completion, page

JSON = dict[str, Any]


@dataclass
class BatchOffice:
    """Attributes:
    answer: a request's body → status and the answer's body; None: the request gets no line at all.
    creation: what the submission of a batch meets, after the batch has been made; answered at once when absent.
    batches: all batches by name, as the API shows them, in the order made.
    asked: body of every request of every batch, in the order submitted.
    """

    answer: Callable[[JSON], tuple[int, JSON] | None] = lambda body: (200, json.loads(completion(body, "fine")))
    creation: Callable[[Reaction], Reaction] = lambda reaction: reaction
    batches: dict[str, JSON] = field(default_factory=dict)
    asked: list[JSON] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: bytes) -> Reaction | None:
        place = path.partition("?")[0].removeprefix("/v1/").split("/")
        match (method, *place):
            case ("POST", "files"):
                return page({"id": self._file(_uploaded(body))})
            case ("POST", "batches"):
                return self.creation(page(self._create(json.loads(body))))
            case ("GET", "batches"):
                return page({"data": list(self.batches.values()), "has_more": False})
            case ("GET", "batches", name) if name in self.batches:
                return page(self.batches[name])
            case ("GET", "files", name, "content") if name in self.files:
                return replace(page(""), body=lambda _: self.files[name])
        return None

    def finish(self, status: str = "completed", **told: object) -> None:
        """Every batch that is not over."""
        for batch in self.batches.values():
            if batch["status"] == "in_progress":
                batch.update(told | {"status": status} | self._answers(batch))

    def forget(self) -> None:
        """Every batch."""
        self.batches.clear()

    def _create(self, asked: JSON) -> JSON:
        name = f"batch_{len(self.batches)}"
        self.batches[name] = {"id": name, "status": "in_progress", **asked}
        self.asked += [line["body"] for line in self._lines(asked["input_file_id"])]
        return self.batches[name]

    def _answers(self, batch: JSON) -> JSON:
        good: list[JSON] = []
        bad: list[JSON] = []
        for line in self._lines(batch["input_file_id"]):
            said = self.answer(line["body"])
            if said is not None:
                response = {"status_code": said[0], "body": said[1]}
                (good if said[0] == 200 else bad).append({"custom_id": line["custom_id"], "response": response})
        return {
            name: self._file("".join(json.dumps(line) + "\n" for line in lines).encode())
            for name, lines in (("output_file_id", good), ("error_file_id", bad))
            if lines
        }

    def _lines(self, file: str) -> list[JSON]:
        return [json.loads(line) for line in self.files[file].splitlines()]

    def _file(self, content: bytes) -> str:
        name = f"file_{len(self.files)}"
        self.files[name] = content
        return name


def _uploaded(body: bytes) -> bytes:
    """The file in a multipart body."""
    boundary = body.split(b"\r\n", 1)[0][2:]
    message = message_from_bytes(b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n' + body)
    (content,) = (part.get_payload(decode=True) for part in message.walk() if part.get_filename())
    assert isinstance(content, bytes)
    return content
