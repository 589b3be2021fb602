"""Where a service is and what opens it: address and key, checked before anything is sent."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from configs.errors import InputError

OPENAI = "https://api.openai.com/v1"
"""Spelled out: without an address the openai client follows OPENAI_BASE_URL, another judge under one fingerprint."""

NO_KEY = "none"
"""What a server that asks for no key is sent; the openai client insists on one."""


def read_key(variable: str | None, environment: Mapping[str, str]) -> str:
    """The key that this environment variable holds.

    Raises:
        InputError: it holds none, or something that cannot travel in a header.
    """
    if variable is None:
        return NO_KEY
    key = environment.get(variable, "").strip()
    if not key:
        raise InputError(
            f"the environment variable {variable} holds no key for the service: export it, or set api_key_variable to "
            "the name of another one (null for a server that asks for none)"
        )
    if not all("!" <= character <= "~" for character in key):
        raise InputError(f"the key in the environment variable {variable} has characters that no key has: copy it anew")
    return key


def resolve_address(base_url: str | None) -> str:
    """The address in one spelling; OpenAI's own for None.

    Raises:
        InputError: no http address, or one with a password or a query in it.
    """
    if base_url is None:
        return OPENAI
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError("the service's base_url must be an address such as http://127.0.0.1:8000/v1")
    if "@" in parts.netloc:
        raise InputError(
            "the service's base_url holds a user or password, and it is kept with the run: use api_key_variable"
        )
    if parts.query or parts.fragment:
        raise InputError(
            "the service's base_url holds more than an address (after ? or #), and it is kept with the run: leave it "
            "out, and put a key into the variable that api_key_variable names"
        )
    return base_url.rstrip("/")


def root_of(base_url: str) -> str:
    """Where a server's own addresses begin, `/tokenize` or `/props`: the base URL without a final `/v1`."""
    return base_url.removesuffix("/v1")


def is_loopback(address: str) -> bool:
    """Whether this is the machine we run on."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified
