"""All rules by their codes. A code never changes its meaning.

NBF1xx are Argo's verdicts (errors); NBF2xx are advice of ours (warnings) and never decide an exit code. An error that
Argo would overlook where it stands (in a second inline template) is shown as a warning under its own code.
"""

from __future__ import annotations

RULES = {
    "NBF101": "the text is YAML or JSON, and not beyond what is read",
    "NBF102": "a field is one that Argo or Kubernetes knows",
    "NBF103": "a value is of the type of its field",
    "NBF104": "a template object is given once",
    "NBF110": "a name is there, well formed and unique",
    "NBF111": "the name of an object is short enough for what is made of it",
    "NBF112": "a Workflow says where to begin",
    "NBF113": "a template that is called is there",
    "NBF114": "a template of another object that is called is there",
    "NBF115": "a template is of one type",
    "NBF120": "a template gets all it needs",
    "NBF121": "an argument has a value that an argument may have",
    "NBF122": "a value is one of its `enum`",
    "NBF123": "an artifact argument says where it is",
    "NBF130": "a tag resolves where it stands",
    "NBF131": "a tag is closed",
    "NBF140": "nothing waits for itself",
    "NBF141": "a task that others wait for is there",
    "NBF142": "`depends` and `dependencies` are used as they can be",
    "NBF143": "a task waits for the task whose output it uses",
    "NBF144": "the target of a DAG is a task of it",
    "NBF145": "a step or task has one loop at most",
    "NBF150": "a container has an image",
    "NBF151": "no two things are mounted at one path",
    "NBF152": "a container set or plugin is complete",
    "NBF153": "a container has a name, and none of Argo's own",
    "NBF154": "a resource template says what to do with which object",
    "NBF155": "limits are on templates that can have them, in the right units",
    "NBF156": "what a pod asks for is something that a pod can get",
    "NBF157": "a retry policy is one of Argo's",
    "NBF160": "an output parameter says where its value comes from",
    "NBF161": "an artifact has a path where it needs one, and it stays inside",
    "NBF162": "the place of an artifact is complete",
    "NBF163": "a global name is well formed",
    "NBF170": "a hook says when it runs",
    "NBF171": "a metric is complete and well named",
    "NBF172": "`podGC` is one of Argo's",
    "NBF173": "an executor plugin is complete",
    "NBF180": "a schedule is one that cron understands",
    "NBF181": "a time zone exists",
    "NBF182": "what a CronWorkflow does at a bad time is one of Argo's",
    "NBF201": "a key stands once in its mapping",
    "NBF202": "a parameter given to a Workflow is one that it declares",
    "NBF203": "a field below a step is one that Argo knows: it drops others without a word",
    "NBF204": "a template that a hook calls is there",
    "NBF210": "a sequence has an end",
}
"""Code -> what holds if the rule is kept."""

FIXES = {
    "NBF114": "check the names; `nbflow template list` shows what is stored",
    "NBF141": "check the names of the tasks",
    "NBF152": "check the names in `dependencies`",
    "NBF154": "choose one of: get, create, apply, delete, replace, patch",
    "NBF160": "say one of: path, jqFilter, jsonPath, parameter, expression, supplied",
    "NBF162": "see the fields that this storage needs in Argo's reference",
    "NBF163": "use letters, digits, `-` and `_`",
    "NBF171": "a metric has a name, a help and one of counter, gauge, histogram with a value",
    "NBF172": "operators are In, NotIn (with values), Exists and DoesNotExist (without)",
    "NBF173": "a plugin's sidecar has a name, ports, resources (requests and limits) and a securityContext",
    "NBF182": "write a number of seconds, 0 or more",
}
"""Code -> what to do where the finding has nothing more precise to say."""
