"""Whether the hub that models are fetched from can be reached, found out within seconds."""

import os
from functools import lru_cache
from threading import Thread

PATIENCE = 3.0
"""Seconds that an answer is waited for. The hub's own library tries five times again, for half a minute a file."""


def hub_is_reachable() -> bool:
    """Whether the hub of this machine's settings answers; asked once a process, never where they say that it is offline
    (`HF_HUB_OFFLINE`)."""
    from huggingface_hub import constants, is_offline_mode  # noqa: PLC0415 -- heavy

    if is_offline_mode() or os.environ.get("HF_HUB_OFFLINE", "").upper() in constants.ENV_VARS_TRUE_VALUES:
        return False
    return answers(constants.ENDPOINT)


@lru_cache(maxsize=8)
def answers(address: str, seconds: float = PATIENCE) -> bool:
    """Whether anything answers at this address, with whatever status. Proxies are taken from the environment. A look-up
    of its name that hangs is left behind."""
    from huggingface_hub import get_session  # noqa: PLC0415 -- heavy

    heard: list[int] = []

    def ask() -> None:
        try:
            heard.append(get_session().head(address, timeout=seconds).status_code)
        except Exception:  # of httpx or httpx2, as the hub's library has it: whatever fails, nobody has answered
            return

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return bool(heard)
