# The processes of ./run: starts them, waits until each answers, restarts those that die, and ends all by their ids.
# Sources lib.sh; the user sets `dir`, and `temporary` to the same path if the directory is removed at the end.
# shellcheck shell=bash

# shellcheck source=tools/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dir='' temporary=''
order=()
declare -A pid_of=() command_of=() started_at=() quick_deaths=()

# Each child leads a session of its own: Ctrl-C does not reach it, so this script ends the processes in its own sequence,
# and finds the children of each by its group. The kernel sends SIGTERM to a child if this shell is killed.
launch() {
  local name=$1
  eval "exec setsid setpriv --pdeathsig TERM -- ${command_of[$name]}" </dev/null &
  pid_of[$name]=$! started_at[$name]=$SECONDS
}

register() {
  local name=$1
  shift
  printf -v "command_of[$name]" '%q ' "$@"
  order+=("$name")
}

# start NAME COMMAND...: a lasting process; its output goes to $dir/log/NAME.log.
start() {
  register "$@"
  launch "$1" >>"$dir/log/$1.log" 2>&1
}

# step NAME COMMAND...: waits for its end; its output goes to $dir/log/NAME.log and is shown if it fails.
step() {
  register "$@"
  say "$1"
  launch "$1" >"$dir/log/$1.log" 2>&1
  show_progress "$1"
  end_step "$1" || give_up "$1" "failed"
}

# What a step of minutes is at: the last line of its log that begins with [N/M], as ninja writes it. A terminal has it in one
# line, anything else a line every 10 s.
progress_every=10
show_progress() {
  local name=$1 began=$SECONDS shown=$SECONDS width text
  width=$(tput cols 2>/dev/null) || width=80
  while is_alive "$name"; do
    nap
    [ "$SECONDS" != "$shown" ] || continue
    if [ ! -t 2 ] && [ $((SECONDS - shown)) -lt "$progress_every" ]; then continue; fi
    shown=$SECONDS
    text=$(progress "$name" $((SECONDS - began)))
    if [ -t 2 ]; then printf '\r%s\033[K' "${text:0:width-1}" >&2; else echo "${text:0:160}" >&2; fi
  done
  [ $((SECONDS - began)) -ge 2 ] || return 0
  [ ! -t 2 ] || printf '\r\033[K' >&2
  say "$name ended after $(minutes $((SECONDS - began)))"
}

minutes() { if [ "$1" -lt 60 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi; }

# progress NAME SECONDS: a line.
progress() {
  local last n m rest=''
  last=$(tail -c 4000 "$dir/log/$1.log" 2>/dev/null | tr '\r' '\n' | grep -aE '^\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
  if ! [[ $last =~ ^\[([0-9]+)/([0-9]+)\]\ *(.*)$ ]]; then
    echo "-- $1: $(minutes "$2")"
    return
  fi
  n=${BASH_REMATCH[1]} m=${BASH_REMATCH[2]}
  # Not before there is something to conclude from.
  if [ "$n" -ge 5 ] && [ "$n" -lt "$m" ]; then rest=", some $(minutes $(($2 * (m - n) / n))) to go"; fi
  echo "-- $1: $n of $m, $(minutes "$2")$rest: ${BASH_REMATCH[3]//[^[:print:]]/}"
}

# Like step, with its output shown.
step_shown() {
  register "$@"
  launch "$1"
  end_step "$1" || fail "$1 failed; logs are in $dir/log"
}

end_step() {
  local status=0
  wait "${pid_of[$1]}" || status=$?
  unset 'order[-1]' "pid_of[$1]"
  return "$status"
}

# Reading from an idle pipe needs no process, unlike `sleep`.
exec {silence}<> <(:)
nap() { read -r -t 0.1 -u "$silence" || true; }

# An ended process stays a zombie until bash reads its exit code, which may be much later.
is_alive() {
  local line=''
  { read -r line <"/proc/${pid_of[$1]}/stat"; } 2>/dev/null || return 1
  [[ ${line##*) } != [ZX]* ]]
}

give_up() {
  tail -n 30 "$dir/log/$1.log" >&2
  local place
  for place in "$dir" "$here/build" /var; do
    [ "$(free_mb "$place")" -ge 2 ] || fail "$1 $2, since the disk of $place is full; above is the end of $dir/log/$1.log"
  done
  fail "$1 $2; above is the end of $dir/log/$1.log"
}

# free_mb PLACE: of the file system that it is in, or will be.
free_mb() {
  local place=$1
  while [ ! -e "$place" ]; do place=$(dirname "$place"); done
  df --output=avail --block-size=M "$place" | tr -dc 0-9
}

# sockets_at ADDRESS: the inodes of the sockets that receive at udp:IP:PORT or tcp:IP:PORT, or at a path.
sockets_at() {
  local ip port at state flags inode path
  if [[ $1 == /* ]]; then
    # The kernel's flag 00010000: it listens.
    while read -r _ _ _ flags _ _ inode path; do
      if [ "$flags" = 00010000 ] && [ "$path" = "$1" ]; then echo "$inode"; fi
    done </proc/net/unix
    return
  fi
  IFS=:. read -r -a ip <<<"${1#*:}"
  printf -v port %04X "${ip[4]}"
  printf -v ip %02X "${ip[3]}" "${ip[2]}" "${ip[1]}" "${ip[0]}"
  while read -r _ at _ state _ _ _ _ _ inode _; do
    # Of TCP's states, 0A listens; an address is held by itself and by the address of all, of either family.
    case ${1%%:*}/$state/$at in
      udp/*/"$ip:$port" | udp/*/00000000:"$port" | tcp/0A/"$ip:$port" | tcp/0A/00000000:"$port" | \
        udp/*/00000000000000000000000000000000:"$port" | tcp/0A/00000000000000000000000000000000:"$port") echo "$inode" ;;
    esac
  done < <(cat "/proc/net/${1%%:*}" "/proc/net/${1%%:*}6" 2>/dev/null)
}

# holds NAME ADDRESS: whether a socket of that process receives there. Another program may answer at it just as well.
holds() {
  local inode
  for inode in $(sockets_at "$2"); do
    [ -z "$(find "/proc/${pid_of[$1]}/fd" -lname "socket:\\[$inode\\]" -print -quit 2>/dev/null)" ] || return 0
  done
  return 1
}

# program_at ADDRESS: the program that receives there, in words; nothing when the address is free.
program_at() {
  local inode file pid
  for inode in $(sockets_at "$1"); do
    file=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" -print -quit 2>/dev/null || true)
    pid=${file#/proc/} pid=${pid%%/*}
    if [ -n "$pid" ]; then echo "$(cat "/proc/$pid/comm" 2>/dev/null) (process $pid)"; else echo "another user's program"; fi
    return
  done
}

# await NAME SECONDS ADDRESS COMMAND...: until the process NAME itself receives at ADDRESS, and COMMAND succeeds, by which
# it is seen to answer there.
await() {
  local name=$1 deadline=$((SECONDS + $2)) address=$3
  shift 3
  say "$name"
  until holds "$name" "$address" && "$@" >/dev/null 2>&1; do
    is_alive "$name" || give_up "$name" "did not start"
    [ "$SECONDS" -lt "$deadline" ] || give_up "$name" "does not answer"
    nap
  done
}

# Never returns. A process that dies is restarted at once, as by systemd, unless it dies immediately five times.
watch_everything() {
  local name
  while true; do
    nap
    for name in "${order[@]}"; do
      is_alive "$name" || start_again "$name"
    done
  done
}

start_again() {
  local name=$1
  if [ $((SECONDS - started_at[$name])) -gt 2 ]; then quick_deaths[$name]=0; fi
  quick_deaths[$name]=$((${quick_deaths[$name]:-0} + 1))
  [ "${quick_deaths[$name]}" -le 5 ] || give_up "$name" "dies again and again"
  say "$name died and is started again"
  wait "${pid_of[$name]}" 2>/dev/null || true           # otherwise bash would report it
  kill -KILL -- "-${pid_of[$name]}" 2>/dev/null || true # children of a killed parent still hold its ports
  launch "$name" >>"$dir/log/$name.log" 2>&1
}

# Sends SIGTERM in the reverse sequence of the start; kills a process that still runs after 10 s, with its children. The exit
# code is kept.
stop_everything() {
  local status=$? i name deadline
  trap '' INT TERM HUP
  [ ${#order[@]} = 0 ] || say "stopping ..."
  for ((i = ${#order[@]} - 1; i >= 0; i--)); do
    name=${order[i]}
    [ -n "${pid_of[$name]:-}" ] || continue
    kill -TERM "${pid_of[$name]}" 2>/dev/null || true
    deadline=$((SECONDS + 10))
    while is_alive "$name" && [ "$SECONDS" -lt "$deadline" ]; do nap; done
    kill -KILL -- "-${pid_of[$name]}" 2>/dev/null || true
    wait "${pid_of[$name]}" 2>/dev/null || true
  done
  case $status in
    0 | 130 | 143) [ -z "$temporary" ] || rm -rf "$temporary" ;;
  esac
  exit "$status"
}
