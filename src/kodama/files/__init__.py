"""Files in rooms: kept in a folder of the data directory, told of in records."""
