"""Promises of the docs, counted: generated pages are current, links lead somewhere, every metric and command is told."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md"), *ROOT.glob("examples/**/*.md")]
PAGES = [page for page in PAGES if "node_modules" not in page.parts]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "rest.md"])
def test_generated_pages_are_as_new_as_the_code(generate: ModuleType, page: str) -> None:
    assert (ROOT / "docs" / page).read_text() == generate.PAGES[page](), "run 'make docs'"


def test_every_resource_is_on_the_page_about_rest() -> None:
    page = (ROOT / "docs" / "rest.md").read_text()
    for resource in (ROOT / "src" / "hauberk" / "api").glob("*.py"):
        for method, path in re.findall(r'@(?:zone|own|account|compatible)\.(get|put|post|patch|delete)\("([^"]+)"', resource.read_text()):
            assert re.search(rf"`{method.upper()} \S*{re.escape(path)}`", page), f"{resource.name}: {method} {path}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def test_error_codes_are_told_apart(generate: ModuleType) -> None:
    codes = [cls.code for cls in generate.error_classes()]
    assert len(codes) == len(set(codes))


def test_nothing_speaks_of_the_machine_it_was_written_on() -> None:
    files = [
        path
        for folder in ("src", "crates", "docs", "tests", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".rs", ".md", ".toml"}
    ]
    wrong = [str(path) for path in files if re.search(r"/(work|root|farm)/", path.read_text()) and path != Path(__file__)]
    assert not wrong
