"""The bytes of the protocol: strict reading of what clients send, events encoded once."""
