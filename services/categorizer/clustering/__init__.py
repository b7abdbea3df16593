"""Categories of unit vectors: pure functions on arrays, from nearest neighbours to a two-level tree."""

from services.categorizer.clustering.agreement import Agreement, agreement
from services.categorizer.clustering.tree import Tree, tree

__all__ = ["Agreement", "Tree", "agreement", "tree"]
