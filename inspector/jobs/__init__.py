"""The window's side of the border: threads, processes, queue, cancel, interpreters."""
