"""The public API of `search` under the name that is installed: `import demosearch`."""

from pathlib import Path

import search

if Path(__file__).parent not in Path(search.__file__ or "").parents:
    raise ImportError(
        f"{search.__file__ or 'a folder named search'} stands in the way of demosearch's own package `search`: rename "
        "it, or start Python in another folder"
    )

from search import *  # noqa: F403 -- all of it, once it is known to be ours

__all__ = search.__all__
