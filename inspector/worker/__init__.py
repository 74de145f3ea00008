"""The child process: the only place where frameworks are imported; it sandboxes itself first."""
