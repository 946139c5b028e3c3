-- Certificates, the private keys that belong to some of them, trust anchors, and what changed when.
-- Times are seconds since 1970. Certificates are kept as they came (DER); the columns beside it are for looking up.

CREATE TABLE certificate (
    sha256       BLOB    NOT NULL PRIMARY KEY,
    der          BLOB    NOT NULL,
    issuer       BLOB    NOT NULL,             -- DER of the Name
    serial       BLOB    NOT NULL,             -- content octets of the INTEGER
    subject      BLOB    NOT NULL,             -- DER of the Name
    subject_key_identifier BLOB,
    is_authority INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    not_after    INTEGER NOT NULL,
    source       TEXT    NOT NULL CHECK (source IN ('imported', 'issued', 'pinned', 'harvested')),
    added        INTEGER NOT NULL
);
CREATE INDEX certificate_by_issuer_and_serial ON certificate (issuer, serial);
CREATE INDEX certificate_by_subject_key_identifier ON certificate (subject_key_identifier);
CREATE INDEX certificate_authority_by_subject ON certificate (subject) WHERE is_authority = 1;

CREATE TABLE certificate_address (
    address TEXT NOT NULL,                     -- canonical
    sha256  BLOB NOT NULL REFERENCES certificate (sha256),
    PRIMARY KEY (address, sha256)
) WITHOUT ROWID;

-- A user keeps every key that mail was ever encrypted to: rows are added, and their state changes, nothing else.
CREATE TABLE private_key (
    id          INTEGER PRIMARY KEY,
    owner       TEXT    NOT NULL,              -- canonical address
    certificate BLOB    NOT NULL REFERENCES certificate (sha256),
    purpose     TEXT    NOT NULL CHECK (purpose IN ('signing', 'encryption', 'both')),
    origin      TEXT    NOT NULL CHECK (origin IN ('imported', 'issued', 'generated')),
    state       TEXT    NOT NULL CHECK (state IN ('active', 'retired', 'withdrawn')),
    sealed      BLOB    NOT NULL,              -- PKCS#8 under the vault key
    added       INTEGER NOT NULL,
    UNIQUE (owner, certificate)
);
CREATE INDEX private_key_by_certificate ON private_key (certificate);

CREATE TABLE anchor (
    sha256 BLOB    NOT NULL,
    scope  TEXT    NOT NULL,                   -- '*', '@domain' or a canonical address
    der    BLOB    NOT NULL,
    added  INTEGER NOT NULL,
    PRIMARY KEY (sha256, scope)
);

-- Certification authorities of our own; the newest one issues.
CREATE TABLE authority (
    id          INTEGER PRIMARY KEY,
    certificate BLOB    NOT NULL UNIQUE REFERENCES certificate (sha256),
    sealed      BLOB    NOT NULL,              -- PKCS#8 under the vault key
    added       INTEGER NOT NULL
);

-- Written with each change, in the same transaction; running gateways poll it.
CREATE TABLE change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL CHECK (kind IN ('certificate', 'key', 'trust', 'authority')),
    subject  TEXT    NOT NULL,
    at       INTEGER NOT NULL
);

-- A known value under the vault key: it tells a wrong key from a lost one.
CREATE TABLE vault_check (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
);
