-- What the mail programs of people read, as they said it in signed mail: the newest such mail counts.

CREATE TABLE capability (
    address   TEXT    NOT NULL PRIMARY KEY,    -- canonical
    ciphers   TEXT    NOT NULL,                -- names, best first, with a space between
    signed_at INTEGER NOT NULL,                -- seconds since 1970
    sha256    BLOB    NOT NULL                 -- of the certificate that signed
);
