"""How a frame looks on a terminal of any width."""

import io

import polars as pl
import pytest
from rich.console import Console

from terminal import out, show_frame

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


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    lines = shown(pl.DataFrame({"campaign_id": ["\x1b[31mred", "left\u202eright", "é 日本"]}), 40)
    assert lines[-3:] == [r"\x1b[31mred", r"left\u202eright", "é 日本"]


@pytest.mark.parametrize("width", range(30, 90, 2))
def test_credit_and_value_lose_their_state_before_a_change_together(width: int) -> None:
    names = [
        f"{what}_{side}" for what in ("credit", "value") for side in ("moved", "before", "after")
    ]
    frame = pl.DataFrame(
        {"day": ["a", "b"], "cause": ["c", "d"], **{name: [1.25, 2.5] for name in names}}
    )

    told = " ".join(shown(frame, width)[6:])

    for side in ("before", "after"):
        assert (f"credit_{side}" in told) == (f"value_{side}" in told)
    assert "credit_before" in told or "credit_after" not in told


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
    assert shown(NUMBERS.clear(), 20)[-1] == "no rows"  # what does not fit is told of rows only


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


def test_limits_of_an_interval_go_together() -> None:
    names = ("credit", "credit_low", "credit_high", "value", "value_low", "value_high")
    frame = pl.DataFrame({"name": ["c1"], **{name: [123.4] for name in names}})
    widths = [width for width in range(12, 60) if "value_high" in shown(frame, width)[-1]]
    assert widths
    assert all("value_low, value_high" in shown(frame, width)[-1] for width in widths)
    assert "value" in head(shown(frame, max(widths)))


def test_a_figure_of_several_models_goes_under_all_of_them() -> None:
    models = ("calibrated_last_touch", "last_touch", "hazard")
    names = [f"{figure}_{model}" for figure in ("credit", "value", "return") for model in models]
    frame = pl.DataFrame({"campaign_id": ["c1"], "cost": [1.5], **{name: [9.5] for name in names}})
    seen = set()
    for width in range(40, 120):
        told = shown(frame, width)[-1]
        gone = [name for name in names if name in told]
        if not any(name.startswith("credit") for name in gone):
            figures = {name.partition("_")[0] for name in gone}
            assert len(gone) == len(figures) * len(models)
            seen.add(tuple(sorted(figures)))
    assert seen == {(), ("value",), ("return", "value")}


def test_the_basis_of_each_model_is_told_below_where_its_column_goes() -> None:
    long = FIGURES.with_columns(basis=pl.Series(["holdout + none", None]))
    more = pl.concat([long, long.with_columns(basis=pl.lit("holdout"), model=pl.lit("hazard"))])
    lines = shown(more, 60)
    assert "basis" not in head(lines)
    assert lines[-1] == "basis: calibrated_last_touch holdout + none; hazard holdout"
    beside = pl.DataFrame(
        {"campaign_id": ["c1", "c2"], "credit": [1.0, 2.0], "value": [1.5, 2.5],
         "basis_hazard": ["holdout", "pooled"]}
    )  # fmt: skip
    assert shown(beside, 24)[-1] == "basis: hazard holdout + pooled"


def test_a_pipe_is_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "47")
    assert out().width == 47
    monkeypatch.delenv("COLUMNS")
    assert out().width == 200


def test_what_a_lift_says_stays_on_80_columns() -> None:
    counts = ("treated_users", "control_users", "treated_conversions", "control_conversions")
    figures = (
        "incremental", "low_90", "high_90", "shrunk", "shrunk_low", "shrunk_high", "reason",
        "p_value", "lift", "lift_low", "lift_high", "detectable_lift",
    )  # fmt: skip
    frame = pl.DataFrame(
        {"dimension": ["advertiser", "surface"], "name": ["a1", "short_video"],
         **{name: [12_345, 2] for name in counts},
         **{name: [-123.4, 1.5] for name in figures} | {"reason": ["too_few", ""]},
         "contaminated_users": [0, 3]}
    )  # fmt: skip
    lines = shown(frame, 80)
    assert head(lines) == {
        "dimension", "name", "incremental", "low", "high", "90", "shrunk", "reason"
    }  # fmt: skip
    assert "too_few" in lines[-3]
    assert {"control", "conversions"} <= head(shown(frame, 100))


def test_why_a_model_was_refused_stays_on_80_columns() -> None:
    figures = ("histories", "conversions", "log_loss", "constant_log_loss", "calibration_ratio",
               "moved", "conversions_credited")  # fmt: skip
    frame = pl.DataFrame(
        {"model": ["incremental", "hazard"], "last_day": ["2026-01-05", "2026-01-06"],
         "status": ["refused", "accepted"],
         "reason": ["21 conversions are too few to fit on", None],
         "model_version": ["incremental-702d7786dea6", "hazard-702d7786dea6"],
         **{name: [1234.5, 0.1] for name in figures}}
    )  # fmt: skip
    lines = shown(frame, 80)
    assert {"status", "reason", "calibration", "ratio"} <= head(lines)
    assert "21 conversions are too" in " ".join(lines)
