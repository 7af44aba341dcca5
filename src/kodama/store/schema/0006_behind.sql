-- Events of a room from `first` on are not in the index yet: it follows the log in pieces. The row is
-- written in the transaction of the first such event, and goes in that which indexes the last.
CREATE TABLE behind (
    room_id INTEGER PRIMARY KEY,
    first INTEGER NOT NULL
) STRICT;
