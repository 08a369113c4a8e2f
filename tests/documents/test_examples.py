"""The worked examples run as they stand and print what is shown; the functions told of exist."""

import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

import calibration

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "calibration_examples.md"
TEXT = (DOCS / "calibration.md").read_text("utf-8")
NEXT_BLOCK = "-- next block --"


def _sections() -> dict[str, list[tuple[str, str]]]:
    """Return for each example its blocks of code, and what is shown below them."""
    parts = re.split(r"^## (.*)\n", EXAMPLES.read_text("utf-8"), flags=re.M)[1:]
    pair = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.M | re.S)
    return {title: pair.findall(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


def test_there_are_four_worked_examples() -> None:
    assert len(_sections()) == 4


@pytest.mark.slow
@pytest.mark.parametrize("title", _sections())
def test_example_prints_what_it_shows(
    title: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocks = _sections()[title]
    script = tmp_path / "example.py"
    script.write_text(f"print('{NEXT_BLOCK}')\n".join(code for code, _ in blocks), "utf-8")
    monkeypatch.chdir(tmp_path)

    runpy.run_path(str(script))

    printed = capsys.readouterr().out.split(f"{NEXT_BLOCK}\n")
    assert printed == [shown for _, shown in blocks]


def test_functions_named_in_the_table_are_in_their_modules() -> None:
    rows = re.findall(r"^\| `(calibration\.\w+)` \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)
    assert len(rows) >= 20
    for module, functions, what in rows:
        for name in re.findall(r"`(\w+)`", functions):
            assert callable(getattr(import_module(module), name))
        also = "also from `calibration`" in what
        assert also == any(name in calibration.__all__ for name in re.findall(r"\w+", functions))
