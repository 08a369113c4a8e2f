"""How a frame looks on a terminal of any width."""

import io

import polars as pl
import pytest
from rich.console import Console

from terminal import show_frame

NUMBERS = pl.DataFrame(
    {
        "log_day": ["2026-01-05"],
        "naming_one_user": [1_234_567],
        "too_many_identifiers": [12],
        "return_on_ad_spend": [0.1234],
        "pending": [7],
    }
)
ROWS = pl.DataFrame(
    {
        "rule": ["value.negative"] * 2,
        "source_file": ["date=2026-03-01/signals-of-a-long-name.csv"] * 2,
        "source_row": [30, 31],
        "content": ['{"signal_id":"x8","event_time":"2026-03-01"}', "{}"],
        "table_name": ["signals", "signals"],
    }
)


def shown(frame: pl.DataFrame, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_frame(frame, title="title", whole="--format csv", console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("width", range(12, 90))
def test_no_number_and_no_word_of_a_header_is_broken(width: int) -> None:
    lines = shown(NUMBERS, width)
    rule = next(place for place, line in enumerate(lines) if set(line) == {"─"})
    head, row, footer = lines[1:rule], lines[rule + 1], lines[rule + 2 :]

    whole = {"2026-01-05", "1,234,567", "12", "0.1234", "7"}
    assert len(lines) - len(footer) == rule + 2
    assert set(row.split()) <= whole
    assert max(map(len, (*head, row))) <= width
    words = {word for name in NUMBERS.columns for word in name.split("_")}
    assert {word for line in head for word in line.split()} <= words
    missing = NUMBERS.columns[len(row.split()) :]
    told = f"not shown for want of width: {', '.join(missing)}; all with --format csv"
    assert footer == ([told] if missing else [])


def test_columns_stand_closer_where_all_fit_only_so() -> None:
    assert shown(NUMBERS, 46)[-1].endswith("pending; all with --format csv")
    assert shown(NUMBERS, 47)[-1] == "2026-01-05 1,234,567          12 0.1234       7"
    assert shown(NUMBERS, 51)[-1] == "2026-01-05  1,234,567           12  0.1234        7"


def test_long_text_is_shortened_before_a_column_goes() -> None:
    assert shown(ROWS, 80)[3:] == [
        "────────────────────────────────────────────────────────────────────────────────",
        'value.negative  …ls-of-a-long-name.csv      30  {"signal_id":"x8","eve…  signals',
        "value.negative  …ls-of-a-long-name.csv      31  {}                       signals",
        "shortened: source file, content; all with --format csv",
    ]
    assert shown(ROWS, 60)[4:] == [
        'value.negative  …-a-long-name.csv      30  {"signal_id":"x8…',
        "value.negative  …-a-long-name.csv      31  {}",
        "shortened: source file, content; the same in every row: table_name signals; "
        "all with --format csv",
    ]


FIGURES = pl.DataFrame(
    {
        "campaign_id": ["cmp_01", "cmp_02"],
        "currency": ["USD", "USD"],
        "model": ["calibrated_last_touch", "last_touch"],
        "basis": ["holdout", None],
        "credit": [4.0912, 5.0],
        "value": [123_456.7891, 23.4567],
        "value_in_reports": pl.Series([None, None], dtype=pl.Float64),
        "conversions": [7, 5],
        "run_id": ["20260305T101112-abc", "20260306T101112-abc"],
    }
)


def head(lines: list[str]) -> set[str]:
    rule = next(place for place, line in enumerate(lines) if set(line) == {"─"})
    return {word for line in lines[1:rule] for word in line.split()}


def test_a_column_without_any_value_is_never_shown() -> None:
    lines = shown(FIGURES, 200)
    assert "reports" not in head(lines)
    assert lines[-1] == ("empty: value_in_reports; all with --format csv")
    assert head(shown(FIGURES.clear(), 200)) >= {"value", "in", "reports"}
    only_empty = FIGURES.select("value_in_reports")
    assert head(shown(only_empty, 40)) == {"value", "in", "reports"}


def test_what_tells_least_goes_first_and_the_figures_stay() -> None:
    wide, narrow, narrowest = (shown(FIGURES, width) for width in (80, 60, 46))
    assert {"run", "currency"}.isdisjoint(head(wide))
    assert {"basis", "conversions", "value", "credit", "model"} <= head(wide)
    assert wide[-1].startswith(
        "the same in every row: currency USD; not shown for want of width: run_id; "
        "empty: value_in_reports;"
    )
    assert head(narrow) == {"campaign", "id", "model", "credit", "value", "conversions"}
    assert head(narrowest) == {"campaign", "id", "model", "credit", "value"}


def test_large_numbers_lose_decimals_and_models_letters_before_a_column_goes() -> None:
    few = FIGURES.select("campaign_id", "model", "credit", "value")
    whole, narrow = " ".join(shown(few, 80)), " ".join(shown(few, 43))
    assert "calibrated_last_touch" in whole
    assert "123,456.7891" in whole
    assert "calibrated_last…" in narrow
    assert {"123,456.79", "23.46", "4.0912"} <= set(narrow.split())
    assert "not shown" not in narrow


@pytest.mark.parametrize("width", range(10, 130, 3))
def test_no_line_is_wider_than_the_terminal_and_every_column_is_told_of(width: int) -> None:
    lines = shown(FIGURES, width)
    rule = next(place for place, line in enumerate(lines) if set(line) == {"─"})
    table = lines[1 : rule + 1 + len(FIGURES)]
    names = {name for name in FIGURES.columns if set(name.split("_")) <= head(lines)}
    told = " ".join(lines[rule + 1 + len(FIGURES) :])

    assert max(map(len, table)) <= max(width, len("campaign"))
    assert names
    assert all(name in names or name in told for name in FIGURES.columns)


def test_a_wide_terminal_shows_everything_whole() -> None:
    lines = shown(ROWS, 200)
    assert "…" not in "".join(lines)
    assert head(lines) == {"rule", "source", "file", "row", "content", "table", "name"}
    assert "date=2026-03-01/signals-of-a-long-name.csv" in lines[3]
    assert len(lines) == 5


def test_rows_left_out_are_counted() -> None:
    lines = shown(pl.DataFrame({"n": range(100)}), 40)
    assert lines[-1] == "100 rows, the first and last 30 shown; all with --format csv"
    assert shown(NUMBERS.clear(), 80)[-1] == "no rows"


def test_intervals_of_credit_stay_beside_it_on_80_columns() -> None:
    figures = {
        f"{figure}{part}": [1_234.567891, 0.123456]
        for figure in ("credit", "value") for part in ("", "_low", "_high", "_error")
    }  # fmt: skip
    frame = pl.DataFrame(
        {"dimension": ["campaign", "advertiser"], "name": ["1234567890123456789", "b"],
         "model": ["calibrated_last_touch", "linear"], "currency": ["EUR", None], **figures}
    )  # fmt: skip
    report = frame.select(
        "dimension", "name", "model", "credit", "credit_low", "credit_high", "currency", "value",
        "value_low", "value_high", "credit_error", "value_error",
    )  # fmt: skip
    lines = shown(report, 80)
    assert head(lines) == {"dimension", "name", "model", "credit", "low", "high"}
    assert "1234567890123456789" in lines[-3]


def test_the_interval_of_the_reference_goes_before_the_credit_of_a_model() -> None:
    names = ("last_touch", "reference_low", "reference_high", "linear", "hazard")
    frame = pl.DataFrame({"campaign_id": ["c1"], **{name: [123.4] for name in names}})
    assert {"low", "high", "hazard"} <= head(shown(frame, 60))
    assert head(shown(frame, 36)) == {"campaign", "id", "last", "touch", "linear", "hazard"}
