# `make help` says what there is.

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench soak fuzz

SHELL := /bin/bash
export RUST_BACKTRACE ?= 1

# mail-parser asks for Rust 1.98 and passes its own tests with 1.95; newer compilers need no such leave.
OLD := $(shell rustc --version 2>/dev/null | awk '{ split($$2, v, "."); if (v[1] == 1 && v[2] < 98) print "--ignore-rust-version" }')
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
TEST := cargo $(if $(NEXTEST),nextest run,test --no-fail-fast) $(OLD)
FUZZ := integration/fuzz
POSTERN := $(or $(CARGO_TARGET_DIR),target)/release/postern

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build the gateway and try it out: one mail signed and encrypted on this machine.
	integration/setup.sh build
	cargo build $(OLD) --release -p gateway --bin postern
	$(POSTERN) demo --dir target/demo

setup: ## Install what the tests need: other mail servers and S/MIME programs.
	integration/setup.sh build peers

test: setup ## Run all tests, real peers included.
	cargo build $(OLD) -p gateway --bin postern
	$(TEST) --workspace

check: ## Say yes or no within minutes: formatting, lints, tidiness, dependencies, fast tests.
	cargo fmt --all --check
	cargo clippy $(OLD) --workspace --all-targets -- -D warnings
	command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
	cargo deny check bans licenses sources
	$(TEST) -p integration --test tidy
	$(TEST) --workspace --exclude integration --lib

bench: ## Measure messages a second, CPU and memory; WHOM="postern peer" for Postfix with a Python filter beside it.
	integration/setup.sh build peers
	cargo build $(OLD) --release -p gateway --bin postern
	cargo run $(OLD) --release -p integration --bin load -- $(WHOM)
	cargo bench $(OLD) -p integration

soak: ## Kill the gateway under load 200 times (POSTERN_KILLS) and look for lost mail.
	integration/setup.sh build peers
	cargo build $(OLD) -p gateway --bin postern
	POSTERN_KILLS=$${POSTERN_KILLS:-200} cargo test $(OLD) -p integration --test it crash -- --nocapture

fuzz: ## Feed broken input to every reader, each for FUZZ_SECONDS (10); without cargo-fuzz by MUTATIONS (20000) of its seeds.
	@if cargo +nightly fuzz --version >/dev/null 2>&1; then \
	    for target in $$(cd $(FUZZ)/fuzz_targets && basename -s .rs *); do \
	        mkdir -p $(FUZZ)/corpus/$$target && \
	        cargo +nightly fuzz run --fuzz-dir $(FUZZ) $$target $(FUZZ)/corpus/$$target integration/corpus/$$target \
	            -- -max_total_time=$${FUZZ_SECONDS:-10} -timeout=10 || exit 1; \
	    done; \
	else \
	    echo "for libFuzzer: rustup toolchain install nightly && cargo install cargo-fuzz"; \
	    MUTATIONS=$${MUTATIONS:-20000} cargo test $(OLD) -p integration --test mutation; \
	fi
