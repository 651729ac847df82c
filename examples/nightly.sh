#!/bin/sh
# One night's audit, for cron or a systemd timer: nightly.sh [OPTIONS OF PYTEST]
# reports/last holds the last complete night, with which the next one is compared. The exit code is the audit's.
set -u
cd "$(dirname "$0")/.." || exit 3
umask 077 # findings are confidential

if ls reports/last/*.json >/dev/null 2>&1; then
    set -- "$@" --baseline=reports/last --fail-on-new
fi
rm -rf reports/tonight
.venv/bin/python -m pytest "$@" --output-formats=json,csv --output-directory=reports/tonight
code=$?
# 0 and 1 are complete audits; any other end leaves the last complete one to compare with.
if [ "$code" -le 1 ]; then
    rm -rf reports/last && mv reports/tonight reports/last
fi
exit "$code"
