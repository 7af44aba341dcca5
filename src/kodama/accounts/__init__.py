"""People who can come back: accounts, their passwords, and the ends of their sessions."""
