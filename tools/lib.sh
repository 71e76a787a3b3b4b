# Functions that ./run, ./check and the scripts of tools/ share. Sourced by bash; sets `here` to the top of the source tree.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by the scripts that source it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

say() { echo "-- $*" >&2; }
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}
