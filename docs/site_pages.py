"""A hook of MkDocs: pages that stand outside docs/, notebooks as pages, and links between all of them.

The repository's pages are written to be read where they are, so their links lead through its folders. On the site, the
files of docs/ and of the top level lie in one folder; a link to a file that is no page leads to a copy of it, and one
to a folder becomes its name.
"""

import re
from pathlib import Path
from posixpath import join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parent.parent
_PAGES = {"README.md": "index.md"} | {
    name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "LOG.md", "SECURITY.md")
}
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_NAMED_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.M | re.S)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands outside docs/: pages, notebooks, and every file that a page has a link to."""
    for source, place in _PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text(encoding="utf-8")))
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _add_notebook(files, config, notebook)
    texts = [(_repository_path(file.src_uri), file.content_string) for file in files.documentation_pages()]
    for source, text in texts:
        for target, _ in _LINK.findall(_without_code(text)):
            path = normpath(join(str(Path(source).parent), target))
            place = _site_path(path)
            if (ROOT / path).is_file() and files.get_file_from_path(place) is None:
                files.append(File.generated(config, place, content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 -- as MkDocs calls it
    """Turn links through the repository into links through the site."""
    source = _repository_path(page.file.src_uri)
    here = str(Path(page.file.src_uri).parent)

    def path_of(target: str) -> str:
        return normpath(join(str(Path(source).parent), target))

    def named(found: re.Match[str]) -> str:
        name, target = found.groups()
        is_folder = "://" not in target and (ROOT / path_of(target)).is_dir()
        return f"`{name.strip('`')}`" if is_folder else found.group()

    def led(found: re.Match[str]) -> str:
        return relpath(_site_path(path_of(found[1])), here) + (found[2] or "")

    parts, end = [], 0
    for fence in [*_FENCE.finditer(markdown), None]:
        prose = markdown[end : fence.start() if fence else None]
        parts.append(_LINK.sub(led, _NAMED_LINK.sub(named, prose)))
        if fence:
            parts.append(fence.group())
            end = fence.end()
    return "".join(parts)


def _add_notebook(files: Files, config: MkDocsConfig, notebook: Path) -> None:
    """The notebook with its recorded outputs; pictures lie beside it."""
    text, resources = MarkdownExporter().from_filename(str(notebook))
    for name, content in resources["outputs"].items():
        picture = f"{notebook.stem}-{name}"
        text = text.replace(f"]({name})", f"]({picture})")
        files.append(File.generated(config, f"notebooks/{picture}", content=content))
    files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=text))


def _without_code(text: str) -> str:
    return _FENCE.sub("", text)


def _site_path(path: str) -> str:
    """Where a file of the repository lies on the site."""
    if path in _PAGES:
        return _PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path


def _repository_path(place: str) -> str:
    """The inverse of `_site_path`, for pages."""
    for source, own in _PAGES.items():
        if place == own:
            return source
    return place if place.startswith("notebooks/") else f"docs/{place}"
