"""Requirements of frameworks."""
