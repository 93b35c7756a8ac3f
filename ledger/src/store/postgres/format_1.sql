CREATE TABLE migration (format bigint PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now());
-- The log: body, or what it had as SHA-256 once it is pruned.
CREATE TABLE entry (
  seq bigint PRIMARY KEY,
  form smallint NOT NULL,
  kind text NOT NULL,
  at text NOT NULL,
  body text,
  digest bytea,
  leaf bytea NOT NULL,
  CHECK ((body IS NULL) <> (digest IS NULL))
);
-- One for each append; each names the one before, so that a missing one shows.
CREATE TABLE checkpoint (size bigint PRIMARY KEY, previous bigint NOT NULL, root bytea NOT NULL);
-- Who does what just now. No evidence: it may be lost without a trace in the log.
CREATE TABLE lease (
  queue text NOT NULL,
  name text NOT NULL,
  place bigint NOT NULL,
  token bigint NOT NULL,
  holder text NOT NULL,
  expires bigint NOT NULL,
  done boolean NOT NULL,
  PRIMARY KEY (queue, name)
);
CREATE INDEX lease_open ON lease (queue, place, name) WHERE NOT done;
-- The last append of each client: tells one whose connection broke in a commit whether that went through.
CREATE TABLE append (
  client text PRIMARY KEY,
  number bigint NOT NULL,
  size bigint NOT NULL,
  used timestamptz NOT NULL DEFAULT now()
);
