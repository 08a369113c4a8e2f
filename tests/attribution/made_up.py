"""A small warehouse whose every unit of credit is accounted for."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random

import polars as pl

from warehouse.database import Warehouse

START = datetime(2026, 3, 1)  # noqa: DTZ001 -- stored times are UTC without saying so
MODELS = ("last_touch", "linear")
CURRENCIES = {"EUR": 1.0, "USD": 0.8, "JPY": 0.006, None: None}
BY_MODEL = (
    "credit_by_campaign", "credit_by_ad", "credit_by_creator", "credit_by_surface",
    "credit_by_advertiser", "credit_by_hour", "credit_by_click_date",
)  # fmt: skip
Rows = dict[str, list[dict[str, object]]]


def store(warehouse: Warehouse, rows: Rows) -> None:
    for table, given in rows.items():
        with warehouse.frame("given", pl.DataFrame(given, infer_schema_length=None)):
            warehouse._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def made_up(seed: int) -> Rows:
    """Return a small warehouse whose every unit of credit is accounted for."""
    random = Random(seed)  # noqa: S311 -- a world, not a secret
    rows: Rows = defaultdict(list)
    for number in range(60):
        conversion, at = f"s{number}", START + timedelta(hours=random.randrange(24 * 20))
        currency = random.choice(list(CURRENCIES))
        retracted = random.random() < 0.1
        value = 0 if retracted else random.randrange(1, 10**6) / 100
        common = {"conversion_id": conversion, "day": at.date()}
        rows["signals"].append(_signal(conversion, at))
        rows["conversion_signals"].append(
            {**common, "signal_id": conversion, "role": "first", "advertiser_id": f"a{number % 3}",
             "event_name": "purchase"}
        )  # fmt: skip
        rows["conversions"].append(
            {**common, "advertiser_id": f"a{number % 3}", "event_name": "purchase",
             "event_time": at, "value": value, "currency": currency,
             "status": "retracted" if retracted else "active"}
        )  # fmt: skip
        _attribute(rows, random, common, at, round(value * 1e6))
    for currency, rate in CURRENCIES.items():
        if currency not in (None, "EUR"):
            rows["currency_rates"].append(
                {"date": START.date(), "currency": currency, "rate": rate}
            )
    rows["warehouse_settings"] += [
        {"name": "report_currency", "value": "EUR"}, {"name": "oldest_rate_days", "value": "30"}
    ]  # fmt: skip
    return rows


def _signal(signal_id: str, at: datetime) -> dict[str, object]:
    return {"day": at.date(), "signal_id": signal_id, "event_time": at, "advertiser_id": "a1",
            "event_name": "purchase", "source_file": "f", "source_row": 1}  # fmt: skip


def _attribute(
    rows: Rows, random: Random, common: dict[str, object], at: datetime, value: int
) -> None:
    """Add the users, paths and credit of one conversion: at most two candidates."""
    remaining = dict.fromkeys(MODELS, (1_000_000, value))
    for place in range(random.randrange(3)):
        user, micros = f"u{random.randrange(9)}-{place}", random.randrange(1, 500_000)
        rows["conversion_users"].append(
            {**common, "user_id": user, "signal_id": common["conversion_id"], "method": "email",
             "user_micros": micros, "best": place == 0}
        )  # fmt: skip
        touches = [
            {**common, "user_id": user, "touch_id": f"t{random.randrange(10**9)}",
             "touch_day": at.date(), "touch_time": at - timedelta(minutes=random.randrange(9999)),
             "kind": random.choice(["click", "impression"]),
             "campaign_id": f"c{random.randrange(4)}", "ad_id": random.choice(["x", "y", None]),
             "surface": random.choice(["feed", None]), "creator_id": random.choice(["k", None])}
            for _ in range(random.randrange(4))
        ]  # fmt: skip
        rows["path_touches"] += touches
        for model in MODELS:
            shares = touches[:1] if model == "last_touch" else touches
            for touch in shares or [None]:
                credit = micros // max(1, len(shares))
                worth = value * credit // 1_000_000
                left, left_value = remaining[model]
                remaining[model] = (left - credit, left_value - worth)
                rows["credits"].append(_credit(common, model, user, touch, credit, worth))
    for model, (credit, worth) in remaining.items():
        rows["credits"].append(
            {**common, "model": model, "outcome": "unmatched", "credit_micros": credit,
             "value_micros": worth}
        )  # fmt: skip


def _credit(
    common: dict[str, object], model: str, user: str, touch: dict[str, object] | None,
    credit: int, worth: int,
) -> dict[str, object]:  # fmt: skip
    named = (
        {name: touch[name] for name in ("touch_id", "campaign_id", "touch_time")} if touch else {}
    )
    return {**common, "model": model, "outcome": "touch" if touch else "organic", "user_id": user,
            "credit_micros": credit, "value_micros": worth, **named}  # fmt: skip
