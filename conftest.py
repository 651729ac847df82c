"""The plugins that make pytest an AWS audit. A module stands after those that it imports."""

pytest_plugins = [
    "plugins.options",
    "plugins.recordings",
    "plugins.run",
    "plugins.listing",
    "plugins.reporting",
    "plugins.ending",
    "plugins.collection",
    "plugins.execution",
    "plugins.shards",
    "plugins.completeness",
    "plugins.beacon",
    "plugins.html_columns",
    "plugins.audited",
    "plugins.securityhub",
    "plugins.delivery",
    "plugins.credential_report",
    "plugins.baseline",
    "plugins.terminal",
    "fixtures.aws_session",
]
