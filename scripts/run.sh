#!/usr/bin/env bash
# Sets up what is missing, builds, and simulates CONFIG (default: a SmolVLA request of three cameras).
# Usage: scripts/run.sh [CONFIG] [options of `tessera run`]
set -euo pipefail
# Names and paths in the arguments are the caller's: stay in the caller's folder.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/setup.sh"
install_missing "${tessera_packages[@]}"
(cd "$root" && build release)
if [ $# -eq 0 ] || [[ $1 == --* ]]; then
  set -- smolvla_edge "$@"
fi
exec "$root/build/release/tessera" run "$@"
