"""Outgoing webhooks: readers of rooms that are told by requests of ours."""
