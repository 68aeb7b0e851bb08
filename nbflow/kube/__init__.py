"""The Kubernetes API as the pod runtime and the Argo client both need it."""
