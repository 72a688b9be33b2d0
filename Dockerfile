# storaged in a container: built with the Swift toolchain, served from a small Debian that has neither it nor Swift's libraries.
#
#   docker build -t storaged .
#   docker run -p 127.0.0.1:8080:8080 -v storaged:/var/lib/storaged storaged

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends make pkg-config libsqlite3-dev libpq-dev libssl-dev zlib1g-dev libhiredis-dev \
        python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies first: they are fetched again only when the manifest changes.
COPY Package.swift ./
RUN swift package resolve
COPY . .
RUN scripts/swagger-ui \
    && swift build -c release --static-swift-stdlib $(scripts/link-flags) --product storaged \
    && install -D --strip .build/release/storaged /out/storaged \
    && install -D -m 0644 .build-tools/swagger-ui/LICENSE /out/LICENSE.swagger-ui.txt

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 libssl3 zlib1g libsqlite3-0 libhiredis0.14 libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/storaged --shell /usr/sbin/nologin storaged \
    && install -d -o storaged -g storaged -m 0700 /var/lib/storaged
COPY --from=build /out/storaged /usr/local/bin/storaged
COPY --from=build /out/LICENSE.swagger-ui.txt /usr/share/doc/storaged/
COPY LICENSE.txt /usr/share/doc/storaged/
USER storaged
WORKDIR /var/lib/storaged
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8080 DATA_DIRECTORY=/var/lib/storaged LOG_FORMAT=json
VOLUME /var/lib/storaged
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["storaged", "health"]
ENTRYPOINT ["storaged"]
CMD ["serve"]
