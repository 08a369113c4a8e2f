"""Raw logs → validated tables in one DuckDB file.

``logs`` finds the files of a log folder and the days they hold; ``readers`` turns a file of any
format into frames of text; ``conform`` gives them the columns and types of ``schemas`` and splits
good rows from bad; ``identifiers`` makes keyed digests of what could name a person; ``ingest``
stores one day in one transaction; ``runs`` keeps the ledger; ``database`` is the only door to the
file, ``config`` the configuration and ``errors`` everything that may go wrong.
"""

from warehouse.config import Config, load_config
from warehouse.database import Warehouse
from warehouse.errors import AdscribeError
from warehouse.ingest import ingest_logs
from warehouse.logs import LogFolder
from warehouse.runs import Run

__all__ = ["AdscribeError", "Config", "LogFolder", "Run", "Warehouse", "ingest_logs", "load_config"]
