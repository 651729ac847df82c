"""From findings to files, summary and exit code."""
