"""Touches, users and conversions that are no person's, by the rules of ``[attribution.traffic]``.

Clicks are judged among those of their own log day alone, users by all activity that is stored, and
conversions by their first signal: each is a function of the stored rows, so that days may come in
any order. A row is a bot's where its user agent names one, and a data centre's where its address
lay in a network of the list when it was ingested.
"""

from datetime import date

from warehouse.attribution_config import TrafficRules
from warehouse.database import Warehouse


def update_invalid_traffic(warehouse: Warehouse, day: date, rules: TrafficRules) -> None:
    """Work out the invalid clicks of one log day, and the invalid users.

    Replaces the day's rows of invalid_touches and, of invalid_users, those that are other than
    before. Makes the temporary table changed_invalid_users of these (user_id): what they earned
    must be credited again.

    Parameters
    ----------
    warehouse : Warehouse
        Where the log day is stored.
    day : date
        The log day.
    rules : TrafficRules
        From when on clicks are flooded and users are bots. Without `bots` no user is invalid.
    """
    warehouse.execute(
        "attribution/invalid_clicks",
        day=day,
        clicks_per_hour=rules.clicks_per_hour,
        creator_clicks=rules.creator_clicks,
        creator_click_rate=rules.creator_click_rate,
    )
    warehouse.execute("attribution/delete_invalid_touches", day=day)
    warehouse.execute("attribution/insert_invalid_touches", day=day)
    warehouse.execute("attribution/invalid_observers", bots=rules.bots, bot_share=rules.bot_share)
    warehouse.execute("attribution/invalid_user_changes")
    warehouse.execute("attribution/delete_invalid_users")
    warehouse.execute("attribution/insert_invalid_users")


def find_invalid_conversions(warehouse: Warehouse, rules: TrafficRules) -> None:
    """Make the temporary table invalid_conversions (conversion_id, reason) of work_conversions.

    A conversion is invalid where its first signal is a bot's (reason bot; with `bots` only) or came
    from a data centre (reason data_centre); where both hold the reason is bot.
    """
    warehouse.execute("attribution/invalid_conversions", bots=rules.bots)
