"""Importers: logs as others write them, into an adscribe log folder.

::

    import_ipinyou          real-time-bidding log: impressions and clicks of known browsers
    import_criteo           display journeys: the published log, or the journeys cut from it
    import_tiktok_events    what advertisers send to TikTok's Events API
    import_meta_capi        what advertisers send to Meta's Conversions API

An importer of a research log reads the publisher's files whole (`published_file`) and lays them out
as activity, touchpoints, signals and the truth that was held back. An importer of payloads reads
them line by line (`event_payloads`, `event_values`) and lays them out as signals. Either writes all
at once (`log_folder`).
"""

from warehouse.importers.criteo import import_criteo
from warehouse.importers.ipinyou import import_ipinyou
from warehouse.importers.meta_capi import import_meta_capi
from warehouse.importers.tiktok_events import import_tiktok_events

__all__ = ["import_criteo", "import_ipinyou", "import_meta_capi", "import_tiktok_events"]
