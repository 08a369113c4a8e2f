"""Why a model gave a signal a user or did not: the numbers add up, and are those that were kept."""

import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from matching import Candidacy, Outcome, SignalExplanation, explain_signal
from matching.candidates import MOST_CANDIDATES
from matching.comparisons import FEATURES
from matching.models import PairModel
from terminal import show_signal
from terminal.candidate_trees import LABELS, waterfall
from tests.sql_cases.flow import connection
from warehouse.config import ModelConfig
from warehouse.database import Warehouse, statement

MOST = 8
"""Signals that a law is tried on, of those that there are."""
REACHED = 1e-6


@pytest.fixture(scope="module")
def warehouse(modelled: Path) -> Iterator[Warehouse]:
    with Warehouse.open(modelled, read_only=True) as opened:
        yield opened


def rows(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    return connection(warehouse).execute(sql).fetchall()


@pytest.fixture(scope="module")
def judged(warehouse: Warehouse) -> dict[str, SignalExplanation]:
    """Return the explanations of signals with candidates that were kept, half of them declared."""
    sql = (
        "SELECT signal_id FROM matches WHERE method = 'model' AND rank = 1 AND {} "
        "ORDER BY signal_id"
    )
    names = rows(warehouse, sql.format("declared"))[: MOST // 2]
    names += rows(warehouse, sql.format("NOT declared"))[: MOST // 2]
    assert len(names) == MOST
    return {name: explain_signal(warehouse, name) for (name,) in names}


@pytest.fixture(scope="module")
def unnamed(warehouse: Warehouse) -> dict[str, SignalExplanation]:
    """Return the explanations of signals of the modelled day without a match, some denied."""
    sql = (
        "SELECT signals.signal_id FROM signals LEFT JOIN matches USING (signal_id) WHERE "
        "matches.signal_id IS NULL AND signals.day = (SELECT max(day) FROM signals) "
        "AND {} ORDER BY signals.signal_id LIMIT 4"
    )
    names = rows(warehouse, sql.format("consent = 'denied'"))
    names += rows(warehouse, sql.format("consent IS DISTINCT FROM 'denied'"))
    return {name: explain_signal(warehouse, name) for (name,) in names}


def found(explanation: SignalExplanation) -> Candidacy:
    assert explanation.by_model is not None
    return explanation.by_model


def best(explanation: SignalExplanation) -> Mapping[str, Any]:
    return found(explanation).candidates[0]


def shown(explanation: SignalExplanation, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_signal(explanation, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def words(explanation: SignalExplanation) -> str:
    """Return the tree as one line, without its branches."""
    return " ".join(re.sub("[│├└─]", " ", shown(explanation)).split())


def test_start_and_contributions_sum_to_the_log_odds(judged: dict[str, SignalExplanation]) -> None:
    for explanation in judged.values():
        for row in found(explanation).candidates:
            steps: Any = row["contributions"]
            assert {step["feature"] for step in steps} == set(FEATURES)
            total = row["start"] + sum(step["contribution"] for step in steps)
            assert total == pytest.approx(row["log_odds"], abs=REACHED)
            sizes = [abs(step["contribution"]) for step in steps]
            assert sizes == sorted(sizes, reverse=True)


def test_probabilities_are_those_that_were_kept(
    warehouse: Warehouse, judged: dict[str, SignalExplanation]
) -> None:
    kept = pl.DataFrame(
        rows(warehouse, "SELECT signal_id, user_id, match_probability FROM matches"),
        schema=["signal_id", "user_id", "kept"],
        orient="row",
    )
    apart = []
    for name, explanation in judged.items():
        told = {row["user_id"]: row["match_probability"] for row in found(explanation).candidates}
        own = kept.filter(pl.col("signal_id") == name)
        same = all(
            told.get(user) == pytest.approx(probability, abs=1e-9)
            for _, user, probability in own.iter_rows()
        )
        assert found(explanation).changed is not same
        if not same:
            apart.append(name)
    assert not apart


def test_candidates_and_nobody_share_one_unit(judged: dict[str, SignalExplanation]) -> None:
    for explanation in judged.values():
        candidacy = found(explanation)
        shares = [row["match_probability"] for row in candidacy.candidates]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) == min(candidacy.competing, MOST_CANDIDATES)
        total = sum(shares) + candidacy.nobody
        assert total <= 1 + 1e-9
        if candidacy.competing <= MOST_CANDIDATES:
            assert total == pytest.approx(1)


def test_the_verdict_follows_from_the_threshold(judged: dict[str, SignalExplanation]) -> None:
    outcomes = [found(explanation).outcome for explanation in judged.values()]
    assert outcomes == [Outcome.DECLARED] * (MOST // 2) + [Outcome.NOT_DECLARED] * (MOST // 2)
    for explanation in judged.values():
        declared = found(explanation).outcome is Outcome.DECLARED
        assert (best(explanation)["kept_probability"] or 0) >= 0.5 or not declared
        start = "── declared: " if declared else "── not declared: "
        assert start in shown(explanation)
        assert f"{'at least' if declared else 'below'} .500 (probability)" in shown(explanation)


def test_what_is_shared_is_in_the_logs(
    warehouse: Warehouse, judged: dict[str, SignalExplanation]
) -> None:
    sql = (
        "SELECT count(*), count(DISTINCT activity.day) FROM activity JOIN signals "
        "USING (address_digest) WHERE signals.signal_id = ? AND user_id = ? AND activity.day "
        "<= signals.day AND activity.is_bot IS DISTINCT FROM true"
    )
    checked = 0
    for name, explanation in judged.items():
        row = best(explanation)
        shared = {token["kind"]: token for token in row["shared"]}
        times, days = connection(warehouse).execute(sql, [name, row["user_id"]]).fetchall()[0]
        if not times:
            continue
        checked += 1
        # identified signals of the user are sightings of him as well
        assert shared["address"]["times"] >= times
        assert shared["address"]["days"] >= days
        assert 1 <= shared["address"]["users"] <= shared["address"]["of_users"]
    assert checked > MOST // 4


def test_the_tree_has_no_broken_lines_at_80_columns(judged: dict[str, SignalExplanation]) -> None:
    for explanation in judged.values():
        text = shown(explanation)
        assert max(map(len, text.splitlines())) <= 80
        narrow = text[text.index("── candidates") :].splitlines()
        wide = shown(explanation, 200)
        assert len(narrow) == len(wide[wide.index("── candidates") :].splitlines())


def test_bars_of_the_waterfall_meet(judged: dict[str, SignalExplanation]) -> None:
    for explanation in judged.values():
        table = waterfall(best(explanation))
        bars = [str(cell) for cell in table.columns[-1].cells]
        numbers = [float(str(cell)) for cell in table.columns[-2].cells]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.06)  # of rounded ones
        place = bars[0].index("┃")
        for number, bar in zip(numbers[1:-1], bars[1:-1], strict=True):
            left, right = len(bar) - len(bar.lstrip()), len(bar) - 1
            assert place == (left if "█" in bar else right), bars
            assert ("█" in bar) == (number > 0) or abs(number) < 0.01
            place = right if "█" in bar else left
        assert place == bars[-1].index("┃")


def test_a_signal_without_candidates_says_why(unnamed: dict[str, SignalExplanation]) -> None:
    none = [e for e in unnamed.values() if found(e).outcome is Outcome.NO_CANDIDATE]
    assert len(none) >= 4
    for explanation in none:
        text = words(explanation)
        assert "no candidate: it shows no " in text or "no candidate: no user shows its" in text
    denied = [e for e in unnamed.values() if e.signal["consent"] == "denied"]
    for explanation in denied:
        assert "no candidate: it shows no network or device" in words(explanation)


def test_a_budget_too_small_is_told_as_too_many_users(
    warehouse: Warehouse, judged: dict[str, SignalExplanation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PairModel, "settings", lambda _self, config: config)
    crowded = [
        words(explanation)
        for name in list(judged)[-3:]  # not declared: of others one user may fit best
        for explanation in [explain_signal(warehouse, name, ModelConfig(candidates=1))]
        if found(explanation).outcome is Outcome.NO_CANDIDATE
    ]
    assert crowded
    for text in crowded:
        assert re.search(r"too many users share its \w+.* \([\d,]+ of [\d,]+\)", text)


def test_another_configuration_changes_nothing_for_the_model_has_its_own(
    warehouse: Warehouse, judged: dict[str, SignalExplanation]
) -> None:
    for name in list(judged)[:3]:
        explanation = explain_signal(warehouse, name, ModelConfig(lookback_days=1, candidates=1))
        assert found(explanation).candidates == found(judged[name]).candidates


def test_another_configuration_in_training_is_told_as_a_change(
    warehouse: Warehouse, judged: dict[str, SignalExplanation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PairModel, "settings", lambda _self, config: config)
    changed = [
        explain_signal(warehouse, name, ModelConfig(lookback_days=1)) for name in list(judged)[:3]
    ]
    assert any(found(explanation).changed for explanation in changed)
    for explanation in changed:
        assert ("no longer as kept" in words(explanation)) == bool(
            found(explanation).changed and found(explanation).candidates
        )


def test_a_day_without_a_model_says_so(warehouse: Warehouse) -> None:
    ((name,),) = rows(
        warehouse,
        "SELECT min(signals.signal_id) FROM signals LEFT JOIN matches USING (signal_id) WHERE "
        "matches.signal_id IS NULL AND signals.day = (SELECT min(day) FROM signals)",
    )
    explanation = explain_signal(warehouse, name)
    assert found(explanation).outcome is Outcome.NO_MODEL
    assert "no model served its log day" in words(explanation)


def test_a_signal_that_an_identifier_named_has_no_candidates(warehouse: Warehouse) -> None:
    ((name,),) = rows(warehouse, "SELECT min(signal_id) FROM matches WHERE method <> 'model'")
    explanation = explain_signal(warehouse, name)
    assert "by_model" not in explanation.to_dict()
    assert "candidates" not in shown(explanation)


def test_a_lost_model_leaves_what_was_kept(
    modelled: Path, tmp_path: Path, judged: dict[str, SignalExplanation]
) -> None:
    shutil.copy(modelled, tmp_path / "ads.duckdb")
    name, before = next(iter(judged.items()))
    with Warehouse.open(tmp_path / "ads.duckdb", read_only=True) as opened:
        explanation = explain_signal(opened, name)
    assert best(explanation)["user_id"] == best(before)["user_id"]
    assert found(explanation).nobody is None
    assert "no model can be read there. Restore the folder" in words(explanation)
    assert "why, in log-odds" not in shown(explanation)


def test_json_is_what_the_command_prints(
    modelled: Path, judged: dict[str, SignalExplanation]
) -> None:
    name, explanation = next(iter(judged.items()))
    options = ["--db", str(modelled), "--config", str(modelled.with_name("config.toml"))]
    done = CliRunner().invoke(cli.app, ["explain", "match", name, *options, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads(json.dumps(explanation.to_dict(), default=str))
    text = CliRunner().invoke(cli.app, ["explain", "match", name, *options]).stdout
    assert "why, in log-odds of this user against nobody" in text


def test_every_token_of_signals_is_explained() -> None:
    listed = {
        name: re.search(r"token FOR kind IN \((.*?)\)", statement(f"matching/{name}"), re.DOTALL)
        for name in ("signal_tokens", "explain_shared_tokens")
    }
    kinds = {name: re.findall(r"\w+", match[1]) for name, match in listed.items() if match}
    assert kinds["explain_shared_tokens"] == kinds["signal_tokens"]
    assert set(LABELS) <= set(kinds["signal_tokens"])


def test_nothing_is_read_from_touchpoints() -> None:
    for name in ("model", "tokens", "shared_tokens", "kept_candidates", "chosen_signal"):
        assert "touch" not in statement(f"matching/explain_{name}")
