"""What can go wrong when a probability is asked what it means.

CalibrationError (ValueError)
├── InvalidSampleError      values outside their range, NaN, or lengths that differ
└── InsufficientDataError   the figure has no value on such data, or nothing can be learned from it
"""


class CalibrationError(ValueError):
    """Anything that calibration refuses; the message says what, where and the mend."""


class InvalidSampleError(CalibrationError):
    """Outcomes, probabilities or weights that cannot be what they are called."""


class InsufficientDataError(CalibrationError):
    """Data on which a figure has no value, or from which nothing can be learned."""
