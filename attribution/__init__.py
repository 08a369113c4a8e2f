"""Matches and touchpoints → conversions, credit and reports.

    eligibility     presets and configuration → the rules in force
      ├── traffic         touches, users and conversions that are no person's
      ├── conversions     signals of one order → a conversion
      ├── work            what a log day concerns, who may have made it, the touches before
      ├── credit          each model's weights → whole millionths
      ├── holdouts        what withheld ads say was caused: calibrated last touch, lifts
      └── learned         models that are fitted on the logs, and their credit
    pipeline        the stage that the daily run calls
    money, settings what reports must know: one currency, how long a day is provisional
    reports         the SQL reports: report_filters picks rows, report_notes what to know of them
    explanation     why one conversion was credited as it was: explained_rates, by which rates
    comparison      all models on one page: credit_errors, lift_agreement, predictions

    histories, paths     what users saw and did, as arrays: history_frames reads them
    bootstrap, draws     intervals of credit

docs/attribution.md says what the rules and models mean.
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
