"""Demonstration data: a year of real grocery baskets as orders of one company, a simulated wholesaler as another."""
