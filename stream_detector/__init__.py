"""Reads a travel marketplace's change events and publishes the texts that lead outside the platform."""

from importlib.metadata import version

__version__ = version("stream-detector")
