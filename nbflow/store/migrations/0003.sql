-- Version 3: a submit may bring nodes that count as done already (resubmit --memoized).

-- JSON: status.nodes and status.storedTemplates as Argo writes them; empty for most.
ALTER TABLE workflows ADD COLUMN status TEXT NOT NULL DEFAULT '';
