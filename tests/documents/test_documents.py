"""What the documents show is what adscribe does."""

import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import duckdb
import pytest

import cli
from attribution import report_names
from attribution.learned.caused import REPLICATES
from attribution.learned.incremental import IncrementalModel
from matching.blocking import WEIGHTS
from warehouse.config import Config, IdentityRule, Method
from warehouse.recipes import Refusal
from warehouse.schemas import TABLES

ROOT = Path(__file__).parents[2]
CREDITED = """
SELECT campaign_id, credited FROM campaign_effects
WHERE model = 'incremental' AND campaign_id IS NOT NULL AND model_version = (
    SELECT max_by(model_version, last_day) FROM credit_models
    WHERE model = 'incremental' AND status = 'accepted'
)
"""
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text("utf-8"), re.M | re.S)


def _statements(document: Path) -> list[str]:
    """Return the statements that a document shows."""
    return [one for block in _blocks(document, "sql") for one in block.split(";") if one.strip()]


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
def test_commands_of_the_readme_print_what_it_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [
        pair for block in _blocks(ROOT / "README.md", "console") for pair in _commands(block)
    ]

    key = re.search(r"`ADSCRIBE_KEY=(\S+)`", (ROOT / "README.md").read_text("utf-8"))
    assert key is not None
    monkeypatch.setenv("ADSCRIBE_KEY", key[1])
    monkeypatch.setitem(IncrementalModel.fit.__func__.__kwdefaults__, "replicates", REPLICATES)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the handlers stay those of pytest
    monkeypatch.chdir(folder)
    assert len(commands) >= 5
    for command, shown in commands:
        words = shlex.split(command)
        assert words[0] == "adscribe"
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            cli.main()
        printed, complaint = capsys.readouterr()
        assert left.value.code == 0, complaint
        assert _shows(shown, printed), f"{command} prints:\n{printed}"
    for block in _blocks(ROOT / "README.md", "python"):
        subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=folder, check=True)
    with duckdb.connect(str(folder / "ads.duckdb"), read_only=True) as connection:
        for statement in _statements(ROOT / "docs" / "tables.md"):
            assert connection.execute(statement).fetchall(), statement
        (credited,) = _statements(ROOT / "docs" / "reports.md")
        summed = dict(connection.execute(credited).fetchall())
        told = connection.execute(CREDITED).fetchall()
        assert summed == {campaign: pytest.approx(credit, abs=0.02) for campaign, credit in told}


def test_every_command_in_a_document_is_tried() -> None:
    for document in DOCUMENTS[1:]:
        assert not _blocks(document, "console"), f"{document.name}: show commands in the README"


def test_documented_configuration_is_the_default_one() -> None:
    (block,) = _blocks(ROOT / "docs" / "configuration.md", "toml")
    content = tomllib.loads(block)

    assert content.pop("columns") == {"touchpoints": {}, "signals": {}}
    assert Config.model_validate(content) == Config()
    every_key = block.replace("# ", "").replace("#", "\n#")
    config = Config()
    sections = {"warehouse": config.warehouse, "privacy": config.privacy, "model": config.model}
    for section, model in sections.items():
        for key in type(model).model_fields:
            assert re.search(rf"^{key} = ", every_key, re.M), f"[{section}] {key} is not documented"
    for kind in Method:
        section = block.partition(f"[identities.{kind}]\n")[2].partition("\n\n")[0]
        keys = re.findall(r"^(?:# )?(\w+) = ", section, re.M)
        assert sorted(keys) == sorted(IdentityRule.model_fields)


def test_documented_limits_of_identities_are_the_default_ones() -> None:
    text = (ROOT / "docs" / "identities.md").read_text("utf-8")
    for kind in Method:
        rule = Config().identities.rule(kind)
        row = re.search(rf"^\| {kind} \| (.*) \| (.*) \| (.*) \| (.*) \|$", text, re.M)
        assert row is not None
        days, users, per_user, unique = row.groups()
        assert (days, users) == (str(rule.days or "ever"), str(rule.users))
        assert (per_user, unique) == (str(rule.per_user or "any"), "yes" if rule.unique else "no")


def test_documented_rules_of_declared_matches_are_valid() -> None:
    blocks = _blocks(ROOT / "docs" / "matching.md", "toml")
    assert blocks
    for block in blocks:
        assert Config.model_validate(tomllib.loads(block)).model.advertisers


def test_documented_kinds_of_keys_are_those_of_blocking() -> None:
    text = (ROOT / "docs" / "matching.md").read_text("utf-8")
    table = text.partition("| kind of key |")[2].partition("\n\n")[0]
    kinds = re.findall(r"\w+", " ".join(re.findall(r"^\| ([a-z_, ]+) \|", table, re.M)))
    assert sorted(kinds) == sorted(WEIGHTS)


def test_documented_columns_are_those_of_the_schemas() -> None:
    text = (ROOT / "docs" / "logs.md").read_text("utf-8")
    for table in TABLES.values():
        row = re.search(rf"^\| {table.name} \|.*\| (.*) \|$", text, re.M)
        assert row is not None
        assert [name.strip("* ") for name in row[1].split(",")] == list(table.columns)
        assert re.findall(r"\*\*(\w+)\*\*", row[1]) == table.required


def test_every_table_and_report_is_described() -> None:
    text = (ROOT / "docs" / "tables.md").read_text("utf-8")
    described = set(re.findall(r"\w+", " ".join(re.findall(r"^\| ([^|]+) \|", text, re.M))))
    reports = (ROOT / "docs" / "reports.md").read_text("utf-8")
    described |= set(re.findall(r"^## (\w+)$", reports, re.M))
    schema = "".join(path.read_text("utf-8") for path in (ROOT / "sql" / "schema").glob("*.sql"))
    tables = set(re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", schema, re.M))
    assert len(tables) >= 20
    assert tables | set(report_names()) <= described


def test_every_refusal_of_an_identifier_is_described() -> None:
    text = (ROOT / "docs" / "tables.md").read_text("utf-8")
    assert all(re.search(rf"\b{refusal}\b", text) for refusal in Refusal)


def test_every_report_is_named_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for name in report_names():
        assert name in text


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
