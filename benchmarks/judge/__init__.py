"""The accuracy benchmark: the product's forecasts beside classical models, boosting and simple rules.

Nothing here uses the product's own rules, metrics or features: the judge is not the judged.
"""
