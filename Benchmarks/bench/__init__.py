"""The benchmark of storaged beside the servers and tools it is compared with."""
