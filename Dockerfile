# One image for every role of the relay:  docker build -t chapar .
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /src
COPY requirements.lock ./
RUN python3 -m venv --without-pip /app \
 && python3 -m pip --python /app/bin/python install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY relay relay
COPY adapters adapters
RUN python3 -m pip --python /app/bin/python install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin chapar \
 && install -d -m 0700 -o chapar -g chapar /data \
 && install -d /etc/chapar
COPY --from=build /app /app
COPY config/relay.toml /etc/chapar/relay.toml
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    RELAY_CONFIG=/etc/chapar/relay.toml \
    RELAY_DATA_DIR=/data \
    RELAY_API__HOST=0.0.0.0
USER chapar
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Ready means: an alert would be accepted now.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["relay", "serve"]
