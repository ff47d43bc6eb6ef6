/** Schema of the outbox; script `n` brings version `n` to `n + 1`. */
export const OUTBOX_MIGRATIONS: readonly string[] = [
  `CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), uuid TEXT NOT NULL, age_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL);
   CREATE TABLE usage (priority INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
   CREATE TABLE message (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     priority INTEGER NOT NULL,
     topic TEXT NOT NULL,
     kind TEXT NOT NULL,
     stored_ms INTEGER NOT NULL,
     stored_age_ms INTEGER NOT NULL,
     ttl_ms INTEGER NOT NULL,
     expires_age_ms INTEGER,
     attempts INTEGER NOT NULL DEFAULT 0,
     checksum INTEGER NOT NULL,
     body BLOB NOT NULL
   );
   CREATE INDEX message_priority ON message (priority);
   CREATE INDEX message_expiry ON message (expires_age_ms) WHERE expires_age_ms IS NOT NULL;`,

  // What became of messages before there was a ledger is not known any more; the ledger says so.
  `CREATE TABLE ledger (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, fate TEXT NOT NULL, connection TEXT NOT NULL);
   CREATE TABLE ledger_summary (fate TEXT NOT NULL, connection TEXT NOT NULL, messages INTEGER NOT NULL, PRIMARY KEY (fate, connection)) WITHOUT ROWID;
   CREATE TABLE dead_letter (
     sequence INTEGER PRIMARY KEY,
     priority INTEGER NOT NULL,
     topic TEXT NOT NULL,
     kind TEXT NOT NULL,
     stored_ms INTEGER NOT NULL,
     stored_age_ms INTEGER NOT NULL,
     ttl_ms INTEGER NOT NULL,
     attempts INTEGER NOT NULL,
     checksum INTEGER NOT NULL,
     body BLOB NOT NULL,
     reason TEXT NOT NULL,
     connection TEXT NOT NULL,
     refused_ms INTEGER NOT NULL,
     refused_age_ms INTEGER NOT NULL
   );
   ALTER TABLE store ADD COLUMN summarised_to INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE store ADD COLUMN dead_messages INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE store ADD COLUMN dead_bytes INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE store ADD COLUMN published TEXT;
   INSERT INTO ledger
     SELECT before + 1, sequence - 1, 'unrecorded', '' FROM (
       SELECT sequence, lag(sequence, 1, 0) OVER (ORDER BY sequence) AS before FROM (
         SELECT sequence FROM message UNION ALL SELECT seq + 1 FROM sqlite_sequence WHERE name = 'message'
       )
     ) WHERE sequence > before + 1;`,

  // Checksums cover the whole row from here on, which their size tells (checksum.ts). An earlier version must not open it.
  '',
];

/** Bytes that a row counts for, in SQL; as `sizeOf` counts them. */
export const SIZE = 'length(body) + octet_length(topic)';
