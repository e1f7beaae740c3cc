"""Hooks of MkDocs: pages that lie outside of docs/, links as they stand in the repository, formulas as MathML.

All of it happens while the site is built, so that no page loads a script from elsewhere and no text is kept twice.
"""

import os
import re
from html import unescape
from pathlib import Path, PurePosixPath

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# Files of the repository that the site shows, and what they are called there.
OUTSIDE = {
    "README.md": "index.md",
    "config/README.md": "experiment-file.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE.txt",
}
SHOWN_AS = {page: path for path, page in OUTSIDE.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that lie outside of docs/."""
    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here = PurePosixPath(page.file.src_uri)
    folder = PurePosixPath(SHOWN_AS.get(str(here), f"docs/{here}")).parent

    def on_site(match: re.Match[str]) -> str:
        path = os.path.normpath(folder / match[1])
        target = OUTSIDE.get(path, path.removeprefix("docs/"))
        return f"]({os.path.relpath(target, here.parent)}{match[2]})" if (ROOT / path).is_file() else match[0]

    return re.sub(r"\]\(([^)\s#:]+)(#[^)\s]*|)\)", on_site, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write formulas, which arithmatex has found, as MathML, which browsers draw by themselves."""
    html = re.sub(r'<span class="arithmatex">\\\((.*?)\\\)</span>', lambda match: convert(unescape(match[1])), html, flags=re.DOTALL)
    return re.sub(
        r'<div class="arithmatex">\\\[(.*?)\\\]</div>',
        lambda match: convert(unescape(match[1]), display="block"),
        html,
        flags=re.DOTALL,
    )
