"""Kodama: a chat and live-event server that never loses a message."""

__version__ = "0.1.0"
