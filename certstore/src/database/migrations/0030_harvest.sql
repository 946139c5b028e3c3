-- Where certificates came from that others signed their mail with, and those of them that wait for an operator's word.

CREATE TABLE harvested (
    sha256     BLOB    NOT NULL PRIMARY KEY,
    der        BLOB    NOT NULL,
    address    TEXT    NOT NULL,               -- canonical: who signed
    message_id TEXT    NOT NULL,
    seen       INTEGER NOT NULL,
    pending    INTEGER NOT NULL,               -- 1: kept aside, not among the certificates
    reason     TEXT    NOT NULL                -- why it is kept aside
);
CREATE INDEX harvested_pending ON harvested (seen) WHERE pending = 1;
