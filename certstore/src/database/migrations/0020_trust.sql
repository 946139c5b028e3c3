-- What trust needs beside the anchors: how strict each is, whom nobody shall believe, and the CRLs that were fetched.

ALTER TABLE anchor ADD COLUMN revocation TEXT CHECK (revocation IN ('off', 'soft', 'hard'));

CREATE TABLE distrusted (
    sha256 BLOB    NOT NULL PRIMARY KEY,
    added  INTEGER NOT NULL
);

CREATE TABLE revocation_list (
    url     TEXT    NOT NULL PRIMARY KEY,
    der     BLOB    NOT NULL,
    fetched INTEGER NOT NULL
);
