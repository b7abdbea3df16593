"""Names and descriptions of categories, without a language model."""

from services.categorizer.naming.listed import category_phrases
from services.categorizer.naming.tree import Names, name_leaves, name_tree

__all__ = ["Names", "category_phrases", "name_leaves", "name_tree"]
