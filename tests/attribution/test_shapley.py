"""Shapley values: the axioms, brute force over all orders, and models solved by hand."""

import json
from itertools import permutations
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.histories import Histories
from attribution.learned.coalitions import sampled_shapley, shapley_values, subsets
from attribution.learned.exposed_sets import set_keys
from attribution.learned.shapley import ShapleyModel
from attribution.paths import Bools, Floats, Paths
from warehouse.errors import ConfigError, InsufficientDataError

laws = settings(max_examples=30, deadline=None)
worths = st.integers(0, 5).flatmap(
    lambda players: st.lists(st.floats(-10, 10), min_size=1 << players, max_size=1 << players).map(
        np.array
    )
)
Rows = list[tuple[list[str], int, int]]  # sequence, conversions among four, weight
path_rows = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), max_size=5), st.integers(0, 4), st.integers(1, 200)
    ),
    min_size=1,
    max_size=15,
).filter(lambda rows: any(sequence and quarters for sequence, quarters, _ in rows))


def players_of(values: Floats) -> int:
    return int(values.shape[-1]).bit_length() - 1


def averaged_over_orders(values: Floats) -> list[float]:
    """Return what each player adds, on average over all orders."""
    players = players_of(values)
    orders = list(permutations(range(players)))
    added = np.zeros(players)
    for order in orders:
        mask = 0
        for player in order:
            added[player] += values[mask | 1 << player] - values[mask]
            mask |= 1 << player
    return list(added / len(orders))


def paths_of(rows: Rows, *, rename: dict[str, str] | None = None) -> Paths:
    names = rename or {}
    return Paths.of(
        [[names.get(name, name) for name in row[0]] for row in rows],
        [row[1] / 4 for row in rows],
        weights=[row[2] for row in rows],
    )


# -- plain games


@laws
@given(worths)
def test_values_are_averages_over_all_orders(values: Floats) -> None:
    found = shapley_values(values, players_of(values))

    assert found == pytest.approx(averaged_over_orders(values), abs=1e-12)


@laws
@given(worths)
def test_efficiency_of_games(values: Floats) -> None:
    found = shapley_values(values, players_of(values))

    assert found.sum() == pytest.approx(values[-1] - values[0], abs=1e-12)


@laws
@given(worths, st.data())
def test_additivity_of_games(values: Floats, data: st.DataObject) -> None:
    players = players_of(values)
    others = np.array(
        data.draw(st.lists(st.floats(-5, 5), min_size=len(values), max_size=len(values)))
    )

    found = shapley_values(values + 3 * others, players)

    apart = shapley_values(values, players) + 3 * shapley_values(others, players)
    assert found == pytest.approx(apart, abs=1e-11)


@laws
@given(worths)
def test_a_null_player_has_nothing_and_twins_have_the_same(values: Floats) -> None:
    players = players_of(values)
    with_null = np.concatenate([values, values])
    # two last players, of whom it matters only how many are there
    with_twins = np.concatenate([values, values + 1, values + 1, 4 * values])

    null, twins = shapley_values(with_null, players + 1), shapley_values(with_twins, players + 2)

    assert null[-1] == 0
    assert null[:-1] == pytest.approx(shapley_values(values, players), abs=1e-12)
    assert twins[-1] == pytest.approx(twins[-2], abs=1e-12)


def test_the_game_of_summed_conversions_divides_each_path_equally() -> None:
    # Zhao, Mahboobi and Bagheri 2018: worth is the conversions of all paths within the coalition
    players, random = 6, np.random.default_rng(3)
    inside, conversions = subsets(players), random.integers(0, 50, 1 << players).astype(float)
    within = (inside[:, None, :] <= inside[None, :, :]).all(axis=2)  # row within column
    sizes = np.maximum(inside.sum(axis=1), 1)

    found = shapley_values(conversions @ within, players)

    assert found == pytest.approx((conversions / sizes) @ inside)


def test_a_glove_game_of_16_players_is_exact() -> None:
    # one holds a left glove, fifteen a right one: the left is worth 15/16 (hand-solved)
    inside = subsets(16)
    pairs = (inside[:, 0] & inside[:, 1:].any(axis=1)).astype(float)

    found = shapley_values(pairs, 16)

    assert found[0] == pytest.approx(15 / 16, rel=1e-12)
    assert found[1:] == pytest.approx(np.full(15, 1 / 240), rel=1e-12)


@pytest.mark.parametrize(("size", "players"), [(3, 2), (1 << 17, 17), (1, -1)])
def test_a_game_without_all_its_coalitions_is_refused(size: int, players: int) -> None:
    with pytest.raises(ConfigError, match="2\\*\\*players"):
        shapley_values(np.zeros(size), players)


def test_sampled_values_are_efficient_and_within_their_errors() -> None:
    weights = np.arange(1.0, 21)

    def squared(inside: Bools) -> Floats:
        return np.asarray((inside @ weights) ** 2 + 7)

    found = sampled_shapley(squared, 20, permutations=2000, seed=5)

    exact = weights * weights.sum()  # of a square of sums: a player's own times the sum of all
    assert found.values.sum() == pytest.approx(weights.sum() ** 2)
    score = (found.values - exact) / found.standard_errors
    assert np.abs(score).max() < 4
    assert np.sqrt((score**2).mean()) > 0.5
    again = sampled_shapley(squared, 20, permutations=2000, seed=5)
    assert np.array_equal(found.values, again.values)


def test_sampled_values_of_a_player_that_adds_the_same_have_no_error() -> None:
    found = sampled_shapley(lambda inside: inside @ np.arange(3.0), 3, permutations=10, seed=0)

    assert found.values == pytest.approx([0, 1, 2])
    assert found.standard_errors == pytest.approx([0, 0, 0], abs=1e-12)
    with pytest.raises(InsufficientDataError, match="orders"):
        sampled_shapley(lambda inside: inside.sum(axis=1), 3, permutations=1, seed=0)


# -- models of paths


def test_a_model_solved_by_hand() -> None:
    # rates: empty 10%, a 30%, b 20%, a and b 60%
    paths = Paths.of(
        [[], ["a"], ["b"], ["a", "b", "a"]],
        [0.1, 0.3, 0.2, 0.6],
        weights=[1000, 100, 100, 50],
    )

    model = ShapleyModel.fit_paths(paths, shrinkage=0)

    # of the pair: a (.2 + .4) / 2, b (.1 + .3) / 2; of the 50 paths 15 and 10
    assert model.values() == pytest.approx({"a": 20 + 15, "b": 10 + 10})
    assert model.standard_errors == {"a": 0, "b": 0}
    assert model.credit(paths) == pytest.approx([2 / 3, 1 / 2, 1 / 4, 1 / 3, 1 / 4])


def test_a_negative_value_is_cut_in_credit_alone() -> None:
    # a converts 40% alone and 20% with b, which converts 10% like nobody
    paths = Paths.of([[], ["a"], ["b"], ["a", "b"]], [0.1, 0.4, 0.1, 0.2], weights=[100] * 4)

    model = ShapleyModel.fit_paths(paths, shrinkage=0)

    # of the pair: a (.3 + .1) / 2, b (0 - .2) / 2; the credit of the path stays 1 - .1 / .2
    assert model.values() == pytest.approx({"a": 30 + 20, "b": 0 - 10})
    assert model.credit(paths) == pytest.approx([3 / 4, 0, 1 / 2, 0])


def test_without_untouched_paths_nothing_is_organic() -> None:
    paths = Paths.of([["a"], ["b"], ["a", "b"]], [0.5, 0.25, 0.75], weights=[4, 4, 4])

    credit = ShapleyModel.fit_paths(paths, shrinkage=0).credit(paths)

    assert credit == pytest.approx([1, 1, 2 / 3, 1 / 3])


def brute_force(rows: Rows, shrinkage: float) -> dict[str, float]:
    """Return the values of channels by averages over all orders, set by set."""
    weights: dict[frozenset[str], float] = {}
    found: dict[frozenset[str], float] = {}
    for sequence, quarters, weight in rows:
        key = frozenset(sequence)
        weights[key] = weights.get(key, 0) + weight
        found[key] = found.get(key, 0) + weight * quarters / 4
    empty = frozenset[str]()
    seen = [key for key in weights if key]
    names = sorted(frozenset[str]().union(*seen))
    # ridge regression as least squares on rows added for the terms
    root = np.sqrt([weights[key] for key in seen])
    design = np.array([[1.0, *(name in key for name in names)] for key in seen]) * root[:, None]
    held = np.sqrt(shrinkage) * np.eye(len(names), 1 + len(names), 1)
    rates = np.array([found[key] / weights[key] for key in seen]) * root
    terms = np.linalg.lstsq(np.vstack([design, held]), np.r_[rates, np.zeros(len(names))])[0]

    def worth(key: frozenset[str]) -> float:
        if not key:
            return found.get(empty, 0.0) / weights.get(empty, 1.0)
        rate = terms[0] + sum(terms[1 + names.index(name)] for name in key)
        whole = weights.get(key, 0.0) + shrinkage
        return float((found.get(key, 0.0) + shrinkage * rate) / whole)

    values = dict.fromkeys(names, 0.0)
    for key in seen:
        members = sorted(key)
        game = np.array(
            [
                worth(frozenset(name for nth, name in enumerate(members) if mask >> nth & 1))
                for mask in range(1 << len(members))
            ]
        )
        for name, part in zip(members, averaged_over_orders(game), strict=True):
            values[name] += weights[key] * part
    return values


@laws
@given(path_rows, st.sampled_from([3.0, 500.0]))
def test_models_are_brute_force(rows: Rows, shrinkage: float) -> None:
    model = ShapleyModel.fit_paths(paths_of(rows), shrinkage=shrinkage)

    assert model.values() == pytest.approx(brute_force(rows, shrinkage), abs=1e-9)


@laws
@given(path_rows, st.sampled_from([0.0, 100.0]))
def test_efficiency_of_models(rows: Rows, shrinkage: float) -> None:
    model = ShapleyModel.fit_paths(paths_of(rows), shrinkage=shrinkage)

    parts = np.add.reduceat(model.parts, model.offsets[:-1])
    group = model.additive.groups[model.members[model.offsets[:-1]]]
    assert parts == pytest.approx(model.rates - model.additive.bases[group], abs=1e-12)
    if shrinkage == 0:
        touched = [row for row in rows if row[0]]
        conversions = sum(row[1] * row[2] / 4 for row in touched)
        assert model.weights @ model.rates == pytest.approx(conversions)


@laws
@given(path_rows, st.sampled_from([0.0, 100.0]))
def test_exchanged_channels_exchange_their_values(rows: Rows, shrinkage: float) -> None:
    swap = {"a": "c", "c": "a"}

    one = ShapleyModel.fit_paths(paths_of(rows), shrinkage=shrinkage).values()
    other = ShapleyModel.fit_paths(paths_of(rows, rename=swap), shrinkage=shrinkage).values()

    assert other == pytest.approx({swap.get(name, name): one[name] for name in one}, abs=1e-9)


@laws
@given(path_rows, st.sampled_from([0.0, 100.0]))
def test_values_of_two_kinds_of_conversions_add_up(rows: Rows, shrinkage: float) -> None:
    other: Rows = [(sequence, 4 - quarters, weight) for sequence, quarters, weight in rows]
    if not any(quarters for sequence, quarters, _ in other if sequence):
        other[0] = (["a"], 1, 1)
        rows = [(["a"], 0, 1), *rows[1:]]
    if not any(quarters for sequence, quarters, _ in rows if sequence):
        return
    both: Rows = [(row[0], row[1] + more[1], row[2]) for row, more in zip(rows, other, strict=True)]

    apart = [
        ShapleyModel.fit_paths(paths_of(kind), shrinkage=shrinkage).values()
        for kind in (rows, other)
    ]
    together = ShapleyModel.fit_paths(paths_of(both), shrinkage=shrinkage).values()

    assert together == pytest.approx({n: apart[0][n] + apart[1][n] for n in apart[0]}, abs=1e-8)


def test_a_channel_that_changes_no_rate_has_no_value() -> None:
    # additive rates, seen in all sets: what shrinks to them leaves them as they are
    sequences: list[list[str]] = [list(s) for s in ("", "a", "b", "ab", "n", "an", "bn", "abn")]
    rates = [0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4]
    weights = [50, 40, 30, 20, 10, 35, 25, 15]

    model = ShapleyModel.fit_paths(Paths.of(sequences, rates, weights=weights), shrinkage=0)

    assert model.values()["n"] == pytest.approx(0, abs=1e-12)
    assert model.parts.max() == pytest.approx(0.2)


@laws
@given(path_rows, st.sampled_from([0.0, 100.0]))
def test_credit_is_at_least_0_and_at_most_1_in_sum(rows: Rows, shrinkage: float) -> None:
    model = ShapleyModel.fit_paths(paths_of(rows), shrinkage=shrinkage)
    paths = Paths.of(
        [*(row[0] for row in rows), ["a", "b", "c", "d", "e", "a"]], [1] * (1 + len(rows))
    )

    credit = model.credit(paths)

    assert credit.min() >= 0
    assert np.bincount(paths.of_touch, credit, minlength=len(paths)).max() <= 1 + 1e-12


def test_a_set_never_seen_is_worth_its_additive_rate() -> None:
    paths = Paths.of([[], ["a"], ["b"], ["c"]], [0.1, 0.2, 0.4, 0.3], weights=[100] * 4)
    model = ShapleyModel.fit_paths(paths, shrinkage=0)
    level, terms = model.additive.levels[0], model.additive.terms

    credit = model.credit(Paths.of([["a", "b"], ["a", "stranger"]], [1, 1]))

    assert level + terms == pytest.approx([0.2, 0.4, 0.3])
    worth = level + terms[0] + terms[1]
    parts = terms[:2] + (level - 0.1) / 2
    assert credit[:2] == pytest.approx(parts / worth)
    assert credit[2:] == pytest.approx([1 / 2, 0])


def test_a_fitted_model_gives_the_worth() -> None:
    paths = Paths.of([["a", "b", "c"], ["c"], []], [1, 0, 0])
    asked: list[int] = []

    def rate(exposed: Bools) -> Floats:
        asked.append(len(exposed))
        pair = exposed[:, 1:].all(axis=1)
        return np.asarray(0.1 + 0.2 * exposed[:, 0] + 0.4 * pair)

    model = ShapleyModel.fit_paths(paths, value=rate)

    assert model.values() == pytest.approx({"a": 0.2, "b": 0.2, "c": 0.2})
    assert model.credit(paths) == pytest.approx([2 / 7] * 3 + [0])
    assert max(asked) <= 8


def test_ordered_values_split_each_channel_over_its_places() -> None:
    # worth is 1 for every set: each path is divided equally, as in the ordered values of 2018
    paths = Paths.of([["a", "b", "a"], ["b", "a"], ["b"], ["a", "b"]], [1, 1, 1, 0])

    model = ShapleyModel.fit_paths(
        paths, value=lambda x: np.asarray(x.any(axis=1) * 1.0, dtype=np.float64), ordered=True
    )

    table = model.position_values()
    # three paths of the set of both; of its two conversions a stood at 1 and 3, and at 2
    assert table["a"][:3] == pytest.approx((3 / 8, 3 / 4, 3 / 8))
    assert table["b"][:3] == pytest.approx((3 / 4 + 1, 3 / 4, 0))
    assert sum(table["a"]) == pytest.approx(model.values()["a"])


@laws
@given(path_rows)
def test_places_sum_to_the_values(rows: Rows) -> None:
    long: Rows = [(row[0] * 5, row[1], row[2]) for row in rows]

    model = ShapleyModel.fit_paths(paths_of(long), ordered=True)

    sums = {name: sum(places) for name, places in model.position_values().items()}
    assert sums == pytest.approx(model.values(), abs=1e-9)
    plain = ShapleyModel.fit_paths(paths_of(long))
    with pytest.raises(ConfigError, match="ordered=True"):
        plain.position_values()


def test_large_sets_are_sampled_with_errors() -> None:
    names = [f"c{number:02}" for number in range(20)]
    weights = np.arange(1.0, 21) / 1000

    def rate(exposed: Bools) -> Floats:
        return np.asarray(0.05 + (exposed @ weights) ** 2)

    paths = Paths.of([names, names[:2], []], [1, 1, 0], weights=[10, 1, 1])
    model = ShapleyModel.fit_paths(paths, value=rate, permutations=400, seed=2)

    exact = 10 * weights * weights.sum()
    exact[:2] += weights[:2] * weights[:2].sum()
    found = np.array(list(model.values().values()))
    errors = np.array(list(model.standard_errors.values()))
    assert (errors > 0).all()
    assert (np.abs(found - exact) < 4 * errors).all()
    assert found.sum() == pytest.approx(exact.sum())
    assert ShapleyModel.from_json(model.to_json()).standard_errors == model.standard_errors


def test_many_channels_are_numbered_as_few_are() -> None:
    random = np.random.default_rng(4)
    rows = [
        [f"c{n:03}" for n in random.choice(4, size, replace=False)]
        for size in random.integers(0, 4, 300)
    ]
    converted = (random.random(300) < 0.3).astype(float).tolist()
    strangers = [[f"z{n:03}"] for n in range(80)]
    few = ShapleyModel.fit_paths(Paths.of(rows, converted), shrinkage=0)

    both = Paths.of([*rows, *strangers], [*converted, *[0.0] * 80])
    both.advertiser[300:] = 1
    many = ShapleyModel.fit_paths(both, shrinkage=0).values()

    assert len(set(set_keys(84).tolist())) == 84
    assert {name: many[name] for name in few.values()} == pytest.approx(few.values(), abs=1e-9)
    assert all(many[name] == 0 for (name,) in strangers)


def test_advertisers_have_their_own_empty_sets() -> None:
    paths = Paths.of([[], ["a"], [], ["b"]], [0.1, 0.5, 0.4, 0.5], weights=[10] * 4)
    paths.advertiser[2:] = 1

    model = ShapleyModel.fit_paths(paths, shrinkage=0)

    assert model.values() == pytest.approx({"a": 4, "b": 1})


@laws
@given(path_rows, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: Rows, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))

    one = ShapleyModel.fit_paths(paths_of(rows), ordered=True)
    other = ShapleyModel.fit_paths(paths_of(shuffled), ordered=True)

    assert one.parts == pytest.approx(other.parts, abs=1e-13)
    assert np.array_equal(one.members, other.members)


@laws
@given(path_rows, st.booleans())
def test_a_model_is_read_as_it_was_written(rows: Rows, ordered: bool) -> None:
    paths = paths_of(rows)
    model = ShapleyModel.fit_paths(paths, ordered=ordered)

    again = ShapleyModel.from_json(model.to_json())

    assert again.to_json() == model.to_json()
    assert np.array_equal(again.credit(paths), model.credit(paths))


def test_fit_cuts_histories_into_paths() -> None:
    histories = Histories.of(
        pl.DataFrame({"history": [1, 2, 3], "user": [1, 2, 3], "advertiser_id": ["x"] * 3,
                      "segment": ["s"] * 3, "weight": [1.0, 1.0, 1.0]}),
        pl.DataFrame({"history": [1, 2], "campaign_id": ["a", "a"], "kind": ["click"] * 2,
                      "time_us": [1, 1], "shown": [True, False]}),
        pl.DataFrame({"history": [1, 3], "time_us": [3, 3], "probability": [1.0, 0.5],
                      "value": [5.0, 1.0]}),
        start_us=0,
        end_us=10,
    )  # fmt: skip

    model = ShapleyModel.fit(histories)

    # an ad withheld is no touch: of two paths without one, half a conversion
    assert model.values() == pytest.approx({"a": 1 - 0.25})


@pytest.mark.parametrize(
    "change",
    [{"kind": "markov"}, {"rates": [1.0]}, {"members": [[0], [7]]}, {"groups": [0]},
     {"parts": None}, {"members": [[], [0, 1]]}, {"positions": [[1.0]]}],
)  # fmt: skip
def test_a_text_that_is_no_model_is_refused(change: dict[str, Any]) -> None:
    fields = json.loads(ShapleyModel.fit_paths(Paths.of([["a"], ["b"]], [1, 0])).to_json())

    with pytest.raises(ConfigError, match="no Shapley model"):
        ShapleyModel.from_json(json.dumps(fields | change))
    with pytest.raises(ConfigError, match="no Shapley model"):
        ShapleyModel.from_json("7")


@pytest.mark.parametrize("paths", [Paths.of([], []), Paths.of([["a"], []], [0, 1])])
def test_paths_without_a_touched_conversion_are_too_little(paths: Paths) -> None:
    with pytest.raises(InsufficientDataError, match="converted"):
        ShapleyModel.fit_paths(paths)


def test_a_negative_shrinkage_is_refused() -> None:
    with pytest.raises(ConfigError, match="shrinkage"):
        ShapleyModel.fit_paths(Paths.of([["a"]], [1]), shrinkage=-1)
