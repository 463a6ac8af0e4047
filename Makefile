# The commands of the project. `make` alone lists them.
# Everything is installed into .venv and .tools, inside this folder.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
SEED ?= 1
CLIPS ?= 80000
MINUTES ?= 90
STACK ?= aqscore

.PHONY: help demo score serve check test-fast test fuzz bench soak audit sbom lock base-image train release-model backfill deploy
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || \
		{ echo "aqscore needs CPython 3.13, and $(PYTHON) is $$($(PYTHON) --version). Name one: make PYTHON=/path/to/python3.13 ..."; exit 1; }
	@echo "Installing into .venv (once, about two minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip --quiet --disable-pip-version-check install -r requirements.txt
	@$(BIN)/pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## Upload three recordings to the stack's bucket and print their scores (no cloud, no Docker)
	@$(BIN)/python -m infra.localstack.install localstack
	@$(BIN)/python -m infra.demo

score: $(INSTALLED) ## Score files or folders: make score FILES="a.wav b.mp3" [OPTIONS="--csv scores.csv"]
	@test -n '$(FILES)' || { echo 'Name recordings or folders: make score FILES="a.wav b.mp3"'; exit 2; }
	@$(BIN)/aqscore score $(FILES) $(OPTIONS)

serve: $(INSTALLED) ## Serve the page and the HTTPS API on http://127.0.0.1:8000, with no cloud
	@$(BIN)/aqscore serve

check: $(INSTALLED) ## Check style, formatting, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict --cache-dir .mypy_cache/strict function/aqscore
	@$(BIN)/mypy --cache-dir .mypy_cache/ordinary training infra benchmarks
	@$(BIN)/lint-imports

test-fast: $(INSTALLED) ## Run the unit tests of the serving side (three minutes)
	@$(BIN)/python -m pytest -q tests/unit --ignore tests/unit/training --ignore tests/unit/infra --ignore tests/unit/test_documents.py

test: $(INSTALLED) ## Run every test that this machine can run, and list those that it can't
	@$(BIN)/python -m infra.localstack.install localstack sam checkov
	@$(BIN)/python -m pytest

fuzz: $(INSTALLED) ## Decode 20,000 mutants of recordings in every format, or ten minutes of them: no crash, no hang
	@$(BIN)/python -m tests.fuzz --seed $(SEED) 2>fuzz.log || { echo "Output of the decoders: fuzz.log"; exit 1; }

bench: $(INSTALLED) ## Measure speed, memory, cold start and cost; writes benchmarks/RESULTS.md
	@$(BIN)/python -m infra.localstack.install localstack
	@$(BIN)/python -m benchmarks

soak: $(INSTALLED) ## Inject faults while a thousand objects are scored, and check every result (20 minutes)
	@$(BIN)/python -m infra.localstack.install localstack
	@$(BIN)/python -m infra.soak

audit: $(INSTALLED) ## Audit the template (cfn-lint, checkov) and the packages (pip-audit)
	@$(BIN)/python -m infra.localstack.install sam checkov audit
	@$(BIN)/python -m infra.audit

sbom: $(INSTALLED) ## List what the default image holds, as CycloneDX: image.cdx.json
	@$(BIN)/python -m infra.localstack.install audit
	@cat function/requirements.txt function/requirements-formats.txt | \
		PYTHONWARNINGS=ignore .tools/audit/bin/cyclonedx-py requirements - --pyproject pyproject.toml \
		--output-reproducible --output-file image.cdx.json
	@echo "$$(grep -c '"purl"' image.cdx.json) packages are listed in image.cdx.json"

LOCK = .tools/audit/bin/uv pip compile --quiet --generate-hashes --python-version 3.13 \
	--python-platform x86_64-manylinux_2_28 --custom-compile-command "make lock"

lock: $(INSTALLED) ## Pin all packages with their hashes, after a change of a requirements*.in
	@$(BIN)/python -m infra.localstack.install audit
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) function/requirements.in -c requirements.txt -o function/requirements.txt
	@$(LOCK) function/requirements-tensorflow.in -c requirements.txt -o function/requirements-tensorflow.txt
	@$(LOCK) function/requirements-formats.in -c requirements.txt -o function/requirements-formats.txt
	@$(LOCK) function/requirements-command.in -c requirements.txt -o function/requirements-command.txt
	@for list in infra/localstack/requirements infra/localstack/requirements-sam infra/audit/requirements-audit \
		infra/audit/requirements-checkov; do $(LOCK) $$list.in -o $$list.txt || exit 1; done

base-image: $(INSTALLED) ## Pin the base image of the function to the digest that its tag has now
	@$(BIN)/python -m infra.image.base

train: $(INSTALLED) ## Train a model: make train SPEECH="DIR ..." NOISE="DIR ..." TEACHER="model_best.pt [distillmos]" [RIR="DIR ..."] [SCREEN=mos.csv] [UNLABELLED="DIR ..."] [CLIPS=80000] [MINUTES=90] [WARM_START=model.keras]
	@test -n '$(SPEECH)' -a -n '$(NOISE)' -a -n '$(TEACHER)' || \
		{ echo 'Name folders of clean speech and of noise, and a teacher of mos (training/README.md):'; \
		echo 'make train SPEECH="DIR ..." NOISE="DIR ..." TEACHER=model_best.pt'; exit 2; }
	$(BIN)/python -m training.corpus.build --speech $(SPEECH) --noise $(NOISE) $(if $(RIR),--rir $(RIR)) --teacher $(TEACHER) \
		$(if $(SCREEN),--screen $(SCREEN)) $(if $(UNLABELLED),--unlabelled $(UNLABELLED)) --out corpus --clips $(CLIPS) --seed $(SEED) --workers $$(nproc)
	$(BIN)/python -m training.network.train --corpus corpus --out runs/network --minutes $(MINUTES) --seed $(SEED) \
		$(if $(WARM_START),--warm-start $(WARM_START))
	$(BIN)/python -m training.release.export --run runs/network --corpus corpus --out runs/model

release-model: $(INSTALLED) ## Check an exported model and ship it: make release-model VERSION=1.1.0 [MODEL=runs/model] [NAME=our-calls]
	@$(BIN)/python -m training.release.promote --model $(or $(MODEL),runs/model) $(if $(VERSION),--version $(VERSION)) $(if $(NAME),--name $(NAME))

backfill: $(INSTALLED) ## Score what is already in the bucket: make backfill OPTIONS="--prefix calls/ --dry-run"
	@$(BIN)/python -m infra.backfill $(OPTIONS)

deploy: $(INSTALLED) ## Deploy the stack into your AWS account: make deploy STACK=aqscore [AUTH=API_KEY] [PARAMETERS="Formats=basic"]
	@$(BIN)/python -m infra.deploy --stack $(STACK) $(if $(AUTH),--auth $(AUTH)) $(PARAMETERS)
