"""What makes pytest an AWS audit. No module here knows a service."""
