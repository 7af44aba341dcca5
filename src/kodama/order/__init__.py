"""Keeping order: who is what in which room, and what owners and moderators do about it."""
