# The main jobs. From a fresh clone, `make demo` and `make test` do everything themselves and need no root:
# rustup's stable Rust, gcc and g++, make, and Python 3.10 to 3.12 with venv are all they ask for.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python that TVM has a wheel for; `make PYTHON=... venv` names another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
CARGO ?= cargo
VENV := .venv
BIN := target/release/arco-tvm

# What `make demo` tunes for the accelerator, and `make demo-cpu` for this machine, with how many trials for each task.
DEMO_MODEL ?= resnet-18
DEMO_TARGET ?= vta
DEMO_TRIALS ?= 48
DEMO_DIR := .build/demo
DEMO_CPU_MODEL ?= squeezenet
DEMO_CPU_TARGET ?= llvm -mcpu=native
DEMO_CPU_TRIALS ?= 16
DEMO_CPU_MEASURE := --cooldown 0 --min-repeat-ms 10

# build.rs compiles the C++ of TVM's device `ext_dev` for these headers. Where there are none (yet), the library compiles it
# when the device is first used.
export ARCO_TVM_INCLUDE = $(shell ls -d $(abspath $(VENV))/lib/python3*/site-packages/tvm/include 2>/dev/null)

.PHONY: help
help: ## List these jobs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: venv build ## Tune ResNet-18 for the simulated accelerator; bit-exact at the end (about five minutes)
	@mkdir -p $(DEMO_DIR)
	$(BIN) tune $(DEMO_MODEL) --target '$(DEMO_TARGET)' --trials-per-task $(DEMO_TRIALS) --strategy arco \
		--python $(VENV)/bin/python -o $(DEMO_DIR)/$(DEMO_MODEL).log
	$(BIN) verify $(DEMO_MODEL) --target '$(DEMO_TARGET)' \
		--python $(VENV)/bin/python --log $(DEMO_DIR)/$(DEMO_MODEL).best.log

.PHONY: demo-cpu
demo-cpu: venv build ## Tune a small network for this machine's CPU and compare it with the untuned one (about five minutes)
	@mkdir -p $(DEMO_DIR)
	$(BIN) tune $(DEMO_CPU_MODEL) --target '$(DEMO_CPU_TARGET)' --trials-per-task $(DEMO_CPU_TRIALS) $(DEMO_CPU_MEASURE) \
		--python $(VENV)/bin/python -o $(DEMO_DIR)/$(DEMO_CPU_MODEL).log
	$(BIN) verify $(DEMO_CPU_MODEL) --target '$(DEMO_CPU_TARGET)' $(DEMO_CPU_MEASURE) \
		--python $(VENV)/bin/python --log $(DEMO_DIR)/$(DEMO_CPU_MODEL).best.log

.PHONY: test
test: test-rust test-python ## Run all tests
	@$(if $(WITHOUT_OPENCL),echo "NOT TESTED: OpenCL has no driver here (Debian: apt install pocl-opencl-icd ocl-icd-libopencl1)" >&2)

# Tests of OpenCL fail where it is not, unless they are told that it may be so.
WITHOUT_OPENCL := $(shell ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 && PATH=$$PATH:/sbin ldconfig -p | grep -q 'libOpenCL\.so\.1' \
	|| echo ARCO_TEST_WITHOUT_OPENCL=1)

# The environment's own settings would change what the tests see; `.venv` is what they run with.
CLEAN_ENV := env -u VIRTUAL_ENV -u PYTHONPATH -u TVM_LIBRARY_PATH -u ARCO_PYTHON -u ARCO_TARGET -u ARCO_TRACKER -u ARCO_KEY $(WITHOUT_OPENCL)

.PHONY: test-rust
test-rust: venv build
	$(CLEAN_ENV) $(CARGO) test --release --locked --workspace

.PHONY: test-python
test-python: venv build
	cd tvm-patches && $(CLEAN_ENV) ../$(VENV)/bin/python -m pytest -q

.PHONY: test-vta-golden
test-vta-golden: venv build ## Build and run every recorded VTA convolution anew, a part of which is in the tests (two minutes)
	cd tvm-patches && VTA_GOLDEN=all $(CLEAN_ENV) ../$(VENV)/bin/python -m pytest -q tests/vta/test_golden_conv.py

# DRAFTS and SEED say how many schedules are drawn, and which; what it prints of times is this machine's.
.PHONY: test-draft
test-draft: venv build ## Hold drafts of VTA programs against 1,000 that TVM lowers, and say how long both take (ten minutes)
	$(CLEAN_ENV) $(CARGO) test --release --locked --test draft -- --ignored --nocapture --test-threads=1

.PHONY: build
build: | rust ## Build the program and the library that ArcoTuner loads, in release mode
	$(CARGO) build --release --locked

# What is handed on: the same bytes in any folder, on any day, by whoever builds this commit with the same compilers.
# Folders go by other names, wrappers and flags of the environment do not count, and a file's date in a wheel is the commit's.
DIST := .build/dist
DIST_TARGET := $(DIST)/target
CARGO_FOLDER = $(or $(CARGO_HOME),$(HOME)/.cargo)
REMAPPED = --remap-path-prefix=$(CURDIR)=/arco-tvm --remap-path-prefix=$(CARGO_FOLDER)=/cargo

.PHONY: dist
dist: export SOURCE_DATE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),315532800)
dist: export RUSTFLAGS = $(REMAPPED)
dist: export CARGO_INCREMENTAL := 0
dist: export RUSTC_WRAPPER :=
dist: export RUSTC_WORKSPACE_WRAPPER :=
dist: venv | rust ## Build what others get, byte for byte the same from any folder: .build/dist
	env -u CARGO_ENCODED_RUSTFLAGS $(CARGO) build --profile dist --locked --target-dir $(DIST_TARGET)
	rm -rf $(DIST)/wheel && mkdir -p $(DIST)/wheel/source
	cd tvm-patches && tar -c --exclude=__pycache__ --exclude='*.egg-info' --mode=u=rwX,go=rX pyproject.toml arco_tvm vta \
		| tar -xp -C ../$(DIST)/wheel/source
	umask 022 && cd $(DIST)/wheel && $(abspath $(VENV))/bin/python -m pip wheel --quiet --disable-pip-version-check --no-cache-dir \
		--no-build-isolation --no-deps --no-index --wheel-dir . ./source
	rm -f $(DIST)/*.whl && mv $(DIST)/wheel/*.whl $(DIST) && rm -r $(DIST)/wheel
	cp $(DIST_TARGET)/dist/arco-tvm $(DIST_TARGET)/dist/libarco_tvm.so $(DIST)
	cd $(DIST) && sha256sum arco-tvm libarco_tvm.so *.whl | tee SHA256SUMS

.PHONY: repro
repro: venv | rust ## Build twice in two folders and compare the bytes of what others get
	.ci/repro

.PHONY: reproduce
reproduce: venv build ## Make the tables of the documentation anew, and say where a figure moved (TIMES=1: those of times, too)
	$(CLEAN_ENV) $(VENV)/bin/python benches/reproduce.py $(if $(TIMES),--times)

IMAGE ?= arco-tvm

.PHONY: image
image: ## Build the Docker image arco-tvm (five minutes; docker/build --help says what can be passed)
	docker/build --tag $(IMAGE)

.PHONY: test-docker
test-docker: venv image ## Tune across hosts of docker/compose.yaml that die, are cut off, restart and run full (eight minutes)
	cd docker/tests && ARCO_IMAGE=$(IMAGE) $(CLEAN_ENV) ../../$(VENV)/bin/python -m pytest -q -p no:cacheprovider

.PHONY: rust
rust:
	@$(CARGO) --version >/dev/null 2>&1 || { echo "error: no cargo on PATH" >&2; \
		echo "  hint: install stable Rust with rustup (https://rustup.rs)" >&2; exit 1; }

.PHONY: venv
venv: $(VENV)/.stamp ## Make .venv with TVM 0.19 and our Python packages, from the lock file

$(VENV)/.stamp: tvm-patches/requirements.lock tvm-patches/pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: TVM's wheels need Python 3.10, 3.11 or 3.12, and none is on PATH" >&2; \
		echo "  hint: install one, and name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tvm-patches/requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index -e tvm-patches
	@touch $@

PYTHON_CODE := tvm-patches benches tests/data/vta_masks docs/guide/ask_tell.py .ci docker docker/listing
RUFF_OPTIONS := --config tvm-patches/pyproject.toml

.PHONY: lint-python
lint-python: venv
	$(VENV)/bin/ruff check $(RUFF_OPTIONS) $(PYTHON_CODE)
	$(VENV)/bin/ruff format --check $(RUFF_OPTIONS) $(PYTHON_CODE)

# In release mode like the tests, so that build scripts and macros are compiled once.
.PHONY: clippy
clippy: venv
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings

.PHONY: lint
lint: lint-python clippy ## Format check, clippy, ruff
	$(CARGO) fmt --all --check

.PHONY: docs
docs: venv ## Check the links of the API documentation and build it (target/doc)
	$(VENV)/bin/python benches/reproduce.py --list >/dev/null
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --document-private-items

.PHONY: licences
licences: venv ## Check the licences of all packages, with cargo-deny too where it is installed
	$(VENV)/bin/python .ci/licences.py
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check licenses bans sources; \
	else echo "cargo-deny is not installed: bans and sources of deny.toml are not checked"; fi

.PHONY: bless
bless: venv build ## Write the snapshots of the command line and docs/reference/cli.md anew; review the difference
	SNAPSHOTS=overwrite $(CLEAN_ENV) $(CARGO) test --release --locked --test cli

.PHONY: bench-network
bench-network: venv build ## Network time against AutoTVM's XGBTuner, same trials, three runs (about half an hour)
	$(VENV)/bin/python benches/network_time.py --model resnet-18 --trials-per-task 24 --runs 3

.PHONY: bench-baselines
bench-baselines: venv build ## Our ga, sa-gbt, droplet, random and grid against AutoTVM's own on recorded spaces (about 20 minutes)
	$(VENV)/bin/python benches/autotvm_tuners.py --in-process tests/data/landscapes/*.json.gz

.PHONY: bench-measure
bench-measure: venv build ## Trials per second against AutoTVM's, and whether the pipeline changes what is measured (about ten minutes)
	$(CLEAN_ENV) $(CARGO) bench --locked --bench measure

.PHONY: bench-fleet
bench-fleet: venv build ## Ten thousand candidates, and 64 devices behind a tracker (about three minutes)
	$(CLEAN_ENV) $(CARGO) bench --locked --bench fleet

.PHONY: test-killed
test-killed: venv build ## A run killed at 20 random moments (some minutes)
	$(CLEAN_ENV) ARCO_TEST_KILLS=20 $(CARGO) test --release --locked --test measure killed

# SEEDS=50 is the full run; it goes on where it was stopped. SPACES names a folder with more recorded spaces.
SEEDS ?= 15
SPACES ?=
.PHONY: bench-strategies
bench-strategies: build ## Every strategy on recorded spaces, with intervals (SEEDS=50 is the full run, SPACES=folder adds more)
	$(PYTHON) benches/strategies.py --seeds $(SEEDS) $(if $(SPACES),--spaces $(SPACES))

.PHONY: bench-large
bench-large: | rust ## Strategies in a space of 1e9, with and without agents (about three minutes)
	$(CARGO) bench --locked --bench large_space

.PHONY: bench-constants
bench-constants: | rust ## Other constants of arco on recorded spaces, each space left out in turn (a quarter of an hour)
	$(CARGO) bench --locked --bench constants

# Agents have something to find there: no such space is looked at whole.
JOINT_STRATEGIES := arco,gbt-16,sa-gbt,ga,ml2,droplet,random,arco-no-agents,arco-no-learning,arco-one-agent,arco-own-critics
JOINT_STRATEGIES := $(JOINT_STRATEGIES),arco-no-hardware,arco-top-k,arco-no-validity,arco-validity-trees
.PHONY: bench-joint
bench-joint: build ## Strategies on layers together with VTA's geometry: real spaces of 1e8, with and without agents (half an hour)
	$(BIN) replay tests/data/landscapes/joint/*.json --strategy $(JOINT_STRATEGIES) --seeds 20

.PHONY: bench-gpu-masks
bench-gpu-masks: venv build ## Masks of TVM's GPU templates against TVM's own check, 2,000 configurations of each (about half an hour)
	$(CLEAN_ENV) PYTHONPATH=tvm-patches $(VENV)/bin/python benches/gpu_masks.py

.PHONY: bench-gpu-search
bench-gpu-search: venv build ## CPU time and memory of the search on ResNet-18's cuda tasks, beside AutoTVM's XGBTuner (some minutes)
	$(CLEAN_ENV) PYTHONPATH=tvm-patches $(VENV)/bin/python benches/gpu_search_cpu.py

.PHONY: bench-gpu-strategies
bench-gpu-strategies: build ## arco on recorded GPU spaces beside Kernel Tuner's strategies, which are installed below .build (six minutes)
	$(PYTHON) benches/gpu_strategies.py $(if $(SPACES),--spaces $(SPACES))

.PHONY: bench-vta
bench-vta: | rust ## The accelerator's functional and timing model, beside an int8 GEMM library
	$(CARGO) bench --locked --bench vta_func --bench vta_timing

.PHONY: bench-vta-tune
bench-vta-tune: venv build ## Strategies on the layers of ResNet-18 on VTA, recorded and live (20 seeds; half an hour)
	$(VENV)/bin/python benches/vta_tune.py --live

# FULL=1 is the full run: 20 seeds, every schedule there is, three live seeds. Both go on where they were stopped.
.PHONY: bench-codesign
bench-codesign: venv build ## The accelerator chosen with its schedules, beside baselines (45 minutes on two free cores)
	$(CLEAN_ENV) $(VENV)/bin/python benches/codesign/bench.py $(if $(FULL),--full)

.PHONY: bench-vta-trials
bench-vta-trials: venv build ## Trials per second on the accelerator against AutoTVM's builder and runner (some minutes)
	$(CLEAN_ENV) $(CARGO) bench --locked --bench vta_trials

.PHONY: clean
clean: ## Remove what was built, .venv and the demo's log
	rm -rf target $(VENV) .build
