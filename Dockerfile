# The image of every role: `docker build --tag esclusa:0.1.0 .` in this folder. docs/howto/deploy.md says how it is run.
#
# It runs as user 10001 on a read-only file system; what it writes is in /var/lib/esclusa alone. The configuration is
# mounted at /etc/esclusa/esclusa.toml, serves its API at 0.0.0.0:8080 and its probes at `[server] admin`, port 8081.
# Nothing of what builds is in the last stage: no compiler was needed, since all packages are there as wheels, and no pip.

# The Python that the tests run on; the tag moves with its fixes and Debian's, so build anew from time to time.
FROM python:3.11-slim-bookworm AS build

WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m pip install --no-cache-dir --constraint constraints.txt pip \
 && python -m pip wheel --no-cache-dir --no-deps --build-constraint constraints.txt --wheel-dir /wheel . \
 && python -m venv --without-pip /opt/esclusa \
 && python -m pip --python /opt/esclusa/bin/python install --no-cache-dir --only-binary :all: \
        --constraint constraints.txt "$(echo /wheel/esclusa-*.whl)[soap,kafka,cassandra]"


FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Esclusa" \
      org.opencontainers.image.description="Ask many back ends at once, through a durable queue, and see the answers as they come" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN python -m pip uninstall --yes --root-user-action ignore pip setuptools wheel \
 && groupadd --gid 10001 esclusa \
 && useradd --uid 10001 --gid esclusa --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin esclusa \
 && install --directory --owner esclusa --group esclusa --mode 0700 /var/lib/esclusa
COPY --from=build /opt/esclusa /opt/esclusa

ENV PATH=/opt/esclusa/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1

# `esclusa status` and its like take esclusa.toml from where they are called: docker exec CONTAINER esclusa status
WORKDIR /etc/esclusa
USER 10001:10001
VOLUME /var/lib/esclusa
EXPOSE 8080 8081
STOPSIGNAL SIGTERM

# Not `esclusa status`: that asks storage as well, and a node of Cassandra's that is away is no reason to restart a process.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8081, timeout=2); c.request('GET', '/health/ready'); exit(c.getresponse().status != 200)"]

ENTRYPOINT ["esclusa"]
CMD ["run"]
