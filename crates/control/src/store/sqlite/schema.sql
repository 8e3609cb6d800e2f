-- Version 1. What is stored has a version: a later one is a new file, applied after this.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE user (
    id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE project (
    id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL
) WITHOUT ROWID;

-- An empty project is the whole platform.
CREATE TABLE member (
    user BLOB NOT NULL, project BLOB NOT NULL, role TEXT NOT NULL, PRIMARY KEY (user, project, role)
) WITHOUT ROWID;

CREATE TABLE key (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, user BLOB NOT NULL, project BLOB, scopes TEXT NOT NULL, hash BLOB NOT NULL,
    created INTEGER NOT NULL, expires INTEGER, last_used INTEGER, revoked INTEGER
) WITHOUT ROWID;

CREATE TABLE worker (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL, room TEXT NOT NULL, version TEXT NOT NULL,
    environment TEXT NOT NULL, layers TEXT NOT NULL, draining INTEGER NOT NULL, enrolled INTEGER NOT NULL,
    seen INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE join_token (hash BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;

-- Files of jobs, and what else their programs are given (`job.input`).
CREATE TABLE source (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body BLOB NOT NULL);

-- States: 0 queued, 1 starting, 2 running, 3 ended. The columns that the queue is rebuilt from stand beside `ask`.
CREATE TABLE job (
    id BLOB PRIMARY KEY, ord INTEGER NOT NULL, project BLOB NOT NULL, user BLOB NOT NULL, key BLOB NOT NULL,
    state INTEGER NOT NULL, class INTEGER NOT NULL, source BLOB NOT NULL, ask TEXT NOT NULL,
    array BLOB, array_index INTEGER, array_size INTEGER,
    submitted INTEGER NOT NULL, not_before INTEGER NOT NULL, started INTEGER, ended INTEGER,
    attempt INTEGER NOT NULL, handed_back INTEGER NOT NULL DEFAULT 0, worker BLOB, cancel INTEGER NOT NULL,
    cpus_milli INTEGER NOT NULL, memory_bytes INTEGER NOT NULL, wall_ms INTEGER NOT NULL, cpu_ms INTEGER NOT NULL,
    outcome TEXT, report TEXT, skipped TEXT, input BLOB,
    source_id INTEGER NOT NULL, input_id INTEGER
) WITHOUT ROWID;
CREATE INDEX job_by_project ON job (project, id);
CREATE INDEX job_by_user ON job (user, id);
CREATE INDEX job_by_array ON job (array, array_index) WHERE array IS NOT NULL;
CREATE INDEX job_array_open ON job (array) WHERE array IS NOT NULL AND state < 3;
CREATE INDEX job_open ON job (ord) WHERE state < 3;
CREATE INDEX job_ended ON job (ended) WHERE state = 3;
-- By number and not by digest: new ones come at the end, where a digest would write a page of its own for each job.
CREATE INDEX job_source ON job (source_id);
CREATE INDEX job_input ON job (input_id) WHERE input_id IS NOT NULL;

CREATE TABLE job_label (label TEXT NOT NULL, job BLOB NOT NULL, PRIMARY KEY (label, job)) WITHOUT ROWID;
CREATE INDEX job_label_by_job ON job_label (job);

CREATE TABLE idempotency (
    user BLOB NOT NULL, project BLOB NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, job BLOB NOT NULL,
    array BLOB, array_size INTEGER, at INTEGER NOT NULL, PRIMARY KEY (user, project, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_job ON idempotency (job);

CREATE TABLE lease (
    id BLOB PRIMARY KEY, job BLOB NOT NULL, attempt INTEGER NOT NULL, worker BLOB NOT NULL, hash BLOB NOT NULL,
    appended INTEGER NOT NULL, started INTEGER NOT NULL, granted INTEGER NOT NULL, ended INTEGER
) WITHOUT ROWID;
CREATE INDEX lease_by_job ON lease (job);
CREATE INDEX lease_open ON lease (id) WHERE ended IS NULL;

-- Output is stored as it came; `stream` is 1 for stdout, 2 for stderr. The other events are JSON in `body`.
CREATE TABLE event (
    job BLOB NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, attempt INTEGER NOT NULL, stream INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (job, seq)
) WITHOUT ROWID;

CREATE TABLE artifact (
    job BLOB NOT NULL, path TEXT NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (job, path)
) WITHOUT ROWID;

CREATE TABLE blob (digest BLOB PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

-- An empty job is a plain upload; what an array's elements need is held by the array's id in its place. `until` is absent while the job has not ended, but for what its worker
-- uploaded and has not settled.
CREATE TABLE hold (
    digest BLOB NOT NULL, project BLOB NOT NULL, user BLOB NOT NULL, job BLOB NOT NULL, size INTEGER NOT NULL,
    until INTEGER, PRIMARY KEY (digest, project, user, job)
) WITHOUT ROWID;
CREATE INDEX hold_by_job ON hold (job);
CREATE INDEX hold_until ON hold (until) WHERE until IS NOT NULL;

CREATE TABLE usage (
    day INTEGER NOT NULL, project BLOB NOT NULL, user BLOB NOT NULL, jobs INTEGER NOT NULL, cpu_ms INTEGER NOT NULL,
    PRIMARY KEY (day, project, user)
) WITHOUT ROWID;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, key BLOB, action TEXT NOT NULL,
    resource TEXT NOT NULL, project BLOB, allowed INTEGER NOT NULL, policies TEXT NOT NULL, detail TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_by_project ON audit (project, seq) WHERE project IS NOT NULL;
