"""Product categories that a worker names by id."""

from .result_values import is_id


def category_names(env, ids):
    """``{id: name}`` of the product categories there are and the reader may read; what is no id names none."""
    categories = env["product.category"]
    numbers = {number for number in ids if is_id(number)}
    if not numbers or not categories.has_access("read"):
        return {}
    return {category.id: category.name for category in categories.search([("id", "in", list(numbers))])}
