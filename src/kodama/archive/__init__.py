"""Rooms as files: written to be kept, read from other programs. Knows no store."""
