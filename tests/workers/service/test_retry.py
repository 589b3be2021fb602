from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema.service import ServiceConfig
from workers.service.error_mapping import ClassifiedError
from workers.service.error_words import pause_asked
from workers.service.failures import ServiceFailed, ServiceRefused, ServiceSilent, ServiceUnreachable
from workers.service.retry import FEW_ATTEMPTS, FEW_CALLERS, FIRST, LONGEST, Outage, Retries

BROKEN = ClassifiedError(ServiceFailed("http://x answered 500"), passing=True)
SILENT = ClassifiedError(ServiceSilent("http://x lost the connection"), passing=True, silent=True)
BUSY = ClassifiedError(ServiceFailed("http://x answered 429"), passing=True, silent=True, slow_down=True)


def _config(**knobs: object) -> ServiceConfig:
    return ServiceConfig.model_validate({"model": "m", "max_retries": 4, "patience": 1000, "outage": 60} | knobs)


def _retries(outage: Outage, caller: int = 0, **knobs: object) -> Retries:
    retries = Retries(_config(**knobs), outage, caller, Random(caller))
    retries.begin(0.0)
    return retries


def _suspected() -> Outage:
    outage = Outage(60)
    for caller in range(FEW_CALLERS):
        outage.met(100 + caller, 0.0)
    return outage


@given(st.integers(0, 20), st.integers(0, 2**32))
def test_a_fault_of_the_request_is_tried_as_often_as_the_config_says(max_retries: int, seed: int) -> None:
    retries = Retries(_config(max_retries=max_retries, patience=1e9), Outage(60), 0, Random(seed))
    retries.begin(0.0)
    for attempt in range(max_retries):
        assert 0 <= retries.pause(BROKEN, 0.0, 1.0) <= min(LONGEST, FIRST * 2**attempt)
    with pytest.raises(ServiceFailed, match="500"):
        retries.pause(BROKEN, 0.0, 1.0)


def test_pauses_differ_between_callers() -> None:
    pauses = {_retries(Outage(60), caller).pause(BROKEN, 0.0, 0.0) for caller in range(10)}
    assert len(pauses) == 10


def test_slow_down_is_not_counted_while_others_are_answered() -> None:
    outage = Outage(1e9)
    retries = _retries(outage, max_retries=0)
    for _ in range(50):
        outage.answered(0.0)
        retries.pause(BUSY, 0.0, 1.0)
    with pytest.raises(ServiceFailed, match="429"):
        retries.pause(BUSY, 0.0, 1.0)


def test_patience_ends_a_call_that_is_told_to_slow_down_for_ever() -> None:
    outage = Outage(1e9)
    retries = _retries(outage, patience=100)
    outage.answered(0.0)
    retries.pause(BUSY, 40.0, 50.0)
    outage.answered(0.0)
    with pytest.raises(ServiceFailed, match="429"):
        retries.pause(BUSY, 90.0, 101.0)


def test_silence_is_counted_until_several_callers_met_it() -> None:
    few = Outage(60)
    few.met(100, 0.0)
    retries = _retries(few, max_retries=0)
    with pytest.raises(ServiceFailed, match="lost the connection"):
        retries.pause(SILENT, 0.0, 1.0)
    patient = _retries(_suspected(), max_retries=0)
    for attempt in range(30):
        patient.pause(SILENT, float(attempt), attempt + 1.0)


def test_silence_for_too_long_stops_the_run_with_the_last_reason() -> None:
    retries = _retries(_suspected(), max_retries=0)
    for _ in range(FEW_ATTEMPTS):
        retries.pause(SILENT, 1.0, 59.0)
    with pytest.raises(
        ServiceUnreachable, match=r"has answered no request for 61 s .*lost the connection.*: check base_url"
    ):
        retries.pause(SILENT, 60.0, 61.0)


def test_few_attempts_prove_no_outage_however_long_they_took() -> None:
    _retries(_suspected()).pause(SILENT, 1.0, 900.0)


def test_one_answer_ends_the_suspicion() -> None:
    outage = _suspected()
    assert outage.suspected
    outage.answered(0.0)
    assert not outage.suspected


def test_attempts_begun_before_the_last_answer_prove_no_silence_before_it() -> None:
    outage = Outage(60)
    outage.answered(595.0)
    retries = [_retries(outage, caller) for caller in range(FEW_ATTEMPTS)]
    for one in retries:
        one.pause(SILENT, 0.0, 600.0)
    with pytest.raises(ServiceUnreachable, match="for 65 s"):
        retries[0].pause(SILENT, 600.0, 660.0)


def test_a_pause_that_the_service_asks_for_is_no_silence() -> None:
    outage = _suspected()
    retries = _retries(outage, max_retries=0)
    for _ in range(FEW_ATTEMPTS):
        retries.pause(ClassifiedError(BUSY.failure, passing=True, silent=True, slow_down=True, pause=200.0), 1.0, 2.0)
    retries.pause(SILENT, 203.0, 204.0)
    with pytest.raises(ServiceUnreachable):
        retries.pause(SILENT, 250.0, 263.0)


def test_a_pause_beyond_our_patience_stops_the_run() -> None:
    error = ClassifiedError(BUSY.failure, passing=True, slow_down=True, pause=1001.0)
    with pytest.raises(ServiceRefused, match=r"a pause of 1,001 s, longer than service.patience \(1,000 s\)"):
        _retries(Outage(60)).pause(error, 0.0, 0.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:10 GMT"}, 10),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_retry_after_is_read_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    assert pause_asked(headers, now=1445412480.0) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_reader(value: str) -> None:
    seconds = pause_asked({"retry-after": value}, now=0.0)
    assert seconds is None or seconds >= 0


def test_a_service_that_asks_for_a_second_for_ever_is_given_up_after_the_outage() -> None:
    outage = Outage(60)
    calls = [_retries(outage, caller, max_retries=20) for caller in range(4)]
    asks = ClassifiedError(BUSY.failure, passing=True, congestion=True, slow_down=True, pause=1.0, silent=True)
    for second in range(61):
        calls[second % 4].begin(float(second))
        calls[second % 4].pause(asks, float(second), float(second))
    with pytest.raises(ServiceUnreachable, match=r"has answered no request for 60 s .*429.*: go on when it is back"):
        calls[0].pause(asks, 61.0, 61.0)


def test_one_long_pause_that_the_service_asks_for_is_no_outage() -> None:
    outage = Outage(60)
    call = _retries(outage)
    call.begin(0.0)
    call.pause(ClassifiedError(BUSY.failure, passing=True, slow_down=True, pause=300.0, silent=True), 0.0, 0.0)
    call.pause(ClassifiedError(BUSY.failure, passing=True, slow_down=True, pause=300.0, silent=True), 300.0, 301.0)
