#!/usr/bin/env bash
# Sets up what is missing, builds with warnings as errors, checks formatting and layering, runs all
# tests and one real model end to end.
# Usage: scripts/test.sh [--long]   (--long adds a build and run under sanitizers)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup.sh
install_missing "${tessera_packages[@]}" catch2 clang-format git

long=false
for argument in "$@"; do
  case "$argument" in
    --long) long=true ;;
    *) echo "usage: scripts/test.sh [--long]" >&2; exit 2 ;;
  esac
done

echo "== formatting and layering"
scripts/check_format.sh
scripts/check_layers.sh

echo "== build (warnings as errors)"
build ci

echo "== the same program without optimisation (its results must be identical)"
build o0
export TESSERA_OTHER_PROGRAM=$PWD/build/o0/tessera

echo "== one real model end to end"
build/ci/tessera run siglip_edge --out build/end_to_end >/dev/null
head -n 12 build/end_to_end/report.txt

echo "== regression suites (what changed, and why: docs/regression.md)"
build/ci/tessera regress

if $long; then
  echo "== tests under address and undefined-behaviour sanitizers"
  build asan
  ctest --preset asan -j "$(nproc)"
fi

echo "== tests"
ctest --preset ci -j "$(nproc)"
