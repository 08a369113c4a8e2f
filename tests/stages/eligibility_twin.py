"""What may earn a conversion, in plain Python after docs/attribution.md."""

from collections import Counter, defaultdict
from fractions import Fraction

from attribution.eligibility import load_preset
from tests.stages.identity_twin import Row, keyed_digest
from tests.stages.worlds import BOT, MACHINES
from warehouse.attribution_config import AttributionConfig, TouchKind, TrafficRules


def flooded_clicks(touches: list[Row], traffic: TrafficRules) -> list[tuple[object, str]]:
    """Return log day and touch_id of the clicks that come faster than people click."""

    def hour(touch: Row) -> tuple[object, ...]:
        begun = touch["event_time"].replace(minute=0, second=0, microsecond=0)
        return touch["day"], touch["user_id"], touch["campaign_id"], begun

    def creator(touch: Row) -> tuple[object, ...]:
        return touch["day"], touch["creator_id"]

    def is_flooded(click: Row) -> bool:
        if traffic.clicks_per_hour is not None and hours[hour(click)] > traffic.clicks_per_hour:
            return True
        if click["creator_id"] is None or traffic.creator_click_rate is None:
            return False
        rate = Fraction(of_creators[creator(click)], max(shown[creator(click)], 1))
        enough = of_creators[creator(click)] >= traffic.creator_clicks
        return enough and rate > Fraction(traffic.creator_click_rate)

    shows = [touch for touch in touches if touch["arm"] != "control"]
    clicks = [touch for touch in shows if touch["kind"] == "click"]
    hours, of_creators = Counter(map(hour, clicks)), Counter(map(creator, clicks))
    shown = Counter(creator(touch) for touch in shows if touch["kind"] == "impression")
    return [(click["day"], click["touch_id"]) for click in clicks if is_flooded(click)]


def machine_users(activity: list[Row], traffic: TrafficRules) -> dict[str, str]:
    """Return the users who are no persons, and why."""
    seen = defaultdict(list)
    for row in activity:
        seen[row["user_id"]].append(row)
    found = {}
    for user, rows in seen.items() if traffic.bots else ():
        bots = sum(map(_is_bot, rows))
        either = sum(_is_bot(row) or _is_machine(row, traffic) for row in rows)
        if Fraction(bots, len(rows)) > Fraction(traffic.bot_share):
            found[user] = "bot"
        elif Fraction(either, len(rows)) > Fraction(traffic.bot_share):
            found[user] = "data_centre"
    return found


def _is_bot(row: Row) -> bool:
    return row["user_agent"] == BOT


def _is_machine(row: Row, traffic: TrafficRules) -> bool:
    return traffic.data_centres is not None and (row["ip"] or "").startswith(MACHINES)


def told(key: str, conversion: Row, method: str, rules: AttributionConfig) -> int:
    """Return one window or least time of a conversion whose user was found by a method."""
    advertiser, event, *_ = conversion["key"]
    preset = load_preset(rules.preset)
    places = (rules.advertisers.get(advertiser), rules.events.get(event), rules, preset)
    general = _first(key, *places)
    of_method = _first(key, rules.methods.get(method), preset.methods.get(method))
    assert general is not None
    if of_method is None:
        return general
    return max(general, of_method) if key.startswith("least") else min(general, of_method)


def _first(key: str, *places: object) -> int | None:
    values = (getattr(place, key) for place in places if place is not None)
    return next((value for value in values if value is not None), None)


def is_listed(touch: Row, rules: AttributionConfig) -> bool:
    """Tell whether the advertiser lets this surface and this campaign earn."""
    told = rules.advertisers.get(touch["advertiser_id"])
    return told is None or not (
        touch["surface"] in told.excluded_surfaces
        or touch["campaign_id"] in told.excluded_campaigns
        or (told.surfaces is not None and touch["surface"] not in told.surfaces)
        or (told.campaigns is not None and touch["campaign_id"] not in told.campaigns)
    )


def click_digest(touch: Row) -> str | None:
    click_id = touch["click_id"]
    return None if click_id is None else keyed_digest("click_id", click_id.strip())


def strengths(rules: AttributionConfig) -> dict[str, int]:
    kinds = rules.kinds or load_preset(rules.preset).kinds
    places = {kind: place for place, equals in enumerate(kinds, 1) for kind in equals}
    return {str(kind): places[kind] for kind in TouchKind}


def by_precedence(touches: list[Row], rules: AttributionConfig) -> list[Row]:
    """Return touches, that which wins first: named, strong, late, and then by touch_id."""
    first = rules.named_click_first
    if first is None:
        first = load_preset(rules.preset).named_click_first
    ranked = sorted(touches, key=lambda t: t["touch_id"])
    ranked.sort(key=lambda t: t["event_time"], reverse=True)
    ranked.sort(key=lambda t: (not (first and t["named"]), t["strength"]))
    return ranked


def invalid_reason(conversion: Row, rules: AttributionConfig) -> str | None:
    """Return why no person made a conversion: what sent its first signal."""
    first = next(s for s in conversion["members"] if s["signal_id"] == conversion["id"])
    if rules.traffic.bots and _is_bot(first):
        return "bot"
    return "data_centre" if _is_machine(first, rules.traffic) else None
