#!/usr/bin/env bash
# Migrates the database to the schema of these migrations: Kamailio's own tables from Kamailio's scripts, then the
# migrations that are not recorded in schema_migrations yet. A second run changes nothing. Installed as callpark-migrate.
set -euo pipefail

usage() {
  cat <<'USAGE'
migrate.sh --socket PATH [--user root] [--database callpark] [--password-file FILE] [--kamailio-scripts DIR]
           [--check | --demo [--sip-port 5060]]
  Connects over the unix socket as --user, with the password in MYSQL_PWD. Makes the account `callpark` for parkd and
  Kamailio (rows only, no tables, and three procedures), with the password in the file, or in CALLPARK_DB_PASSWORD (default:
  callpark). As callpark-migrate it has defaults for --socket and --password-file: those of the packages.
  --check changes nothing: prints the migrations that the database lacks, and fails if it has others, or one that stopped
  half-way.
  --demo also loads demo_tenant.sql, with its trunk at --sip-port.
USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
socket='' user=root database=callpark password_file='' kamailio_scripts=/usr/share/kamailio/mysql check='' demo='' sip_port=5060
# The packages have Kamailio's scripts beside the migrations, for a database's machine has no Kamailio.
if [ ! -d "$here/migrations" ]; then
  here=$(cd "$here/../share/callpark/sql" && pwd)
  socket=/run/mysqld/mysqld.sock password_file=/etc/callpark/secrets/database_password kamailio_scripts=$here/kamailio
fi
while [ $# -gt 0 ]; do
  case $1 in
    --socket) socket=$2; shift 2 ;;
    --user) user=$2; shift 2 ;;
    --database) database=$2; shift 2 ;;
    --password-file) password_file=$2; shift 2 ;;
    --kamailio-scripts) kamailio_scripts=$2; shift 2 ;;
    --check) check=yes; shift ;;
    --sip-port) sip_port=$2; shift 2 ;;
    --demo) demo=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

fail() { echo "${0##*/}: $*" >&2; exit 1; }
[ -n "$socket" ] || { usage >&2; exit 2; }
[[ $database =~ ^[A-Za-z0-9_]+$ ]] || fail "database '$database': letters, digits and _ only"
[[ $sip_port =~ ^[0-9]+$ ]] || fail "sip port '$sip_port' is not a number"

server() { mariadb --no-defaults --protocol=socket --socket="$socket" --user="$user" --batch --skip-column-names "$@"; }
sql() { server --database="$database" "$@"; }
has_table() { [ -n "$(sql -e "SHOW TABLES LIKE '$1'")" ]; }

# A line each: version, half or done, name, sha256. The table is not there before the first migration.
records=$(server -e "SELECT 1 FROM information_schema.tables WHERE table_schema = '$database' AND table_name = 'schema_migrations'")
[ -z "$records" ] ||
  records=$(sql -e "SELECT version, IF(applied_at IS NULL, 'half', 'done'), name, sha256 FROM schema_migrations ORDER BY version")
recorded() { awk -v version="$1" '$1 == version { print $2, $4 }' <<<"$records"; }

# Nothing is changed in a database that has other migrations.
missing=() highest=0
for file in "$here"/migrations/[0-9][0-9][0-9][0-9]_*.sql; do
  name=${file##*/}
  version=$((10#${name%%_*}))
  [ "$version" -eq $((highest + 1)) ] || fail "$name: migrations are numbered without gaps, expected $((highest + 1))"
  highest=$version
  case $(recorded "$version") in
    '') missing+=("$file") ;;
    "done $(sha256sum "$file" | cut -d' ' -f1)") ;;
    half*) fail "$name stopped half-way in an earlier run: restore the database, or finish it by hand" ;;
    *) fail "$name has been changed since it was applied: add a new migration instead" ;;
  esac
done
newer=$(awk -v highest="$highest" '$1 > highest { printf " %s", $3 }' <<<"$records")
[ -z "$newer" ] || fail "the database is newer than these migrations: it has$newer"
if [ -n "$check" ]; then
  [ ${#missing[@]} = 0 ] || printf 'missing %s\n' "${missing[@]##*/}"
  exit 0
fi

password=${CALLPARK_DB_PASSWORD:-callpark}
if [ -n "$password_file" ]; then
  password=$(cat "$password_file")
  [ -n "$password" ] || fail "$password_file has no password"
fi
[[ $password != *[[:cntrl:]]* ]] || fail "the password has more than one line, or a control character"
# As a string of SQL.
password=${password//\\/\\\\}
password=${password//\'/\'\'}
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

for file in "${missing[@]}"; do
  name=${file##*/}
  version=$((10#${name%%_*}))
  sql -e "INSERT INTO schema_migrations (version, name, sha256, started_at)
    VALUES ($version, '$name', '$(sha256sum "$file" | cut -d' ' -f1)', UTC_TIMESTAMP())"
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

if [ -n "$demo" ]; then
  { echo "SET @sip_port = $sip_port;"; cat "$here/demo_tenant.sql"; } | sql
  echo "demo tenant"
fi
