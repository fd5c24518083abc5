"""Pure scoring: DataFrames and a policy in, DataFrames out, as of a date. Knows neither Odoo nor files."""
