"""Removal effects of a solved chain: against fractions, enumeration and chains solved by hand."""

import json
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.histories import Histories
from attribution.learned import chains
from attribution.learned.markov import MarkovModel
from attribution.paths import Paths
from warehouse.errors import ConfigError, InsufficientDataError

State = tuple[str, ...]
START: State = ()
CONVERTED: State = ("conversion", "")
LOST: State = ("null", "")

# sequence, conversions among four, weight in halves: all exact as floats and as fractions
path_rows = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), max_size=6),
        st.integers(0, 4),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: any(sequence and quarters for sequence, quarters, _ in rows))
Rows = list[tuple[list[str], int, int]]
laws = settings(max_examples=25, deadline=None)


def paths_of(rows: Rows) -> Paths:
    return Paths.of(
        [sequence for sequence, _, _ in rows],
        [quarters / 4 for _, quarters, _ in rows],
        weights=[halves / 2 for _, _, halves in rows],
    )


def chain_of(rows: Rows, order: int) -> dict[State, dict[State, Fraction]]:
    """Return the transition probabilities as fractions, counted path by path."""
    counts: dict[State, dict[State, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for sequence, quarters, halves in rows:
        here, weight = START, Fraction(halves, 2)
        for step in range(len(sequence)):
            there = tuple(sequence[max(step + 1 - order, 0) : step + 1])
            counts[here][there] += weight
            here = there
        counts[here][CONVERTED] += weight * Fraction(quarters, 4)
        counts[here][LOST] += weight * (1 - Fraction(quarters, 4))
    return {
        here: {there: count / sum(out.values()) for there, count in out.items()}
        for here, out in counts.items()
    }


def conversion_probability(
    chain: dict[State, dict[State, Fraction]], removed: str | None = None
) -> Fraction:
    """Return the probability of conversion from the start by elimination in fractions."""
    kept = [state for state in chain if not state or state[-1] != removed]
    rows = [
        [Fraction(here == there) - chain[here].get(there, Fraction(0)) for there in kept]
        + [chain[here].get(CONVERTED, Fraction(0))]
        for here in kept
    ]
    for column in range(len(kept)):
        pivot = next(row for row in range(column, len(kept)) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [cell / rows[column][column] for cell in rows[column]]
        for row in range(len(kept)):
            if row != column and rows[row][column]:
                by = rows[row][column]
                rows[row] = [a - by * b for a, b in zip(rows[row], rows[column], strict=True)]
    return rows[kept.index(START)][-1]


@laws
@given(path_rows, st.integers(1, 4))
def test_removal_effects_are_those_of_fractions(rows: Rows, order: int) -> None:
    chain = chain_of(rows, order)
    whole = conversion_probability(chain)

    effects = MarkovModel.fit_paths(paths_of(rows), order=order).removal_effects()

    for channel, effect in effects.items():
        expected = 1 - conversion_probability(chain, channel) / whole
        assert effect == pytest.approx(float(expected), abs=1e-12)


@laws
@given(path_rows, st.integers(1, 4))
def test_conversion_probability_from_the_start_is_the_observed_rate(rows: Rows, order: int) -> None:
    paths = sum(Fraction(halves, 2) for _, _, halves in rows)
    converted = sum(Fraction(halves * quarters, 8) for _, quarters, halves in rows)

    model = MarkovModel.fit_paths(paths_of(rows), order=order)

    assert conversion_probability(chain_of(rows, order)) == converted / paths
    assert model.conversion_rate == pytest.approx(float(converted / paths), rel=1e-12)
    assert model.value_rate == pytest.approx(
        float((paths_of(rows).weights * paths_of(rows).conversions * paths_of(rows).values).sum())
        / float(paths),
        rel=1e-12,
    )


def test_a_chain_solved_by_hand() -> None:
    # start to a 3/4, to b 1/4; a to b 1/3, to conversion 1/3, to null 1/3; b: half converts
    paths = Paths.of([["a"], ["a"], ["a", "b"], ["b"]], [1, 0, 1, 0])

    model = MarkovModel.fit_paths(paths)

    # without a: 1/4 * 1/2; without b: 3/4 * 1/3; whole: 1/2
    assert model.conversion_rate == pytest.approx(1 / 2, rel=1e-15)
    assert model.removal_effects() == pytest.approx({"a": 3 / 4, "b": 1 / 2}, rel=1e-15)
    assert model.channel_credit() == pytest.approx({"a": 6 / 5, "b": 4 / 5}, rel=1e-15)


def test_removal_effects_are_those_of_all_walks_enumerated() -> None:
    rows: Rows = [(list("aba"), 4, 2), (list("bb"), 0, 3), (list("ca"), 2, 2), (list("b"), 4, 1)]
    chain = chain_of(rows, 1)

    def walked(removed: str) -> float:
        here, converted = {START: 1.0}, 0.0
        for _ in range(400):
            there: dict[State, float] = defaultdict(float)
            for state, mass in here.items():
                for after, share in chain[state].items():
                    if after == CONVERTED:
                        converted += mass * float(share)
                    elif after != LOST and after[-1] != removed:
                        there[after] += mass * float(share)
            here = there
        return converted

    effects = MarkovModel.fit_paths(paths_of(rows)).removal_effects()

    expected = {channel: 1 - walked(channel) / walked("nobody") for channel in "abc"}
    assert effects == pytest.approx(expected, abs=1e-12)


def test_a_state_remembers_as_many_channels_as_the_order() -> None:
    # b converts after a and never after c, which a chain of order 1 cannot tell
    paths = Paths.of([["a", "b"]] * 3 + [["c", "b"]] * 3, [1, 1, 1, 0, 0, 0])

    first = MarkovModel.fit_paths(paths, order=1).removal_effects()
    second = MarkovModel.fit_paths(paths, order=2).removal_effects()

    assert first == pytest.approx({"a": 0.5, "b": 1.0, "c": 0.5})
    assert second == pytest.approx({"a": 1.0, "b": 1.0, "c": 0.0})


def test_baseline_lowers_effects_and_no_credit() -> None:
    sequences: list[list[str]] = [["a"], ["a", "b"], ["b"], []]
    touched = MarkovModel.fit_paths(Paths.of(sequences[:3], [1, 1, 0]))

    model = MarkovModel.fit_paths(Paths.of([*sequences, []], [1, 1, 0, 1, 0]))

    assert model.conversion_rate == pytest.approx(3 / 5)
    assert model.baseline == 1
    assert model.removal_effects(baseline=False) == pytest.approx(touched.removal_effects())
    assert model.removal_effects() == pytest.approx(
        {name: effect * 2 / 3 for name, effect in touched.removal_effects().items()}
    )
    assert model.channel_credit() == pytest.approx(touched.channel_credit())


def test_effects_on_value_count_each_conversion_by_its_value() -> None:
    paths = Paths.of([["a"], ["b"], ["a", "b"]], [1, 1, 0], values=[90, 10, 0])

    model = MarkovModel.fit_paths(paths)

    # without a those that begin there are lost; without b, 1 of 2 of a's go to null either way
    assert model.removal_effects(by_value=True) == pytest.approx({"a": 0.9 + 0.05, "b": 0.1})
    assert sum(model.channel_credit(by_value=True).values()) == pytest.approx(100)
    assert model.value_rate == pytest.approx(100 / 3)


@laws
@given(path_rows, st.integers(1, 4), st.floats(1e-9, 1e9))
def test_effects_lie_between_0_and_1_whatever_the_weights(
    rows: Rows, order: int, large: float
) -> None:
    weights = [halves * (large if nth % 2 else 1.0) for nth, (_, _, halves) in enumerate(rows)]
    paths = Paths.of([row[0] for row in rows], [row[1] / 4 for row in rows], weights=weights)

    model = MarkovModel.fit_paths(paths, order=order)

    touched = {name for sequence, quarters, _ in rows if quarters for name in sequence}
    for channel, effect in model.removal_effects(baseline=False).items():
        assert 0 <= effect <= 1
        assert effect > 0 or channel not in touched
    converted = sum(
        weight * row[1] / 4 for weight, row in zip(weights, rows, strict=True) if row[0]
    )
    assert sum(model.channel_credit().values()) == pytest.approx(converted)


@laws
@given(path_rows, st.integers(1, 4))
def test_credit_of_a_touched_path_sums_to_1(rows: Rows, order: int) -> None:
    paths = paths_of(rows)

    credit = MarkovModel.fit_paths(paths, order=order).credit(paths)

    sums = np.bincount(paths.of_touch, credit, minlength=len(paths))
    assert np.allclose(sums, np.diff(paths.offsets) > 0, atol=1e-12)
    assert credit.min() >= 0


def test_channels_share_by_their_effects_and_repeat_touches_equally() -> None:
    model = MarkovModel.fit_paths(Paths.of([["a"], ["a"], ["a", "b"], ["b"]], [1, 0, 1, 0]))

    credit = model.credit(Paths.of([["a", "b", "a"], ["new", "b"], ["new", "newer"]], [1, 1, 0]))

    assert credit == pytest.approx([0.3, 0.4, 0.3, 0, 1, 0.5, 0.5])


def test_a_doubtful_path_is_one_that_converted_and_one_that_did_not() -> None:
    whole = Paths.of([["a", "b"], ["a"], ["b", "c"]], [0.25, 1, 0.5], weights=[4, 1, 2])
    split = Paths.of(
        [["a", "b"], ["a", "b"], ["a"], ["b", "c"], ["b", "c"]],
        [1, 0, 1, 1, 0],
        weights=[1, 3, 1, 1, 1],
    )

    one, other = MarkovModel.fit_paths(whole), MarkovModel.fit_paths(split)

    assert one.losses == pytest.approx(other.losses, rel=1e-14)
    assert one.conversions == other.conversions == (3.0,)
    assert one.conversion_rate == pytest.approx(3 / 7, rel=1e-14)


@laws
@given(path_rows, st.integers(1, 4), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: Rows, order: int, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))

    one = MarkovModel.fit_paths(paths_of(rows), order=order)
    other = MarkovModel.fit_paths(paths_of(shuffled), order=order)

    assert one.to_json() == other.to_json()  # all weights are exact


def test_advertisers_divide_their_conversions_apart() -> None:
    first = Paths.of([["a"], ["a", "b"], ["b"]], [1, 1, 0])
    second = Paths.of([["c", "d"], ["d"], ["c"]], [1, 0, 1], weights=[5, 1, 1])
    both = Paths.of(
        [["a"], ["a", "b"], ["b"], ["c", "d"], ["d"], ["c"]],
        [1, 1, 0, 1, 0, 1],
        weights=[1, 1, 1, 5, 1, 1],
    )
    both.advertiser[3:] = 1

    model = MarkovModel.fit_paths(both)

    apart = [MarkovModel.fit_paths(paths).channel_credit() for paths in (first, second)]
    assert model.channel_credit() == pytest.approx(apart[0] | apart[1])


def _long_paths(seed: int) -> Paths:
    random = np.random.default_rng(seed)
    sequences = [
        [f"c{n:02}" for n in random.integers(0, 12, random.integers(1, 7))] for _ in range(1500)
    ]
    return Paths.of(sequences, (random.random(1500) < 0.2).astype(float).tolist())


def test_large_chains_are_solved_as_exactly_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _long_paths(seed=1)
    assert len(chains.count_transitions(paths, order=3)) > 2 * chains._DIRECT
    iterated = MarkovModel.fit_paths(paths, order=3)

    monkeypatch.setattr(chains, "_DIRECT", 10**6)
    direct = MarkovModel.fit_paths(paths, order=3)

    assert iterated.losses == pytest.approx(direct.losses, rel=1e-11)
    assert iterated.conversion_rate == pytest.approx(paths.conversions.mean(), rel=1e-12)


def test_chains_that_settle_slowly_are_factorised(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Paths.of([["a", "b"] * 3000, ["a", "c"], ["b"]], [1, 1, 0])
    direct = MarkovModel.fit_paths(paths)

    monkeypatch.setattr(chains, "_DIRECT", 0)
    slow = MarkovModel.fit_paths(paths)

    assert slow.losses == pytest.approx(direct.losses, rel=1e-9)
    assert direct.conversion_rate == pytest.approx(2 / 3, rel=1e-12)


def test_fit_cuts_histories_into_paths() -> None:
    histories = Histories.of(
        pl.DataFrame({"history": [1, 2], "user": [1, 2], "advertiser_id": ["x", "x"],
                      "segment": ["s", "s"], "weight": [1.0, 1.0]}),
        pl.DataFrame({"history": [1, 1, 2], "campaign_id": ["a", "b", "b"],
                      "kind": ["click", "impression", "click"], "time_us": [1, 2, 1],
                      "shown": [True, False, True]}),
        pl.DataFrame({"history": [1], "time_us": [3], "probability": [1.0], "value": [5.0]}),
        start_us=0,
        end_us=10,
    )  # fmt: skip

    model = MarkovModel.fit(histories, order=2)

    assert model.removal_effects() == {"a": 1.0, "b": 0.0}
    assert model.conversion_rate == pytest.approx(0.5)


@laws
@given(path_rows, st.integers(1, 4))
def test_a_model_is_read_as_it_was_written(rows: Rows, order: int) -> None:
    model = MarkovModel.fit_paths(paths_of(rows), order=order)

    again = MarkovModel.from_json(model.to_json())

    assert again == model
    assert again.to_json() == model.to_json()


@pytest.mark.parametrize(
    "change",
    [{"kind": "shapley"}, {"losses": [1.0]}, {"groups": [9, 9]}, {"order": "x"}, {"values": None}],
)
def test_a_text_that_is_no_model_is_refused(change: dict[str, Any]) -> None:
    fields = json.loads(MarkovModel.fit_paths(Paths.of([["a"], ["b"]], [1, 0])).to_json())

    with pytest.raises(ConfigError, match="no Markov model"):
        MarkovModel.from_json(json.dumps(fields | change))
    with pytest.raises(ConfigError, match="no Markov model"):
        MarkovModel.from_json("[]")


@pytest.mark.parametrize("order", [0, 5, -1])
def test_an_order_without_a_chain_is_refused(order: int) -> None:
    with pytest.raises(ConfigError, match="orders are 1 to 4"):
        MarkovModel.fit_paths(Paths.of([["a"]], [1]), order=order)


@pytest.mark.parametrize("paths", [Paths.of([], []), Paths.of([["a"], []], [0, 1])])
def test_paths_without_a_touched_conversion_are_too_little(paths: Paths) -> None:
    with pytest.raises(InsufficientDataError, match="converted"):
        MarkovModel.fit_paths(paths)


def test_a_path_of_no_weight_is_no_path() -> None:
    kept, converted = [["a", "b"], ["b"]], [1, 0]

    model = MarkovModel.fit_paths(
        Paths.of([*kept, ["b", "b", "a"]], [*converted, 1], weights=[1, 1, 0])
    )

    assert model.to_json() == MarkovModel.fit_paths(Paths.of(kept, converted)).to_json()
