import base64
import codecs
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.service.error_mapping import visible
from workers.service.redaction import Redactor

KEY = "sk-proj-Zk3vQ9tLmX7aBc2dEfGh4jKp"
KEYS = st.text(string.ascii_letters + string.digits + "-_", min_size=20, max_size=120).filter(
    lambda key: len(set(key)) > 8
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


def _spoken(body: bytes) -> str:
    return str(json.loads(Redactor([KEY]).body(body))["words"])


def _body(words: str) -> bytes:
    return json.dumps({"words": words}).encode()


@pytest.mark.parametrize(
    "shown",
    [
        KEY,
        KEY.upper(),
        KEY[:12],
        KEY[-12:],
        KEY[9:21],
        f"{KEY[:7]}************{KEY[-4:]}",
        f"{KEY[:5]}...{KEY[-4:]}",
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        base64.b64encode(f"x:{KEY}".encode()).decode(),
        base64.urlsafe_b64encode(KEY[:24].encode()).decode(),
        quote(KEY, safe=""),
        "".join(f"%{ord(character):02X}" for character in KEY),
        KEY.encode().hex(),
        KEY[::-1],
        KEY[::-1][3:15],
        base64.b64encode(KEY[::-1].encode()).decode(),
    ],
)
def test_a_key_is_hidden_however_a_service_shows_it(shown: str) -> None:
    words = _spoken(_body(f"Fine. The key is {shown} indeed. Rating: [[7]]"))
    assert "***" in words
    assert words.endswith(" indeed. Rating: [[7]]")
    for piece in (KEY[:8], KEY[-8:], KEY[8:16], shown[:12], shown[-12:]):
        assert piece not in words


def test_a_key_in_json_escapes_or_in_another_encoding_is_hidden() -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in KEY)
    assert _spoken(f'{{"words": "it is {escaped}"}}'.encode()) == "it is ***"
    assert _spoken(json.dumps({"words": f"it is {KEY}"}).encode("utf-16")) == "it is ***"
    assert KEY.encode() not in Redactor([KEY]).body(f"<html>{KEY}</html>".encode())
    assert KEY.encode() not in Redactor([KEY]).body(b"\xe9\xff" + KEY.encode())


@pytest.mark.parametrize(
    "shown",
    [
        " ".join(KEY),
        "\r\n".join(KEY[at : at + 4] for at in range(0, len(KEY), 4)),
        "-".join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
        "\u200b".join(KEY),
        str([*KEY]),
        str([ord(character) for character in KEY]),
        ":".join(f"{ord(character):02x}" for character in KEY),
        "".join(f"\\x{ord(character):02x}" for character in KEY),
        "".join(f"\\u{ord(character):04x}" for character in KEY),
        "".join(f"&#{ord(character)};" for character in KEY),
        quote("".join(f"%{ord(character):02x}" for character in KEY), safe=""),
        "".join(chr(ord(character) + 0xFEE0) for character in KEY),
        base64.b32encode(KEY.encode()).decode(),
        base64.b64encode(base64.b64encode(KEY.encode())).decode(),
        codecs.encode(KEY, "rot13"),
    ],
)
def test_a_key_is_hidden_that_is_spread_over_a_text_or_spelled_character_by_character(shown: str) -> None:
    words = _spoken(_body(f"Fine. The key is {shown} indeed. Rating: [[7]]"))
    assert "***" in words
    assert words.startswith("Fine. The key is ")
    assert words.endswith(" indeed. Rating: [[7]]")
    assert len(words) < 60


def test_parts_of_a_reply_that_show_a_key_together_are_hidden_together() -> None:
    redactor = Redactor([KEY])
    parts = [json.loads(redactor.body(_body(KEY[at : at + 6])))["words"] for at in range(0, len(KEY), 6)]
    shown = redactor.words("It is " + "".join(parts))
    assert not [piece for piece in (KEY[:8], KEY[6:18], KEY[-8:]) if piece in shown]
    assert redactor.words("It is fine.") == "It is fine."


@given(KEYS, WORDS, WORDS)
def test_no_key_passes_whatever_stands_around_it(key: str, before: str, after: str) -> None:
    body = json.dumps({"words": before + key + after}).encode()
    assert key not in json.loads(Redactor([key]).body(body))["words"]


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40) | st.integers() | st.none(), max_size=5))
def test_a_reply_without_the_key_stays_as_it_is(reply: dict[str, object]) -> None:
    body = json.dumps(reply).encode()
    assert Redactor(["Qq" + "9Zx8Vw7" * 4]).body(body) == body


@pytest.mark.parametrize("key", ["none", "EMPTY", "test", "5"])
def test_a_short_word_in_the_place_of_a_key_stays_in_answers_and_goes_from_complaints(key: str) -> None:
    body = _body(f"{key} of them: [[5]]")
    assert Redactor([key]).body(body) == body
    assert key not in Redactor([key]).complaint(f"bad key '{key}'")


def test_a_complaint_shows_not_even_four_characters_of_an_end() -> None:
    shown = Redactor([KEY]).complaint(f"no key {KEY[:4]}, none that ends in {KEY[-4:]}")
    assert KEY[-4:] not in shown
    assert KEY[:4] not in shown


def test_what_commands_a_terminal_is_spelled_out() -> None:
    assert visible("a\x1b[31mb\x07\r\nc\u202ed\x9bm") == "a\\x1b[31mb\\x07 c\\u202ed\\x9bm"
