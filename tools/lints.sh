# The linters of ./check, one function each, which returns 0 if it finds no fault. Sources lib.sh.
# shellcheck shell=bash

# shellcheck source=tools/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sources() { (cd "$here" && find base media_protocol parkd mediad tests -name "*.$1" | sort); }

lint_format() {
  cd "$here" && { sources h && sources cc; } | xargs clang-format --dry-run -Werror
}

lint_shell() {
  cd "$here" || return
  local scripts
  mapfile -t scripts < <(git ls-files | xargs grep -lE -m1 '^#!.*\b(ba)?sh$|^# shellcheck shell=bash$')
  shellcheck --external-sources "${scripts[@]}"
}

lint_yaml() {
  cd "$here" && git ls-files '*.yml' '*.yaml' '.clang-format' '.clang-tidy' '.clangd' | xargs yamllint --strict
}

lint_lua() {
  cd "$here" && luacheck --quiet --no-color kamailio-cfg tests/lua
}

# lint_tidy PRESET CLANG-TIDY-OPTION...: the product only; PRESET's build directory knows how each file is compiled.
lint_tidy() {
  local preset=$1
  shift
  cd "$here" && sources cc | grep -v '^tests/' | xargs -P "$jobs" -n 4 clang-tidy --quiet -p "build/$preset" "$@"
}
