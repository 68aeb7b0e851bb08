-- Version 2: notices. Some homes of version 1 have the table already.

-- What users should know once, such as why there is no sandbox here. The controller writes it, whoever has shown it
-- says so.
CREATE TABLE IF NOT EXISTS notices (
    text TEXT PRIMARY KEY,
    told INTEGER NOT NULL DEFAULT 0
);
