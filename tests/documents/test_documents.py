"""What the documents show is what adscribe does."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from attribution import report_names
from warehouse.config import Config
from warehouse.schemas import TABLES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ADSCRIBE = Path(sys.executable).with_name("adscribe")


def _blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text("utf-8"), re.M | re.S)


def _commands(block: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what is shown of their output."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _shows(shown: str, printed: str) -> bool:
    """Tell whether `printed` is what is shown, where a line of … stands for any lines."""
    lines = (re.escape(line) for line in shown.strip().split("\n"))
    pattern = r"\n".join(lines).replace("…", r"(?:.*\n)*?.*")
    plain = "\n".join(line.rstrip() for line in printed.strip().split("\n"))
    return re.fullmatch(pattern, plain) is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.mark.slow
def test_commands_of_the_readme_print_what_it_shows(folder: Path) -> None:
    commands = [
        pair for block in _blocks(ROOT / "README.md", "console") for pair in _commands(block)
    ]

    assert len(commands) >= 5
    for command, shown in commands:
        words = shlex.split(command)
        assert words[0] == "adscribe"
        done = subprocess.run(
            [ADSCRIBE, *words[1:]], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert _shows(shown, done.stdout), f"{command} prints:\n{done.stdout}"
    for block in _blocks(ROOT / "README.md", "python"):
        subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=folder, check=True)


def test_every_command_in_a_document_is_tried() -> None:
    for document in DOCUMENTS[1:]:
        assert not _blocks(document, "console"), f"{document.name}: show commands in the README"


def test_documented_configuration_is_the_default_one() -> None:
    (block,) = _blocks(ROOT / "docs" / "configuration.md", "toml")
    content = tomllib.loads(block)

    assert content.pop("columns") == {"touchpoints": {}, "signals": {}}
    assert Config.model_validate(content) == Config()
    every_key = block.replace("# ", "").replace("#", "\n#")
    for section, model in (("warehouse", Config().warehouse), ("privacy", Config().privacy)):
        for key in type(model).model_fields:
            assert re.search(rf"^{key} = ", every_key, re.M), f"[{section}] {key} is not documented"


def test_documented_columns_are_those_of_the_schemas() -> None:
    text = (ROOT / "docs" / "logs.md").read_text("utf-8")
    for table in TABLES.values():
        row = re.search(rf"^\| {table.name} \|.*\| (.*) \|$", text, re.M)
        assert row is not None
        assert [name.strip("* ") for name in row[1].split(",")] == list(table.columns)
        assert re.findall(r"\*\*(\w+)\*\*", row[1]) == table.required


def test_every_report_is_named_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for name in report_names():
        assert name in text


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
