# syntax=docker/dockerfile:1
# One image for every process: the server, the background worker and the migration differ in their command only.

# The big Python image has make and compilers; what it builds is copied out of it.
FROM python:3.11-bookworm AS build
WORKDIR /srv/faremeter
COPY Makefile pyproject.toml requirements.lock requirements-assets.lock README.md LICENSE ./
COPY frontend ./frontend
COPY app ./app
# The only step, and the one that `make runtime` takes on any machine: a virtual environment and what the pages load,
# each from its lock, by hash. Node is used here and stays here.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/root/.npm make runtime PYTHON=python3.11

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Faremeter" \
      org.opencontainers.image.description="PyTorch models as a paid API" \
      org.opencontainers.image.licenses="Apache-2.0"
# The same path in both stages: a virtual environment knows where it lies.
WORKDIR /srv/faremeter
COPY --from=build /srv/faremeter/.venv ./.venv
COPY --from=build /srv/faremeter/app ./app
COPY pyproject.toml LICENSE ./
COPY migrations ./migrations
COPY models ./models
COPY plans ./plans
COPY hardware.toml ./

ENV PATH=/srv/faremeter/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FAREMETER_DATA_DIR=/data
# BuildKit makes the folder of a WORKDIR for the USER in force; a volume mounted there inherits that owner.
USER 10001:10001
WORKDIR /data
VOLUME /data
WORKDIR /srv/faremeter
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["faremeter", "serve", "--host", "0.0.0.0", "--port", "8000"]
