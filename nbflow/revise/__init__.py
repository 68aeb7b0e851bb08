"""What submit, retry, resubmit and node set change in a Workflow, as Argo's own command line changes it."""
