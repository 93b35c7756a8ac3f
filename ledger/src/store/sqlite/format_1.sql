CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, leaf TEXT NOT NULL) STRICT;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root TEXT NOT NULL) STRICT;
CREATE TRIGGER entry_in_turn BEFORE INSERT ON entry WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry) BEGIN SELECT raise(ABORT, 'entries are only appended'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are never dropped'); END;
CREATE TRIGGER checkpoint_in_turn BEFORE INSERT ON checkpoint WHEN NEW.size <> (SELECT coalesce(max(size), 0) + 1 FROM checkpoint) BEGIN SELECT raise(ABORT, 'checkpoints are only appended'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT raise(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT raise(ABORT, 'checkpoints are never dropped'); END;
