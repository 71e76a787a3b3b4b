#!/usr/bin/env bash
# Migrates the database to the schema of this source tree: Kamailio's own tables from Kamailio's scripts, then the
# migrations of this folder that are not recorded in schema_migrations yet. A second run changes nothing.
set -euo pipefail

usage() {
  cat <<'USAGE'
migrate.sh --socket PATH [--user root] [--database callpark] [--kamailio-scripts DIR] [--demo] [--sip-port 5060]
  Connects over the unix socket as --user, with the password in MYSQL_PWD. Makes the account `callpark` for parkd and
  Kamailio (rows only, no tables, and three procedures), with the password in CALLPARK_DB_PASSWORD (default: callpark).
  --demo also loads demo_tenant.sql, with its trunk at --sip-port.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
socket='' user=root database=callpark kamailio_scripts=/usr/share/kamailio/mysql demo='' sip_port=5060
while [ $# -gt 0 ]; do
  case $1 in
    --socket) socket=$2; shift 2 ;;
    --user) user=$2; shift 2 ;;
    --database) database=$2; shift 2 ;;
    --kamailio-scripts) kamailio_scripts=$2; shift 2 ;;
    --sip-port) sip_port=$2; shift 2 ;;
    --demo) demo=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
password=${CALLPARK_DB_PASSWORD:-callpark}

fail() { echo "migrate.sh: $*" >&2; exit 1; }
[ -n "$socket" ] || { usage >&2; exit 2; }
[[ $database =~ ^[A-Za-z0-9_]+$ ]] || fail "database '$database': letters, digits and _ only"
[[ $sip_port =~ ^[0-9]+$ ]] || fail "sip port '$sip_port' is not a number"
[[ $password != *[[:cntrl:]]* ]] || fail "CALLPARK_DB_PASSWORD has more than one line, or a control character"
# As a string of SQL.
password=${password//\\/\\\\}
password=${password//\'/\'\'}

server() { mariadb --no-defaults --protocol=socket --socket="$socket" --user="$user" --batch --skip-column-names "$@"; }
sql() { server --database="$database" "$@"; }
has_table() { [ -n "$(sql -e "SHOW TABLES LIKE '$1'")" ]; }

server <<SQL
CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'callpark'@'localhost';
ALTER USER 'callpark'@'localhost' IDENTIFIED BY '$password';
GRANT SELECT, INSERT, UPDATE, DELETE ON $database.* TO 'callpark'@'localhost';
SQL

# Each script, and the table that shows that it is loaded.
for script in standard:version usrloc:location dialog:dialog presence:presentity; do
  if ! has_table "${script#*:}"; then
    file=$kamailio_scripts/${script%:*}-create.sql
    [ -r "$file" ] || fail "$file is missing: install kamailio-mysql-modules"
    sql <"$file"
    echo "kamailio ${script%:*}"
  fi
done

sql <<'SQL'
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    INT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'Number at the beginning of the file name',
  name       VARCHAR(255) NOT NULL COMMENT 'File name',
  sha256     CHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'Of the file when it was applied',
  started_at DATETIME NOT NULL COMMENT 'UTC',
  applied_at DATETIME NULL COMMENT 'UTC; NULL: it stopped half-way'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'Which migrations this database has; the daemons refuse others';
SQL

highest=0
for file in "$here"/migrations/[0-9][0-9][0-9][0-9]_*.sql; do
  name=$(basename "$file")
  version=$((10#${name%%_*}))
  [ "$version" -eq $((highest + 1)) ] || fail "$name: migrations are numbered without gaps, expected $((highest + 1))"
  highest=$version
  sha256=$(sha256sum "$file" | cut -d' ' -f1)
  recorded=$(sql -e "SELECT CONCAT(sha256, ' ', IF(applied_at IS NULL, 'half', 'done')) FROM schema_migrations WHERE version = $version")
  case $recorded in
    "$sha256 done") continue ;;
    *half) fail "$name stopped half-way in an earlier run: restore the database, or finish it by hand" ;;
    *done) fail "$name has been changed since it was applied: add a new migration instead" ;;
  esac
  sql -e "INSERT INTO schema_migrations (version, name, sha256, started_at)
    VALUES ($version, '$name', '$sha256', UTC_TIMESTAMP())"
  sql <"$file"
  sql -e "UPDATE schema_migrations SET applied_at = UTC_TIMESTAMP() WHERE version = $version"
  echo "migration $name"
done
# Names are only added: a tenant may have one that this machine's tzdata has dropped.
zones=/usr/share/zoneinfo/tzdata.zi
if has_table time_zones; then
  if [ -r "$zones" ]; then
    awk '$1 == "Z" { name = $2 } $1 == "L" { name = $3 } $1 ~ /^[ZL]$/ && name ~ /^[A-Za-z0-9_\/+-]+$/ {
        printf "%s(\047%s\047)", names++ ? ", " : "INSERT IGNORE INTO time_zones (name) VALUES ", name
      }' "$zones" | sql
  else
    echo "migrate.sh: $zones is missing: the time zones stay those that the database has; install tzdata" >&2
  fi
fi
# Not all of them, if these are the migrations of an older release.
sql -e "SELECT CONCAT('GRANT EXECUTE ON PROCEDURE ', routine_name, ' TO \'callpark\'@\'localhost\';')
  FROM information_schema.routines
  WHERE routine_schema = DATABASE() AND routine_name IN ('end_parked_call', 'end_calls', 'end_menu_call')" | sql
newer=$(sql -e "SELECT GROUP_CONCAT(name SEPARATOR ' ') FROM schema_migrations WHERE version > $highest HAVING COUNT(*) > 0")
[ -z "$newer" ] || fail "the database is newer than this source tree: it has $newer"

if [ -n "$demo" ]; then
  { echo "SET @sip_port = $sip_port;"; cat "$here/demo_tenant.sql"; } | sql
  echo "demo tenant"
fi
