"""Names for the array types that the simulator passes around."""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Chars = npt.NDArray[np.uint8]
Compact = dict[str, npt.NDArray[np.generic]]
