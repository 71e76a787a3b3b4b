# Machines for tests: Debian with systemd as PID 1, each in a network namespace of its own, on one bridge that leads nowhere else.
# Sources lib.sh; the user sets `work` to a directory on a disk, and calls end_machines at the end.
# shellcheck shell=bash

# shellcheck source=tools/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib.sh"

work='' prefix=callpark-$$
declare -A nspawn_of=()
hierarchies=(/sys/fs/cgroup/systemd /sys/fs/cgroup/unified)

# An address each, as 192.0.2.1/24, in a new namespace that is called callpark-PID-NAME.
add_namespace() {
  local name=$1 address
  shift
  ip netns add "$prefix-$name"
  ip -n "$prefix-$name" link set lo up
  ip -n "$prefix-bridge" link add "$name" type veth peer name host0 netns "$prefix-$name"
  ip -n "$prefix-bridge" link set "$name" master bridge0 up
  for address in "$@"; do ip -n "$prefix-$name" address add "$address" dev host0; done
  ip -n "$prefix-$name" link set host0 up
}

start_network() {
  ip netns add "$prefix-bridge"
  ip -n "$prefix-bridge" link add bridge0 type bridge
  ip -n "$prefix-bridge" link set bridge0 up
  add_namespace outside "$@"
}

# outside COMMAND...: in the namespace of the controller and the phones.
outside() { ip netns exec "$prefix-outside" "$@"; }

# start_machine NAME TREE ADDRESS...: boots a copy of TREE, with the mirror beside it. $work/key.pub may log in. TREE may be
# A:B, where A has what is added to B.
start_machine() {
  local name=$1 tree=$2 disk=$work/$1
  shift 2
  add_namespace "$name" "$@"
  mkdir -p "$disk"/{upper,overlay,root}
  mount -t overlay -o "lowerdir=$tree,upperdir=$disk/upper,workdir=$disk/overlay" "$prefix-$name" "$disk/root"
  echo "$name" >"$disk/root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$disk/root/etc/hosts"
  install -D --mode=600 "$work/key.pub" "$disk/root/root/.ssh/authorized_keys"
  boot_machine "$name" "${tree##*:}-debian"
}

# Of machines in one control group, systemd would be confused.
# shellcheck disable=SC2016  # variables of the inner shell
boot_machine() {
  local name=$1 hierarchy
  for hierarchy in "${hierarchies[@]}"; do mkdir -p "$hierarchy/$prefix-$name"; done
  # Debian 13's systemd refuses the first version of control groups.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 sh -c '
    group=$1
    shift
    while [ "$1" != -- ]; do echo $$ >"$1/$group/cgroup.procs"; shift; done
    shift
    exec "$@"' boot "$prefix-$name" "${hierarchies[@]}" -- \
    systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$prefix-$name" --directory="$work/$name/root" \
    --network-namespace-path="/run/netns/$prefix-$name" --bind-ro="$2:/srv/debian" --console=pipe --link-journal=no \
    --resolv-conf=off --timezone=off --capability=CAP_NET_ADMIN </dev/null >"$work/$name/console" 2>&1 &
  nspawn_of[$name]=$!
  await_machine "$name"
}

# on NAME COMMAND...: as root, in all namespaces of the machine.
on() {
  local init
  init=$(pgrep --parent "${nspawn_of[$1]}" | head -n 1)
  [ -n "$init" ] || return 1
  nsenter --target "$init" --all "${@:2}"
}

# Until it can be logged in to; what else starts may need what is not there yet.
await_machine() {
  local deadline=$((SECONDS + 120))
  until on "$1" systemctl is-active --quiet ssh 2>/dev/null; do
    kill -0 "${nspawn_of[$1]}" 2>/dev/null || { cat "$work/$1/console" >&2; fail "$1 does not boot"; }
    [ "$SECONDS" -lt "$deadline" ] || { on "$1" systemctl --failed >&2; fail "$1 is not up after 120 s"; }
    sleep 0.2
  done
}

# Cuts the power, and leaves nothing of the machine.
destroy_machine() {
  local name=$1
  pkill -KILL --parent "${nspawn_of[$name]}"
  stop_machine "$name"
  umount "$work/$name/root"
  rm -rf --one-file-system "${work:?}/$name"
  ip netns delete "$prefix-$name"
}

# Powers it off as by its key, and cuts the power after 20 s.
stop_machine() {
  local name=$1 pid=${nspawn_of[$1]} deadline=$((SECONDS + 20)) hierarchy
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "nspawn_of[$name]"
  for hierarchy in "${hierarchies[@]}"; do
    find "$hierarchy/$prefix-$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

# cut_power NAME: all that it runs ends at once; boot_machine boots it again.
cut_power() {
  local pid=${nspawn_of[$1]}
  kill -KILL "$(pgrep --parent "$pid" | head -n 1)"
  wait "$pid" 2>/dev/null || true
  unset "nspawn_of[$1]"
}

# await WHAT SECONDS COMMAND...: until COMMAND succeeds.
await() {
  local what=$1 deadline=$((SECONDS + $2))
  until "${@:3}" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "not after $2 s: $what"
    sleep 0.2
  done
}

end_machines() {
  local name namespace
  for name in "${!nspawn_of[@]}"; do stop_machine "$name"; done
  for name in "$work"/*/root; do umount -q "$name" 2>/dev/null || true; done
  for namespace in $(ip netns list | awk -v prefix="$prefix-" 'index($1, prefix) == 1 { print $1 }'); do
    ip netns delete "$namespace"
  done
  rmdir "/run/systemd/nspawn/propagate/$prefix"-* 2>/dev/null || true
}
