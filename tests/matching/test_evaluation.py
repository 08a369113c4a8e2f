"""Figures of best candidates: against plain twins, and the laws that their intervals hold."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import calibration_ratio
from matching.blocking_evaluation import evaluate_blocking
from matching.evaluation import evaluate
from matching.held_out_evaluation import evaluate_held_out
from matching.resampling import BINS, Ranking, figures, measure
from tests.sql_cases.flow import connection
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import InputFileError, InsufficientDataError

DAY, NEXT = date(2026, 3, 10), date(2026, 3, 11)
Row = tuple[float | None, bool, bool, bool]  # probability, correct, declared, positive
COLUMNS = ("probability", "correct", "declared", "positive")


def signals_of(rows: list[Row]) -> pl.DataFrame:
    """Return signals in which a right candidate is of a positive, and nobody else is right."""
    kinds = dict.fromkeys(COLUMNS[1:], pl.Boolean)
    frame = pl.DataFrame(rows, {"probability": pl.Float64, **kinds}, orient="row")
    ranked = pl.col("probability").is_not_null()
    return frame.with_columns(
        correct=pl.col("correct") & pl.col("positive") & ranked,
        declared=pl.col("declared") & ranked,
        expected="probability",
    )


def probabilities() -> st.SearchStrategy[float]:
    return st.one_of(st.integers(0, 10).map(lambda tenths: tenths / 10), st.floats(0, 1))


def lists_of_rows(least: int = 0) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(st.none() | probabilities(), st.booleans(), st.booleans(), st.booleans())
    return st.lists(row, min_size=least, max_size=30)


def twin(signals: pl.DataFrame) -> dict[str, float]:
    """Return the figures by plain loops over the signals; a figure without a value is left out."""
    rows = [row for row in signals.to_dicts() if row["probability"] is not None]
    positives = signals["positive"].sum()
    told: dict[str, float] = {}
    declared = [row for row in rows if row["declared"]]
    correct = sum(row["correct"] for row in declared)
    if declared:
        told["precision"] = correct / len(declared)
    if positives:
        told["recall"] = correct / positives
        gains, recalls, before = 0.0, dict.fromkeys((90, 95, 99), 0.0), 0
        for cut in sorted({row["probability"] for row in rows}, reverse=True):
            kept = [row for row in rows if row["probability"] >= cut]
            found = sum(row["correct"] for row in kept)
            gains += (found - before) * found / len(kept)
            before = found
            for target in recalls:
                if found / len(kept) >= target / 100:
                    recalls[target] = max(recalls[target], found / positives)
        told["average_precision"] = gains / positives
        told |= {f"recall_at_precision_{target}": value for target, value in recalls.items()}
    if positives or declared:
        told["f1"] = 2 * correct / (len(declared) + positives)
    for prefix, group in (("", rows), ("declared_", declared)):
        hits = sum(row["correct"] for row in group)
        if hits:
            expected = sum(row["expected"] for row in group)
            told[f"{prefix}calibration_ratio"] = expected / hits
        if group:
            gaps = dict.fromkeys(range(BINS), 0.0)
            for row in group:
                place = min(int(row["expected"] * BINS), BINS - 1)
                gaps[place] += row["expected"] - row["correct"]
            told[f"{prefix}calibration_error"] = sum(map(abs, gaps.values())) / len(group)
    return told


@given(lists_of_rows())
@settings(deadline=None)
def test_figures_are_those_of_plain_loops(rows: list[Row]) -> None:
    signals = signals_of(rows)
    measured = measure(signals, resamples=3)
    told = {name: one.value for name, one in measured.items() if one.value is not None}
    assert told == pytest.approx(twin(signals))


@given(lists_of_rows(1), st.data())
@settings(deadline=None)
def test_a_weight_is_a_signal_so_many_times(rows: list[Row], data: st.DataObject) -> None:
    ranking = Ranking.of(signals_of(rows))
    kinds = len(ranking.count)
    weights = data.draw(st.lists(st.integers(0, 4), min_size=kinds, max_size=kinds))
    columns = [*COLUMNS, "expected"]
    ordered = (
        signals_of(rows)
        .select(columns)
        .sort(
            "probability", "expected", "correct", "declared", "positive",
            descending=True, nulls_last=True,
        )
        .unique(maintain_order=True)
    )  # fmt: skip
    if len(ordered) != kinds:  # kinds without a candidate are told apart by nothing but positive
        return
    copies = [ordered[place : place + 1] for place, n in enumerate(weights) for _ in range(n)]
    repeated = pl.concat([ordered.clear(), *copies])
    values = figures(ranking, np.array([weights], dtype=np.int32))
    told = {name: float(value[0]) for name, value in values.items() if not np.isnan(value[0])}
    assert told == pytest.approx(twin(repeated))


@given(lists_of_rows(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_the_order_of_signals_changes_nothing(rows: list[Row], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert measure(signals_of(rows), resamples=20) == measure(signals_of(shuffled), resamples=20)


@given(st.lists(st.tuples(st.booleans(), probabilities()), max_size=40), st.integers(0, 20))
@settings(deadline=None)
def test_average_precision_is_that_of_plain_loops(
    ranked: list[tuple[bool, float]], missed: int
) -> None:
    if not missed + sum(hit for hit, _ in ranked):
        return
    rows: list[Row] = [(score, hit, False, hit) for hit, score in ranked]
    rows += [(None, False, False, True)] * missed
    expected = twin(signals_of(rows))["average_precision"]
    measured = measure(signals_of(rows), resamples=0)
    assert measured["average_precision"].value == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(1, 14), st.integers(1, 5)), min_size=1, max_size=6))
@settings(deadline=None)
def test_calibration_error_is_0_where_every_bin_is_calibrated(bins: list[tuple[int, int]]) -> None:
    rows: list[Row] = []
    for hits, times in bins:  # of 15 signals of probability hits / 15, hits are right
        rows += [(hits / 15, place < hits, True, True) for place in range(15)] * times
    measured = measure(signals_of(rows), resamples=50)
    assert measured["calibration_error"].value == pytest.approx(0)
    assert measured["calibration_error"].low == pytest.approx(0)
    assert measured["calibration_ratio"].value == pytest.approx(1)


def drawn(count: int, seed: int, *, shift: float = 0.0) -> pl.DataFrame:
    """Return signals whose candidates are right as often as told, or `shift` less often."""
    rng = np.random.default_rng(seed)
    probability = rng.random(count)
    correct = rng.random(count) < probability - shift
    return pl.DataFrame(
        {
            "probability": np.where(rng.random(count) < 0.3, np.nan, probability),
            "expected": probability,
            "correct": correct,
            "declared": probability > 0.5,
            "positive": correct | (rng.random(count) < 0.3),
        }
    ).with_columns(
        pl.col("probability").fill_nan(None),
        pl.col("correct", "declared") & ~pl.col("probability").is_nan(),
    )


@pytest.mark.parametrize("seed", range(5))
def test_interval_of_a_large_sample_holds_its_figure(seed: int) -> None:
    for name, told in measure(drawn(5_000, seed, shift=0.1), resamples=300).items():
        assert told.low <= told.value <= told.high, name
        if not name.startswith("recall_at"):
            assert told.high - told.low < 0.1, name


def test_interval_of_precision_is_as_wide_as_theory_says() -> None:
    signals = drawn(20_000, 3)
    told = measure(signals)["precision"]
    declared = int(signals.filter("declared", pl.col("probability").is_not_null()).height)
    half_width = 1.96 * np.sqrt(told.value * (1 - told.value) / declared)
    assert told.high - told.low == pytest.approx(2 * half_width, rel=0.1)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truths = {"calibration_ratio": 1, "precision": 0.75, "calibration_error": 0}
    held = dict.fromkeys(truths, 0)
    for seed in range(60):
        told = measure(drawn(1_000, seed), resamples=200)
        for name, value in truths.items():
            held[name] += told[name].low <= value <= told[name].high
    assert min(held.values()) >= 51  # 95% of 60 is 57; three standard deviations less is 52


def test_nothing_has_no_figures() -> None:
    assert {told.value for told in measure(signals_of([])).values()} == {None}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """Yield a warehouse with three users, a day of signals and what a model made of them."""
    with Warehouse.open(tmp_path / "w.duckdb") as opened:
        run = connection(opened).execute
        address = {name: f"00000000-0000-0000-0000-00000000000{n}" for n, name in enumerate("ab")}
        agent = "Mozilla/5.0"
        for user, home in (("ann", "a"), ("bob", "a"), ("cyd", "b")):
            run(
                "INSERT INTO activity (day, user_id, event_time, address_digest, user_agent, "
                "device_key, screen, is_bot) VALUES ($1, $2, $1, $3, $4, $5, '1x1', false)",
                [DAY, user, address[home], agent, user],
            )
        for name, home, advertiser, device in (
            ("by_mail", "a", "x", "ann"), ("right", "a", "x", "ann"), ("wrong", "a", "y", "bob"),
            ("weak", "b", "y", "cyd"), ("nobody", None, "y", None), ("missed", None, "x", None),
        ):  # fmt: skip
            run(
                "INSERT INTO signals (day, signal_id, event_time, advertiser_id, event_name, "
                "address_digest, device_key, screen, user_agent, source_file, source_row) "
                "VALUES ($1, $2, $1, $3, 'purchase', $4, $5, '1x1', $6, 'f', 1)",
                [DAY, name, advertiser, home and address[home], device, home and agent],
            )
        for name, user, method, probability, rank, declared in (
            ("by_mail", "ann", "email", 1.0, 1, True), ("right", "ann", "model", 0.8, 1, True),
            ("right", "bob", "model", 0.1, 2, False), ("wrong", "ann", "model", 0.6, 1, True),
            ("weak", "cyd", "model", 0.3, 1, False),
        ):  # fmt: skip
            run(
                "INSERT INTO matches (day, signal_id, user_id, method, match_probability, rank, "
                "model_version, declared) VALUES ($1, $2, $3, $4, $5, $6, 'm', $7)",
                [DAY, name, user, method, probability, rank, declared],
            )
        yield opened


def add_model(warehouse: Warehouse) -> None:
    run = connection(warehouse).execute
    names = [row[0] for row in run("DESCRIBE pair_models").fetchall()]
    told = {
        "model_version": "m", "trained_by": "run", "first_day": DAY, "last_day": DAY,
        "adscribe_version": "0", "outsiders": 0.4, "log_loss": 0.3,
    }  # fmt: skip
    values = {name: told.get(name, 1) for name in names}
    columns, places = ", ".join(values), ", ".join(f"${name}" for name in values)
    run(f"INSERT INTO pair_models ({columns}) VALUES ({places})", values)  # noqa: S608
    run(
        "INSERT INTO match_thresholds (day, advertiser_id, model_version, rule, target, threshold, "
        "held_out) VALUES ($1, 'x', 'm', 'probability', 0.5, 0.5, 4)",
        [DAY],
    )
    for advertiser, probability, expected, same, known in (
        ("x", 0.9, 0.8, True, True), ("x", 0.7, 0.0, False, False), ("y", 0.4, 0.2, False, True),
        ("y", 0.0, 0.0, False, True),
    ):  # fmt: skip
        run(
            "INSERT INTO held_out_signals (model_version, day, advertiser_id, match_probability, "
            "expected, same, known) VALUES ('m', $1, $2, $3, $4, $5, $6)",
            [DAY, advertiser, probability, expected, same, known],
        )


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.parquet"
    users = {"by_mail": "ann", "right": "ann", "wrong": "bob", "weak": "cyd", "missed": "bob"}
    pl.DataFrame(
        {
            "signal_id": [*users, "nobody", "of_other_logs"],
            "user_id": [*users.values(), None, "ann"],
        }
    ).write_parquet(path)
    return path


def test_only_the_declared_are_matches_but_all_best_candidates_are_ranked(
    warehouse: Warehouse, truth: Path
) -> None:
    told = evaluate(warehouse, truth)

    assert (told.signals, told.of_users, told.matched, told.correct) == (6, 5, 3, 2)
    assert (told.precision, told.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 5))
    assert told.calibration_ratio == pytest.approx((1 + 0.8 + 0.6) / 2)
    assert (told.identified_of_users, told.recall_of_identified) == (1, 1)
    assert [(one.method, one.matched, one.correct) for one in told.by_method] == [
        ("email", 1, 1), ("model", 2, 1),
    ]  # fmt: skip
    model = told.probabilistic
    assert (model.signals, model.of_users, model.candidates, model.declared) == (5, 4, 3, 2)
    assert model.average_precision == pytest.approx((1 + 2 / 3) / 4)
    assert model.recall_at_precision_90 == pytest.approx(1 / 4)
    assert model.calibration_ratio == pytest.approx((0.8 + 0.6 + 0.3) / 2)
    assert told.all_signals.average_precision == pytest.approx((1 + 1 + 3 / 4) / 5)
    assert told.all_signals.precision == told.precision


def test_groups_part_the_signals(warehouse: Warehouse, truth: Path) -> None:
    told = evaluate(warehouse, truth)

    assert [(one.group, one.signals) for one in told.by_advertiser] == [("x", 2), ("y", 3)]
    shared = {one.group: (one.signals, one.correct) for one in told.by_shared_address}
    assert shared == {"not_shared": (3, 0), "shared": (2, 1)}
    agents = [one for one in told.by_attribute if one.attribute == "user_agent"]
    assert [(one.present, one.signals, one.declared) for one in agents] == [
        (True, 4, 3), (False, 2, 0),
    ]  # fmt: skip
    assert [one.recall for one in agents] == [pytest.approx(2 / 4), 0]


def test_outsiders_are_counted_where_a_model_judged(warehouse: Warehouse, truth: Path) -> None:
    without = evaluate(warehouse, truth).outsiders
    assert (without.judged, without.implied_share, without.estimated_share) == (0, None, None)

    add_model(warehouse)
    told = evaluate(warehouse, truth).outsiders

    assert (told.judged, told.share_of_judged) == (5, pytest.approx(1 / 5))
    assert told.implied_share == pytest.approx(1 - (0.8 + 0.1 + 0.6 + 0.3) / 5)
    assert (told.share, told.estimated_share) == (pytest.approx(1 / 6), 0.4)


def test_held_out_signals_judge_a_model_without_a_truth(warehouse: Warehouse) -> None:
    with pytest.raises(InsufficientDataError, match=r"no model has been trained.* --truth"):
        evaluate_held_out(warehouse)
    add_model(warehouse)

    told = evaluate_held_out(warehouse)

    figures = told.all_signals
    assert (told.model_version, told.outsiders) == ("m", 0.4)
    assert (figures.signals, figures.known, figures.compared, figures.same) == (4, 3, 2, 1)
    assert figures.average_precision == pytest.approx(1 / 3)
    assert figures.calibration_ratio == pytest.approx(calibration_ratio([1, 0], [0.8, 0.2]))
    assert figures.calibration_error == pytest.approx((0.2 + 0.2) / 2)
    assert [(one.group, one.signals) for one in told.by_advertiser] == [("x", 2), ("y", 2)]


def test_blocking_is_judged_on_a_warehouse_open_for_reading(
    warehouse: Warehouse, truth: Path
) -> None:
    warehouse.close()
    with Warehouse.open(warehouse.path, read_only=True) as opened:
        told = evaluate_blocking(opened, ModelConfig(), truth=truth)
        one_day = evaluate_blocking(opened, ModelConfig(), truth=truth, day=DAY)
        with pytest.raises(InputFileError, match="2026-03-11: not in the logs"):
            evaluate_blocking(opened, ModelConfig(), truth=truth, day=NEXT)
        stored = opened.query("matching/evaluate_candidates")
        pairs = connection(opened).table("candidate_pairs").pl()

    assert one_day == told
    assert (told.signals, told.true_pairs, told.found_pairs) == (5, 4, 3)
    assert told.pair_completeness == pytest.approx(3 / 4)
    assert told.candidates_max == stored["candidates"].max()
    assert told.candidates_mean == pytest.approx(len(pairs) / 5)
    assert told.reduction_ratio == pytest.approx(1 - len(pairs) / (5 * 3))
    by_kind = {one.kind: one for one in told.by_kind}
    assert by_kind["address_device"].found == 3
    assert sum(one.found_alone for one in told.by_kind) == 0
    assert all(one.keys == one.keys_used + one.keys_dropped for one in told.by_kind)


def test_without_a_truth_known_contacts_are_the_true_pairs(warehouse: Warehouse) -> None:
    run = connection(warehouse).execute
    mail = "00000000-0000-0000-0000-00000000000f"
    run(
        "INSERT INTO signal_identifiers (day, signal_id, kind, digest) "
        "VALUES ($1, 'by_mail', 'email', $2)",
        [DAY, mail],
    )
    run(
        "INSERT INTO identity_links VALUES ('email', $2, 'ann', 'activity', '', $1, $1, 1)",
        [DAY, mail],
    )

    told = evaluate_blocking(warehouse, ModelConfig())

    assert (told.truth, told.signals, told.true_pairs, told.found_pairs) == ("contacts", 5, 1, 1)
