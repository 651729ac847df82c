"""Accepted failures."""
