# SPDX-License-Identifier: Apache-2.0
# The short way into the project. Each target installs what it needs first and says so.

.DEFAULT_GOAL := help
.PHONY: help run demo test bench bench-page bench-sdk simulate fuzz format lint

# Where `make run` keeps its traces.
DATA ?= ./data
# What `make bench` sends: spans in the corpus, and how many times the whole of it is replayed.
SPANS ?= 1000000
PASSES ?= 1
# How many seeds `make simulate` runs, and the first of them.
SEEDS ?= 10000
FIRST ?= 0
# How long `make fuzz` makes inputs for each decoder; TARGETS names some of the decoders.
FUZZ_SECONDS ?= 20

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: ## build for release, start Skein on this machine, print the address of the page
	@DATA='$(DATA)' scripts/run.sh

demo: ## two services that trace themselves with the SDK, and their traces on the page
	@scripts/demo.sh

test: ## every test: Swift, the page's modules, and real programs against the real binary
	@scripts/test.sh

bench: ## ingest cost, bytes a span, freshness and query times of a release build
	@SPANS='$(SPANS)' PASSES='$(PASSES)' scripts/bench.sh

bench-page: ## what the page loads, draws and takes in a real browser, against its budgets
	@scripts/bench-page.sh

bench-sdk: ## what a span costs in a service: time and allocations, beside the no-op tracer
	@SKEIN_SDK=recording swift run -c release --scratch-path .build-recording SkeinRecordingBenchmarks

simulate: ## the store on a disk that fails, flips bits, stops and loses power, seed by seed
	@SEEDS='$(SEEDS)' FIRST='$(FIRST)' scripts/simulate.sh

fuzz: ## every decoder of outside bytes under libFuzzer, from the inputs that are kept in Fuzz/Corpus
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' TARGETS='$(TARGETS)' KEEP='$(KEEP)' scripts/fuzz.sh

format: ## bring every Swift file into the house format
	@swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzz Examples

lint: ## check the house format without changing anything
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz Examples
