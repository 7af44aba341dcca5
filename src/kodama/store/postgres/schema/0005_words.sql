-- What messages are found by: cut by a node, as text is cut in every store. NULL until a node has
-- come by it: what an older version stored, or an application by kodama_publish. The indexes are
-- made table by table, while everybody goes on (see index.py).
/*partitions
ALTER TABLE kodama_events ADD COLUMN words TSVECTOR;

-- A node of an older version, which knows nothing of words, leaves none behind that are not true.
CREATE FUNCTION kodama_uncut() RETURNS TRIGGER LANGUAGE plpgsql AS $kodama$
BEGIN
    NEW.words := NULL;
    RETURN NEW;
END
$kodama$;

CREATE TRIGGER kodama_uncut BEFORE UPDATE OF json ON kodama_events FOR EACH ROW
    WHEN (coalesce(current_setting('kodama.cuts', true), '') <> 'on') EXECUTE FUNCTION kodama_uncut();

-- By which rule all words are cut, and above which room there are still words of an older one.
CREATE TABLE kodama_searching (
    rule TEXT NOT NULL,
    above BIGINT
);
INSERT INTO kodama_searching VALUES ('', NULL);
*/
