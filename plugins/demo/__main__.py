"""``python -m plugins.demo`` starts the sample organization for experiments by hand."""

from __future__ import annotations

import signal
import sys
import time

from plugins.demo.launcher import DemoError, start


def main() -> None:
    """Start the demo, print how to use it, wait for Ctrl-C or SIGTERM."""
    import shlex

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        begin = time.monotonic()
        demo = start()
        print(f"# The sample organization runs at {demo.url}, ready after {time.monotonic() - begin:.1f} s.")
        print("# In another terminal:")
        for name, value in demo.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        accounts, regions = ",".join(demo.accounts), ",".join(demo.regions)
        print(f"pytest -A {accounts} -R {demo.role} --filter-region {regions}")
        print("# Ctrl-C ends it.", flush=True)
        while demo.process.poll() is None:
            time.sleep(0.5)
        print("# The emulator has ended.", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    except DemoError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
