-- What messages are found by. `search` holds the words of each (kodama/core/words.py) and marks for
-- its room, its author and what it has; it keeps no text, so removing a message tells it the words.

-- One row a message that can be found. The number begins with its time, so that the newest come
-- first and a moment is a bound: time in ms, shifted left by 20, and a count within that ms.
CREATE TABLE found (
    id INTEGER PRIMARY KEY,
    room_id INTEGER NOT NULL,
    offset INTEGER NOT NULL
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (words, marks, content = '', columnsize = 0, tokenize = 'ascii');

-- Events of a room at or below `top` are not in the index yet.
CREATE TABLE unsearched (
    room_id INTEGER PRIMARY KEY,
    top INTEGER NOT NULL
) STRICT;

-- One row: the rule by which words were cut, and whether words of removed messages may be left
-- in the index's pages.
CREATE TABLE searching (
    rule TEXT NOT NULL,
    removed INTEGER NOT NULL
) STRICT;

INSERT INTO searching VALUES ('', 0);
