# Thin: each target is one or two commands of cmake, ctest or a script. `make help` lists them.
JOBS ?= $(shell nproc)
# demo: a model folder in Hugging Face's format; empty: the bundled one.
MODEL ?=
# test, for example: make test TESTS='-R unit/kv'
TESTS ?=
SOURCES = $(shell git ls-files '*.cc' '*.h')

.PHONY: help demo test build bootstrap configure bench format format-check tidy clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Build, then run examples on the bundled model (MODEL=FOLDER picks another)
	@scripts/demo.sh "$(MODEL)"

test: configure ## Build everything, then run all tests
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(JOBS) $(TESTS)

build: configure ## Build build/bin/sglc and build/bin/sgl
	cmake --build --preset release -j $(JOBS) --target sglc sgl

bootstrap: ## Install the Debian packages that the build needs
	@scripts/bootstrap.sh

configure: bootstrap
	@cmake --preset release -Wno-dev

bench: configure ## Build everything, then run the benchmarks
	cmake --build --preset release -j $(JOBS)
	@for program in build/bin/bench_*; do echo "== $$program"; "$$program" || exit 1; done

format: ## Format the C++ sources in place
	clang-format -i $(SOURCES)

format-check: ## Fail if a C++ source is not formatted
	clang-format --dry-run --Werror $(SOURCES)

tidy: configure ## Run clang-tidy over the C++ sources
	run-clang-tidy -quiet -p build -j $(JOBS) '/(kernels|runtime|compiler|tools|server)/'

clean: ## Remove every build folder
	rm -rf build build-dev build-asan build-tsan build-runtime-only build-fuzz
