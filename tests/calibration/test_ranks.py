"""A sample in the order of its scores, and its ties, wherever parts of it end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from calibration import rows
from calibration.cells import Cells
from calibration.ranks import gather, gather_many, in_order, isotonic_blocks, ties
from calibration.samples import Sample

ROWS = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(st.sampled_from([0.0, -0.0, 0.25, 1.0, 5e-324]), st.floats(0, 1)),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=40,
).filter(lambda drawn: any(weight for *_, weight in drawn))


def _sample(drawn: list[tuple[bool, float, int]], *, weighted: bool) -> Sample:
    happened, scores, weight = (np.array(column) for column in zip(*drawn, strict=True))
    return Sample.of(happened, scores, weight if weighted else None)


@settings(deadline=None, max_examples=50)
@given(drawn=ROWS, weighted=st.booleans())
def test_order_is_by_probability_then_outcome_then_weight(
    drawn: list[tuple[bool, float, int]], weighted: bool
) -> None:
    ordered = in_order(_sample(drawn, weighted=weighted))

    told = sorted((p + 0.0, y, w if weighted else 1) for y, p, w in drawn if w or not weighted)
    assert ordered.probability.tolist() == [p for p, *_ in told]
    assert not np.signbit(ordered.probability).any()
    assert ordered.happened.tolist() == [y for _, y, _ in told]
    assert (ordered.weight is not None) == weighted
    if ordered.weight is not None:
        assert ordered.weight.tolist() == [w for *_, w in told]


@settings(deadline=None, max_examples=50)
@given(drawn=ROWS, weighted=st.booleans(), at_once=st.integers(1, 50), ordered=st.booleans())
def test_ties_hold_every_row_once_wherever_parts_end(
    drawn: list[tuple[bool, float, int]], weighted: bool, at_once: int, ordered: bool
) -> None:
    sample = _sample(sorted(drawn, key=lambda row: row[1]) if ordered else drawn, weighted=weighted)
    weight = np.ones(len(sample)) if sample.weight is None else sample.weight

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_ROWS_AT_ONCE", at_once)
        cells = Cells.joined(list(ties(sample)))

    scores = np.unique(sample.probability[weight > 0])
    assert np.array_equal(cells.lowest, scores)
    assert np.array_equal(cells.highest, scores)
    for column, values in (
        ("weight", weight), ("square", weight**2), ("events", weight * sample.happened)
    ):  # fmt: skip
        told = [values[sample.probability == score].sum() for score in scores]
        assert np.array_equal(getattr(cells, column), told)
    assert np.allclose(cells.expected, scores * cells.weight, rtol=1e-12, atol=0)
    assert cells.values.tolist() == [1] * len(scores)


def test_a_sample_in_order_is_read_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("sorted again")

    monkeypatch.setattr("calibration.ranks._sorted", refused)

    told = list(ties(Sample.of([0, 1, 1], [0.1, 0.1, 0.4], [1, 2, 0])))

    assert Cells.joined(told).weight.tolist() == [3]
    with pytest.raises(AssertionError, match="sorted again"):
        list(ties(Sample.of([0, 1], [0.4, 0.1])))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), at_once=st.integers(1, 300), weighted=st.booleans())
def test_pooling_in_parts_is_pooling_at_once(seed: int, at_once: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    scores = np.round(generator.random(200), 2)
    happened = generator.random(200) < scores
    weight = generator.integers(1, 4, 200) if weighted else np.ones(200)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_ROWS_AT_ONCE", at_once)
        blocks = isotonic_blocks(Sample.of(happened, scores, weight if weighted else None))

    fit = IsotonicRegression().fit(scores, happened, sample_weight=weight)
    values = np.repeat(blocks.rate, 2)
    corners = np.stack([blocks.lowest, blocks.highest], axis=1).ravel()
    assert np.abs(fit.predict(corners) - values).max() < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_rates_of_blocks_are_those_of_scikit_learn_at_every_row(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = np.round(generator.random(2_000), 3)
    happened, weight = generator.random(2_000) < scores, generator.exponential(size=2_000)

    blocks = isotonic_blocks(Sample.of(happened, scores, weight))

    told = IsotonicRegression().fit(scores, happened, weight).predict(scores)
    np.testing.assert_allclose(blocks.interpolate(blocks.rate, scores), told, atol=1e-12)


@pytest.mark.parametrize("ordered", [False, True])
def test_blocks_of_some_rows_are_those_of_a_sample_of_them(ordered: bool) -> None:
    generator = np.random.default_rng(3)
    scores = generator.random(500)
    scores = np.sort(scores) if ordered else scores
    happened, weight = generator.random(500) < scores, generator.integers(0, 3, 500)
    chosen = generator.random(500) < 0.5

    blocks = isotonic_blocks(Sample.of(happened, scores, weight), chosen)

    told = isotonic_blocks(Sample.of(happened[chosen], scores[chosen], weight[chosen]))
    assert blocks.weight.sum() == weight[chosen].sum()
    for column in ("lowest", "highest", "weight", "events"):
        np.testing.assert_array_equal(getattr(blocks, column), getattr(told, column))


def test_blocks_are_pooled_across_the_parts_in_which_rows_are_read() -> None:
    generator = np.random.default_rng(2)
    scores = generator.random(250_000)
    happened = generator.random(250_000) < 0.3  # no relation: some blocks far wider than a part

    blocks = isotonic_blocks(Sample.of(happened, scores))

    told = IsotonicRegression().fit(scores, happened).predict(scores)
    np.testing.assert_allclose(blocks.interpolate(blocks.rate, scores), told, atol=1e-12)


def test_many_scores_are_gathered_by_rows_and_events() -> None:
    scores = np.arange(10_000) / 10_000
    happened = scores >= 0.99
    sample = Sample.of(happened, scores)

    by_rows = gather_many(sample, 10, by_events=False)
    by_both = gather_many(sample, 10, by_events=True)

    assert by_rows.weight.tolist() == [1_000.0] * 10
    assert np.count_nonzero(by_rows.events) == 1
    assert np.count_nonzero(by_both.events) >= 5
    assert by_both.weight.sum() == 10_000


def test_few_scores_stay_apart_where_they_are_to() -> None:
    sample = Sample.of([0, 1, 0, 1, 1], [0.1, 0.1, 0.1, 0.2, 0.9])

    assert gather_many(sample, 3, by_events=True).weight.tolist() == [3, 1, 1]
    assert gather(sample, 3).weight.tolist() == [3, 2]
    assert len(gather(sample)) == 3
