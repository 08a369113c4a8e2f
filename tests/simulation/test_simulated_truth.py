"""The truth files say what the logs were made from."""

import polars as pl
import pytest

USABLE = {
    "click_id": ("touchpoints", "click_id"),
    "device_id": ("activity", "device_id"),
    "cookie_id": ("activity", "cookie_id"),
}


def first_events(logs) -> pl.DataFrame:
    """Return one row a conversion: its first event, with the truth."""
    events = logs.read("signals").unique("signal_id").filter(pl.col("adjustment").is_null())
    return (
        events.join(logs.truth("match").rename({"value": "true_value"}), on="signal_id")
        .with_columns(pl.coalesce("order_id", "signal_id").alias("conversion"))
        .sort("event_time", "signal_id")
        .unique(["advertiser_id", "conversion"], keep="first", maintain_order=True)
    )


def test_truth_has_one_row_for_each_distinct_signal(logs):
    truth = logs.truth("match")

    assert truth["signal_id"].is_unique().all()
    assert set(truth["signal_id"]) == set(logs.read("signals")["signal_id"])
    assert list(truth.schema) == ["signal_id", "user_id", "caused_by", "value"]


def test_a_third_of_the_signals_come_from_outsiders(logs):
    assert 0.29 < logs.truth("match")["user_id"].is_null().mean() < 0.38


def test_nothing_causes_an_outsiders_conversion(logs):
    outsiders = logs.truth("match").filter(pl.col("user_id").is_null())

    assert outsiders["caused_by"].is_null().all()


def test_some_outsiders_live_in_users_households(logs):
    signals = logs.read("signals").unique("signal_id").join(logs.truth("match"), on="signal_id")
    outsiders = signals.filter(pl.col("user_id").is_null() & pl.col("ip").is_not_null())
    near = outsiders.join(logs.read("activity").select("ip").unique(), on="ip", how="semi")

    assert 0.1 < near.height / outsiders.height < 0.7


def test_a_quarter_of_the_users_conversions_are_incremental(logs):
    conversions = first_events(logs).filter(pl.col("user_id").is_not_null())

    assert 0.2 < conversions["caused_by"].is_not_null().mean() < 0.32


def test_truth_credit_counts_the_causes_of_truth_match(logs):
    retracted = logs.read("signals").filter(pl.col("adjustment") == "retraction")
    caused = first_events(logs).filter(pl.col("caused_by").is_not_null())
    kept = caused.join(retracted, on=["advertiser_id", "order_id"], how="anti")
    counted = kept.group_by("caused_by").agg(pl.len().cast(pl.Int64).alias("counted"))

    both = logs.truth("credit").join(counted, on="caused_by", how="left")

    assert both.height == 24
    assert (both["incremental"] == both["counted"].fill_null(0)).all()


def test_truth_credit_values_are_those_after_restatement(logs):
    signals = logs.read("signals").unique("signal_id")
    retracted = signals.filter(pl.col("adjustment") == "retraction")
    restated = signals.filter(pl.col("adjustment") == "restatement")
    caused = first_events(logs).filter(pl.col("caused_by").is_not_null())
    kept = caused.join(retracted, on=["advertiser_id", "order_id"], how="anti").join(
        restated.select("advertiser_id", "order_id", pl.col("value").alias("restated")),
        on=["advertiser_id", "order_id"],
        how="left",
    )
    earned = kept.group_by("caused_by").agg(pl.coalesce("restated", "value").sum().alias("earned"))

    both = logs.truth("credit").join(earned, on="caused_by")

    assert both["value"].to_list() == pytest.approx(both["earned"].to_list(), abs=0.05)


def test_the_truth_of_an_adjustment_has_a_person_and_no_value(logs):
    adjustments = logs.read("signals").filter(pl.col("adjustment").is_not_null())
    truth = logs.truth("match").join(adjustments.select("signal_id"), on="signal_id", how="semi")

    assert truth.height > 0
    assert truth["value"].is_null().all()
    assert truth["user_id"].is_not_null().any()


def test_a_cause_has_a_treated_touch_of_that_user_before_the_conversion(logs):
    caused = first_events(logs).filter(pl.col("caused_by").is_not_null())
    touches = logs.read("touchpoints").filter(pl.col("arm") == "treatment")
    first = touches.group_by("user_id", "campaign_id").agg(
        pl.col("event_time").min().alias("first")
    )
    paired = caused.join(
        first, left_on=["user_id", "caused_by"], right_on=["user_id", "campaign_id"]
    ).filter(pl.col("first") <= pl.col("event_time"))

    # A touch logged a day late can fall out of the window, and then its effect has no row.
    assert paired.height > 0.995 * caused.height


def test_a_user_held_out_of_a_campaign_is_never_converted_by_it(logs):
    held = (
        logs.read("touchpoints").filter(pl.col("arm") == "control").select("user_id", "campaign_id")
    )
    caused = logs.truth("match").filter(pl.col("caused_by").is_not_null())

    both = caused.join(held, left_on=["user_id", "caused_by"], right_on=["user_id", "campaign_id"])

    assert both.height == 0


def test_an_external_id_belongs_to_one_person_at_one_advertiser(logs):
    signals = logs.read("signals").filter(pl.col("external_id").is_not_null())
    people = (
        signals.join(logs.truth("match"), on="signal_id")
        .group_by("external_id")
        .agg(pl.col("user_id").n_unique(), pl.col("advertiser_id").n_unique())
    )

    assert 0.2 < signals.height / logs.counts["signals"] < 0.4
    assert (people["user_id"] == 1).all()
    assert (people["advertiser_id"] == 1).all()


def test_a_click_id_on_a_signal_is_a_click_of_its_user_on_its_advertiser(logs):
    clicks = logs.read("touchpoints").filter(pl.col("kind") == "click")
    signals = logs.read("signals").unique("signal_id").join(logs.truth("match"), on="signal_id")
    carrying = signals.filter(pl.col("click_id").is_not_null())
    paired = carrying.join(clicks, on="click_id", suffix="_click")

    assert 0.05 < carrying.height / signals.height < 0.12
    assert (paired["user_id"] == paired["user_id_click"]).all()
    assert (paired["advertiser_id"] == paired["advertiser_id_click"]).all()
    assert (paired["event_time_click"] <= paired["event_time"]).all()


def test_about_a_quarter_of_the_signals_carry_an_identifier_that_the_platform_knows(logs):
    signals = logs.read("signals").unique("signal_id")
    activity = logs.read("activity")
    hashed = pl.col("email").str.contains("^[0-9a-f]{64}$")
    emails = activity.select(pl.col("email_sha256").alias("email").unique()).drop_nulls()
    known = pl.concat(
        [
            *(
                signals.filter(pl.col(name).is_not_null()).join(
                    logs.read(table).select(pl.col(column).unique().alias(name)),
                    on=name,
                    how="semi",
                )
                for name, (table, column) in USABLE.items()
            ),
            # Raw addresses are as often known as hashed ones, so the hashed stand for all.
            signals.filter(hashed).join(emails, on="email", how="semi"),
        ]
    )["signal_id"].n_unique()

    assert 0.15 < known / signals.height < 0.27


def test_a_refusal_of_consent_keeps_identifiers_back(logs):
    denied = logs.read("signals").filter(pl.col("consent") == "denied")

    assert denied.height > 0
    for name in ("click_id", "cookie_id", "device_id", "email", "phone"):
        assert denied[name].is_null().all()
