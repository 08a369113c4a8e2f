"""The logs keep their contract, and hold the difficulties that they promise."""

import hashlib
import ipaddress
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from simulation import WorldConfig, simulate

ROOT = Path(__file__).parents[2]
TIME, TEXT, NUMBER = pl.Datetime("us"), pl.String, pl.Float64
SCHEMAS = {
    "activity": "user_id event_time ip user_agent screen language country region city timezone "
    "email_sha256 phone_sha256 device_id cookie_id",
    "touchpoints": "touch_id event_time user_id kind advertiser_id campaign_id ad_id surface "
    "creator_id click_id cost currency arm",
    "signals": "signal_id event_time advertiser_id event_name received_time order_id value "
    "currency adjustment click_id cookie_id device_id external_id email phone ip user_agent "
    "screen language country region city timezone url consent",
    "costs": "date campaign_id cost currency",
}
TYPES = {
    "event_time": TIME,
    "received_time": TIME,
    "cost": NUMBER,
    "value": NUMBER,
    "date": pl.Date(),
}


def digest_tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


def test_same_seed_gives_same_bytes_whatever_the_threads(tmp_path):
    simulate(tmp_path / "here", users=600, days=2, seed=5)
    script = "import sys, pathlib; from simulation import simulate; "
    script += "simulate(pathlib.Path(sys.argv[1]), users=600, days=2, seed=5)"
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "there")],
        check=True,
        cwd=ROOT,
        env=os.environ | {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "3"},
    )

    assert digest_tree(tmp_path / "here") == digest_tree(tmp_path / "there")


def test_different_seed_gives_other_bytes(tmp_path):
    for seed in (1, 2):
        simulate(tmp_path / str(seed), users=200, days=1, seed=seed)

    one, two = digest_tree(tmp_path / "1"), digest_tree(tmp_path / "2")

    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


@pytest.mark.parametrize(("users", "days"), [(1, 1), (2, 3), (100, 3)])
def test_tiny_worlds_have_every_file_with_its_types(tmp_path, users, days):
    counts = simulate(tmp_path / "tiny", users=users, days=days, seed=4)

    for day in range(days):
        folder = tmp_path / "tiny" / f"date={date(2026, 1, 5) + timedelta(days=day)}"
        for table, columns in SCHEMAS.items():
            schema = pl.read_parquet_schema(folder / f"{table}.parquet")
            assert schema == {name: TYPES.get(name, TEXT()) for name in columns.split()}
    assert counts["costs"] == 24 * days
    assert (
        pl.read_parquet(tmp_path / "tiny" / "truth_match.parquet").height == counts["truth_match"]
    )


def test_counts_returned_are_the_rows_written(logs):
    for table in SCHEMAS:
        assert logs.read(table).height == logs.counts[table]


def test_a_folder_that_holds_files_is_refused(tmp_path):
    (tmp_path / "old.txt").write_text("mine")

    with pytest.raises(FileExistsError, match="not an empty folder"):
        simulate(tmp_path, users=1, days=1, seed=0)

    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


@pytest.mark.parametrize("wrong", [{"users": 0}, {"days": 0}, {"seed": -1}])
def test_sizes_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        simulate(tmp_path / "w", **({"users": 1, "days": 1, "seed": 0} | wrong))


def test_progress_ends_at_one_for_each_step(tmp_path):
    steps = []
    simulate(
        tmp_path / "w",
        users=5,
        days=2,
        seed=0,
        progress=lambda step, share: steps.append((step, share)),
    )

    assert steps == [("people", 1.0), ("days", 0.5), ("days", 1.0)]


def test_a_row_stands_in_the_folder_of_the_day_it_was_received(logs):
    signals = logs.read("signals").sort("log_date").unique("signal_id", keep="first")

    assert (signals["received_time"].dt.date() == signals["log_date"]).all()
    assert (signals["received_time"] > signals["event_time"]).all()


def test_some_rows_come_late_and_none_early(logs):
    for table, share in (("signals", 0.012), ("touchpoints", 0.005)):
        rows = logs.read(table)
        days = (rows["log_date"] - rows["event_time"].dt.date()).dt.total_days()
        assert days.min() == 0
        assert share / 2 < (days >= 1).mean() < 0.05


def test_rows_of_a_file_are_out_of_order(logs):
    rows = logs.read("touchpoints")

    assert 0.4 < (rows["event_time"].diff().dt.total_microseconds() < 0).mean() < 0.6


def test_resent_rows_are_identical_and_at_most_a_day_apart(logs):
    signals = logs.read("signals")
    again = signals.filter(pl.col("signal_id").is_duplicated())
    contents = again.drop("log_date").unique()
    spread = again.group_by("signal_id").agg(
        (pl.col("log_date").max() - pl.col("log_date").min()).dt.total_days().alias("days")
    )

    assert 0.005 < contents.height / signals.height < 0.025
    assert contents["signal_id"].is_unique().all()
    assert set(spread["days"]) == {0, 1}


def test_twins_share_an_order_and_differ_in_signal(logs):
    events = logs.read("signals").filter(pl.col("adjustment").is_null()).unique("signal_id")
    orders = (
        events.filter(pl.col("order_id").is_not_null())
        .group_by("order_id")
        .agg(
            pl.len(),
            (pl.col("event_time").max() - pl.col("event_time").min())
            .dt.total_minutes()
            .alias("gap"),
            pl.col("event_name").n_unique().alias("names"),
        )
    )

    assert set(orders["len"]) == {1, 2}
    assert 0.05 < (orders["len"] == 2).mean() < 0.25
    assert (orders["names"] == 1).all()
    assert orders["gap"].max() < 60


def test_adjustments_follow_a_purchase_of_the_same_order(logs):
    signals = logs.read("signals").unique("signal_id")
    adjustments = signals.filter(pl.col("adjustment").is_not_null())
    bought = (
        signals.filter(pl.col("adjustment").is_null())
        .group_by("order_id", "advertiser_id")
        .agg(pl.col("event_time").min().alias("bought"))
    )
    paired = adjustments.join(bought, on=["order_id", "advertiser_id"])

    assert set(adjustments["adjustment"]) == {"retraction", "restatement"}
    assert (paired["event_time"] > paired["bought"]).all()
    assert paired.height > 0.9 * adjustments.height
    values = adjustments.group_by("adjustment").agg(pl.col("value").count()).rows()
    assert dict(values)["retraction"] == 0 < dict(values)["restatement"]


def test_yen_have_no_decimals_and_other_amounts_two(logs):
    values = logs.read("signals").filter(pl.col("value").is_not_null())
    yen = values.filter(pl.col("currency") == "JPY")["value"]

    assert yen.len() > 0
    assert (yen == yen.round()).all()
    assert (values["value"] == values["value"].round(2)).all()


def test_arms_of_a_user_and_campaign_never_mix_and_control_is_a_tenth(logs):
    pairs = logs.read("touchpoints").select("user_id", "campaign_id", "arm").unique()

    assert pairs.select("user_id", "campaign_id").is_unique().all()
    assert 0.09 < (pairs["arm"] == "control").mean() < 0.11


def test_control_rows_are_impressions_without_click_or_cost(logs):
    control = logs.read("touchpoints").filter(pl.col("arm") == "control")

    assert set(control["kind"]) == {"impression"}
    assert control["cost"].is_null().all()


def test_click_ids_stand_on_clicks_only_and_are_unique(logs):
    touches = logs.read("touchpoints")
    clicks = touches.filter(pl.col("kind") == "click")

    assert clicks["click_id"].is_unique().all()
    assert touches.filter(pl.col("kind") != "click")["click_id"].is_null().all()
    assert touches["touch_id"].is_unique().all()


def test_costs_are_the_logged_touches_give_or_take_a_few_percent(logs):
    spent = logs.read("touchpoints").group_by("log_date", "campaign_id").agg(pl.col("cost").sum())
    billed = logs.read("costs").join(
        spent, left_on=["date", "campaign_id"], right_on=["log_date", "campaign_id"]
    )
    ratio = billed["cost"].sum() / billed["cost_right"].sum()

    assert billed.height > 0.95 * logs.counts["costs"]
    assert ratio == pytest.approx(1, abs=0.02)
    assert (billed["cost"] != billed["cost_right"]).any()


def test_device_ids_and_cookies_never_stand_on_one_activity_row(logs):
    activity = logs.read("activity")
    app = activity["user_agent"].str.contains("Clipstream/")

    assert activity.filter(~app)["device_id"].is_null().all()
    assert activity.filter(app)["cookie_id"].is_null().all()


def test_addresses_are_shared_from_homes_to_carriers(logs):
    users = logs.read("activity").group_by("ip").agg(pl.col("user_id").n_unique())["user_id"]

    assert users.median() == 1
    assert ((users >= 2) & (users <= 5)).any()
    assert users.max() > 30


def test_addresses_are_valid_and_of_both_versions(logs):
    texts = logs.read("activity")["ip"].unique().to_list()[:3000]
    parsed = [ipaddress.ip_address(text) for text in texts]

    assert [str(address) for address in parsed] == texts
    assert {address.version for address in parsed} == {4, 6}


def test_user_agents_are_popular_ones_and_change_in_mid_window(logs):
    activity = logs.read("activity")
    agents = activity.group_by("user_agent").len().sort("len", descending=True)
    cookies = activity.filter(pl.col("cookie_id").is_not_null()).group_by("cookie_id")
    versions = cookies.agg(pl.col("user_agent").n_unique())["user_agent"]

    assert agents.height > 200
    assert agents["len"][0] > 0.03 * activity.height
    assert 0 < (versions > 1).mean() < 0.5


def test_activity_is_heavy_tailed(logs):
    rows = logs.read("activity").group_by("user_id").len()["len"].sort(descending=True)

    assert rows.head(rows.len() // 10).sum() > 0.25 * rows.sum()


def test_bots_click_and_never_convert(logs):
    activity = logs.read("activity")
    bots = activity.filter(pl.col("user_agent").str.contains("Headless|Bot|python|Android SDK"))
    users = bots.select(pl.col("user_id").unique())
    touches = logs.read("touchpoints").join(users, on="user_id")

    assert users.height > 10
    assert (touches["kind"] == "click").mean() > 0.2
    assert logs.truth("match").join(users, on="user_id").height == 0


def test_emails_come_raw_messy_hashed_and_as_junk(logs):
    emails = logs.read("signals")["email"].drop_nulls()
    hashed = emails.str.contains("^[0-9a-f]{64}$")
    raw = emails.filter(~hashed)

    assert 0.4 < hashed.mean() < 0.7
    assert raw.str.contains("@").all()
    assert 0.15 < (raw != raw.str.strip_chars().str.to_lowercase()).mean() < 0.6


def test_hashes_in_activity_are_of_normalised_contacts_seen_in_signals(logs):
    signals = logs.read("signals")
    activity = logs.read("activity")
    emails = signals["email"].drop_nulls().str.strip_chars().str.to_lowercase().unique()
    clean = pl.col("phone").str.contains(r"^\+\d+$")
    phones = signals.filter(clean)["phone"].unique()
    for texts, column in ((emails, "email_sha256"), (phones, "phone_sha256")):
        digests = {hashlib.sha256(text.encode()).hexdigest() for text in texts}
        known = set(activity[column].drop_nulls())
        assert len(digests & known) > 0.1 * len(digests)


def test_rates_can_be_changed(tmp_path):
    config = WorldConfig(bot_share=0, flood_clicks_per_user_day=0, holdout_share=0)
    simulate(tmp_path / "w", users=300, days=2, seed=1, config=config)

    touches = pl.read_parquet(tmp_path / "w" / "date=*" / "touchpoints.parquet")
    assert set(touches["arm"]) == {"treatment"}
