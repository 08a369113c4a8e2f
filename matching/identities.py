"""The identity graph: which users an identifier was seen with, and since and until when.

Links follow the logs: those of a day are added to what is known, and identifiers whose rows were
read again are counted anew. A link speaks for some time before and after it was seen, so that a
change may concern signals of any day; each step names them (docs/identities.md).
"""

from datetime import date
from typing import Final

import polars as pl

from warehouse.config import Config
from warehouse.database import Warehouse

_EVER_DAYS: Final = 36_500
_ANY_NUMBER: Final = 2_000_000_000


def update_links(warehouse: Warehouse, day: date, config: Config) -> None:
    """Bring identity_links up to the stored logs, and name the signals that this concerns.

    Makes the temporary table work_signals: the signals of the day, and those of any day for which
    an identifier now speaks otherwise; all signals where the rules have changed.
    """
    changed = _store_rules(warehouse, config)
    warehouse.execute("matching/seen_links")
    warehouse.execute("matching/changed_links")
    _store_changed_links(warehouse)
    warehouse.execute("matching/delete_replaced_identifiers")
    warehouse.execute("matching/work_signals", day=day, all=changed)
    warehouse.execute("matching/add_work_signals")
    lookback_days = config.model.lookback_days
    warehouse.execute("matching/add_compared_signals", lookback_days=lookback_days)
    warehouse.execute("matching/delete_unlinked_days")


def learn_links(warehouse: Warehouse, day: date) -> None:
    """Learn from the signals at work whose cookies, devices and customer ids they show.

    Signals for which what was learned speaks otherwise join work_signals.
    """
    warehouse.execute("matching/new_evidence")
    warehouse.execute("matching/old_evidence", day=day)
    warehouse.execute("matching/delete_signal_evidence", day=day)
    warehouse.execute("matching/insert_signal_evidence")
    warehouse.execute("matching/changed_lessons")
    _store_changed_links(warehouse)
    warehouse.execute("matching/add_work_signals")


def _store_changed_links(warehouse: Warehouse) -> None:
    warehouse.execute("matching/delete_changed_links")
    warehouse.execute("matching/insert_changed_links")
    warehouse.execute("matching/moved_links")


def _store_rules(warehouse: Warehouse, config: Config) -> bool:
    """Keep the rules of the configuration; tell whether they differ from those known."""
    rules = pl.DataFrame(
        [
            (
                kind.value,
                priority,
                _EVER_DAYS if rule.days is None else rule.days,
                rule.users,
                _ANY_NUMBER if rule.per_user is None else rule.per_user,
                rule.unique,
            )
            for priority, kind in enumerate(config.matching.order, start=1)
            for rule in [config.identities.rule(kind)]
        ],
        schema={
            "kind": pl.String,
            "priority": pl.Int32,
            "ttl_days": pl.Int32,
            "most_users": pl.Int32,
            "most_identifiers": pl.Int32,
            "is_unique": pl.Boolean,
        },
        orient="row",
    )
    with warehouse.frame("rules", rules):
        if warehouse.query("matching/changed_rules").is_empty():
            return False
        warehouse.execute("matching/delete_identity_rules")
        warehouse.execute("matching/insert_identity_rules")
    return True
