"""The best candidates are kept and ranked; the best is declared from a threshold on."""

import random
from collections import defaultdict
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.selection import compete, select, thresholds
from warehouse.config import DeclareRule, ModelConfig

DAY = date(2026, 3, 10)
PROBABILITIES = st.lists(st.integers(0, 16).map(lambda n: n / 16), min_size=1, max_size=40)
LIMITS = pl.DataFrame({"advertiser_id": ["a", "b"], "threshold": [0.5, 0.25]})


def held_out(**by_advertiser: list[float]) -> pl.DataFrame:
    rows = [(name, p) for name, own in by_advertiser.items() for p in own]
    random.Random(1).shuffle(rows)  # noqa: S311
    schema = {"advertiser_id": pl.String, "match_probability": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def scored(*signals: list[float]) -> pl.DataFrame:
    """Return pairs of signals with these probabilities, in no order of theirs."""
    rows = [
        (DAY, f"s{n:02d}", "ab"[n % 2], f"u{place:02d}", p)
        for n, own in enumerate(signals)
        for place, p in enumerate(own)
    ]
    random.Random(2).shuffle(rows)  # noqa: S311
    columns = ["day", "signal_id", "advertiser_id", "user_id", "match_probability"]
    return pl.DataFrame(rows, schema=columns, orient="row")


@settings(max_examples=40, deadline=None)
@given(best=PROBABILITIES, target=st.integers(0, 15).map(lambda n: n / 16))
def test_a_target_precision_has_the_least_threshold_that_reaches_it(
    best: list[float], target: float
) -> None:
    config = ModelConfig(declare=DeclareRule(precision=target))
    row = thresholds(held_out(a=best), ["a"], config).row(0, named=True)
    reaching = {}
    for threshold in set(best):
        declared = [p for p in best if p >= threshold]
        if np.mean(declared) >= target:
            reaching[threshold] = np.mean(declared)
    assert (row["rule"], row["target"], row["held_out"]) == ("precision", target, len(best))
    if not reaching:
        assert row["threshold"] > 1
        assert row["expected_precision"] is None
    else:
        assert row["threshold"] == min(reaching)
        assert row["expected_precision"] >= target


@settings(max_examples=40, deadline=None)
@given(best=PROBABILITIES, target=st.integers(0, 16).map(lambda n: n / 16))
def test_a_target_probability_is_the_threshold(best: list[float], target: float) -> None:
    config = ModelConfig(declare=DeclareRule(probability=target))
    row = thresholds(held_out(a=best), ["a"], config).row(0, named=True)
    declared = [p for p in best if p >= target]
    assert row["threshold"] == row["target"] == target
    expected = pytest.approx(np.mean(declared)) if declared else None
    assert row["expected_precision"] == expected


def test_an_advertiser_of_few_held_out_signals_is_judged_by_all() -> None:
    frame = held_out(few=[0.9] * 99, many=[0.5] * 100)
    config = ModelConfig(declare=DeclareRule(precision=0.6))
    told = thresholds(frame, ["many", "few", "none"], config).to_dicts()
    assert [row["advertiser_id"] for row in told] == ["many", "few", "none"]
    assert [row["held_out"] for row in told] == [100, 199, 199]
    assert [row["threshold"] for row in told] == [1.01, 0.5, 0.5]


def test_an_advertiser_may_have_a_rule_of_its_own() -> None:
    own = {"a": DeclareRule(probability=0.8)}
    config = ModelConfig(declare=DeclareRule(precision=0.5), advertisers=own)
    told = thresholds(held_out(a=[0.6] * 100), ["a", "b"], config)
    assert told.select("rule", "target", "threshold").rows() == [
        ("probability", 0.8, 0.8),
        ("precision", 0.5, 0.6),
    ]


def test_nothing_held_out_gives_thresholds_all_the_same() -> None:
    config = ModelConfig(declare=DeclareRule(precision=0.5))
    told = thresholds(held_out(), ["a"], config)
    assert told.select("threshold", "held_out", "expected_precision").rows() == [(1.01, 0, None)]
    assert thresholds(held_out(), [], config).is_empty()


@settings(max_examples=40, deadline=None)
@given(
    signals=st.lists(PROBABILITIES.map(lambda own: own[:6]), min_size=1, max_size=12),
    keep=st.integers(1, 4),
    floor=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_the_kept_are_the_best_by_probability_and_then_user_id(
    signals: list[list[float]], keep: int, floor: float
) -> None:
    frame = scored(*signals)
    chosen = select(frame, LIMITS, ModelConfig(keep=keep, floor=floor))
    expected = []
    for n, own in enumerate(signals):
        order = sorted(range(len(own)), key=lambda place: (-own[place], f"u{place:02d}"))
        limit = (0.5, 0.25)[n % 2]
        expected += [
            (DAY, f"s{n:02d}", f"u{place:02d}", own[place], rank, rank == 1 and own[place] >= limit)
            for rank, place in enumerate(order[:keep], start=1)
            if own[place] >= floor
        ]
    assert chosen.rows() == expected
    ranks = defaultdict(list)
    for _, signal, _, _, rank, declared in chosen.rows():
        ranks[signal].append(rank)
        assert not declared or rank == 1
    assert all(own == list(range(1, len(own) + 1)) for own in ranks.values())


def test_the_edges_of_floor_keep_and_threshold_count_in() -> None:
    chosen = select(scored([0.5, 0.3, 0.02]), LIMITS, ModelConfig(keep=3, floor=0.02))
    assert chosen.select("rank", "declared").rows() == [(1, True), (2, False), (3, False)]
    below = select(scored([0.4999, 0.0199]), LIMITS, ModelConfig(keep=3, floor=0.02))
    assert below.select("rank", "declared").rows() == [(1, False)]
    assert below.schema["rank"] == pl.Int32


class Scored:
    """Stands for a model that gives each pair the log-odds of its column score."""

    def __init__(self, **same_contact: float) -> None:
        self.facts = self
        self.same_contact = same_contact

    def scores(self, pairs: pl.DataFrame) -> np.ndarray:
        """Return the log-odds."""
        return pairs["score"].to_numpy()


def test_candidates_compete_and_a_contact_that_differs_speaks_against() -> None:
    pairs = pl.DataFrame(
        {
            "signal_id": ["s1", "s1", "s2", "s3", "s3"],
            "score": np.log([2.0, 1.0, 3.0, 1.0, 1.0]),
            "email_same": [None, None, 0, 1, 0],
            "phone_same": pl.Series([None] * 5, dtype=pl.Int32),
        }
    )
    told = compete(pairs, Scored(email=0.8, phone=0.9))["match_probability"].to_list()
    # that s3 shows the e-mail of a candidate tells nothing: identifiers did not follow it
    expected = [2 / 4, 1 / 4, 0.6 / 1.6, 1 / 2.2, 0.2 / 2.2]
    assert told == pytest.approx(expected)


def test_no_pairs_compete_for_nothing() -> None:
    empty = scored().drop("match_probability")
    assert compete(empty, Scored()).columns == [*empty.columns, "match_probability"]
