"""Field errors are the paper's sums over every combination of values, null among them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.errors import CalibrationError, InvalidSampleError
from calibration.field_errors import field_calibration_error

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["ios", "android", None]),
        st.sampled_from([1, 2, None]),
        st.booleans(),
        st.floats(0, 1),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(row[-1] for row in rows))
SCHEMA = {
    "device": pl.String,
    "slot": pl.Int64,
    "y_true": pl.Boolean,
    "y_prob": pl.Float64,
    "weight": pl.Int64,
}


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, by=st.sampled_from([("device",), ("slot",), ("device", "slot")]))
def test_errors_are_the_sums_of_their_definition(rows: list, by: tuple[str, ...]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    segments: dict[tuple, list[float]] = {}
    for device, slot, happened, probability, weight in rows:
        key = tuple({"device": device, "slot": slot}[name] for name in by)
        sums = segments.setdefault(key, [0.0, 0.0, 0.0])
        for place, value in enumerate((happened - probability, happened, 1)):
            sums[place] += weight * value
    held = [sums for sums in segments.values() if sums[2]]
    size = sum(weight for *_, weight in held)

    errors = field_calibration_error(frame, by=by, weight="weight")

    assert errors.expected == pytest.approx(sum(abs(gap) for gap, *_ in held) / size, abs=1e-12)
    relative = sum(n * abs(gap) / (events + 0.01 * n) for gap, events, n in held) / size
    assert errors.relative == pytest.approx(relative, rel=1e-9, abs=1e-12)
    assert errors.segments == len(held)
    assert errors.without_events == sum(events == 0 for _, events, _ in held)


def test_null_and_not_a_number_are_segments_of_their_own() -> None:
    frame = pl.DataFrame(
        {"y_true": [1, 0, 1, 0], "y_prob": [0.5] * 4, "score": [None, None, np.nan, np.nan]}
    )

    errors = field_calibration_error(frame, by="score")

    assert (errors.segments, errors.expected) == (2, 0)


def test_a_segment_without_events_is_held_finite_and_told() -> None:
    frame = pl.DataFrame({"y_true": [0] * 10, "y_prob": [0.02] * 10, "slot": [1] * 10})

    errors = field_calibration_error(frame, by="slot")

    assert (errors.without_events, errors.segments) == (1, 1)
    assert errors.relative == pytest.approx(0.02 / 0.01)
    assert field_calibration_error(frame, by="slot", epsilon=0.1).relative == pytest.approx(0.2)


def test_a_column_of_one_value_gives_the_whole_gap() -> None:
    frame = pl.DataFrame({"y_true": [0, 1, 0], "y_prob": [0.25, 0.25, 0.25], "all": ["x"] * 3})

    assert field_calibration_error(frame, by=["all"]).expected == pytest.approx(1 / 3 - 0.25)


def test_outcome_and_probability_may_be_fields_too() -> None:
    frame = pl.DataFrame({"y_true": [0, 1, 0, 1], "y_prob": [0.25, 0.25, 0.5, 0.5]})

    errors = field_calibration_error(frame, by=["y_prob", "y_true"])

    assert (errors.segments, errors.expected) == (4, 0.5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"by": []}, "no column"),
        ({"by": "country"}, "no column country"),
        ({"by": "slot", "weight": "mass"}, "no column mass"),
        ({"by": "slot", "epsilon": 0}, "epsilon"),
    ],
)
def test_wrong_options_are_told(options: dict, told: str) -> None:
    frame = pl.DataFrame({"y_true": [0, 1], "y_prob": [0.2, 0.3], "slot": [1, 2]})

    with pytest.raises(CalibrationError, match=told):
        field_calibration_error(frame, **options)


def test_nulls_and_empty_frames_are_refused() -> None:
    frame = pl.DataFrame({"y_true": [0, 1], "y_prob": [0.2, None], "slot": [1, 2]})

    with pytest.raises(InvalidSampleError, match="column y_prob: 1 of 2 values are null"):
        field_calibration_error(frame, by="slot")
    with pytest.raises(InvalidSampleError, match="empty"):
        field_calibration_error(frame.clear(), by="slot")


@pytest.mark.parametrize("asked", [{"by": "country"}, {"by": "slot", "y_prob": "p"}])
def test_a_missing_column_is_no_sample(asked: dict) -> None:
    frame = pl.DataFrame({"y_true": [0, 1], "y_prob": [0.2, 0.4], "slot": [1, 2]})

    with pytest.raises(InvalidSampleError, match="name one of y_true, y_prob, slot"):
        field_calibration_error(frame, **asked)
