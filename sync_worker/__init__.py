"""Reads ERP sales from Odoo or a file, scores customers, and writes value, loyalty and churn back."""

__version__ = "0.2.0"
