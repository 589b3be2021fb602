import base64
import binascii
import bz2
import codecs
import gzip
import io
import json
import lzma
import string
import zipfile
import zlib
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


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("environment", DUMP)
    return file.getvalue()


DUMP = f"POST /v1/chat HTTP/1.1\nAuthorization: Bearer {KEY}\n".encode() * 3
DEFLATED = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    "shown",
    [
        base64.b64encode(gzip.compress(KEY.encode(), mtime=0)).decode(),
        base64.b64encode(gzip.compress(KEY[4:-4].encode(), mtime=0)).decode(),
        base64.urlsafe_b64encode(gzip.compress(DUMP, mtime=0)).decode(),
        base64.b64encode(zlib.compress(DUMP)).decode(),
        base64.b64encode(DEFLATED.compress(DUMP) + DEFLATED.flush()).decode(),
        base64.b64encode(bz2.compress(DUMP)).decode(),
        base64.b64encode(lzma.compress(DUMP)).decode(),
        base64.b64encode(_zipped()).decode(),
        f"data:application/gzip;base64,{base64.b64encode(gzip.compress(DUMP, mtime=0)).decode()}",
        base64.encodebytes(gzip.compress(DUMP + bytes(range(256)), mtime=0)).decode().strip(),
        base64.b64encode(gzip.compress(base64.b64encode(DUMP), mtime=0)).decode(),
        base64.b32encode(gzip.compress(DUMP, mtime=0)).decode(),
        base64.b85encode(KEY.encode()).decode(),
        base64.a85encode(KEY.encode()).decode(),
        gzip.compress(DUMP, mtime=0).hex(),
        repr(gzip.compress(DUMP, mtime=0)),
        base64.b64encode(KEY.encode("utf-16-le")).decode(),
        base64.b64encode(KEY.encode().hex().encode()).decode(),
        base64.b64encode(base64.b64encode(base64.b64encode(KEY.encode()))).decode(),
        binascii.b2a_uu(KEY.encode()).decode().strip(),
        "".join(f"\\{ord(character):03o}" for character in KEY),
        " ".join(f"{ord(character):08b}" for character in KEY),
        " ".join(f"0x{ord(character):02x}" for character in KEY),
    ],
)
def test_a_key_is_hidden_that_is_compressed_or_encoded_in_several_ways(shown: str) -> None:
    words = _spoken(_body(f"Fine. The key is {shown} indeed. Rating: [[7]]"))
    assert "***" in words
    assert shown not in words
    assert words.startswith("Fine. The key is ")
    assert words.endswith(" indeed. Rating: [[7]]")
    assert len(words) < 90


def test_a_key_in_compressed_bytes_is_hidden() -> None:
    assert _spoken(_body("It is " + gzip.compress(DUMP, mtime=0).decode("latin-1"))) == "It is ***"


@pytest.mark.parametrize("shown", [f"****{KEY[10:17]}****", f"...{KEY[12:18]}...", f"{KEY[:4]}\u2026{KEY[-4:]}"])
def test_a_part_of_a_key_beside_a_mask_is_hidden(shown: str) -> None:
    words = _spoken(_body(f"The key {shown} is wrong."))
    assert "***" in words
    assert not [piece for piece in (KEY[10:17], KEY[12:18], KEY[-4:]) if piece in words]


def test_words_stay_in_answers_though_a_key_is_made_of_them() -> None:
    body = _body("**Local** and **token** are words, as are local, server and Server, which end it.")
    assert Redactor(["my-token-abc123-local-server"]).body(body) == body


@pytest.mark.parametrize(
    "words",
    [
        "Look at https://example.org/a/long/path/to/some_file-name?query=1 ... and at 0x1F600, 10101010, \\x41.",
        base64.b64encode(gzip.compress(b"Nothing that is secret stands here, at all." * 9, mtime=0)).decode(),
        "def f(x): return {'a': x, \"b\": [1, 2]}\n\t# " + "abcdefghijklmnopqrstuvwxyz" * 3,
        repr(bytes(range(256))),
    ],
)
def test_words_that_look_encoded_and_hold_no_key_stay(words: str) -> None:
    assert _spoken(_body(words)) == words


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


@pytest.mark.parametrize("character", ["x", "\\"])
def test_a_reply_of_one_character_alone_is_read_before_a_test_runs_out_of_time(character: str) -> None:
    """A model that loops writes such ones."""
    assert _spoken(_body(character * 400_000)) == character * 400_000
    assert _spoken(_body(character * 9_000 + KEY)) == character * 9_000 + "***"


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
