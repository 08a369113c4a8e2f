"""Matches and touchpoints → conversions, credit and reports.

``conversions`` joins the signals of one order; ``credit`` finds the touches that may earn a
conversion and gives it to them; ``pipeline`` is the stage that the daily run calls;
``explanation`` tells why one conversion was credited as it was; ``reports`` runs the SQL reports.
"""

from attribution.explanation import ConversionExplanation, explain_conversion
from attribution.pipeline import attribute_day
from attribution.reports import Format, encode, format_of, report, report_names

__all__ = [
    "ConversionExplanation",
    "Format",
    "attribute_day",
    "encode",
    "explain_conversion",
    "format_of",
    "report",
    "report_names",
]
