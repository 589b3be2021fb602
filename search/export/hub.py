"""A data set of a Hugging Face hub. All it does is `huggingface_hub`'s; it only says what to do when that cannot."""

import re
from pathlib import Path

from huggingface_hub import HfApi, get_token

from configs.errors import InputError, reason_of


class Hub:
    """A data set of the Hugging Face hub, to be written.

    Args:
            name: OWNER/NAME.
            private: where it has to be made.

    Raises:
        InputError: that is no name, or there is no token.
    """

    def __init__(self, name: str, private: bool) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise InputError(f"{name!r} is not a data set's name on the hub: use OWNER/NAME")
        if get_token() is None:
            raise InputError("a token for the hub is missing: `hf auth login`, or set HF_TOKEN to one that may write")
        self._name = name
        self._private = private

    def upload(self, folder: Path, names: list[str]) -> str:
        """Upload these files of the folder, in one commit; returns the data set's address. Raises InputError where the
        hub refuses.
        """
        api = HfApi()
        try:
            address = api.create_repo(self._name, repo_type="dataset", private=self._private, exist_ok=True)
            api.upload_folder(
                repo_id=self._name,
                folder_path=folder,
                repo_type="dataset",
                allow_patterns=names,
                commit_message="demosearch push",
            )
        except Exception as error:  # the library raises its own, its HTTP library's, OSError and ValueError
            raise InputError(
                f"{folder} is written, but the upload failed ({reason_of(error)}): check the token and the name, "
                "then push again"
            ) from None
        return str(address)
