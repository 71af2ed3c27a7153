# The stages of a test run. Sourced by scripts/test.

EVERYDAY_STAGES=(fmt clippy nextest doctest)
ALL_STAGES=("${EVERYDAY_STAGES[@]}")

stage_title() {
  case $1 in
    fmt) echo "the formatting is rustfmt's" ;;
    clippy) echo "no compiler or clippy warning" ;;
    nextest) echo "unit and integration tests, on SQLite, PostgreSQL and MariaDB" ;;
    doctest) echo "the examples in the documentation" ;;
  esac
}

is_stage() { declare -F "stage_$1" >/dev/null && [ -n "$(stage_title "$1")" ]; }

describe_stages() {
  local stage
  for stage in "${ALL_STAGES[@]}"; do printf '  %-10s %s\n' "$stage" "$(stage_title "$stage")"; done
}

stage_fmt() { cargo fmt --all --check; }
stage_clippy() { cargo clippy --locked --workspace --all-targets -- -D warnings; }
stage_nextest() { cargo nextest run --locked --workspace --profile "${NEXTEST_PROFILE:-default}"; }
stage_doctest() { cargo test --locked --workspace --doc; }
