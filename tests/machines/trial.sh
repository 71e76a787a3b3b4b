# One machine with the package callpark and the demo tenant, and callers outside (callers.cc), for trials of that
# machine. Sources machines.sh; a trial calls begin_trial with its arguments, and end_trial last.
# shellcheck shell=bash

# shellcheck source=tests/machines/machines.sh
source "$(dirname "${BASH_SOURCE[0]}")/machines.sh"

edge=192.0.2.10 trunk=192.0.2.50 phones=192.0.2.101
services=(mariadb mediad parkd kamailio)
passed=0 failed=0
callers='' tree=''

# begin_trial [--release R] [--repository DIR] [--callers PROGRAM]
begin_trial() {
  local program=$here/build/dev/callpark_callers
  repository=$here/build/packages
  while [ $# -gt 0 ]; do
    case $1 in
      --release) release=$2 ;;
      --repository) repository=$2 ;;
      --callers) program=$2 ;;
      *) fail "unknown option $1" ;;
    esac
    shift 2
  done
  local trees=$here/build/machines
  tree=$trees/$release
  "$here/tests/machines/make_rootfs" "$release" "$repository" "$trees"
  work=$(mktemp -d "$trees/run.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  : >"$work/key.pub"

  start_network 192.0.2.1/24 $trunk/24 $phones/24
  [ "$tree-callpark/srv/callpark/Packages" -nt "$repository/Packages" ] || install_callpark
  # A disk of its own, which may become full.
  mkdir "$work/callpark1"
  truncate --size=3G "$work/disk"
  mkfs.ext4 -q -m 0 "$work/disk"
  mount -o loop "$work/disk" "$work/callpark1"
  start_machine callpark1 "$tree-callpark:$tree" $edge/24
  find_database
  await_service 120 || fail "callpark is not in service"
  mkfifo "$work/commands" "$work/answers"
  ip netns exec "$prefix-outside" "$program" --server $edge --trunk $trunk --phones $phones \
    --database "$work/mariadb.sock" <"$work/commands" >"$work/answers" 2>&1 &
  callers=$!
  exec {commands}>"$work/commands" {answers}<"$work/answers"
}

# What a machine has beyond the bare tree when it has callpark and the demo tenant, for all trials.
install_callpark() {
  local version
  version=$(newest_version)
  say "callpark $version"
  start_machine callpark1 "$tree" $edge/24
  mkdir -p "$work/callpark1/root"/{srv/callpark,var/log/journal}
  cp "$repository"/callpark*_"$version"_*.deb "$work/callpark1/root/srv/callpark"
  index_packages "$work/callpark1/root/srv/callpark"
  echo 'deb [trusted=yes] file:/srv/callpark ./' >"$work/callpark1/root/etc/apt/sources.list.d/callpark.list"
  apt update
  apt --no-install-recommends install callpark asterisk-moh-opsound-wav libfaketime
  configure
  await_service 120 || fail "callpark is not in service"
  stop_machine callpark1
  umount "$work/callpark1/root"
  ip -n "$prefix-bridge" link delete callpark1
  ip netns delete "$prefix-callpark1"
  rm -rf --one-file-system "$tree-callpark"
  mv "$work/callpark1/upper" "$tree-callpark"
  rm -rf --one-file-system "$work/callpark1"
}

newest_version() {
  awk '/^Package: / { name = $2 } /^Version: / && name == "callpark" { print $2 }' "$repository/Packages" |
    sort -V | tail -n 1
}

inside() { on callpark1 "$@"; }
apt() {
  inside env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes --option Dpkg::Use-Pty=0 \
    --option Dpkg::Options::=--force-confold --option Dpkg::Options::=--force-unsafe-io "$@" >"$work/apt.log" 2>&1 || {
    cat "$work/apt.log" >&2
    fail "apt-get $*"
  }
}

configure() {
  inside sed -i "s/CALLPARK_ADDRESS!127.0.0.1/CALLPARK_ADDRESS!$edge/" /etc/callpark/kamailio.cfg
  inside sed -i "/^rtp:/,/^[a-z]/ s/^  address: .*/  address: \"$edge\"/" /etc/callpark/mediad.yaml
  # 1000 and 1001 park and retrieve for the parked callers, 2000s and 3000s for other calls; 4000s are orbits.
  inside sh -c 'mariadb callpark </usr/share/callpark/sql/demo_tenant.sql'
  inside mariadb callpark --execute "
    UPDATE tenants SET parked_calls_max = 0, recall_after_seconds = 3600 WHERE tenant = 'demo.callpark';
    UPDATE trunks SET address = '$trunk' WHERE tenant = 'demo.callpark';
    INSERT INTO extensions (tenant, extension, password) SELECT 'demo.callpark', seq, CONCAT('demo-', seq) FROM (
      SELECT seq FROM seq_1000_to_1001 UNION SELECT seq FROM seq_2000_to_2019 UNION SELECT seq FROM seq_3000_to_3019
      UNION SELECT seq FROM seq_4000_to_4399) numbers;
    INSERT INTO dids (did, tenant, destination) SELECT CONCAT('+44203', extension), tenant, extension FROM extensions
      WHERE tenant = 'demo.callpark' AND (extension = '1000' OR extension LIKE '20__')"
  inside systemctl restart "${services[@]}"
}

# MariaDB's socket has another path after each boot.
find_database() {
  local init
  init=$(pgrep --parent "${nspawn_of[callpark1]}" | head -n 1)
  ln -sfn "/proc/$init/root/run/mysqld/mysqld.sock" "$work/mariadb.sock"
}

# Of several, systemctl reports success if one is.
is_active() { inside systemctl is-active --quiet "$1"; }
is_in_service() {
  local name
  for name in "${services[@]}"; do is_active "$name" || return 1; done
  inside python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5063/health', timeout=2)"
}
# await_service SECONDS: all processes run, and calls can be parked.
await_service() {
  local deadline=$((SECONDS + $1))
  until is_in_service 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

# callers_do COMMAND...: the last line of the answer is in `answer`.
callers_do() {
  echo "$*" >&"$commands"
  while IFS= read -r answer <&"$answers"; do
    case $answer in yes* | NO*) return ;; esac
    echo "$answer"
  done
  fail "the callers have ended"
}
# fact COMMAND...: an answer that is counted.
fact() {
  callers_do "$@"
  echo "$answer"
  count "${answer%% *}"
}
# count yes|NO
count() { if [ "$1" = yes ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }
# must COMMAND...: without it the trial makes no sense.
must() {
  callers_do "$@"
  echo "$answer"
  [ "${answer%% *}" = yes ] || fail "callers: $*"
}

clean_up() {
  local status=$?
  if [ -n "$callers" ]; then
    exec {commands}>&-
    kill "$callers" 2>/dev/null || true
    wait "$callers" 2>/dev/null || true
  fi
  if [ "$status" != 0 ]; then inside journalctl --output=short-precise >"$work/journal" 2>/dev/null || true; fi
  end_machines
  umount -q "$work/callpark1" 2>/dev/null || true
  if [ "$status" = 0 ]; then rm -rf --one-file-system "$work"; else echo "logs are in $work" >&2; fi
}

end_trial() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
