"""The plugins that make pytest an AWS audit."""

pytest_plugins = ["plugins.options"]
