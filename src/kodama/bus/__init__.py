"""How nodes hear of each other's commits; a bus may lose things, the store is the truth."""
