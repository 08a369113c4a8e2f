"""What must always hold between the tables: sql/checks/ selects the rows that break it."""

from datetime import date
from typing import Final

from warehouse.database import Warehouse, statements
from warehouse.errors import WarehouseError

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2099, 12, 31)


def broken(
    warehouse: Warehouse, *, first_day: date = EARLIEST, last_day: date = LATEST
) -> dict[str, int]:
    """Return how many rows break each check that any row breaks.

    Parameters
    ----------
    warehouse : Warehouse
        The warehouse to look at.
    first_day, last_day : date
        The days to look at, both included; all when omitted.
    """
    days = {"first_day": first_day, "last_day": last_day}
    counts = {
        name: warehouse.query(f"checks/{name}", **days).height for name in statements("checks")
    }
    return {name: count for name, count in counts.items() if count}


def check_day(warehouse: Warehouse, day: date) -> None:
    """Raise a WarehouseError if a check finds a row of `day` that must not exist."""
    for name, count in broken(warehouse, first_day=day, last_day=day).items():
        raise WarehouseError(
            f"check {name} found {count} rows of {day} that must not exist; nothing of this stage "
            f"was kept. Please report it; sql/checks/{name}.sql tells what was expected."
        )
