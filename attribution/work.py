"""The conversions that one log day concerns, who may have made them, and the touches before."""

from datetime import date, datetime
from typing import Final

from attribution.conversions import DAY_US
from attribution.eligibility import (
    Rules,
    exclusions,
    kind_strengths,
    longest_window_us,
    path_rules,
)
from attribution.traffic import find_invalid_conversions
from warehouse.attribution_config import InstallRules
from warehouse.config_sections import Method
from warehouse.database import Warehouse

_NEVER: Final = datetime(2100, 1, 1)  # noqa: DTZ001 -- the warehouse keeps UTC without a zone


def find_work(warehouse: Warehouse, day: date, rules: Rules, order: tuple[Method, ...]) -> None:
    """Find the conversions that one log day concerns, and replace their users and paths.

    Makes the temporary tables work_conversions, new_users, reinstalls and invalid_conversions, and
    replaces rows of conversion_users and path_touches. Needs what
    :func:`attribution.conversions.update_conversions` and
    :func:`attribution.traffic.update_invalid_traffic` made for the same day.
    """
    methods = [str(method) for method in order]
    _find_reached(warehouse, day, longest_window_us(rules))
    warehouse.execute("attribution/work_conversions")
    warehouse.execute("attribution/new_users", methods=methods)
    if _add_installs(warehouse, rules.installs):
        warehouse.execute("attribution/new_users", methods=methods)
    warehouse.execute("attribution/delete_conversion_users")
    warehouse.execute("attribution/insert_conversion_users")
    _judge(warehouse, rules)
    _find_paths(warehouse, rules)


def take_stored(warehouse: Warehouse, rules: Rules) -> None:
    """Take the users of the conversions at work as they are stored, and judge them anew.

    For conversions that were added to work_conversions after :func:`find_work`.
    """
    warehouse.execute("attribution/stored_users")
    _judge(warehouse, rules)


def _judge(warehouse: Warehouse, rules: Rules) -> None:
    """Make reinstalls and invalid_conversions: those at work that earn nothing for any touch."""
    installs = rules.installs
    warehouse.execute(
        "attribution/reinstalls",
        install_events=list(installs.events),
        reattribution_us=installs.reattribution_days * DAY_US,
        inactivity_us=installs.inactivity_days * DAY_US,
    )
    find_invalid_conversions(warehouse, rules.traffic)


def _add_installs(warehouse: Warehouse, installs: InstallRules) -> int:
    """Add the installs whose history has changed; return how many."""
    return warehouse.execute(
        "attribution/add_later_installs",
        install_events=list(installs.events),
        install_history_us=installs.reattribution_days * DAY_US,
    )


def _find_reached(warehouse: Warehouse, day: date, window_us: int) -> None:
    """Make reached_conversions, from the conversions since the day's earliest touch."""
    first = warehouse.query("attribution/touch_span", day=day).item() or _NEVER
    warehouse.execute(
        "attribution/reached_conversions",
        day=day,
        longest_window_us=window_us,
        first_event_day=first.date(),
    )


def _find_paths(warehouse: Warehouse, rules: Rules) -> None:
    """Replace the rows of path_touches.

    Where only the value of an old order was adjusted its stored path serves again: looking for it
    would mean reading the touchpoints of its days.
    """
    warehouse.execute(
        "attribution/kept_paths",
        rules_version=rules.version,
        install_events=list(rules.installs.events),
    )
    keys = warehouse.query("attribution/rule_keys")
    with warehouse.frame("path_rules", path_rules(rules, keys)):
        warehouse.execute("attribution/sought_paths")
    span = warehouse.query("attribution/sought_span").row(0, named=True)
    warehouse.execute("attribution/named_clicks")
    places = exclusions(rules)
    with (
        warehouse.frame("kind_strengths", kind_strengths(rules)),
        warehouse.frame("limited_advertisers", places.limited_advertisers),
        warehouse.frame("listed_values", places.listed_values),
    ):
        warehouse.execute("attribution/delete_path_touches")
        warehouse.execute("attribution/insert_path_touches", **span)
