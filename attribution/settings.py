"""What reports must know of the settings that a warehouse was attributed with.

Reports take no parameters and no configuration: what they hang on is kept in the table
warehouse_settings, as of the newest run.
"""

import logging
from typing import Final

from warehouse.attribution_config import LearnedRules
from warehouse.database import Warehouse

REPORT_CURRENCY: Final = "report_currency"  # ISO 4217
OLDEST_RATE_DAYS: Final = "oldest_rate_days"
LATE_DAYS: Final = "late_days"
LONGEST_WINDOW_US: Final = "longest_window_us"
HISTORY_DAYS: Final = "history_days"
REFIT_DAYS: Final = "refit_days"
_RULES_VERSION: Final = "rules_version"
_log = logging.getLogger("adscribe")


def keep_setting(warehouse: Warehouse, name: str, value: str) -> None:
    """Keep one property of the warehouse, in place of what it was before."""
    known = warehouse.query("ledger/setting", name=name)
    if known.is_empty():
        warehouse.execute("ledger/record_setting", name=name, value=value)
    elif known.item() != value:
        warehouse.execute("ledger/update_setting", name=name, value=value)


def keep_horizons(
    warehouse: Warehouse,
    *,
    late_days: int,
    longest_window_us: int,
    history_days: int = LearnedRules().history_days,
    refit_days: int = LearnedRules().refit_days,
) -> None:
    """Keep what tells how long a day is provisional; the report provisional_days reads it.

    Parameters
    ----------
    warehouse : Warehouse
        Where to keep it.
    late_days : int
        Log days after a day on which its rows may still come.
    longest_window_us : int
        The longest lookback window of any kind, method, event and advertiser, in microseconds.
    history_days, refit_days : int
        Log days that models are fitted on at most, and that one serves before the next is fitted.
    """
    keep_setting(warehouse, LATE_DAYS, str(late_days))
    keep_setting(warehouse, LONGEST_WINDOW_US, str(longest_window_us))
    keep_setting(warehouse, HISTORY_DAYS, str(history_days))
    keep_setting(warehouse, REFIT_DAYS, str(refit_days))


def keep_rules(warehouse: Warehouse, version: str) -> None:
    """Keep the version of the rules, and say so where the run before had other ones.

    A run without the ``--config`` of the others would otherwise credit its days by other rules, and
    nobody be told.
    """
    before = warehouse.query("ledger/setting", name=_RULES_VERSION)
    if not before.is_empty() and before.item() != version:
        _log.warning(
            "credit by other rules than before (%s, until now %s): the report attribution_rules "
            "shows both. To keep the former ones give the same --config",
            version, before.item(),
        )  # fmt: skip
    keep_setting(warehouse, _RULES_VERSION, version)
