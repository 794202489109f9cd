# Two stages: the wheel is built in one, and only what runs goes into the other. No secret is in
# either; the data is in the volume /data.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.12-slim
COPY requirements.lock /tmp/requirements.lock
COPY --from=build /dist /tmp/dist
# The lock holds a hash for every file: nothing else is installed.
RUN python -m venv /opt/corpusmith \
 && /opt/corpusmith/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
 && /opt/corpusmith/bin/pip install --no-cache-dir --no-deps --no-index /tmp/dist/*.whl \
 && rm -rf /tmp/dist /tmp/requirements.lock \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin corpusmith \
 && install -d -o corpusmith -g corpusmith -m 0700 /data
ENV PATH=/opt/corpusmith/bin:$PATH \
    CORPUSMITH_HOME=/data \
    PYTHONUNBUFFERED=1
USER corpusmith
VOLUME /data
EXPOSE 8321
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8321/api/v1/health', timeout=10)"]
ENTRYPOINT ["corpusmith"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8321", "--no-browser"]
