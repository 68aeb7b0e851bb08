-- Every statement of the store: a name, a reason, the SQL. `statements.py` reads this file.

-- name: insert_workflow
-- A submit. Fails if the name is taken.
INSERT INTO workflows (uid, name, created, target, seed, metadata, spec, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: withdraw_workflow
-- A submit that was refused: its controller could not start.
DELETE FROM workflows WHERE key = ? AND key NOT IN (SELECT workflow FROM statuses);

-- name: workflow_by_name
-- What `get`, `watch` and `logs` begin with.
SELECT w.key, w.uid, w.name, w.metadata, w.spec, s.sequence, s.status, s.labels, s.suspended, s.finished
FROM workflows w LEFT JOIN statuses s ON s.workflow = w.key WHERE w.name = ?;

-- name: latest_name
-- What "@latest" means.
SELECT name FROM workflows ORDER BY key DESC LIMIT 1;

-- name: list_workflows
-- Enough to choose from, newest first; the spec follows for those chosen.
SELECT w.key, w.name, w.metadata, s.phase, s.finished, s.labels
FROM workflows w LEFT JOIN statuses s ON s.workflow = w.key ORDER BY w.key DESC;

-- name: workflow_by_key
-- One of those that were chosen.
SELECT w.key, w.uid, w.name, w.metadata, w.spec, s.sequence, s.status, s.labels, s.suspended, s.finished
FROM workflows w LEFT JOIN statuses s ON s.workflow = w.key WHERE w.key = ?;

-- name: status_since
-- Whether a watched workflow changed: one row by its key.
SELECT sequence, status, labels, suspended, finished FROM statuses WHERE workflow = ? AND sequence > ?;

-- name: is_finished
-- Whether a follower may stop; no row once the workflow was deleted.
SELECT coalesce(s.finished, 0) FROM workflows w LEFT JOIN statuses s ON s.workflow = w.key WHERE w.key = ?;

-- name: is_settled
-- Whether nothing of it runs or is cleared away any more; no row once the workflow was deleted.
SELECT settled FROM statuses WHERE workflow = ?;

-- name: sequence
-- Whether a controller took it in, and whether anything happened since.
SELECT sequence FROM statuses WHERE workflow = ?;

-- name: is_stored
-- Whether a watched workflow is still there.
SELECT 1 FROM workflows WHERE key = ?;

-- name: nodes
-- All nodes, in the order they appeared.
SELECT node FROM nodes WHERE workflow = ? ORDER BY key;

-- name: nodes_since
-- The nodes that changed after a sequence: what a watch reads instead of the whole workflow.
SELECT id, node FROM nodes WHERE workflow = ? AND sequence > ? ORDER BY key;

-- name: children
-- All edges of a workflow, in the order they were made.
SELECT parent, child FROM children WHERE workflow = ? ORDER BY key;

-- name: children_with_keys
-- The same for a reader who will ask for more.
SELECT key, parent, child FROM children WHERE workflow = ? ORDER BY key;

-- name: children_after
-- The edges that came after one that is known already; + keeps SQLite from reading all those of the workflow.
SELECT key, parent, child FROM children WHERE key > ? AND +workflow = ? ORDER BY key;

-- name: node
-- One node, for `artifact`.
SELECT node FROM nodes WHERE workflow = ? AND id = ?;

-- name: pods
-- The pods of a workflow in the order they were decided, for `logs`.
SELECT name, node, state FROM pods WHERE workflow = ? ORDER BY key;

-- name: pods_since
-- The pods that came after one that is known already.
SELECT key, name, node, state FROM pods WHERE workflow = ? AND key > ? ORDER BY key;

-- name: insert_request
-- What a person asks.
INSERT INTO requests (workflow, verb, body, asked) VALUES (?, ?, ?, ?);

-- name: answer
-- Whether the controller took it in.
SELECT answer FROM requests WHERE key = ?;

-- name: forget_request
-- An answer that was read is of no use any more.
DELETE FROM requests WHERE key = ? AND answer IS NOT NULL;

-- name: insert_object
-- An existing one stays as it is.
INSERT OR IGNORE INTO objects (kind, name, object) VALUES (?, ?, ?);

-- name: put_object
-- The controller keeps memoized outputs in config maps.
INSERT OR REPLACE INTO objects (kind, name, object) VALUES (?, ?, ?);

-- name: object
-- What a pod or a workflow names.
SELECT object FROM objects WHERE kind = ? AND name = ?;

-- name: list_objects
-- All of a kind.
SELECT object FROM objects WHERE kind = ? ORDER BY name;

-- name: put_metadata
-- Labels and annotations that a person or a template changed; the controller never does.
UPDATE workflows SET metadata = ? WHERE key = ?;

-- name: delete_object
-- Its owner wants it gone.
DELETE FROM objects WHERE kind = ? AND name = ?;

-- name: new_workflows
-- What was submitted and not taken in: the anti-join runs over the few keys above the last one taken in.
SELECT key, uid, name, target, seed, metadata, spec, status FROM workflows
WHERE key > ? AND key NOT IN (SELECT workflow FROM statuses WHERE workflow > ?) ORDER BY key;

-- name: unsettled_workflows
-- What a new controller goes on with: taken in, and not over.
SELECT w.key, w.uid, w.name, w.target, w.seed, w.metadata, w.spec, w.status FROM workflows w
WHERE w.key IN (SELECT workflow FROM statuses WHERE settled = 0) ORDER BY w.key;

-- name: untaken_workflows
-- What a new controller takes in: submitted while none ran.
SELECT key, uid, name, target, seed, metadata, spec, status FROM workflows
WHERE key NOT IN (SELECT workflow FROM statuses) ORDER BY key;

-- name: has_work
-- Whether a controller is needed: something untaken, unsettled or unanswered, or a cron workflow that is not suspended.
SELECT EXISTS (SELECT 1 FROM statuses WHERE settled = 0)
    OR EXISTS (SELECT 1 FROM requests WHERE answer IS NULL)
    OR EXISTS (SELECT 1 FROM workflows WHERE key NOT IN (SELECT workflow FROM statuses))
    OR EXISTS (SELECT 1 FROM objects WHERE kind = 'CronWorkflow' AND json_extract(object, '$.spec.suspend') IS NOT 1
        AND json_extract(object, '$.metadata.labels."cronworkflows.argoproj.io/completed"') IS NOT 'true');

-- name: workflow_row
-- One that is to run again.
SELECT key, uid, name, target, seed, metadata, spec, status FROM workflows WHERE key = ?;

-- name: workflows_of_cron
-- What a cron workflow started. Only homes that have one ask.
SELECT w.key, w.uid, w.name, s.status FROM workflows w LEFT JOIN statuses s ON s.workflow = w.key
WHERE json_extract(w.metadata, '$.ownerReferences[0].uid') = ? ORDER BY w.key;

-- name: newest_succeeded
-- What the durations of a new workflow are estimated by: the last one of the same template that succeeded.
SELECT w.key, w.name FROM workflows w JOIN statuses s ON s.workflow = w.key
WHERE s.phase = 'Succeeded' AND ? IN (json_extract(s.labels, ?), json_extract(w.metadata, ?))
ORDER BY w.key DESC LIMIT 1;

-- name: node_times
-- How long its nodes took.
SELECT json_extract(node, '$.name'), json_extract(node, '$.startedAt'), json_extract(node, '$.finishedAt')
FROM nodes WHERE workflow = ?;

-- name: expiring
-- Finished workflows that are to be deleted after a while.
SELECT w.key, w.spec, s.status FROM workflows w JOIN statuses s ON s.workflow = w.key
WHERE s.finished = 1 AND (w.spec LIKE '%"ttlStrategy"%' OR s.status LIKE '%"ttlStrategy"%');

-- name: open_requests
-- What nobody answered yet.
SELECT key, workflow, verb, body FROM requests WHERE answer IS NULL ORDER BY key;

-- name: answer_request
-- Committed together with what it led to.
UPDATE requests SET answer = ? WHERE key = ?;

-- name: drop_old_requests
-- Answers whose askers are long gone.
DELETE FROM requests WHERE answer IS NOT NULL AND asked < ?;

-- name: put_status
-- The workflow's own status, whole.
INSERT INTO statuses (workflow, sequence, phase, finished, settled, suspended, status, labels)
VALUES (?, ?, ?, ?, 0, ?, ?, ?)
ON CONFLICT (workflow) DO UPDATE SET sequence = excluded.sequence, phase = excluded.phase,
    finished = excluded.finished, suspended = excluded.suspended, status = excluded.status, labels = excluded.labels;

-- name: touch_status
-- Only nodes changed.
UPDATE statuses SET sequence = ? WHERE workflow = ?;

-- name: settle
-- Nothing of it runs any more.
UPDATE statuses SET settled = 1 WHERE workflow = ?;

-- name: renew_workflow
-- A retry may change the arguments.
UPDATE workflows SET spec = ? WHERE key = ?;

-- name: unsettle
-- A retry: it runs again.
UPDATE statuses SET settled = 0 WHERE workflow = ?;

-- name: forget_node
-- A retry starts it anew.
DELETE FROM nodes WHERE workflow = ? AND id = ?;

-- name: forget_children
-- A retry: the edges below a node, but for those that are written again.
DELETE FROM children WHERE workflow = ? AND parent = ?;

-- name: forget_pod
-- A retry: the pod of a node that is started anew has the same name.
DELETE FROM pods WHERE workflow = ? AND name = ?;

-- name: put_node
-- A node as it is now; the first time fixes its place in the order.
INSERT INTO nodes (workflow, id, sequence, node) VALUES (?, ?, ?, ?)
ON CONFLICT (workflow, id) DO UPDATE SET sequence = excluded.sequence, node = excluded.node;

-- name: touch_node
-- It got a child.
UPDATE nodes SET sequence = ? WHERE workflow = ? AND id = ?;

-- name: put_child
-- A new edge.
INSERT OR IGNORE INTO children (workflow, parent, child) VALUES (?, ?, ?);

-- name: put_pod
-- The decision to create a pod; stored before it is carried out.
INSERT OR IGNORE INTO pods (workflow, name, node, state, pod) VALUES (?, ?, ?, 'pending', ?);

-- name: pod_running
-- It was started.
UPDATE pods SET state = 'running' WHERE workflow = ? AND name = ? AND state = 'pending';

-- name: pod_captured
-- Its outcome is stored: it must never run again. Its files are still there.
UPDATE pods SET state = 'captured', ended = ?, pod = NULL WHERE workflow = ? AND name = ?;

-- name: pod_cleared
-- Its files are gone but for its logs ('gone'), or its root was kept ('kept').
UPDATE pods SET state = ? WHERE workflow = ? AND name = ?;

-- name: live_pods
-- What recovery looks for: decided and not over, or over and not cleared away.
SELECT name, node, state, pod FROM pods WHERE workflow = ? AND state IN ('pending', 'running', 'captured') ORDER BY key;

-- name: live_pod
-- A pod that is not over, for whoever looks it up as an object.
SELECT pod FROM pods WHERE name = ? AND pod IS NOT NULL ORDER BY key DESC LIMIT 1;

-- name: kept_pods
-- Roots that were kept for looking at, oldest first.
SELECT w.key, w.uid, w.name, w.target, p.name, p.ended
FROM pods p JOIN workflows w ON w.key = p.workflow WHERE p.state = 'kept' ORDER BY p.ended;

-- name: stored_status
-- What a reconciler is rebuilt from.
SELECT sequence, status, labels, suspended, finished FROM statuses WHERE workflow = ?;

-- name: delete_workflow_objects
-- Part of `delete`: the objects that it owns.
DELETE FROM objects WHERE EXISTS (
    SELECT 1 FROM json_each(object, '$.metadata.ownerReferences') AS owner JOIN workflows
    ON workflows.uid = json_extract(owner.value, '$.uid') WHERE workflows.key = ?);

-- name: delete_workflow_nodes
-- Part of `delete`.
DELETE FROM nodes WHERE workflow = ?;

-- name: delete_workflow_children
-- Part of `delete`.
DELETE FROM children WHERE workflow = ?;

-- name: delete_workflow_pods
-- Part of `delete`.
DELETE FROM pods WHERE workflow = ?;

-- name: delete_workflow_status
-- Part of `delete`.
DELETE FROM statuses WHERE workflow = ?;

-- name: delete_workflow
-- Part of `delete`.
DELETE FROM workflows WHERE key = ?;

-- name: put_notice
-- Said once in the life of a home.
INSERT OR IGNORE INTO notices (text) VALUES (?);

-- name: untold_notices
-- What nobody has shown yet.
SELECT text FROM notices WHERE told = 0 ORDER BY rowid;

-- name: tell_notice
-- One client shows it; 0 rows: another one was quicker.
UPDATE notices SET told = 1 WHERE text = ? AND told = 0;

-- name: counts
-- For `doctor`: workflows, those not over, pods, secrets.
SELECT (SELECT count(*) FROM workflows),
       (SELECT count(*) FROM workflows) - (SELECT count(*) FROM statuses WHERE finished = 1),
       (SELECT count(*) FROM pods WHERE state = 'running'),
       (SELECT count(*) FROM pods WHERE state = 'kept');
