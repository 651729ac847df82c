"""The plugins that make pytest an AWS audit. A module stands after those that it imports."""

pytest_plugins = [
    "plugins.options",
    "plugins.run",
    "plugins.reporting",
    "plugins.collection",
    "plugins.execution",
    "plugins.shards",
    "plugins.securityhub",
    "plugins.listing",
    "plugins.terminal",
    "fixtures.aws_session",
]
