# One image for every command of stream-detector: `docker run IMAGE run`, `… serve`, `… topics create`, `… score -`.
#
#   docker build -t stream-detector .
#   docker run --rm --read-only stream-detector score --text "Call me on +44 7700 900142"
#
# It needs no particular user, and no writable file but for `console` and `aggregate`, which keep a folder: give those a volume at
# /var/lib/stream-detector. deploy/image/rehearse.sh plays these steps where no container engine runs.
# A release names the base by digest: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
# With it, compiled modules and archives hold no time of day: the same sources and lock give the same files.
ENV SOURCE_DATE_EPOCH=1577836800 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN python3.11 -m venv /opt/stream-detector
WORKDIR /src
# What the lock names changes less often than the sources: a layer of its own.
COPY requirements/runtime.lock requirements/
RUN /opt/stream-detector/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY examples/events.jsonl examples/
COPY models models
COPY stream_detector stream_detector
# The wheel holds the models, so that the image needs no volume. The lock names what builds it, which doesn't run it: that goes.
RUN /opt/stream-detector/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/stream-detector/bin/pip install --quiet --no-deps dist/*.whl \
 && /opt/stream-detector/bin/pip uninstall --quiet --yes hatchling editables pathspec pluggy tomlkit trove-classifiers \
 && /opt/stream-detector/bin/pip check \
 && /opt/stream-detector/bin/pip uninstall --quiet --yes setuptools pip \
 && /opt/stream-detector/bin/stream-detector models verify
COPY --chmod=0444 deploy/image/healthy.py /opt/stream-detector/healthy.py

FROM ${PYTHON}
LABEL org.opencontainers.image.title="stream-detector" \
      org.opencontainers.image.description="Finds contact, booking and payment outside the platform in a marketplace's change events" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/stream-detector /opt/stream-detector
# Where console and aggregate keep what must outlive them: for a volume, which takes over who owns it. The others write nowhere.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/stream-detector
# HTTP_HOST: inside a container, loopback would be reached by nobody. Logs leave at once, and nothing is written beside the code.
ENV PATH=/opt/stream-detector/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STREAM_DETECTOR_HTTP_HOST=0.0.0.0 \
    STREAM_DETECTOR_REVIEW__FOLDER=/var/lib/stream-detector/review \
    STREAM_DETECTOR_AGGREGATION__DATA_DIRECTORY=/var/lib/stream-detector/aggregate
# A number, so that an orchestrator can tell that it isn't root. It needs no entry in /etc/passwd.
USER 10001:10001
WORKDIR /
# 8080: serve, console. 9108: metrics and health of run, aggregate. 8082: the page of aggregate.
EXPOSE 8080 8082 9108
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/stream-detector/healthy.py"]
ENTRYPOINT ["stream-detector"]
CMD ["--help"]
