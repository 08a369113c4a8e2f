"""Signals named by an identifier: whose each is, by the links that speak on its log day.

The most trusted identifier that names one user decides; what the others say is kept as a conflict.
"""

from datetime import date

from matching.identities import learn_links
from warehouse.database import Warehouse


def match_signals(warehouse: Warehouse, day: date) -> None:
    """Find the user of each signal in work_signals, as the tables winners and named_users.

    First by what activity and touchpoints say; what these signals teach then counts as well, also
    for signals that only now join work_signals.
    """
    _name_users(warehouse, learned=False)
    learn_links(warehouse, day)
    _name_users(warehouse, learned=True)


def _name_users(warehouse: Warehouse, *, learned: bool) -> None:
    warehouse.execute("matching/carried_values")
    warehouse.execute("matching/spoken_values", learned=learned)
    warehouse.execute("matching/crowded_values")
    warehouse.execute("matching/spoken_links")
    warehouse.execute("matching/heavy_users", learned=learned)
    warehouse.execute("matching/named_users")
    warehouse.execute("matching/winners")
