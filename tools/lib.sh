# What ./run, ./check and the scripts of tools/ share. Sourced by bash; sets `here` to the top of the source tree.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

say() { echo "-- $*" >&2; }
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# build PRESET TARGET...: configures once, and builds those targets in build/PRESET; "all" is a target too.
build() {
  local preset=$1
  shift
  (cd "$here" && cmake --preset "$preset" -Wno-dev) && ninja -C "$here/build/$preset" -j "$jobs" "$@"
}
