#!/usr/bin/env bash
# Builds and runs the simulator's own benchmarks.
# Usage: scripts/bench.sh [options of Google Benchmark]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup.sh
install_missing "${tessera_packages[@]}" libbenchmark-dev
build bench
build/bench/bench_mapper "$@"
build/bench/bench_simulation "$@"
