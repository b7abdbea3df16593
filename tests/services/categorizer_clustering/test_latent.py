"""The decomposition is scikit-learn's, to the bit: the same categories whoever computes it."""

import numpy as np
import pytest
from scipy.sparse import csr_array, random
from sklearn.utils.extmath import randomized_svd

from services.categorizer.clustering.latent import directions


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "count"), [((90, 300), 5), ((300, 90), 5), ((300, 90), 60), ((40, 300), 40)])
def test_directions_are_those_of_the_library(shape: tuple[int, int], count: int, kind: type) -> None:
    weights = csr_array(random(*shape, density=0.1, random_state=1, dtype=kind))
    theirs = randomized_svd(weights, count, random_state=0)[2]
    largest = np.take_along_axis(theirs, np.abs(theirs).argmax(axis=1)[:, None], 1)

    found = directions(weights, count)

    assert found.tobytes() == np.asarray((theirs * np.sign(largest)).T, np.float32).tobytes()
