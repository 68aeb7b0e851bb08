"""What stands in a pod of several containers, or of a daemon, beside them: it outlives the controller, as the pod does."""
