import pytest

from configs.errors import InputError
from configs.schema.service import ServiceConfig
from workers.service.access import NO_KEY, OPENAI, is_loopback, read_key, resolve_address, root_of
from workers.service.service import Service


@pytest.mark.parametrize("environment", [{}, {"THE_KEY": ""}, {"THE_KEY": " \n"}, {"OPENAI_API_KEY": "sk-1"}])
def test_a_missing_key_is_named_by_its_variable_when_the_service_is_made(environment: dict[str, str]) -> None:
    with pytest.raises(InputError, match="environment variable THE_KEY holds no key"):
        Service(ServiceConfig(model="judge", api_key_variable="THE_KEY"), environment)


def test_white_space_around_a_key_is_not_part_of_it() -> None:
    assert read_key("THE_KEY", {"THE_KEY": " sk-1\r\n"}) == "sk-1"


def test_a_service_without_a_key_needs_no_variable() -> None:
    assert read_key(None, {}) == NO_KEY


@pytest.mark.parametrize("key", ["sk-1\nsk-2", "sk- 1", "schlüssel"])
def test_a_key_that_cannot_travel_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InputError, match="THE_KEY has characters that are not allowed in a key") as caught:
        read_key("THE_KEY", {"THE_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8000/v1", "localhost", "", "ftp://host/v1", "http://", "http://host:port/v1", "http://[::1/v1",
     "http://a b/v1", "http://h/\x07", "http://h/v1\u00a0"],
)  # fmt: skip
def test_an_address_that_cannot_work_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=r"must be an address such as http://127\.0\.0\.1:8000/v1"):
        resolve_address(address)


def test_a_password_in_the_address_is_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match="holds a user or password") as caught:
        resolve_address("https://me:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


def test_no_address_is_openais_own_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    assert Service(ServiceConfig(model="judge", api_key_variable=None)).base_url == OPENAI


def test_an_address_has_one_spelling() -> None:
    assert resolve_address("http://host/v1/") == resolve_address("http://host/v1") == "http://host/v1"


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.8.8/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://0.0.0.0:8000/v1", True),
        (OPENAI, False),
        ("http://10.0.0.7:8000/v1", False),
        ("http://localhost.example.org/v1", False),
    ],
)
def test_loopback_is_this_machine_alone(address: str, here: bool) -> None:
    assert is_loopback(address) is here


def test_a_key_in_the_addresss_query_is_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match="more than an address") as caught:
        resolve_address("https://host/v1?api-key=hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://host:8000/v1", "http://host:8000"])
def test_a_servers_own_addresses_begin_before_its_v1(address: str) -> None:
    assert root_of(address) == "http://host:8000"
