"""Importers: public research logs, as their owners published them, into an adscribe log folder.

::

    import_ipinyou    real-time-bidding log: impressions and clicks of browsers with a known id
    import_criteo     display journeys: the published log, or the journeys cut from it

An importer reads the publisher's files whole (`published_file`), lays them out as activity,
touchpoints, signals and the truth that was held back, and writes them at once (`log_folder`).
"""

from warehouse.importers.criteo import import_criteo
from warehouse.importers.ipinyou import import_ipinyou

__all__ = ["import_criteo", "import_ipinyou"]
