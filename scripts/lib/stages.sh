# The stages of a test run, in order. Sourced by scripts/test.

EVERYDAY_STAGES=(fmt clippy docs deny routes nextest doctest)
ALL_STAGES=("${EVERYDAY_STAGES[@]}" databases policy faults release keystone client openapi conformance)
# Not part of a whole run, and started by nothing else: for who changes what the API answers.
NAMED_STAGES=(compare)

stage_title() {
  case $1 in
    fmt) echo "the formatting is rustfmt's" ;;
    clippy) echo "no compiler or clippy warning" ;;
    docs) echo "the documentation builds, no broken link" ;;
    deny) echo "licences, bans and sources of all dependencies (deny.toml)" ;;
    routes) echo "the comparison with the reference has requests for every route (tests/conformance/compare)" ;;
    nextest) echo "unit and integration tests; those at the HTTP boundary on SQLite" ;;
    doctest) echo "the examples in the documentation" ;;
    databases) echo "the tests at the HTTP boundary again, on PostgreSQL and on MariaDB" ;;
    policy) echo "the policy engine against oslo.policy on 10,000 random cases" ;;
    faults) echo "the process killed at every step, failing backends, resets in the middle" ;;
    release) echo "the release build" ;;
    keystone) echo "tokens of a real Keystone, killed and restarted under load (tests/keystone)" ;;
    client) echo "the released clients: openstack (tests/openstack_client), openstacksdk and the bindings (tests/python_clients)" ;;
    openapi) echo "whatever schemathesis makes of the OpenAPI document (tests/schemathesis)" ;;
    conformance) echo "the public test suite of the API, with a real Keystone (tests/conformance)" ;;
    compare) echo "thousands of requests to Abaca and to the reference, answers compared (tests/conformance/compare)" ;;
  esac
}

is_stage() { declare -F "stage_$1" >/dev/null && [ -n "$(stage_title "$1")" ]; }

# need_databases STAGE...: whether one of them runs tests against PostgreSQL and MariaDB.
need_databases() {
  local stage
  for stage in "$@"; do
    case $stage in nextest | databases | faults | conformance | compare) return 0 ;; esac
  done
  return 1
}

describe_stages() {
  local stage
  for stage in "${ALL_STAGES[@]}"; do printf '  %-11s %s\n' "$stage" "$(stage_title "$stage")"; done
  for stage in "${NAMED_STAGES[@]}"; do printf '  %-11s %s; only when named\n' "$stage" "$(stage_title "$stage")"; done
}

stage_fmt() { cargo fmt --all --check; }

stage_clippy() { cargo clippy --locked --workspace --all-targets -- -D warnings; }

stage_docs() {
  RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items
}

stage_deny() {
  install_cargo_deny
  "$TOOLS_DIR/bin/cargo-deny" --locked check --hide-inclusion-graph licenses bans sources
}

stage_routes() { python3 tests/conformance/compare/compare.py --list >/dev/null; }

# with_btrfs FILTERSET: without the tests that mount file systems of their own where that can't be: all of
# them without root, those of the btrfs backend without a kernel with btrfs.
with_btrfs() {
  local tests
  if [ "$(id -u)" != 0 ]; then
    tests='/^(btrfs|file_systems|ordinary_user)::/'
  elif ! { grep -qw btrfs /proc/filesystems || modprobe -q btrfs 2>/dev/null; }; then
    tests='/^btrfs::|^file_systems::reflinks_on_btrfs$/'
  else
    printf '%s' "$1"
    return
  fi
  [ -z "${CI:-}" ] || die "the tests $tests need root and a kernel with btrfs; CI must not go without"
  note "SKIPPED: the tests $tests; they need root and a kernel with btrfs" >&2
  printf '(%s) & not test(%s)' "$1" "$tests"
}

run_tests() { cargo nextest run --locked --workspace --profile "${NEXTEST_PROFILE:-default}" "$@"; }

# The snapshots (insta) that no test asked for are found by the list the tests write.
stage_nextest() {
  local references=$ROOT/target/referenced-snapshots unreferenced database filter
  filter=$(with_btrfs 'default()') || return 1
  rm -f "$references"; touch "$references"
  INSTA_SNAPSHOT_REFERENCES_FILE=$references ABACA_TEST_POLICY_CASES=500 run_tests --filterset "$filter"
  unreferenced=$(comm -23 <(git ls-files '*.snap' | sed "s,^,$ROOT/," | sort) <(sort -u "$references"))
  [ -z "$unreferenced" ] || { printf 'snapshots that no test uses:\n%s\n' "$unreferenced"; return 1; }
}

# Without the walks through all microversions and callers, which tell of bodies and of the policy.
stage_databases() {
  local status=0 database
  for database in postgres mariadb; do
    note "on $database"
    ABACA_TEST_DATABASE=$database run_tests \
      --filterset 'binary_id(abaca::it) & not test(/each_version|of_a_version|everybody_gets/)' || status=1
  done
  return $status
}

stage_policy() { ABACA_TEST_POLICY_CASES=10000 run_tests --filterset 'binary_id(abaca::policy)'; }

# These tests wait for processes, leases and repetitions more than they compute.
stage_faults() {
  local filter
  filter=$(with_btrfs 'binary_id(abaca::faults) | (binary_id(abaca-drivers::it) & test(/^btrfs::kills::/))') || return 1
  run_tests --ignore-default-filter --test-threads "$((2 * $(nproc)))" --filterset "$filter"
}

stage_doctest() { cargo test --locked --workspace --doc; }

stage_release() { cargo build --locked --release --package abaca; }

# client_tests FOLDER: those of one client; what they say is printed at their end, in one piece.
client_tests() {
  local status=0
  ABACA_TEST_BINARY=$ROOT/target/release/abaca ABACA_TEST_KEYSTONE=$TOOLS_DIR/keystone \
    "$ABACA_TEST_PYTHON" -m unittest discover --verbose --start-directory "tests/$1" \
    >"$LOG_DIR/$1.log" 2>&1 || status=$?
  note "tests/$1"; cat "$LOG_DIR/$1.log"
  return $status
}

# Side by side: they wait as much as they work.
stage_client() {
  local status=0 other
  stage_release
  install_venv keystone tests/keystone/requirements.txt
  mkdir -p "$LOG_DIR"
  client_tests openstack_client & other=$!
  client_tests python_clients || status=1
  wait "$other" || status=1
  return $status
}

stage_keystone() {
  install_venv keystone tests/keystone/requirements.txt
  stage_release
  ABACA_TEST_BINARY=$ROOT/target/release/abaca ABACA_TEST_KEYSTONE=$TOOLS_DIR/keystone \
    "$ABACA_TEST_PYTHON" -m unittest discover --verbose --start-directory tests/keystone
}

stage_openapi() {
  stage_release
  install_venv schemathesis tests/schemathesis/requirements.txt
  ABACA_TEST_BINARY=$ROOT/target/release/abaca "$TOOLS_DIR/schemathesis/bin/python" tests/schemathesis/run.py
}

stage_conformance() {
  stage_release
  ABACA_TEST_BINARY=$ROOT/target/release/abaca tests/conformance/run
}

stage_compare() {
  stage_release
  ABACA_TEST_BINARY=$ROOT/target/release/abaca tests/conformance/compare/run
}
