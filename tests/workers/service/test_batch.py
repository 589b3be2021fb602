import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.service import BatchConfig, ServiceConfig
from tests.batch_office import BatchOffice
from tests.service_server import Reaction, ServiceServer, busy, completion
from workers.prompt import ChatMessage
from workers.service.batch_record import BatchRecord
from workers.service.failures import BadRequest, ReplyUnusable, RequestTooLong, ServiceFailed, ServiceRefused
from workers.service.reply import Reply
from workers.service.service import Service

BATCH = {"linger": 0.05, "poll": 0.05}


def _service(server: ServiceServer, folder: Path, **batch: object) -> Service:
    config = {
        "model": "judge",
        "base_url": server.base_url,
        "api_key_variable": None,
        "max_retries": 1,
        "timeout": 5,
        "dollars_per_million_prompt_tokens": 2,
        "dollars_per_million_new_tokens": 2,
        "batch": BATCH | batch,
    }
    return Service(ServiceConfig.model_validate(config), folder=folder)


def _ask(service: Service, words: str, draw: int = 0) -> "asyncio.Task[Reply]":
    messages: list[ChatMessage] = [{"role": "user", "content": words}]
    return asyncio.create_task(service.chat(messages, temperature=0.0, max_tokens=9, draw=draw))


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- it looks into a server in another thread
        await asyncio.sleep(0.005)


@pytest.fixture
def office() -> BatchOffice:
    return BatchOffice()


@pytest.fixture
def server(office: BatchOffice) -> Iterator[ServiceServer]:
    with ServiceServer(pages=office) as server:
        yield server
        assert not server.requests


Meanwhile = Callable[[Service], Awaitable[None]]


def _outcomes(
    server: ServiceServer, office: BatchOffice, folder: Path, words: list[str], meanwhile: Meanwhile, **batch: object
) -> list[Any]:
    """What each of these calls ended with, when this happened once a batch was there."""

    async def scenario() -> list[Any]:
        service = _service(server, folder, **batch)
        calls = [_ask(service, one) for one in words]
        await _until(lambda: bool(office.batches))
        await meanwhile(service)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await service.close()
        return outcomes

    return asyncio.run(scenario())


async def _nothing(service: Service) -> None:
    return None


def _finish(office: BatchOffice, status: str = "completed", **told: object) -> Meanwhile:
    async def finish(service: Service) -> None:
        office.finish(status, **told)

    return finish


def test_calls_are_asked_in_one_batch_and_each_gets_its_own_reply_at_the_lower_price(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    async def finish(service: Service) -> None:
        now = service.activity()
        assert now.batched == 3
        assert now.seconds_busy > 0
        office.finish()

    office.answer = lambda body: (200, json.loads(completion(body, body["messages"][0]["content"].upper())))
    outcomes = _outcomes(server, office, tmp_path, ["a", "b", "c"], finish)
    assert [reply.text for reply in outcomes] == ["A", "B", "C"]
    assert outcomes[0].usage.dollars == pytest.approx(0.5 * (1 + 1) * 2 / 1e6)
    assert len(office.batches) == 1
    assert office.asked[0] == {
        "model": "judge",
        "messages": [{"role": "user", "content": "a"}],
        "temperature": 0.0,
        "max_tokens": 9,
    }


def test_a_full_batch_is_submitted_at_once(server: ServiceServer, office: BatchOffice, tmp_path: Path) -> None:

    async def finish_both(service: Service) -> None:
        await _until(lambda: len(office.batches) == 2)
        office.finish()

    outcomes = _outcomes(server, office, tmp_path, ["a", "b", "c", "d"], finish_both, max_requests=2, linger=3600)
    assert [reply.text for reply in outcomes] == ["fine"] * 4
    assert sorted(body["messages"][0]["content"] for body in office.asked) == ["a", "b", "c", "d"]


def test_equal_calls_under_way_are_one_request(server: ServiceServer, office: BatchOffice, tmp_path: Path) -> None:
    assert [reply.text for reply in _outcomes(server, office, tmp_path, ["a", "a"], _finish(office))] == ["fine"] * 2
    assert len(office.asked) == 1


def test_another_draw_is_never_given_the_answer_of_the_first_also_after_a_crash(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    answers = iter(["first", "second"])
    office.answer = lambda body: (200, json.loads(completion(body, next(answers))))
    _outcomes(server, office, tmp_path, ["a"], _finish(office))

    async def again() -> list[Reply]:
        service = _service(server, tmp_path)
        calls = [_ask(service, "a", draw) for draw in (1, 0)]
        await _until(lambda: len(office.batches) == 2)
        office.finish()
        replies = await asyncio.gather(*calls)
        await service.close()
        return replies

    assert [reply.text for reply in asyncio.run(again())] == ["second", "first"]


def test_whoever_asks_again_while_a_batch_is_being_submitted_waits_for_that_one(tmp_path: Path) -> None:
    office = BatchOffice(creation=lambda reaction: replace(reaction, seconds=0.3))

    async def scenario(server: ServiceServer) -> Reply:
        service = _service(server, tmp_path)
        first = _ask(service, "a")
        await _until(lambda: bool(office.files))
        first.cancel()
        again = _ask(service, "a")
        await _until(lambda: bool(office.batches))
        await asyncio.sleep(0.1)
        office.finish()
        reply = await again
        await service.close()
        return reply

    with ServiceServer(pages=office) as server:
        assert asyncio.run(scenario(server)).text == "fine"
    assert len(office.asked) == 1


@pytest.mark.parametrize("garbage", [None, b"<html>", b"[" * 99_999, b"\xff"])
def test_lines_of_another_form_leave_nobody_waiting(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, garbage: bytes | None
) -> None:
    async def finish(service: Service) -> None:
        office.finish()
        for name, content in office.files.items():
            office.files[name] = garbage or content.replace(b"custom_id", b"other_id")

    (outcome,) = _outcomes(server, office, tmp_path, ["a"], finish)
    assert "without an answer to this request" in str(outcome)


def test_a_status_that_is_no_word_leaves_nobody_waiting(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    async def garble(service: Service) -> None:
        office.batches["batch_0"]["status"] = ["done"]

    (outcome,) = _outcomes(server, office, tmp_path, ["a"], garble)
    assert "has a batch that cannot be followed" in str(outcome)


def test_a_finished_batch_is_found_again_without_asking_the_service(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    _outcomes(server, office, tmp_path, ["a"], _finish(office))
    office.files.clear()
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _nothing)
    assert reply.text == "fine"
    assert len(office.asked) == 1


def test_a_running_batch_is_waited_for_by_whoever_asks_again(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    async def close(service: Service) -> None:
        await service.close()

    async def finish_both(service: Service) -> None:
        await _until(lambda: len(office.batches) == 2)
        office.finish()

    (outcome,) = _outcomes(server, office, tmp_path, ["a"], close)
    assert "who asks again finds it" in str(outcome)
    found, _ = _outcomes(server, office, tmp_path, ["a", "new"], finish_both)
    assert found.text == "fine"
    assert [body["messages"][0]["content"] for body in office.asked] == ["a", "new"]


PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.workers.service.test_batch import _ask, _service

class Server:
    base_url = sys.argv[1]

async def main():
    service = _service(Server, Path(sys.argv[2]))
    await asyncio.gather(*(_ask(service, words) for words in ("a", "b", "c")))

asyncio.run(main())
"""


@pytest.mark.parametrize("told", [True, False], ids=["when it waits", "before it is told the batch's name"])
def test_kill_9_after_the_submission_costs_no_request_twice(tmp_path: Path, told: bool) -> None:
    office = BatchOffice(creation=lambda reaction: replace(reaction, held=not told))
    journal = tmp_path / "batches" / "batches.jsonl"

    def submitted() -> bool:
        return bool(office.batches) and (not told or '"submitted"' in journal.read_text(encoding="utf-8"))

    async def again(server: ServiceServer) -> list[Reply]:
        service = _service(server, tmp_path)
        replies = await asyncio.gather(*(_ask(service, words) for words in ("c", "a", "b")))
        await service.close()
        return replies

    with ServiceServer(pages=office) as server:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, server.base_url, str(tmp_path)])
        while not submitted():
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        office.finish()
        assert [reply.text for reply in asyncio.run(again(server))] == ["fine"] * 3
    assert len(office.batches) == 1
    assert len(office.asked) == 3


def test_a_batch_that_never_reached_the_service_is_asked_anew(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    _outcomes(server, office, tmp_path, ["a"], _finish(office))
    journal = tmp_path / "batches" / "batches.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    office.forget()
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _finish(office))
    assert reply.text == "fine"
    assert len(office.asked) == 2


def test_requests_that_fail_in_a_batch_fail_alone_and_are_asked_anew(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        words = body["messages"][0]["content"]
        if words == "long":
            return 400, {"error": {"code": "context_length_exceeded", "message": "too long"}}
        if words == "bad":
            return 400, {"error": {"message": "bad words"}}
        if words == "empty":
            return 200, json.loads(completion(body, ""))
        return None if words == "none" else (200, json.loads(completion(body, "fine")))

    office.answer = answer
    words = ["good", "long", "bad", "empty", "none"]
    outcomes = _outcomes(server, office, tmp_path, words, _finish(office))
    assert [type(outcome) for outcome in outcomes] == [Reply, RequestTooLong, BadRequest, ReplyUnusable, ServiceFailed]
    assert outcomes[3].usage.prompt_tokens == 1
    office.answer = lambda body: (200, json.loads(completion(body, "better")))

    async def finish_second(service: Service) -> None:
        await _until(lambda: len(office.batches) == 2)
        office.finish()

    again = _outcomes(server, office, tmp_path, words, finish_second)
    assert [reply.text for reply in again] == ["fine"] + ["better"] * 4
    assert len(office.asked) == 5 + 4


def _answered_again(office: BatchOffice, old: str, new: str) -> Meanwhile:
    """Finished, each file of results with its lines a second time, in which something is another."""

    async def finish(service: Service) -> None:
        office.finish()
        for batch in office.batches.values():
            content = office.files[batch["output_file_id"]]
            office.files[batch["output_file_id"]] += content.replace(old.encode(), new.encode())

    return finish


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ("completion-test", "completion-2"), ('"prompt_tokens": 1', '"prompt_tokens": 2'), ("200", "500")],
)
def test_of_several_answers_to_a_request_that_say_the_same_any_counts(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, old: str, new: str
) -> None:
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _answered_again(office, old, new))
    assert (reply.text, reply.prompt_tokens) == ("fine", 1)


def test_a_request_whose_answers_differ_has_failed_with_what_both_cost_and_is_asked_anew(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    (failure,) = _outcomes(server, office, tmp_path, ["a"], _answered_again(office, "fine", "bad"))
    assert "gave a batched request 2 answers that differ" in str(failure)
    assert failure.usage.calls == 2

    async def finish_second(service: Service) -> None:
        await _until(lambda: len(office.batches) == 2)
        office.finish()

    (reply,) = _outcomes(server, office, tmp_path, ["a"], finish_second)
    assert (reply.text, len(office.asked)) == ("fine", 2)


def test_answers_to_requests_that_a_batch_was_not_asked_are_told_and_left_out(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _answered_again(office, '"custom_id": "', '"custom_id": "x'))
    assert reply.text == "fine"
    assert "batch batch_0 holds answers to 1 request that it was not asked" in caplog.text
    (kept,) = (file for file in (tmp_path / "batches").iterdir() if file.name != "batches.jsonl")
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("status", ["expired", "cancelled", "failed"])
def test_what_a_batch_did_not_answer_before_it_was_over_fails_with_the_reason(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, status: str
) -> None:
    office.answer = lambda body: None
    told = {"errors": {"data": [{"code": "invalid", "message": "as the script says"}]}}
    (outcome,) = _outcomes(server, office, tmp_path, ["a"], _finish(office, status, **told))
    assert type(outcome) is ServiceFailed
    assert f"says that batch batch_0 is {status} (as the script says), without an answer" in str(outcome)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("billing_hard_limit_reached", "the quota at .* is used up .*: add credit, then go on"),
        ("token_limit_exceeded", r"accepts no batch of this size at present .*lower service\.batch\.max_requests"),
    ],
)
def test_a_batch_refused_for_what_would_hit_every_other_stops_the_run(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, code: str, sentence: str
) -> None:
    office.answer = lambda body: None
    told = {"errors": {"data": [{"code": code, "message": "no more"}]}}
    (outcome,) = _outcomes(server, office, tmp_path, ["a"], _finish(office, "failed", **told))
    with pytest.raises(ServiceRefused, match=sentence):
        raise outcome


def test_a_batch_that_the_service_has_forgotten_fails_and_is_asked_anew(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:

    async def forget(service: Service) -> None:
        office.forget()

    (outcome,) = _outcomes(server, office, tmp_path, ["a"], forget)
    assert type(outcome) is ServiceFailed
    assert "no longer knows batch batch_0" in str(outcome)
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _finish(office))
    assert reply.text == "fine"


def test_a_batch_that_takes_too_long_fails_and_is_found_later(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    (outcome,) = _outcomes(server, office, tmp_path, ["a"], _nothing, max_wait=0.1)
    assert "has not finished batch batch_0 after 0.1 s" in str(outcome)
    (reply,) = _outcomes(server, office, tmp_path, ["a"], _finish(office), max_wait=0.1)
    assert reply.text == "fine"
    assert len(office.asked) == 1


def test_closing_refuses_what_has_not_been_submitted(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    async def scenario() -> None:
        service = _service(server, tmp_path, linger=3600)
        call = _ask(service, "a")
        await asyncio.sleep(0.05)
        await service.close()
        with pytest.raises(ServiceFailed, match="closed before it was asked"):
            await call

    asyncio.run(scenario())
    assert not office.files


def test_closing_does_not_wait_for_a_submission_that_the_service_has_put_off(tmp_path: Path) -> None:
    def put_off(method: str, path: str, body: bytes) -> Reaction:
        return busy(600)

    async def scenario(server: ServiceServer) -> None:
        service = _service(server, tmp_path)
        call = _ask(service, "a")
        await _until(lambda: service.activity().paused > 0)
        async with asyncio.timeout(60):
            await service.close()
        with pytest.raises(ServiceFailed, match="closed before it was asked"):
            await call

    with ServiceServer(pages=put_off) as server:
        asyncio.run(scenario(server))


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (400, {"code": "unsupported_value", "param": "temperature", "message": "only 1"}),
        (409, {"message": "Unsupported parameter: 'temperature'"}),
        (502, {"message": "Unsupported parameter: 'temperature'"}),
        (200, {"message": "Unsupported parameter: 'temperature'", "code": 500}),
    ],
)
def test_a_parameter_that_the_model_does_not_take_is_left_out_of_the_next_batch(
    server: ServiceServer, office: BatchOffice, tmp_path: Path, status: int, refusal: dict[str, Any]
) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if "temperature" in body:
            return status, {"error": refusal}
        return 200, json.loads(completion(body, "fine"))

    office.answer = answer

    async def finish_both(service: Service) -> None:
        office.finish()
        async with asyncio.timeout(5):
            await _until(lambda: len(office.batches) == 2)
        office.finish()

    (reply,) = _outcomes(server, office, tmp_path, ["a"], finish_both)
    assert reply.text == "fine"


def test_batches_need_a_folder() -> None:
    with pytest.raises(InputError, match="needs a run directory"):
        Service(ServiceConfig(model="m", api_key_variable=None, batch=BatchConfig()))


def test_a_record_cut_short_by_a_crash_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    record = BatchRecord(tmp_path)
    record.name(record.intend("mark", ["a", "b"], 7.0), "batch_7")
    journal = tmp_path / "batches.jsonl"
    whole = journal.read_bytes()
    for cut in range(len(whole) + 1):
        journal.write_bytes(whole[:cut])
        found = BatchRecord(tmp_path).holding("a")
        assert (found is None) == (cut <= whole.index(b"\n"))
        assert (found is not None and found.name == "batch_7") == (cut == len(whole))
        assert journal.read_bytes() == whole[: cut if cut in (0, len(whole)) else whole[:cut].rfind(b"\n") + 1]


def test_the_record_holds_what_was_answered_and_lets_go_of_the_rest(tmp_path: Path) -> None:
    record = BatchRecord(tmp_path)
    batch = record.intend("mark", ["a", "b"], 7.0)
    record.end(batch, [{"custom_id": "a", "response": {}}])
    again = BatchRecord(tmp_path)
    held = again.holding("a")
    assert held is not None
    assert held.over
    assert again.answers(held) == [{"custom_id": "a", "response": {}}]
    assert again.holding("b") is None


def test_a_line_separator_inside_an_answer_ends_no_line(
    server: ServiceServer, office: BatchOffice, tmp_path: Path
) -> None:
    office.answer = lambda body: (200, json.loads(completion(body, "one\u2028two")))

    async def finish(service: Service) -> None:
        office.finish()
        for name, content in office.files.items():
            office.files[name] = content.replace(b"\\u2028", "\u2028".encode())

    (outcome,) = _outcomes(server, office, tmp_path, ["a"], finish)
    assert isinstance(outcome, Reply)
    assert outcome.text == "one\u2028two"


@pytest.mark.parametrize("damage", [b"{", b"5", b'{"event": "submitted"}', b'{"event": "ended", "mark": "x"}', b"\xff"])
def test_a_damaged_record_is_refused_with_its_line(tmp_path: Path, damage: bytes) -> None:
    record = BatchRecord(tmp_path)
    record.end(record.intend("mark", ["a"], 7.0), [{"custom_id": "a"}])
    journal = tmp_path / "batches.jsonl"
    with journal.open("ab") as file:
        file.write(damage + b"\n")
    with pytest.raises(InputError, match=r"batches\.jsonl, line 3 is damaged"):
        BatchRecord(tmp_path)


def test_damaged_answers_of_a_batch_are_refused_with_their_line(tmp_path: Path) -> None:
    record = BatchRecord(tmp_path)
    batch = record.intend("mark", ["a"], 7.0)
    record.end(batch, [{"custom_id": "a"}])
    (tmp_path / "mark.jsonl").write_bytes(b'{"custom')
    with pytest.raises(InputError, match=r"mark\.jsonl, line 1 is damaged"):
        record.answers(batch)
    (tmp_path / "mark.jsonl").unlink()
    with pytest.raises(InputError, match=r"mark\.jsonl cannot be read \(No such file"):
        record.answers(batch)
