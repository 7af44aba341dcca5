"""``kodama serve --workers N``: a supervisor, a writer that owns the store, and N processes that serve."""
