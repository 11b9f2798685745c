#!/usr/bin/env bash
# Installs what is missing on Debian 12. Sourced by run.sh and test.sh; idempotent.

tessera_packages=(
  g++ cmake ninja-build pkg-config ccache
  libsystemc-dev libboost-dev libboost-program-options-dev libyaml-cpp-dev libsqlite3-dev
  nlohmann-json3-dev libfmt-dev
  libonnx-dev libprotobuf-dev   # ONNX import; the build does without where they are missing
)

# install_missing PACKAGE...: installs those that dpkg does not know as installed.
install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "tessera: missing packages: ${missing[*]}" >&2
      echo "tessera: neither root nor sudo: ask an administrator to run: apt-get install ${missing[*]}" >&2
      exit 2
    fi
    sudo=(sudo)
  fi
  echo "Installing ${missing[*]} ..." >&2
  "${sudo[@]}" apt-get update -qq >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# build PRESET: configures and builds; quiet unless something fails.
build() {
  local preset=$1 log
  log=$(mktemp)
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "tessera: the build failed" >&2
    exit 3
  fi
  rm -f "$log"
}
