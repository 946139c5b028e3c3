-- Addresses whose certificates were in use, so that a gateway that starts looks them up before anybody waits.

CREATE TABLE asked (
    address TEXT    NOT NULL PRIMARY KEY,      -- canonical
    at      INTEGER NOT NULL
);
CREATE INDEX asked_by_time ON asked (at);
