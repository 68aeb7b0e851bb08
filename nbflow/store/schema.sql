-- What a home knows, version 1 (PRAGMA user_version).
--
-- One writer per fact: clients insert workflows, requests and objects and never change a row of the other
-- tables; the controller writes everything else. A change of this file is a new file in migrations/, named by
-- its number. Migrations only add (tables, columns with a default, indexes), so that an older controller
-- that still runs keeps working until it hands over.

-- What a user submitted: never changed afterwards. The key gives the order of submits and is never used twice.
CREATE TABLE workflows (
    key      INTEGER PRIMARY KEY AUTOINCREMENT,
    uid      TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL UNIQUE,
    created  TEXT NOT NULL,               -- RFC 3339, as in metadata
    target   TEXT NOT NULL,               -- which runtime runs its pods
    seed     INTEGER NOT NULL,            -- of the engine's random functions
    metadata TEXT NOT NULL,               -- JSON
    spec     TEXT NOT NULL                -- JSON
);

-- What became of a workflow, without its nodes. No row: no controller has taken it in yet.
CREATE TABLE statuses (
    workflow  INTEGER PRIMARY KEY,        -- workflows.key
    sequence  INTEGER NOT NULL,           -- grows with each commit that touches the workflow
    phase     TEXT NOT NULL,
    finished  INTEGER NOT NULL,           -- 1 once its phase will not change any more
    settled   INTEGER NOT NULL,           -- 1 once no pod of it is left either: no controller needs to look at it
    suspended INTEGER NOT NULL,
    status    TEXT NOT NULL,              -- JSON, as Argo writes it
    labels    TEXT NOT NULL               -- JSON: those the engine sets
);
CREATE INDEX statuses_unsettled ON statuses (workflow) WHERE settled = 0;

-- One row a node; the key gives the order of appearance. Children are rows of their own: a new child does not
-- rewrite its parent.
CREATE TABLE nodes (
    key      INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    id       TEXT NOT NULL,
    sequence INTEGER NOT NULL,            -- statuses.sequence of its last change; a new child is one
    node     TEXT NOT NULL                -- JSON without children
);
CREATE UNIQUE INDEX nodes_id ON nodes (workflow, id);
CREATE INDEX nodes_sequence ON nodes (workflow, sequence);

CREATE TABLE children (
    key      INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    parent   TEXT NOT NULL,
    child    TEXT NOT NULL
);
CREATE UNIQUE INDEX children_edge ON children (workflow, parent, child);

-- One row a pod, from the decision to create it.
CREATE TABLE pods (
    key      INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    name     TEXT NOT NULL,
    node     TEXT NOT NULL,
    state    TEXT NOT NULL,               -- pending, running, captured, kept (its root is still there), gone
    ended    REAL,                        -- seconds since the epoch
    pod      TEXT                         -- JSON; no longer needed once captured
);
CREATE UNIQUE INDEX pods_name ON pods (workflow, name);
CREATE INDEX pods_state ON pods (state) WHERE state <> 'gone';

-- What people ask. A request carries its answer: the verb waits for it.
CREATE TABLE requests (
    key      INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow INTEGER,                     -- NULL: it is about the controller
    verb     TEXT NOT NULL,
    body     TEXT NOT NULL,               -- JSON
    asked    REAL NOT NULL,               -- seconds since the epoch
    answer   TEXT                         -- JSON
);
CREATE INDEX requests_open ON requests (key) WHERE answer IS NULL;

-- What users own beside workflows: Secret, ConfigMap, PersistentVolumeClaim, WorkflowTemplate, ...
CREATE TABLE objects (
    kind   TEXT NOT NULL,
    name   TEXT NOT NULL,
    object TEXT NOT NULL,                 -- JSON; the only place that holds a secret
    PRIMARY KEY (kind, name)
);
