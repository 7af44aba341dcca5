-- Publishing in SQL, so that an application can publish inside its own transaction: the message is
-- there if and only if what the application did with it is. The room waits for that transaction,
-- so it should be short; whoever publishes to several rooms locks them first, in one order.

CREATE FUNCTION kodama_epoch() RETURNS TEXT LANGUAGE plpgsql AS $kodama$
DECLARE
    stretch TEXT;
    found_epoch TEXT;
BEGIN
    SELECT system_identifier || ' ' || substring(pg_walfile_name(pg_current_wal_lsn()) FROM 1 FOR 8)
        INTO stretch FROM pg_control_system();
    INSERT INTO kodama_stretches VALUES (stretch, substring(md5(gen_random_uuid()::text) FROM 1 FOR 8))
        ON CONFLICT (history) DO NOTHING;
    SELECT epoch INTO found_epoch FROM kodama_stretches WHERE history = stretch;
    RETURN found_epoch;
END
$kodama$;

CREATE FUNCTION kodama_lock_rooms(names TEXT[]) RETURNS VOID LANGUAGE plpgsql AS $kodama$
BEGIN
    PERFORM set_config('lock_timeout', '5s', true);
    PERFORM 1 FROM kodama_rooms WHERE name = ANY (names) ORDER BY name FOR UPDATE;
END
$kodama$;

-- author: {"id","name","kind"}. Returns where the message stands; fresh is false if the nonce was
-- used before, which stores nothing. Raises check_violation for what the protocol does not allow.
CREATE FUNCTION kodama_publish(
    room TEXT, author JSON, message TEXT DEFAULT NULL, payload JSON DEFAULT NULL, key TEXT DEFAULT NULL
) RETURNS TABLE (message_offset BIGINT, message_epoch TEXT, message_id TEXT, message_time BIGINT, fresh BOOLEAN)
LANGUAGE plpgsql AS $kodama$
DECLARE
    here kodama_rooms%ROWTYPE;
    who TEXT := 'sql:' || (author ->> 'id');
    body_digest BYTEA := decode(md5(coalesce(message, '') || E'\n' || coalesce(payload::text, '')), 'hex');
    known kodama_nonces%ROWTYPE;
    noise TEXT := replace(gen_random_uuid()::text, '-', '');
    stamp TEXT;
    event TEXT;
BEGIN
    IF message IS NULL AND payload IS NULL OR message = '' THEN
        RAISE check_violation USING MESSAGE = 'a message has text or data';
    END IF;
    IF author ->> 'id' IS NULL OR author ->> 'name' IS NULL
        OR coalesce(author ->> 'kind', '') NOT IN ('guest', 'user', 'bot', 'host') THEN
        RAISE check_violation USING MESSAGE = 'an author has id, name and kind';
    END IF;
    IF key !~ '^[A-Za-z0-9._~-]{1,64}$' THEN
        RAISE check_violation USING MESSAGE = 'a nonce is 1 to 64 of A-Z a-z 0-9 . _ ~ -';
    END IF;
    PERFORM kodama_lock_rooms(ARRAY[room]);
    SELECT * INTO here FROM kodama_rooms WHERE name = room FOR UPDATE;
    IF NOT FOUND THEN
        IF room !~ '^[a-z0-9_-][a-z0-9._-]{0,63}$' THEN
            RAISE check_violation USING MESSAGE = 'a new room is named by a-z 0-9 . _ - here';
        END IF;
        INSERT INTO kodama_rooms (name) VALUES (room) ON CONFLICT (name) DO NOTHING;
        SELECT * INTO here FROM kodama_rooms WHERE name = room FOR UPDATE;
    END IF;
    IF key IS NOT NULL THEN
        SELECT * INTO known FROM kodama_nonces n
            WHERE n.room_id = here.id AND n.sender = who AND n.nonce = key;
        IF FOUND AND known.digest <> body_digest THEN
            RAISE unique_violation USING MESSAGE = 'the nonce was used for another message';
        ELSIF FOUND THEN
            RETURN QUERY SELECT known."offset", known.epoch, known.id, known.time, false;
            RETURN;
        END IF;
    END IF;
    message_offset := here.top + 1;
    message_epoch := kodama_epoch();
    message_time := greatest(here.time, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    stamp := lpad(to_hex(message_time), 12, '0') || '7' || substring(noise FROM 14 FOR 3)
        || substring('89ab' FROM 1 + ('x' || substring(noise FROM 1 FOR 1))::bit(4)::int % 4 FOR 1)
        || substring(noise FROM 18 FOR 15);
    message_id := substring(stamp FROM 1 FOR 8) || '-' || substring(stamp FROM 9 FOR 4) || '-'
        || substring(stamp FROM 13 FOR 4) || '-' || substring(stamp FROM 17 FOR 4) || '-' || substring(stamp FROM 21);
    event := '{"type":"message","room":' || to_json(room) || ',"offset":' || message_offset
        || ',"epoch":' || to_json(message_epoch) || ',"id":' || to_json(message_id) || ',"time":"'
        || to_char(to_timestamp(message_time / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS') || 'Z"'
        || ',"author":{"id":' || to_json(author ->> 'id') || ',"name":' || to_json(author ->> 'name')
        || ',"kind":' || to_json(author ->> 'kind') || '},"text":' || coalesce(to_json(message)::text, 'null')
        || ',"data":' || coalesce(translate(payload::text, E'\n\r', '  '), 'null')
        || CASE WHEN key IS NULL THEN '' ELSE ',"nonce":' || to_json(key) END || '}';
    IF octet_length(event) > 66560 THEN
        RAISE check_violation USING MESSAGE = 'a message has at most 64 KiB';
    END IF;
    IF here.epoch <> message_epoch THEN
        INSERT INTO kodama_epochs VALUES (here.id, message_offset, message_epoch);
    END IF;
    INSERT INTO kodama_events VALUES (
        here.id, message_offset, message_epoch, message_time, 'message', NULL, NULL, convert_to(event, 'UTF8'));
    IF key IS NOT NULL THEN
        INSERT INTO kodama_nonces VALUES (
            here.id, who, key, message_id, message_offset, message_epoch, message_time, body_digest);
    END IF;
    UPDATE kodama_rooms SET top = message_offset, time = message_time, epoch = message_epoch WHERE id = here.id;
    fresh := true;
    RETURN NEXT;
END
$kodama$;
