"""A client of the public protocol; it imports nothing of the server."""
