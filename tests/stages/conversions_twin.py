"""Conversions in plain Python: the signals of one order joined, and what adjusted them."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from tests.stages.identity_twin import Row
from warehouse.attribution_config import AttributionConfig


def conversions_of(
    signals: list[Row], config: AttributionConfig
) -> tuple[list[Row], list[tuple[Row, str | None, str]]]:
    """Return the conversions, and of each signal its conversion and role."""
    orders = defaultdict(list)
    for signal in signals:
        own = None if signal["order_id"] is not None else signal["signal_id"]
        key = (signal["advertiser_id"], signal["event_name"], signal["order_id"], own)
        orders[key].append(signal)
    window = timedelta(hours=config.dedup_window_hours)
    conversions: list[Row] = []
    roles: list[tuple[Row, str | None, str]] = []
    for key, members in orders.items():
        members.sort(key=by_time)
        firsts: list[Row] = []
        for signal in members:
            if signal["adjustment"] is None and (
                not firsts or signal["event_time"] > firsts[-1]["event_time"] + window
            ):
                firsts.append(signal)
        parts = {first["signal_id"]: [] for first in firsts}
        for signal in members:
            before = [first for first in firsts if first["event_time"] <= signal["event_time"]]
            owner = before[-1] if before else firsts[0] if firsts else None
            conversion = owner and owner["signal_id"]
            role = signal["adjustment"] or ("first" if signal is owner else "repeat")
            roles.append((signal, conversion, role))
            if owner:
                parts[conversion].append((role, signal))
        conversions += [_conversion(first, key, parts[first["signal_id"]]) for first in firsts]
    return conversions, roles


def _conversion(first: Row, key: tuple, parts: list[tuple[str, Row]]) -> Row:
    told = [s for role, s in parts if role in ("first", "repeat") and s["value"] is not None]
    restated = [s for role, s in parts if role == "restatement" and s["value"] is not None]
    value = currency = None
    status = "active"
    if told:
        value, currency = told[0]["value"], told[0]["currency"]
    if restated:
        status, value = "restated", restated[-1]["value"]
        currency = restated[-1]["currency"] or currency
    if any(role == "retraction" for role, _ in parts):
        status, value = "retracted", 0
    return {
        "id": first["signal_id"],
        "key": key,
        "order_id": key[2],
        "time": first["event_time"],
        "value": None if value is None else Decimal(str(round(value, 6))).quantize(Decimal("1e-6")),
        "currency": currency,
        "status": status,
        "members": [s for role, s in parts if role in ("first", "repeat")],
    }


def by_time(signal: Row) -> tuple[datetime, str]:
    """Return what orders signals."""
    return signal["event_time"], signal["signal_id"]
