"""Ordered parts of a sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from calibration import ranks
from calibration.ranks import Groups, Ranks
from calibration.samples import Sample

rows = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(st.sampled_from([0.0, -0.0, 0.25, 1.0, 5e-324]), st.floats(0, 1)),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=40,
)


def _sample(drawn: list[tuple[bool, float, int]], *, weighted: bool) -> Sample:
    happened, scores, weight = (np.array(column) for column in zip(*drawn, strict=True))
    return Sample.of(happened, scores, weight if weighted else None)


@settings(deadline=None, max_examples=40)
@given(drawn=rows, weighted=st.booleans(), at_once=st.integers(1, 50))
def test_groups_hold_every_row_once_wherever_parts_end(
    drawn: list[tuple[bool, float, int]], weighted: bool, at_once: int
) -> None:
    sample = _sample(drawn, weighted=weighted)
    weight = np.ones(len(sample)) if sample.weight is None else sample.weight

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_ROWS_AT_ONCE", at_once)
        groups = Groups.joined(list(Ranks(sample).distinct()))

    scores = np.unique(sample.probability)
    assert np.array_equal(groups.first, scores)
    assert np.array_equal(groups.last, scores)
    expected = [weight[sample.probability == score].sum() for score in scores]
    events = [(weight * sample.happened)[sample.probability == score].sum() for score in scores]
    assert np.array_equal(groups.weight, expected)
    assert np.array_equal(groups.events, events)
    assert np.allclose(groups.expected, scores * expected, rtol=1e-12, atol=0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), at_once=st.integers(1, 300), weighted=st.booleans())
def test_pooling_in_parts_is_pooling_at_once(seed: int, at_once: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    scores = np.round(generator.random(200), 2)
    happened = generator.random(200) < scores
    weight = generator.integers(1, 4, 200) if weighted else np.ones(200)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_ROWS_AT_ONCE", at_once)
        blocks = Ranks(Sample.of(happened, scores, weight if weighted else None)).isotonic()

    fit = IsotonicRegression().fit(scores, happened, sample_weight=weight)
    values = np.repeat(blocks.rate, 2)
    corners = np.stack([blocks.first, blocks.last], axis=1).ravel()
    assert np.abs(fit.predict(corners) - values).max() < 1e-12


def test_many_scores_are_grouped_by_rows_and_events() -> None:
    scores = np.arange(10_000) / 10_000
    happened = scores >= 0.99
    sample = Sample.of(happened, scores)

    by_rows = Ranks(sample).grouped(10, by_events=False)
    by_both = Ranks(sample).grouped(10, by_events=True)

    assert by_rows.weight.tolist() == [1_000.0] * 10
    assert np.count_nonzero(by_rows.events) == 1
    assert np.count_nonzero(by_both.events) >= 5
    assert by_both.weight.sum() == 10_000
