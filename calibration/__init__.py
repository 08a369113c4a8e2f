"""What a probability means: metrics, apart from what it is a probability of.

``metrics`` holds the figures; nothing here knows of ads.
"""

from calibration.metrics import UndefinedMetricError, calibration_ratio

__all__ = ["UndefinedMetricError", "calibration_ratio"]
