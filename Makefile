# `make run` starts a server, `make test` runs every test; each installs what is missing first. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The Swift toolchain first: another program of the name `swift` exists.
export PATH := $(shell bash -c 'source scripts/toolchain.sh && printf %s "$$PATH"')

# A release build where somebody made one (it is the server to measure and to use); else debug, whose first build takes half the time.
CONFIGURATION ?= $(if $(wildcard .build/release/storaged),release,debug)

# A release build carries Swift's own libraries: it runs where no toolchain is, and its calls of them cost less.
build = swift build -c $(1) $(if $(filter release,$(1)),--static-swift-stdlib $(shell scripts/link-flags))

# What `make run` passes to storaged, `make acceptance` and `make nightly` to pytest, `make bench` to Benchmarks/run.
ARGS ?=

.PHONY: help
help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Builds and starts storaged on 127.0.0.1:8080 with files in ./data; ARGS="serve --http-port 9000" goes to it.
	@scripts/bootstrap build
	$(call build,$(CONFIGURATION)) --product storaged
	exec .build/$(CONFIGURATION)/storaged $(ARGS)

.PHONY: test
test: ## Runs all tests: Swift's, then real clients against the debug binary (or STORAGED_BINARY).
	@scripts/test

.PHONY: check
check: ## Lints without building: format, imports, forbidden patterns, migrations; and proves that each rule catches.
	@scripts/bootstrap check
	@scripts/check
	@scripts/lean-consumer --self-test

.PHONY: format
format: ## Rewrites the Swift sources as the formatter wants them.
	@scripts/check --format

.PHONY: build
build: ## Builds everything for debugging, tests included.
	@scripts/bootstrap build
	swift build --build-tests

.PHONY: release
release: ## Builds the release binary, .build/release/storaged.
	@scripts/bootstrap build
	$(call build,release) --product storaged

.PHONY: acceptance
acceptance: ## Runs the acceptance tests against STORAGED_BINARY (the newest configuration built, if none is given).
	@scripts/bootstrap test
	$(if $(STORAGED_BINARY),,$(call build,$(CONFIGURATION)) --product storaged)
	STORAGED_BINARY="$(or $(STORAGED_BINARY),.build/$(CONFIGURATION)/storaged)" scripts/acceptance $(ARGS)

.PHONY: nightly
nightly: release ## Runs the slow lanes of the acceptance tests against the release binary, on every store, and all of them on Postgres.
	status=0; \
	export STORAGED_BINARY="$(or $(STORAGED_BINARY),.build/release/storaged)"; \
	scripts/acceptance --stores postgres $(ARGS) || status=$$?; \
	for stores in sqlite postgres nodes s3 stack; do scripts/acceptance --nightly --stores $$stores $(ARGS) || status=$$?; done; \
	exit $$status

.PHONY: bench
bench: release ## Measures beside nginx; no figure makes it fail.
	@scripts/bootstrap bench
	$(call build,release) --product bench-lookups
	STORAGED_BINARY="$(or $(STORAGED_BINARY),.build/release/storaged)" Benchmarks/run $(ARGS) \
		|| echo "bench: did not finish (status $$?); this fails nothing" >&2

.PHONY: docker-run
docker-run: ## Builds the container image and starts it on port 8080, anew if it runs, with the settings of .env if there is one.
	docker build -t storaged .
	! docker container inspect storaged >/dev/null 2>&1 || { docker stop storaged && docker rm storaged; }
	docker run --name storaged -d $(if $(wildcard .env),--env-file .env) -p 127.0.0.1:8080:8080 -v storaged:/var/lib/storaged storaged

.PHONY: docker-logs
docker-logs: ## Follows the log of that container.
	docker logs -f storaged

.PHONY: run-dev
run-dev: ## Builds and starts the whole stack of docker-compose.yml (cp .env.example .env first).
	docker compose up --build -d --remove-orphans

.PHONY: logs
logs: ## Follows the logs of the nodes of that stack.
	docker compose logs -f storaged-1 storaged-2

.PHONY: stop-dev
stop-dev: ## Stops that stack and removes all that it has stored.
	docker compose down --volumes --remove-orphans

.PHONY: lean
lean: ## Proves that embedding StorageCore alone builds no database, HTTP or TLS package.
	@scripts/lean-consumer

.PHONY: docs
docs: ## Makes the documentation of every library in .build-docs; a warning is a failure.
	@scripts/bootstrap build
	swift build
	@scripts/docs

.PHONY: clean
clean: ## Removes every build product; ./data stays.
	rm -rf .build .build-lean .build-tools .build-docs
