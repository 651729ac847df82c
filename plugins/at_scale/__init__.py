"""``--resume``, ``--shard``, and what ``python -m plugins.merge`` reads."""
