"""A wholesale company whose truth is known: simulated customers, what they do, and why they leave."""

from simulator.truth import Simulation, simulate
from simulator.world import World

__all__ = ["Simulation", "World", "simulate"]
