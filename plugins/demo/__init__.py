"""The sample organization in an embedded AWS emulator."""
