"""Names and descriptions of categories, as a person would write them, without a language model."""

from services.categorizer.naming.listed import category_phrases
from services.categorizer.naming.tree import Named, Names, name_leaves, name_tree

__all__ = ["Named", "Names", "category_phrases", "name_leaves", "name_tree"]
