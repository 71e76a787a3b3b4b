# The verbs of daily work. Each is one line of a script that may be called as well; `./check` is the judge.
PRESET ?= dev
SECONDS_EACH ?= 30

.PHONY: build test e2e fmt lint bench fuzz run

build: ## parkd, mediad and all tests
	tools/build $(PRESET) all

test: ## the tests that need no server
	tools/build $(PRESET) tests_fast
	tools/run_tests build/$(PRESET) --label-regex '^fast$$'

e2e: build ## the tests with servers and phones
	tools/run_tests build/$(PRESET) --label-regex '^(server|e2e)$$'

fmt: ## clang-format over all C++
	bash -c 'source tools/lints.sh; cd "$$here" && { sources h; sources cc; } | xargs clang-format -i'

lint: ## what ./check looks at without building
	./check --lint

bench: ## builds the benchmarks; docs/benchmarks.md says how each is run
	cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -Wno-dev
	ninja -C build/bench parkd mediad benchmarks

fuzz: ## each fuzzer for SECONDS_EACH
	./check --fuzz-seconds $(SECONDS_EACH)

run: ## everything on this machine, with one call parked and retrieved before your eyes
	./run
