"""Signals named by an identifier: whose it is, by what was known at the end of the signal's day.

An identifier names a user when it was seen with that user, and with no other, by the end of the log
day of the signal. The most trusted identifier that names somebody decides; what the others say is
kept as a conflict. A customer id of an advertiser names whom other identifiers on signals with it
have named.
"""

from datetime import date

from warehouse.config import MatchingConfig
from warehouse.database import Warehouse


def update_links(warehouse: Warehouse, day: date) -> None:
    """Bring identity_links up to one log day, and name the signals that this concerns.

    Makes the temporary table work_signals: the signals of the day, and those of later days (read
    before this one) with an identifier whose links changed.
    """
    warehouse.execute("matching/day_links", day=day)
    warehouse.execute("matching/new_links", day=day)
    warehouse.execute("matching/lost_links", day=day)
    warehouse.execute("matching/redated_links", day=day)
    warehouse.execute("matching/delete_changed_links")
    warehouse.execute("matching/insert_changed_links")
    warehouse.execute("matching/work_signals", day=day)


def match_signals(warehouse: Warehouse, day: date, config: MatchingConfig) -> None:
    """Find the user of each signal in work_signals, as the tables winners and named_users.

    Links of customer ids follow from the users that other identifiers give, so they are brought up
    to date in between, and signals that they newly speak of join work_signals.
    """
    methods = [str(method) for method in config.order]
    _name_users(warehouse, methods)
    warehouse.execute("matching/external_links", day=day)
    warehouse.execute("matching/delete_external_links")
    warehouse.execute("matching/insert_external_links")
    warehouse.execute("matching/add_work_signals")
    _name_users(warehouse, methods)


def _name_users(warehouse: Warehouse, methods: list[str]) -> None:
    warehouse.execute("matching/named_users", methods=methods)
    warehouse.execute("matching/winners")
