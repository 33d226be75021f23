# Every target works as the first command ever typed here: it makes .venv and builds the UI when that is due.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo test chaos check bench clean

help:
	@echo "make demo      see it run: daemons, pages and examples/weather"
	@echo "make test      every test (ARGS='-k queue' narrows it)"
	@echo "make chaos     the long ones: hundreds of kills at random moments, a thousand reloads"
	@echo "make check     lint, types, import contract, generated files"
	@echo "make bench     the benchmarks"
	@echo "make setup     .venv with everything that the above need"

setup:
	@$(PYTHON) tools/bootstrap.py setup

demo:
	@$(PYTHON) tools/bootstrap.py demo
	@$(BIN)/python examples/weather/demo.py $(if $(PORT),--port $(PORT)) $(if $(FRESH),--fresh)

test:
	@$(PYTHON) tools/bootstrap.py test
	@$(BIN)/python ui/build_ui.py --test
	@$(BIN)/python -m pytest $(ARGS)

chaos:
	@$(PYTHON) tools/bootstrap.py test
	@RUNYARD_CHAOS_KILLS=200 RUNYARD_SOAK_RELOADS=1000 $(BIN)/python -m pytest tests/chaos $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ -f docs/generate.py ]; then echo "$(BIN)/python docs/generate.py --check"; $(BIN)/python docs/generate.py --check; fi

bench: setup
	$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf .demo dist src/runyard/web/static ui/node_modules .venv
