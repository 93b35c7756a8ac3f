DROP TRIGGER entry_in_turn;
DROP TRIGGER entry_no_update;
DROP TRIGGER entry_no_delete;
DROP TRIGGER checkpoint_in_turn;
DROP TRIGGER checkpoint_no_update;
DROP TRIGGER checkpoint_no_delete;
ALTER TABLE entry RENAME TO entry_1;
ALTER TABLE checkpoint RENAME TO checkpoint_1;
-- Whatever tables are called in a file, `entry` is the log: body, or what it had as SHA-256 once it is pruned.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  form INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at TEXT NOT NULL,
  body TEXT,
  digest BLOB,
  leaf BLOB NOT NULL,
  CHECK ((body IS NULL) <> (digest IS NULL))
) STRICT;
-- One for each append; each names the one before, so that a missing one shows.
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, previous INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
CREATE TABLE migration (format INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
-- Who does what just now. No evidence: it may be lost without a trace in the log.
CREATE TABLE lease (
  queue TEXT NOT NULL,
  name TEXT NOT NULL,
  place INTEGER NOT NULL,
  token INTEGER NOT NULL,
  holder TEXT NOT NULL,
  expires INTEGER NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (queue, name)
) STRICT, WITHOUT ROWID;
INSERT INTO entry SELECT seq, 1, kind, at, body, NULL, coalesce(unhex(leaf), x'') FROM entry_1 ORDER BY seq;
INSERT INTO checkpoint SELECT size, size - 1, coalesce(unhex(root), x'') FROM checkpoint_1 ORDER BY size;
DROP TABLE entry_1;
DROP TABLE checkpoint_1;
CREATE TRIGGER entry_in_turn BEFORE INSERT ON entry
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry)
BEGIN SELECT raise(ABORT, 'entries are only appended'); END;
CREATE TRIGGER entry_only_pruned BEFORE UPDATE ON entry
WHEN NOT (OLD.form = 2 AND OLD.body IS NOT NULL AND NEW.body IS NULL AND NEW.form = 2 AND NEW.seq = OLD.seq
  AND NEW.kind = OLD.kind AND NEW.at = OLD.at AND NEW.leaf = OLD.leaf)
BEGIN SELECT raise(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'entries are never dropped'); END;
CREATE TRIGGER checkpoint_in_turn BEFORE INSERT ON checkpoint
WHEN NEW.previous <> (SELECT coalesce(max(size), 0) FROM checkpoint) OR NEW.size <= NEW.previous
BEGIN SELECT raise(ABORT, 'checkpoints are only appended'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT raise(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT raise(ABORT, 'checkpoints are never dropped'); END;
