"""What runs pods: sandboxed processes, plain processes, containers, a cluster."""
