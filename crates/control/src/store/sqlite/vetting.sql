-- Version 2: what was remarked about a job's source, what became of it, and jobs that wait for an approval.

-- Findings about the source of a job; of the elements of an array under the array's id in its place.
CREATE TABLE finding (job BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

-- How advice came out since the beginning: a rule's "confirmed" and "not_reached", an act's "missed".
CREATE TABLE vet_record (
    what TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (what, outcome)
) WITHOUT ROWID;

-- How many findings are kept; absent where nobody read the source. `held` is why it waits for an approval, in JSON;
-- `verdicts` what became of findings, in JSON.
ALTER TABLE job ADD COLUMN vetted INTEGER;
ALTER TABLE job ADD COLUMN held TEXT;
ALTER TABLE job ADD COLUMN verdicts TEXT;
