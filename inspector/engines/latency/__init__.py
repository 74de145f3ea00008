"""Is it faster: measuring in interleaved rounds, and what can be said of the samples."""
