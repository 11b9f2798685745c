#!/usr/bin/env bash
# sim -> {workloads, hw_models}; those two include neither each other nor sim. YAML stops at the
# configuration reader, SystemC at the machine and the simulation, SQLite and Boost's numbers (Sobol,
# UUIDs) at the sweep, its Program_options at the command line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0
# forbid WHAT PATTERN FOLDER [GREP OPTIONS]: no file of FOLDER may match PATTERN.
forbid() {
  local what=$1 pattern=$2 folder=$3
  shift 3
  if grep -rnE "$pattern" "$folder" --include='*.h' --include='*.cpp' "$@"; then
    echo "layering: $what" >&2
    failed=1
  fi
}
forbid 'workloads knows no hardware' '#include "(hw_models|sim)/' workloads
forbid 'hw_models knows no models' '#include "(workloads|sim)/' hw_models
forbid 'no SystemC in workloads' '#include <(systemc|tlm)' workloads
forbid 'YAML stops at the configuration reader' '#include <yaml-cpp' workloads
forbid 'YAML stops at the configuration reader' '#include <yaml-cpp' hw_models
forbid 'YAML stops at the configuration reader' '#include <yaml-cpp' sim --exclude-dir=config
forbid 'SystemC stops at the simulation' '#include <systemc' sim --exclude-dir=simulation
forbid 'Boost stops at the command line and the sweep' '#include <boost' sim --exclude-dir=cli --exclude-dir=sweep
forbid 'Boost.Program_options stops at the command line' '#include <boost/program_options' sim/sweep
forbid 'SQLite stops at the sweep' '#include <sqlite' sim --exclude-dir=sweep
forbid 'Boost stops at the command line' '#include <boost' hw_models
forbid 'Boost stops at the command line' '#include <boost' workloads
forbid 'protobuf stops at the ONNX reader' '#include <(onnx|google)/' workloads --exclude-dir=protobuf
forbid 'protobuf stops at the ONNX reader' '#include <(onnx|google)/' sim
exit $failed
