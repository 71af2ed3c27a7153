# PostgreSQL and MariaDB for one run: free loopback ports, a random password, a temporary
# directory, gone at the end. Sourced by scripts/test.
#
# Nothing is synced to disk (fsync off). That is honest here: the tests kill Abaca, never the
# database server or the machine's power, and a transaction the server acknowledged outlives its
# client whether or not the disk has it. Durability of SQLite is Abaca's own business, and there the
# tests run with the product's settings.

DATABASE_DIR=
postgres_pid=
mariadb_pid=

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# as USER COMMAND...: replaces the current process, so that $! is the server itself. Both servers
# refuse to run as root; an ordinary user runs them as himself. If this script dies by SIGKILL the
# kernel ends the server with it.
as() {
  local user=$1; shift
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid="$user" --regid="$user" --init-groups --pdeathsig TERM "$@"
  fi
  exec setpriv --pdeathsig TERM "$@"
}

own() { [ "$(id -u)" != 0 ] || chown -R "$1:" "$2"; }

# ready NAME PID LOG COMMAND...: waits until the command succeeds; fails as soon as the server is gone.
ready() {
  local name=$1 pid=$2 log=$3 tick; shift 3
  for tick in $(seq 600); do
    "$@" >/dev/null 2>&1 && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  note "$name did not start; the end of its log:"
  tail -n 20 "$log" | sed 's/^/    | /'
  return 1
}

start_postgres() {
  local bin dir=$DATABASE_DIR/postgres port password=$1
  bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
  port=$(free_port)
  rm -rf "$dir"; mkdir -p "$dir"; printf '%s' "$password" >"$dir/password"; own postgres "$dir"
  ( as postgres "$bin/initdb" --pgdata="$dir/data" --username=abaca --pwfile="$dir/password" \
      --auth=md5 --encoding=UTF8 --locale=C.UTF-8 --no-sync ) >"$dir/initdb.log" 2>&1 \
    || { cat "$dir/initdb.log"; return 1; }
  as postgres "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=500 -c shared_buffers=128MB \
    -c log_checkpoints=off -c fsync=off -c full_page_writes=off -c synchronous_commit=off >"$dir/server.log" 2>&1 &
  postgres_pid=$!
  ABACA_TEST_POSTGRES_URL=postgres://abaca:$password@127.0.0.1:$port/postgres
  ready PostgreSQL "$postgres_pid" "$dir/server.log" \
    "$bin/psql" --no-psqlrc --command 'SELECT 1' "$ABACA_TEST_POSTGRES_URL"
}

start_mariadb() {
  local dir=$DATABASE_DIR/mariadb port password=$1
  port=$(free_port)
  rm -rf "$dir"; mkdir -p "$dir"
  # Runs before the first client is let in; it leaves one user, who has the password.
  cat >"$dir/init.sql" <<SQL
DELETE FROM mysql.global_priv WHERE User IN ('root', '');
FLUSH PRIVILEGES;
CREATE OR REPLACE USER 'abaca'@'127.0.0.1' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO 'abaca'@'127.0.0.1' WITH GRANT OPTION;
SQL
  printf '[client]\nprotocol=tcp\nhost=127.0.0.1\nport=%s\nuser=abaca\npassword=%s\n' "$port" "$password" >"$dir/client.cnf"
  own mysql "$dir"
  ( as mysql mariadb-install-db --no-defaults --datadir="$dir/data" \
      --auth-root-authentication-method=normal --skip-test-db ) >"$dir/install.log" 2>&1 \
    || { cat "$dir/install.log"; return 1; }
  as mysql mariadbd --no-defaults --datadir="$dir/data" --socket="$dir/socket" --pid-file="$dir/pid" \
    --port="$port" --bind-address=127.0.0.1 --skip-name-resolve --init-file="$dir/init.sql" \
    --character-set-server=utf8mb4 --max-connections=500 --innodb-buffer-pool-size=256M \
    --innodb-flush-log-at-trx-commit=0 --skip-innodb-doublewrite --innodb-flush-method=nosync --log-warnings=1 \
    >"$dir/server.log" 2>&1 &
  mariadb_pid=$!
  ABACA_TEST_MARIADB_URL=mysql://abaca:$password@127.0.0.1:$port/mysql
  ready MariaDB "$mariadb_pid" "$dir/server.log" \
    mariadb --defaults-file="$dir/client.cnf" --execute 'SELECT 1'
}

# Another process may take the free port before the server does: three tries, each with a new port.
start_databases() {
  local began=$SECONDS password
  heading "starting PostgreSQL and MariaDB"
  DATABASE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/abaca-test.XXXXXX")
  chmod 711 "$DATABASE_DIR"
  password=$(cat /proc/sys/kernel/random/uuid)
  start_postgres "$password" || start_postgres "$password" || start_postgres "$password" || die "PostgreSQL did not start"
  start_mariadb "$password" || start_mariadb "$password" || start_mariadb "$password" || die "MariaDB did not start"
  note "both are up after $((SECONDS - began)) s in $DATABASE_DIR"
}

stop_one() {
  local pid=$1 signal=$2 tick
  [ -n "$pid" ] && kill -"$signal" "$pid" 2>/dev/null || return 0
  for tick in $(seq 100); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
}

# Keeps the servers' logs of a failed run and shows their ends.
keep_database_logs() {
  local log name
  for log in "$DATABASE_DIR"/*/server.log; do
    [ -e "$log" ] || continue
    name=$(basename "$(dirname "$log")")
    mkdir -p "$LOG_DIR"; cp "$log" "$LOG_DIR/$name.log"
    printf '\n--- the end of %s\n' "$LOG_DIR/$name.log"; tail -n 10 "$log"
  done
}

stop_databases() {
  [ -n "$DATABASE_DIR" ] || return 0
  stop_one "$postgres_pid" INT # a "fast" shutdown: does not wait for clients
  stop_one "$mariadb_pid" TERM
  rm -rf "$DATABASE_DIR"
}

TEST_VARIABLES=(ABACA_TEST_POSTGRES_URL ABACA_TEST_MARIADB_URL ABACA_TEST_PYTHON ABACA_TEST_OPENSTACK)

# The URLs are there only while the servers are up.
export_test_environment() {
  ABACA_TEST_PYTHON=$VENV/bin/python
  ABACA_TEST_OPENSTACK=$VENV/bin/openstack
  export "${TEST_VARIABLES[@]}"
}

# with_databases [COMMAND...]: the user's shell, or a command, with the environment set.
with_databases() {
  [ $# != 0 ] || { set -- "${SHELL:-bash}"; note "exit the shell to stop the databases"; }
  trap '' INT # Ctrl-C belongs to the command
  "$@"
}

# hold_databases FILE: writes the exports to FILE and waits until a signal comes or a server ends.
hold_databases() {
  mkdir -p "$(dirname "$1")"
  ( umask 077; for name in "${TEST_VARIABLES[@]}"; do printf 'export %s=%q\n' "$name" "${!name}"; done >"$1" )
  heading "up until Ctrl-C; in another terminal: . $1"
  wait -n "$postgres_pid" "$mariadb_pid" || true
  die "a database server ended by itself"
}
