# Functions that ./run, ./check and the scripts of tools/ share. Sourced by bash; sets `here` to the top of the source tree.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by the scripts that source it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
# Of Debian, as packages.txt calls it.
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

say() { echo "-- $*" >&2; }
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# packages_of RELEASE SECTION: what packages.txt has there, one a line.
packages_of() {
  awk -v all="[$2]" -v own="[$2 $1]" '/^\[/ { is_in = $0 == all || $0 == own } is_in && /^[a-z0-9]/' "$here/tools/packages.txt"
}

# index_packages DIR: makes apt's index, for a line `deb [trusted=yes] file:DIR ./`.
index_packages() (
  cd "$1" || exit
  dpkg-scanpackages --multiversion . 2>/dev/null >Packages
  gzip --force --keep --best --no-name Packages
  rm -f Release
  index=$(apt-ftparchive release .)
  echo "$index" >Release
)
