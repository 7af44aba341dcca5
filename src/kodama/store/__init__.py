"""Where events are kept: one interface, and an implementation a file."""
