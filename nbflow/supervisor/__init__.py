"""What looks after a pod of several containers, or a daemon: it outlives the controller, as the pod does."""
