# One image for every role of the relay:  docker build -t chapar .
# Any base with Python 3.11 or newer will do; the two need the same Python, and only the second one pip:
#   docker build --build-arg BASE=my-python --build-arg BUILD_BASE=my-python-with-pip -t chapar .
ARG BASE=python:3.13-slim
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY requirements.lock ./
RUN python3 -m venv --without-pip /app \
 && python3 -m pip --python /app/bin/python install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY relay relay
COPY adapters adapters
# What only builds the relay, demonstrates it or tests its libraries stays behind.
RUN python3 -m pip --python /app/bin/python install --no-cache-dir --no-deps --no-build-isolation . \
 && python3 -m pip --python /app/bin/python uninstall --yes --quiet hatchling editables trove-classifiers smpp34 aiosmtpd atpublic \
 && find /app/lib -type d -name tests -prune -exec rm -rf {} + \
 && find /app/lib \( -name '*.pyi' -o -name '*.pyx' -o -name '*.c' -o -name '*.h' -o -name '*.a' \) -delete \
 && ln -s "$(/app/bin/python -c 'from relay.store.server_choice import wheel_binaries; print(wheel_binaries()[0])')" /app/bin/valkey-server \
 && /app/bin/relay --help > /dev/null

FROM ${BASE}
# Numbers, so that an orchestrator can see that it is not root.
RUN mkdir -m 0700 /data && chown 10001:10001 /data && mkdir /etc/chapar
COPY --from=build /app /app
COPY config/relay.toml /etc/chapar/relay.toml
ENV PATH=/app/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    RELAY_CONFIG=/etc/chapar/relay.toml \
    RELAY_DATA_DIR=/data \
    RELAY_API__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Ready means: an alert would be accepted now.  A worker has no port: it touches a file with every heartbeat that Redis took.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python3", "-S", "-c", "\
import http.client as h, os, sys, time\n\
if not os.path.exists('/data/api.lock'): sys.exit(time.time() - os.stat('/data/worker.alive').st_mtime > 15)\n\
c = h.HTTPConnection('127.0.0.1', 8080, timeout=3)\n\
c.request('GET', '/readyz')\n\
sys.exit(c.getresponse().status != 200)"]
# The relay is process 1: it stops its workers and its database in order, and collects every child itself.
STOPSIGNAL SIGTERM
CMD ["relay", "serve"]
