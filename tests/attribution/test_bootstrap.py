"""Laws of draws and of intervals by the Poisson bootstrap."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from attribution.bootstrap import bootstrap_weights, credit_intervals, interval_of, resampled
from attribution.histories import Histories
from attribution.paths import Floats, Paths
from warehouse.errors import ConfigError, InsufficientDataError


def _paths(users: int, *, probability: float = 1.0) -> Paths:
    sequences = [("a", "b") if user % 3 else ("b",) for user in range(users)]
    return Paths.of(sequences, [probability if user % 2 else 0.0 for user in range(users)])


def _even(paths: Paths) -> Floats:
    return 1 / np.diff(paths.offsets)[paths.of_touch]


def test_draws_are_poisson_with_mean_one() -> None:
    drawn = bootstrap_weights(np.arange(50_000), 20, seed=1)

    shares = np.bincount(drawn.ravel(), minlength=8)[:6] / drawn.size
    np.testing.assert_allclose(shares, poisson.pmf(np.arange(6), 1.0), atol=0.002)
    assert abs(drawn.mean() - 1) < 4 / np.sqrt(drawn.size)
    assert abs(drawn.var() - 1) < 0.01


def test_users_and_replicates_are_drawn_independently() -> None:
    drawn = bootstrap_weights(np.arange(20_000), 12, seed=3).astype(np.float64)

    between_replicates = np.corrcoef(drawn.T) - np.eye(12)
    assert np.abs(between_replicates).max() < 5 / np.sqrt(len(drawn))
    neighbours = np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(len(drawn))


@settings(max_examples=20, deadline=None)
@given(
    users=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=30),
    seed=st.integers(0, 2**63),
    replicates=st.integers(1, 13),
)
def test_a_draw_depends_on_seed_user_and_replicate_alone(
    users: list[int], seed: int, replicates: int
) -> None:
    numbers = np.array(users, dtype=np.int64)
    drawn = bootstrap_weights(numbers, replicates, seed)

    np.testing.assert_array_equal(bootstrap_weights(numbers[::-1], replicates, seed), drawn[::-1])
    more = bootstrap_weights(numbers, replicates + 5, seed)
    np.testing.assert_array_equal(more[:, :replicates], drawn)
    alone = [bootstrap_weights(numbers[[row]], replicates, seed)[0] for row in range(len(users))]
    np.testing.assert_array_equal(np.array(alone), drawn)


def test_another_seed_draws_anew() -> None:
    users = np.arange(1000)

    first, second = (bootstrap_weights(users, 1, seed).ravel() for seed in (1, 2))

    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15


def test_the_standard_error_is_that_of_the_sum_of_user_totals() -> None:
    paths = _paths(3000)
    credit = _even(paths)

    found = credit_intervals(paths, credit, replicates=2000, seed=5)

    # each user converts once at most: the variance of a sum of so many Poisson weights
    each = (credit * paths.conversions[paths.of_touch]) ** 2
    expected = np.sqrt(np.bincount(paths.touches.channel, each))
    np.testing.assert_allclose(found["standard_error"].to_numpy(), expected, rtol=0.06)


def test_conversions_of_one_user_are_drawn_together() -> None:
    apart = Paths.of([("a",)] * 800, [1.0] * 800)
    together = Paths(**{**vars(apart), "user": apart.user // 4})

    errors = [
        credit_intervals(paths, np.ones(800), replicates=1000)["standard_error"].item()
        for paths in (apart, together)
    ]

    assert errors[1] / errors[0] == pytest.approx(2.0, rel=0.1)


def test_uncertain_matches_add_the_variance_of_their_draw() -> None:
    paths = Paths.of([("a",)] * 4000, [0.25] * 4000)

    found = credit_intervals(paths, np.ones(4000), replicates=1500)

    # p^2 of the user's draw and p (1 - p) of the match's, which stands beside it: p in all
    expected = np.sqrt(4000 * (0.25**2 + 0.25 * 0.75))
    assert found["credit"].item() == pytest.approx(1000)
    assert found["standard_error"].item() == pytest.approx(expected, rel=0.07)


def test_conversions_of_one_user_are_matched_apart() -> None:
    paths = Paths.of([("a",)] * 2000, [0.25] * 2000)
    paths = Paths(**{**vars(paths), "user": paths.user // 4, "end_us": paths.user})

    found = credit_intervals(paths, np.ones(2000), replicates=1500)

    # the four of a user are drawn as one with him, (4 p)^2, and each has its own match
    expected = np.sqrt(500 * (4 * 0.25) ** 2 + 2000 * 0.25 * 0.75)
    assert found["standard_error"].item() == pytest.approx(expected, rel=0.07)


def test_a_replicate_below_nothing_leaves_limits_above_it() -> None:
    paths = Paths.of([("a",)] * 2, [0.01, 0.01])

    found = credit_intervals(paths, np.ones(2), replicates=5000)

    # a user who is not drawn and not matched counts as -p
    assert found["credit"].item() == pytest.approx(0.02)
    assert found["standard_error"].item() == pytest.approx(np.sqrt(0.02), rel=0.2)
    assert 0 < found["low"].item() < 0.02 < found["high"].item()


def test_order_and_partition_of_paths_do_not_matter() -> None:
    paths = _paths(600, probability=0.6)
    order = np.random.default_rng(1).permutation(len(paths))
    mixed = paths.take(order)

    first = credit_intervals(paths, _even(paths), seed=2)
    second = credit_intervals(mixed, _even(mixed), seed=2)

    for column in ("credit", "standard_error", "low", "high"):
        np.testing.assert_allclose(first[column], second[column], rtol=1e-10)


def test_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _paths(500, probability=0.6)
    whole = credit_intervals(paths, _even(paths))

    monkeypatch.setattr("attribution.bootstrap._ENTRIES", 3000)
    parts = credit_intervals(paths, _even(paths))

    np.testing.assert_allclose(parts["standard_error"], whole["standard_error"], rtol=1e-10)


def test_a_refit_that_changes_nothing_gives_the_plain_bootstrap() -> None:
    paths = _paths(400)

    plain = credit_intervals(paths, _even(paths), replicates=30, seed=9)
    refitted = credit_intervals(paths, _even(paths), replicates=30, seed=9, refit=_even)

    np.testing.assert_allclose(plain["standard_error"], refitted["standard_error"], rtol=1e-10)


def test_a_refit_is_given_no_negative_weights_and_more_doubt_of_matches() -> None:
    paths = Paths.of([("a",)] * 2000, [0.25] * 2000)
    least = []

    def refit(again: Paths) -> Floats:
        least.append(min(again.weights.min(), again.conversions.min()))
        return np.ones(2000)

    found = credit_intervals(paths, np.ones(2000), replicates=400, refit=refit)

    # of a weight with mean 1 and mean square 2, times a draw of probability p
    expected = np.sqrt(2000 * (2 * 0.25 - 0.25**2))
    assert found["standard_error"].item() == pytest.approx(expected, rel=0.1)
    assert min(least) == 0


def test_intervals_of_few_conversions_hold_the_mean_as_often_as_said() -> None:
    rng = np.random.default_rng(7)
    held = []
    for seed in range(200):
        conversions = rng.poisson(20)
        paths = Paths.of([("a",)] * (conversions + 5), [1.0] * conversions + [0.0] * 5)
        found = credit_intervals(paths, np.ones(conversions + 5), replicates=100, seed=seed)
        held.append(found["low"].item() <= 20 <= found["high"].item())

    assert 0.84 <= np.mean(held) <= 0.96


def test_sums_by_segment_add_up_to_the_whole_and_values_count_as_money() -> None:
    paths = _paths(200)
    paths = Paths(**{**vars(paths), "segment": (paths.user % 4).astype(np.int32)})
    paths = Paths(**{**vars(paths), "values": 3 * paths.conversions})

    by_segment = credit_intervals(paths, _even(paths), by="segment", values=True)
    by_number = credit_intervals(paths, _even(paths), by=np.zeros(len(paths.touches), np.int64))

    assert by_segment["credit"].sum() == pytest.approx(3 * by_number["credit"].item())
    assert by_segment.columns[0] == "number"


def test_nothing_earned_is_an_interval_of_nothing() -> None:
    error, low, high = interval_of(np.zeros(1), np.zeros((1, 50)), 0.9)

    assert (error[0], low[0], high[0]) == (0.0, 0.0, 0.0)


def test_resampled_histories_are_drawn_like_paths() -> None:
    histories = Histories.of(
        pl.DataFrame(
            {"history": range(300), "user": range(300), "advertiser_id": "x", "segment": "s",
             "weight": 1.0}
        ),
        pl.DataFrame(
            {"history": range(300), "campaign_id": "a", "kind": "click", "time_us": 1}
        ).with_columns(shown=True),
        pl.DataFrame(
            {"history": range(300), "time_us": 2, "probability": 0.5, "value": 4.0}
        ),
        start_us=0,
        end_us=10,
    )  # fmt: skip

    again = resampled(histories, replicate=6, seed=11)

    np.testing.assert_array_equal(
        again.weights, bootstrap_weights(histories.user, 7, seed=11)[:, 6]
    )
    assert set(again.probability) == {0.0, 1.0}
    assert 100 < again.probability.sum() < 200
    np.testing.assert_array_equal(again.value, 4.0 * again.probability)


def test_what_cannot_be_used_is_said() -> None:
    paths = _paths(10)

    with pytest.raises(ConfigError, match="surface"):
        credit_intervals(paths, _even(paths), by="surface")
    with pytest.raises(ConfigError, match="level"):
        credit_intervals(paths, _even(paths), level=90)
    with pytest.raises(InsufficientDataError, match="users"):
        credit_intervals(paths.take(np.array([0])), np.ones(1))
