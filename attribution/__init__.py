"""Matches and touchpoints → conversions, credit and reports.

    eligibility     presets and configuration → the rules in force
      ├── traffic         touches, users and conversions that are no person's
      ├── conversions     signals of one order → a conversion
      ├── work            what a log day concerns, who may have made it, the touches before
      ├── credit          each model's weights → whole millionths
      ├── rates           how probably the last touch caused it, by the week
      │     └── calibrated_touch   the estimate, from holdouts: touch_mixture, opportunity_mixture
      └── learned_credit  credit of models that are fitted on the logs
            ├── fitting, guardrails   when they are fitted anew, and when a fit is refused
            └── learned               the models:
                  ├── markov          chains, channel_groups
                  ├── shapley         exposed_sets, set_values, coalitions
                  ├── hazard          hazard_rates, hazard_fit, hazard_cells
                  └── counterfactual  exposure_features, exposure_moments, exposure_trees
    pipeline        the stage that the daily run calls
    money, settings what reports must know: one currency, how long a day is provisional
    reports         the SQL reports; explanation: why one conversion was credited as it was
    comparison      all models on one page: credit_errors, predictions

    histories, paths     what users saw and did, as arrays: history_frames reads them
      ├── lift, arms           what holdouts say by themselves; lift_report tells it
      ├── incremental          what ads caused, by both readings: evidence counts for them
      ├── lift_calibration     any model's credit scaled to the lifts; shrinkage
      └── bootstrap, draws     intervals

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
