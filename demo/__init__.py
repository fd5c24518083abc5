"""Demonstration data: a year of real grocery baskets as confirmed sales orders of two companies."""
