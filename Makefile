# What a developer needs. `make help` lists it; every target does its own set-up first and skips what is done already.
#
# The extension is built with the release profile, which optimises across all crates and takes its time. Tests and clippy use the profile
# `checked` and always the same features, so that Pingora and the vendored OpenSSL are compiled once for both. Either keeps what it compiled.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test build format format-check lint types docs wheel screenshots bench bench-dashboard bench-validation bench-paths bench-learning train train-paths train-learning fuzz clean FORCE

PYTHON ?= python3
# Arguments for the program a target runs, e.g. `make demo ARGS=--check` or `make test ARGS="-k revoked"`.
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/bin/uv)
EXTENSION := src/hauberk/_native.abi3.so
RUST := $(shell find crates -name target -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print) Cargo.toml Cargo.lock $(wildcard rust-toolchain.toml)
CARGO_WORKSPACE := --profile checked --locked --workspace --features hauberk-native/extension-module

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## walk the worked example and stay up; ARGS=--check walks it and stops
	@$(BIN)/hauberk demo $(ARGS)

# pytest comes last, so that its closing line is the last one printed. Tests wait more than they work, for processes and browsers: files side
# by side take about half the time, each file's tests stay in order.
test: build cargo-test ## all tests, Rust and Python; ARGS goes to pytest
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: cargo-test
cargo-test: cargo
	@cargo test $(CARGO_WORKSPACE)

build: $(BIN)/hauberk ## Python dependencies, and the Rust extension if its sources changed

format: $(VENV)/.synced cargo ## format everything
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --quiet --fix --select I .
	@cargo fmt --all

format-check: $(VENV)/.synced cargo ## fail if something is not formatted
	@$(BIN)/ruff format --check .
	@cargo fmt --all --check

lint: $(VENV)/.synced cargo ## ruff and clippy, warnings are errors
	@$(BIN)/ruff check .
	@cargo clippy $(CARGO_WORKSPACE) --all-targets -- -D warnings

types: build ## mypy, and the extension's stub against what was compiled
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest --concise --allowlist .ci/stubtest-allowlist.txt --ignore-unused-allowlist hauberk._native

docs: build ## write the reference pages that follow from the code
	@$(BIN)/python docs/generate.py
	@$(BIN)/python -m hauberk.cli.reference docs/cli.md

screenshots: build ## pictures of the dashboard for README and docs, from a seeded demo; needs chromium, and pngquant for small files
	@$(BIN)/python docs/screenshots/take.py

wheel: $(VENV)/.synced cargo ## an installable wheel in dist/ (abi3: one for every Python from 3.11 on)
	@$(BIN)/maturin build --release --locked --out dist

bench: build ## the gateway beside nginx and Envoy; needs nginx, wrk and apache2-utils
	@$(UV) sync --locked --inexact --quiet --group benchmarks
	@$(BIN)/python benchmarks/gateway/run.py $(ARGS)

bench-validation: $(VENV)/.synced cargo ## validation in-process beside parsers; ARGS="--only body" for one group
	@$(BIN)/python benchmarks/validation/run.py $(ARGS)

bench-paths: $(VENV)/.synced cargo ## accuracy of path templates on APIs that training has not seen; ARGS="--errors 20" for its mistakes
	@$(UV) sync --locked --inexact --quiet --group training
	@cargo build --quiet --release --locked -p hauberk-traffic --example paths
	@$(BIN)/python benchmarks/discovery/accuracy.py --program "$${CARGO_TARGET_DIR:-target}/release/examples/paths" --work "$${TMPDIR:-/tmp}/hauberk-paths" $(ARGS)

bench-dashboard: build ## pages of the dashboard with 10,000 operations and a million events behind them; needs chromium
	@PYTHONPATH="$(CURDIR)" $(BIN)/python -m benchmarks.dashboard.run $(ARGS)

# Results with values of the recordings stay in the work folder. ARGS="--rivals" needs `npm install --prefix benchmarks/learning/rivals` and mitm2openapi.
bench-learning: build ## learned schemas on recorded traffic: false positives, detection, structure; ARGS="--corpus linodego" for one
	@$(UV) sync --locked --inexact --quiet --group benchmarks
	@PYTHONPATH="$(CURDIR)" $(BIN)/python -m benchmarks.learning --work "$${TMPDIR:-/tmp}/hauberk-learning" $(ARGS)

train-paths: $(VENV)/.synced cargo ## the words and models of path templates, from the tables in training/paths
	@$(UV) sync --locked --inexact --quiet --group training
	@cargo build --quiet --release --locked -p hauberk-traffic --example paths
	@$(BIN)/python training/paths/train.py --program "$${CARGO_TARGET_DIR:-target}/release/examples/paths" $(ARGS)

# HAUBERK_DATA names the folder of recordings.
train-learning: build ## the priors of schema learning, from recordings; ARGS=--judge holds each API out
	@PYTHONPATH=src $(BIN)/python -m training.learning $(ARGS)

# HAUBERK_DATA and HAUBERK_CAPTURES name the folders of recordings, which only --rebuild needs.
train: $(VENV)/.synced cargo ## the classifier from its feature tables; ARGS=--rebuild makes those anew, ARGS=--judge holds sites out
	@$(UV) sync --locked --inexact --quiet --group training
	@$(BIN)/python -m training.classifier $(ARGS)

TARGET ?= body
SECONDS ?= 60
fuzz: cargo ## one fuzz target for some time, e.g. `make fuzz TARGET=router SECONDS=600`
	@fuzz/run $(TARGET) $(SECONDS)

clean: ## remove what was built, but not Cargo's target folder
	@rm -rf $(VENV) .tools dist $(EXTENSION)

# --- Set-up -------------------------------------------------------------------------------------------------------------------------------

.PHONY: cargo
cargo:
	@command -v cargo >/dev/null || { \
	  echo "error: no Rust toolchain: get one with 'curl https://sh.rustup.rs -sSf | sh' (or 'apt-get install rustup'), then open a new shell" >&2; \
	  exit 1; }

# `--inexact`: hauberk itself is put into the environment below, and must not be taken out here.
$(VENV)/.synced: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --inexact --quiet
	@touch $@

# Built anew when the sources are newer than the installed command, or one of the two is gone.
$(BIN)/hauberk: $(VENV)/.synced $(RUST) $(if $(wildcard $(EXTENSION)),,FORCE) | cargo
	@echo "building the Rust extension (some minutes the first time)" >&2
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(dir $(UV)):$$PATH" $(BIN)/maturin develop --release --locked --uv --quiet
	@touch $@

$(CURDIR)/.tools/bin/uv:
	@echo "installing uv into .tools" >&2
	@$(PYTHON) -m venv .tools 2>/dev/null || { rm -rf .tools; $(PYTHON) -m pip install --quiet --target .tools uv; }
	@test -x $@ || .tools/bin/python -m pip install --quiet uv

FORCE:
