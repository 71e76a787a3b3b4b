# The linters of ./check, one function each, which returns 0 if it finds no fault. Sources lib.sh.
# shellcheck shell=bash

# shellcheck source=tools/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly product=(base media_protocol kamailio_protocol parkd mediad)

sources() { (cd "$here" && find "${product[@]}" tests -name "*.$1" | sort); }

lint_format() {
  cd "$here" && { sources h && sources cc; } | xargs clang-format --dry-run -Werror
}

lint_shell() {
  cd "$here" || return
  local scripts
  mapfile -t scripts < <(git ls-files | xargs grep -lE -m1 --directories=skip '^#!.*\b(ba)?sh$|^# shellcheck shell=bash$')
  shellcheck --external-sources "${scripts[@]}"
}

lint_yaml() {
  cd "$here" && git ls-files '*.yml' '*.yaml' '.clang-format' '.clang-tidy' '.clangd' | xargs yamllint --strict
}

lint_lua() {
  cd "$here" && luacheck --quiet --no-color kamailio-cfg tests/lua
}

# The profile is for collections that are published. Offline, it asks no server for newer rules.
lint_ansible() {
  cd "$here/ansible" && LC_ALL=C.UTF-8 ansible-lint --offline --strict --nocolor --profile production
}

lint_playbooks() {
  cd "$here/ansible" || return
  local inventory
  for inventory in inventories/*; do
    LC_ALL=C.UTF-8 ansible-playbook --syntax-check --inventory "$inventory" playbooks/*.yml || return
  done
}

# lua_passes FILE LUA: whether luacheck lets this text through in that file.
lua_passes() {
  luacheck --quiet --no-color --filename "$1" - <<<"$2" >/dev/null
}

# That luacheck keeps the rules pure: what it must refuse in them, and must not refuse in the files that obey.
lint_lua_self_test() {
  cd "$here" || return
  local impure bad=0
  for impure in 'return KSR.kx.get_method()' 'return os.time()' 'return io.read()' 'return math.random()'; do
    if lua_passes kamailio-cfg/lua/rules/x.lua "$impure"; then echo "a rule may: $impure" && bad=1; fi
  done
  if lua_passes tests/lua/rules/x_spec.lua 'return KSR'; then echo "a spec may use KSR" && bad=1; fi
  lua_passes kamailio-cfg/lua/rules/x.lua 'return ("x"):rep(3)' || { echo "a pure rule is refused" && bad=1; }
  lua_passes kamailio-cfg/lua/kamailio/x.lua 'return KSR.kx.get_method()' || { echo "kamailio/ may not use KSR" && bad=1; }
  if lua_passes kamailio-cfg/lua/kamailio/x.lua 'return KSR.kx.get_nothing()'; then
    echo "an unknown KSR function is accepted" && bad=1
  fi
  return "$bad"
}

product_sources() { (cd "$here" && find "${product[@]}" -name '*.cc' | sort); }

# Those of the product that the last 100 steps of the history have changed, or that include a header which they have
# changed: clang-tidy needs some 7 s of a processor for a file. All of them where the history is not known.
changed_product_sources() {
  cd "$here" || return
  local base changed
  if ! base=$(git rev-parse --verify --quiet HEAD~100); then
    product_sources
    return
  fi
  changed=$(git diff --name-only "$base" && git ls-files --others --exclude-standard)
  {
    cat <<<"$changed"
    sed -n 's/.*\.h$/#include "&"/p' <<<"$changed" | grep -rlF --include='*.cc' -f - "${product[@]}"
  } | sort -u | grep -xF -f <(product_sources)
}

# lint_tidy FILES PRESET CLANG-TIDY-OPTION...: FILES prints the sources, PRESET's build directory knows how each is
# compiled.
lint_tidy() {
  local files=$1 preset=$2
  shift 2
  cd "$here" && "$files" | xargs -r -P "$jobs" -n 4 clang-tidy --quiet -p "build/$preset" "$@"
}
