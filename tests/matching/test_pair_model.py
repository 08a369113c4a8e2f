"""Candidates and nobody share one unit of probability; hidden labels don't bias it."""

import math
from collections import defaultdict

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import calibration_ratio
from matching import pair_model
from matching.pair_model import Choices, _derivatives, calibrate, fit_trees

FEATURES = ("x", "y", "z")
CERTAINTY = 0.7
PAIR = st.tuples(
    st.integers(0, 8), st.floats(-6, 6), st.booleans(), st.sampled_from([0.0, 0.3, 0.7, 1.0])
)
PAIRS = st.lists(PAIR, min_size=1, max_size=25)


@pytest.fixture(autouse=True)
def all_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each tree see all of the few features, and leave a processor to others."""
    monkeypatch.setitem(pair_model._PARAMETERS, "feature_fraction", 1.0)
    monkeypatch.setitem(pair_model._PARAMETERS, "num_threads", 1)


def choices_of(pairs: list[tuple[int, float, bool, float]]) -> tuple[Choices, np.ndarray]:
    """Return choices and scores; the contact can be the same only where both sides show one."""
    pairs = sorted(pairs, key=lambda pair: pair[0])
    numbers = {signal: n for n, signal in enumerate(dict.fromkeys(pair[0] for pair in pairs))}
    signals = np.array([numbers[pair[0]] for pair in pairs])
    same = np.array([float(named and c > 0) for _, _, named, c in pairs])
    certainty = np.array([c for *_, c in pairs])
    return Choices(signals, same, certainty), np.array([score for _, score, _, _ in pairs])


def by_signal(choices: Choices, scores: np.ndarray) -> list[list[tuple[float, float, float]]]:
    """Return (odds, same, certainty) of the candidates of each signal."""
    held = defaultdict(list)
    for signal, score, same, c in zip(
        choices.signals, scores, choices.same, choices.certainty, strict=True
    ):
        held[signal].append((math.exp(score), same, c))
    return [held[signal] for signal in sorted(held)]


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS)
def test_probabilities_are_those_of_a_plain_loop(pairs: list) -> None:
    choices, scores = choices_of(pairs)
    before, after, losses = [], [], []
    for own in by_signal(choices, scores):
        whole = 1 + sum(odds for odds, _, _ in own)
        before += [odds / whole for odds, _, _ in own]
        named = sum(odds * same * c for odds, same, c in own)
        unnamed = 1 + sum(odds * (1 - c) for odds, _, c in own)
        after += [
            odds * same * c / named if named else odds * (1 - c) / unnamed for odds, same, c in own
        ]
        seen = sum(c * odds / whole for odds, same, c in own if same)
        none = 1 - sum(c * odds / whole for odds, _, c in own)
        losses.append(-math.log(seen if seen else none))
    assert choices.probabilities(scores).tolist() == pytest.approx(before)
    assert choices.posteriors(scores).tolist() == pytest.approx(after)
    assert choices.losses(scores).tolist() == pytest.approx(losses, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS)
def test_probabilities_of_a_signal_sum_to_at_most_one(pairs: list) -> None:
    choices, scores = choices_of(pairs)
    for probabilities in (choices.probabilities(100 * scores), choices.posteriors(100 * scores)):
        assert (probabilities >= 0).all()
        assert np.bincount(choices.signals, weights=probabilities).max() <= 1 + 1e-12


@settings(max_examples=40, deadline=None)
@given(pairs=PAIRS)
def test_contacts_that_tell_nothing_change_nothing(pairs: list) -> None:
    choices, scores = choices_of([(signal, score, False, 0.0) for signal, score, _, _ in pairs])
    assert np.array_equal(choices.posteriors(scores), choices.probabilities(scores))
    assert choices.losses(scores) == pytest.approx(0)


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS)
def test_the_gradient_is_the_slope_of_the_losses(pairs: list) -> None:
    choices, scores = choices_of(pairs)
    gradient, curvature = _derivatives(scores, choices)
    width = 1e-5
    for place in range(len(scores)):
        step = np.zeros_like(scores)
        step[place] = width
        rise = choices.losses(scores + step).sum() - choices.losses(scores - step).sum()
        assert gradient[place] == pytest.approx(rise / (2 * width), abs=1e-6)
    assert (curvature > 0).all()


@pytest.mark.parametrize(("score", "label"), [(-3.0, 0.0), (0.2, 1.0), (4.0, 0.0), (-1.0, 1.0)])
def test_one_candidate_who_always_shows_his_contact_has_the_binary_log_loss(
    score: float, label: float
) -> None:
    choices = Choices(np.array([0]), np.array([label]), np.array([1.0]))
    p = 1 / (1 + math.exp(-score))
    (loss,) = choices.losses(np.array([score]))
    assert loss == pytest.approx(-label * math.log(p) - (1 - label) * math.log(1 - p))
    gradient, curvature = _derivatives(np.array([score]), choices)
    assert gradient[0] == pytest.approx(p - label)
    assert curvature[0] == pytest.approx(p * (1 - p))


def test_choices_read_contacts_and_may_forget_the_same_ones() -> None:
    pairs = pl.DataFrame(
        {
            "signal_id": ["a", "a", "b", "b", "c"],
            "email_same": [1, 0, None, 0, None],
            "phone_same": [None, 0, None, 1, None],
        }
    )
    choices = Choices.of(pairs, {"email": 0.8, "phone": 0.5})
    assert choices.signals.tolist() == [0, 0, 1, 1, 2]
    assert choices.same.tolist() == [1, 0, 0, 1, 0]
    assert choices.certainty.tolist() == pytest.approx([0.8, 0.9, 0, 0.9, 0])
    unnamed = choices.without_names()
    assert unnamed.same.tolist() == [0] * 5
    assert unnamed.certainty.tolist() == pytest.approx([0, 0.9, 0, 0, 0])
    part = choices.subset(np.array([False, False, True, True, True]))
    assert part.signals.tolist() == [0, 0, 1]
    assert part.same.tolist() == [0, 1, 0]


def world_of_choices(
    signals: int, seed: int
) -> tuple[pl.DataFrame, Choices, np.ndarray, pl.Series]:
    """Return pairs, what their contacts say, their true log-odds, and who sent each signal.

    About four in ten signals are of nobody, whose candidates look like any. Of persons, a share of
    CERTAINTY shows the same contact; a fifth of the signals show none.
    """
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, signals)
    owner = np.repeat(np.arange(signals), counts)
    features = rng.normal(size=(len(owner), len(FEATURES)))
    scores = 2 * features[:, 0] - 1.5 * np.maximum(features[:, 1], 0) - 0.9
    odds = np.exp(scores)
    ends = np.cumsum(counts)
    running = np.cumsum(odds)
    before = np.concatenate([[0.0], running[ends[:-1] - 1]])
    totals = 1 + np.bincount(owner, weights=odds)
    drawn = (rng.random(signals) * totals)[owner] + before[owner]
    person = (drawn <= running) & (drawn > running - odds)  # beyond the last candidate: nobody
    told = (rng.random(signals) < 0.8)[owner]
    same = person & told & (rng.random(signals) < CERTAINTY)[owner]
    pairs = pl.DataFrame(features, schema=FEATURES)
    choices = Choices(owner, same.astype(float), np.where(told, CERTAINTY, 0.0))
    return pairs, choices, scores, pl.Series(person)


def test_probabilities_are_calibrated_though_labels_hide_three_persons_in_ten() -> None:
    pairs, choices, _, _ = world_of_choices(6_000, 1)
    trees = fit_trees(pairs, choices, features=FEATURES, directions={"x": 1}, seed=1, rounds=90)
    kept, kept_choices, _, _ = world_of_choices(3_000, 2)
    slope, intercept = calibrate(trees.scores(kept, FEATURES), kept_choices)

    fresh, judged, truth, person = world_of_choices(8_000, 3)
    outsiders = 1 - person.sum() / 8_000
    assert 0.35 < outsiders < 0.45
    probabilities = judged.probabilities(slope * trees.scores(fresh, FEATURES) + intercept)
    assert calibration_ratio(person, probabilities) == pytest.approx(1, abs=0.05)
    for low, high in ((0.05, 0.3), (0.3, 0.6), (0.6, 1)):
        part = (probabilities >= low) & (probabilities < high)
        ratio = calibration_ratio(person.to_numpy()[part], probabilities[part])
        assert ratio == pytest.approx(1, abs=0.1)
    assert np.abs(probabilities - judged.probabilities(truth)).mean() < 0.03

    ordinary = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "seed": 1, "learning_rate": 0.05,
         "num_leaves": 15, "num_threads": 1},
        lightgbm.Dataset(pairs.to_numpy(), choices.same), 90,
    )  # fmt: skip
    assert calibration_ratio(person, ordinary.predict(fresh.to_numpy())) < 0.65


def test_monotone_features_speak_in_their_direction_only() -> None:
    pairs, choices, _, _ = world_of_choices(1_500, 4)
    trees = fit_trees(
        pairs, choices, features=FEATURES, directions={"x": 1, "y": -1}, seed=1, rounds=40
    )
    for name, sign in (("x", 1), ("y", -1)):
        ladder = pl.DataFrame(
            {other: np.linspace(-3, 3, 50) if other == name else np.zeros(50) for other in FEATURES}
        )
        steps = np.diff(trees.scores(ladder, FEATURES))
        assert (sign * steps >= 0).all()
        assert steps.any()


def test_calibration_finds_the_slope_and_intercept_that_were_hidden() -> None:
    _, choices, truth, _ = world_of_choices(20_000, 5)
    slope, intercept = calibrate((truth - 0.8) / 1.6, choices)
    assert slope == pytest.approx(1.6, abs=0.08)
    assert intercept == pytest.approx(0.8, abs=0.08)
    assert calibrate(truth, choices) == pytest.approx((1, 0), abs=0.05)


def test_calibration_stays_finite_where_scores_tell_signals_apart() -> None:
    choices = Choices(np.arange(4), np.array([1.0, 1, 0, 0]), np.ones(4))
    slope, intercept = calibrate(np.array([2.0, 1, -1, -2]), choices)
    assert 1 < slope < 3  # the likelihood alone would have no bound
    assert intercept == pytest.approx(0, abs=1e-6)


def trees_text(threads: int) -> str:
    """Return the trees of one small problem, without the parameters that LightGBM adds."""
    pairs, choices, _, _ = world_of_choices(2_500, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model._PARAMETERS, "num_threads", threads)
        trees = fit_trees(pairs, choices, features=FEATURES, directions={}, seed=1, rounds=12)
    text: str = trees.booster.model_to_string()
    return text.partition("parameters:")[0]


def test_trees_are_the_same_again_and_on_more_threads() -> None:
    text = trees_text(1)
    assert text == trees_text(1) == trees_text(2)
    assert text.count("Tree=") == 12
