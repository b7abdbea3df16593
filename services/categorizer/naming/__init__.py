"""Names and descriptions of categories, without a language model. Too many are false yet: see docs/decisions.md."""

from services.categorizer.naming.listed import category_phrases
from services.categorizer.naming.tree import Named, Names, name_leaves, name_tree

__all__ = ["Named", "Names", "category_phrases", "name_leaves", "name_tree"]
