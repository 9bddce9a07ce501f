"""Shared parts that no room owns: callers, time, ids, errors, pages and similar. Nothing here knows the domain."""
