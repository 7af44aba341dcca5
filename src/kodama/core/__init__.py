"""Rooms, positions, cursors, hand-over, limits: pure Python, no clock, no sockets, no Twisted."""
