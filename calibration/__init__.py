"""What a probability means: whether it comes true as often as it says, where not, since when.

    errors, samples         outcomes, probabilities and weights, checked once
      ├── metrics, brier, binned_errors, smooth_error, recalibration, field_errors
      │                     one figure of a sample
      │     └── intervals   how far chance could have moved it
      ├── curves, bands     the rate that was observed, by probability
      ├── segments, drift   where and since when the two differ
      ├── calibrators, parametric, venn_abers, priors, segmented
      │                     maps from scores to probabilities that come true
      │     └── choosing, cross_fitting, rolling, saving
      │                     which one, honestly tried, on the next day, kept in a file
      ├── delays, maturity  labels that are not final yet
      └── pictures          all of it drawn (the extra ``pictures``)

Nothing here knows of ads. Imported here are the figures of one number, which cost little to
import; all else is imported from its module, since scipy's optimisers and distributions take a
second. ``docs/calibration.md`` says which function answers which question.
"""

from calibration.binned_errors import expected_calibration_error, maximum_calibration_error
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.field_errors import field_calibration_error
from calibration.metrics import brier_score, calibration_ratio, log_loss, normalised_entropy
from calibration.recalibration import logistic_recalibration
from calibration.smooth_error import smooth_calibration_error

__all__ = [
    "CalibrationError",
    "InsufficientDataError",
    "InvalidSampleError",
    "brier_score",
    "calibration_ratio",
    "expected_calibration_error",
    "field_calibration_error",
    "log_loss",
    "logistic_recalibration",
    "maximum_calibration_error",
    "normalised_entropy",
    "smooth_calibration_error",
]
