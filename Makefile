# `make help` lists the targets. Nothing but Python 3.11+ and make is needed for `run` and `test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

$(VENV)/installed-base: requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make run PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/installed-dev: requirements/dev.txt $(VENV)/installed-base
	@echo "Installing what the tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: help run test unit unit-uncached live guard ops-test soak test-mongodb packages workflows image verify-image release-version release prepare deploy rollback lint types contract schema migrate seed shell doctor fuzz machines bench bench-quick bench-catalog bench-carts bench-limits audit ci requirements clean verify restore-drill capacity capacity-measure

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/installed-base ## Start the whole product (PORT=8000 HOST=127.0.0.1)
	@exec $(BIN)/python manage.py serve

test: lint types contract schema unit ## All tests that need nothing but Python, and all checks

unit: $(VENV)/installed-dev ## The tests that need nothing but Python
	@$(BIN)/python -m pytest -n auto -m "not (browser or wire or redis or fuzz or slow or ops or cpu)"

live: $(VENV)/installed-dev ## The tests that need Chromium, Java or Redis, the slow ones, and schema fuzzing
	@$(BIN)/python -m pytest -n auto -m "(browser or wire or redis or fuzz or slow) and not ops"

unit-uncached: $(VENV)/installed-dev ## The unit tests with the response caches off
	@RESPONSE_CACHE=off $(BIN)/python -m pytest -n auto \
	  -m "not (browser or wire or redis or fuzz or slow or ops or cpu)"

guard: $(VENV)/installed-dev ## What requests may cost: operations, Redis calls, CPU (2 minutes)
	@$(BIN)/python -m pytest tests/carts/test_add_cost.py
	@$(BIN)/python -m tests.performance

ops-test: $(VENV)/installed-dev ## The tests of what production is made of: image, balancers, caches
	@$(BIN)/python -m pytest -m ops

soak: $(VENV)/installed-dev ## Mixed load for long, on a server as production has it (SOAK_SECONDS=3600)
	@SOAK_SECONDS=$(or $(SOAK_SECONDS),3600) $(BIN)/python -m pytest tests/ops/test_soak.py -s

test-mongodb: $(VENV)/installed-dev packages ## The suites on a real MongoDB (TOPOLOGY=replica-set|sharded-cluster; needs Docker and REDIS_URL)
	@bash .ci/mongodb

packages: ## Debian's packages that the tests run, where they are missing (apt)
	@bash .ci/packages

workflows: $(VENV)/installed-dev ## The workflows of GitHub Actions are right and safe (needs Go)
	@bash .ci/workflows

image: ## Build the image of the API (IMAGE=shop:latest BASE_IMAGE=python:3.12-slim-bookworm)
	@docker build --file docker/Dockerfile --tag $(or $(IMAGE),shop:latest) \
	  --build-arg REVISION=$$(git rev-parse --short HEAD) $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) .

verify-image: ## Did our workflow publish this image? (asks GitHub; OVERLAY=production RELEASE=v1.2.3 IMAGE=...@sha256:...)
	@bash deploy/verify-image

release-version: ## Is this tag the version that the code says it is? (TAG=v1.2.3)
	@bash deploy/release-version

release: ## The changelog's section becomes the release of a tag (TAG=v1.2.3 IMAGE=...@sha256:...)
	@bash deploy/release

prepare: ## Namespace, network and database, once, before the Secrets (OVERLAY=staging)
	@bash deploy/kubernetes/rollout prepare

deploy: ## Roll an image out, or go back if it does not serve (OVERLAY=staging IMAGE=...@sha256:...)
	@bash deploy/kubernetes/rollout deploy

rollback: ## Back to the release before (OVERLAY=staging)
	@bash deploy/kubernetes/rollout rollback

lint: $(VENV)/installed-dev ## Style and common mistakes (ruff, bandit)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive accounts carts catalog demo docker ecommerce \
	  gunicorn.conf.py manage.py

audit: $(VENV)/installed-dev ## Known vulnerabilities of the pinned requirements (asks PyPI)
	@bash .ci/audit

types: $(VENV)/installed-dev ## Types (mypy --strict)
	@$(BIN)/mypy

contract: $(VENV)/installed-dev ## Which module may import which (import-linter)
	@$(BIN)/lint-imports --no-cache

schema: $(VENV)/installed-dev ## The OpenAPI document is valid and complete
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

migrate: $(VENV)/installed-base ## Make the indexes that are missing, migrate the data that must be
	@$(BIN)/python manage.py migrate

seed: $(VENV)/installed-base ## Add demo products, users and carts
	@$(BIN)/python manage.py seed

shell: $(VENV)/installed-base ## A Python shell with the documents imported
	@$(BIN)/python manage.py shell

doctor: $(VENV)/installed-base ## What is wrong with this installation, and what to do
	@$(BIN)/python manage.py doctor

verify: $(VENV)/installed-base ## Does all that is stored keep its rules? (changes nothing)
	@$(BIN)/python manage.py verify_invariants

restore-drill: $(VENV)/installed-dev ## Seed, back up, lose, restore, compare (MONGODB_URI: an empty database)
	@$(BIN)/python -m tests.ops.restore_drill

fuzz: $(VENV)/installed-dev ## Drive the running API by its own OpenAPI document, longer
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),300) $(BIN)/python -m pytest tests/live/test_schema_fuzzing.py

machines: $(VENV)/installed-dev ## Drive carts beside their model, longer (CART_MACHINE_EXAMPLES=200)
	@CART_MACHINE_EXAMPLES=$(or $(CART_MACHINE_EXAMPLES),200) $(BIN)/python -m pytest tests/carts/test_cart_machine.py --timeout 7200

bench: $(BENCH)/installed packages ## Our server beside its peers (20 minutes); results in benchmarks/results.md
	@$(BENCH)/bin/python -m benchmarks

bench-quick: $(BENCH)/installed packages ## The same in 3 minutes, printed only
	@$(BENCH)/bin/python -m benchmarks --quick

$(BENCH)/installed: benchmarks/requirements.txt
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench-catalog: $(VENV)/installed-dev ## What reading 1,000 to 100,000 products costs (MONGODB_URI)
	@$(BIN)/python -m benchmarks.catalog

bench-carts: $(VENV)/installed-dev ## What an add to a cart of 1, 10 and 100 lines costs (MONGODB_URI)
	@$(BIN)/python -m benchmarks.carts

bench-limits: $(VENV)/installed-dev ## What counting a request under a rate limit costs (needs redis-server)
	@$(BIN)/python -m benchmarks.limits

capacity: $(VENV)/installed-dev ## The sizing sheet and the spread over shards, computed anew
	@$(BIN)/python -m deploy.capacity

capacity-measure: $(VENV)/installed-dev ## What one process costs (a minute), for the sizing sheet
	@$(BIN)/python -m deploy.capacity.measure

ci: ## Everything that CI proves (needs Java, Maven, Redis and Chromium; installs them with apt)
	@bash .ci/run

requirements: $(VENV)/installed-dev ## Pin requirements/*.in anew into hashed .txt files
	@$(BIN)/python -m pip install --quiet uv
	@cd requirements && for name in base test dev go; do \
	  $(CURDIR)/$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-find-links --custom-compile-command "make requirements" $$name.in -o $$name.txt; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-find-links --custom-compile-command "make requirements" -c requirements/base.txt \
	  benchmarks/requirements.in -o benchmarks/requirements.txt

clean: ## Remove the virtual environment and caches; the data in .data stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
