#!/usr/bin/env bash
# Every C++ file is as clang-format (.clang-format) would write it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find workloads hw_models sim tests benchmarks -name '*.cpp' -o -name '*.h' |
  xargs clang-format --dry-run --Werror
