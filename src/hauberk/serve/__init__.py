"""The two processes: control plane and gateway, a file each, until a signal ends them (SIGTERM or SIGINT)."""
