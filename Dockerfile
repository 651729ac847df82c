# docker build -t auditest .
# docker run --rm -v ~/.aws:/home/audit/.aws:ro -v "$PWD/reports:/audit/reports" --user "$(id -u)" auditest -m cislevel1 -n 4
FROM python:3.11.13-slim-bookworm

WORKDIR /audit

# The lock file before the suite: a change of the suite installs nothing anew.
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY . .
# Whoever runs the container may write reports.
RUN mkdir -p reports && chmod 1777 reports

# Compiled modules, which whoever runs the container cannot write: a run that ends once it has read all checks.
RUN python -m pytest -p no:cacheprovider --replay=none > /dev/null 2>&1 || test $? -eq 4

ENV HOME=/home/audit PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTEST_ADDOPTS="-p no:cacheprovider"
USER 10001:10001
ENTRYPOINT ["python", "-m", "pytest"]
