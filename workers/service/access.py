"""The address of a service and what opens it, its key and headers, checked before anything is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from configs.errors import InputError
from configs.schema.service import ServiceConfig
from workers.service.redaction import Redactor

OPENAI = "https://api.openai.com/v1"
"""OpenAI's address, spelled out: without one the openai client follows OPENAI_BASE_URL, another judge under one
fingerprint.
"""

NO_KEY = "none"
"""What a server that asks for no key is sent; the openai client insists on one."""

_KEY_LIKE = re.compile(
    r"^(sk|pk|rk|hf|gsk|xai|ghp|api|key|token|secret)[-_]\S{12,}|^AIza\S{20,}|^ey[A-Za-z0-9]\S{20,}", re.I
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_LONG_RUN = re.compile(r"[A-Za-z0-9]{20,}")


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to ask a service.

    Attributes:
        base_url: with whatever secret stands in its path.
        shown_url: the same for people, fingerprints and files.
        key: sent as bearer token.
        headers: sent with every request.
        redactor: of everything in here that is secret.
    """

    base_url: str
    shown_url: str
    key: str
    headers: Mapping[str, str]
    redactor: Redactor


def open_access(config: ServiceConfig, environment: Mapping[str, str]) -> Access:
    """Read what a config names.

    Raises:
        InputError: an address that cannot work or holds a secret, or an environment variable without a value.
    """
    key = read_key(config.api_key_variable, environment)
    secret_headers = {name: _read(variable, environment) for name, variable in config.header_variables.items()}
    secrets = [*secret_headers.values(), *_proxy_passwords()]
    if config.api_key_variable is not None:
        secrets.append(key)
    if config.base_url_variable is None:
        base_url = shown = resolve_address(config.base_url)
        _refuse_secret_path(base_url, Redactor(secrets))
    else:
        base_url = resolve_address(_read(config.base_url_variable, environment), config.base_url_variable)
        parts = urlsplit(base_url)
        shown = f"{parts.scheme}://{parts.netloc}/$" + config.base_url_variable
        secrets += unquote(parts.path).split("/")
    return Access(base_url, shown, key, {**config.headers, **secret_headers}, Redactor(secrets))


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
        raise InputError(
            f"the key in the environment variable {variable} has characters that are not allowed in a key: copy it "
            "again"
        )
    return key


def resolve_address(base_url: str | None, variable: str | None = None) -> str:
    """The address in one spelling; OpenAI's own for None.

    Args:
        variable: the environment variable that it was read from.

    Raises:
        InputError: no http address, or one with a password or a query in it.
    """
    if base_url is None:
        return OPENAI
    name = f"the address in {variable}" if variable else "the service's base_url"
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        good = good and base_url.isprintable() and not any(map(str.isspace, base_url))
    except ValueError:
        good = False
    if not good:
        raise InputError(f"{name} must be an address such as http://127.0.0.1:8000/v1")
    if "@" in parts.netloc:
        raise InputError(f"{name} holds a user or password, which may end up in a file: use api_key_variable")
    if parts.query or parts.fragment:
        raise InputError(
            f"{name} holds more than an address (after ? or #), which may end up in a file: leave it out, and put a "
            "key into the variable that api_key_variable names"
        )
    return base_url.rstrip("/")


def _read(variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable, "").strip()
    if not value or not all(" " <= character <= "~" for character in value):
        raise InputError(f"the environment variable {variable} holds nothing that can be sent: export it")
    return value


def _refuse_secret_path(base_url: str, redactor: Redactor) -> None:
    path = unquote(urlsplit(base_url).path)
    if redactor.shows(path) or redactor.shows(base_url) or any(_is_key_like(part) for part in path.split("/")):
        raise InputError(
            "the path of the service's base_url looks as if it held a key, and it is kept with the run: put the whole "
            "address into an environment variable and name that as base_url_variable instead"
        )


def _is_key_like(part: str) -> bool:
    """Whether a part of a path may be a secret: a key's usual beginning, or letters and digits in one long run."""
    if _UUID.fullmatch(part):
        return False
    runs = _LONG_RUN.findall(part)
    return bool(_KEY_LIKE.search(part)) or any(re.search(r"\d", run) and re.search(r"[A-Za-z]", run) for run in runs)


def _proxy_passwords() -> list[str]:
    passwords = []
    for proxy in getproxies().values():
        try:
            passwords.append(urlsplit(proxy).password or "")
        except ValueError:
            continue
    return passwords


def is_behind_proxy(base_url: str) -> bool:
    """Whether the environment names a proxy that this address is asked through."""
    parts = urlsplit(base_url)
    named = getproxies().keys() & {parts.scheme, "all"}
    return bool(named) and not is_loopback(base_url) and not proxy_bypass(parts.hostname or "")


def root_of(base_url: str) -> str:
    """The beginning of a server's own addresses, `/tokenize` or `/props`: the base URL without a final `/v1`."""
    return base_url.removesuffix("/v1")


def is_openai(base_url: str) -> bool:
    """Whether this is OpenAI itself, in whichever region."""
    return f".{urlsplit(base_url).hostname}".endswith(".api.openai.com")


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
