"""What became of a signal that was not accepted."""

from collections.abc import Mapping, Sequence

from warehouse.database import Warehouse

_MOST = 5


def refused_rows(warehouse: Warehouse, signal_id: str) -> list[dict[str, object]]:
    """Return the refused rows that hold a signal_id: day, rule, source_file and source_row."""
    return warehouse.query("ledger/refused_signal", signal_id=signal_id).to_dicts()


def refused_where(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the rule, file and row of refused rows as a clause, of the first few."""
    clauses = [f"{row['rule']}, {row['source_file']} row {row['source_row']}" for row in rows]
    more = [f"and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []
    return "; ".join(clauses[:_MOST] + more)
