# Headings, times and the summary of a run. Sourced by scripts/test.

LOG_DIR=$ROOT/target/test-logs

heading() { printf '\n=== %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() { printf 'scripts/test: %s\n' "$*" >&2; exit 1; }

# try_thrice COMMAND...: registries and mirrors fail now and then.
try_thrice() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    [ "$attempt" = 3 ] || { note "failed, again in $((attempt * 10)) s: $*"; sleep $((attempt * 10)); }
  done
  return 1
}

stage_pid=
stage_status=

# A stage is a job in its own process group, so that a signal to this script ends all of it. The
# result is left in stage_status: to ask for it by `if` or `||` would switch off the stage's set -e.
run_one_stage() {
  set -m
  ( set -e; "stage_$1" ) </dev/null &
  stage_pid=$!
  set +m +e
  wait "$stage_pid"
  stage_status=$?
  set -e
  stage_pid=
}

# A gate that cannot fail is none.
stage_that_fails() { false; true; }
check_that_stages_fail() {
  run_one_stage that_fails
  [ "$stage_status" != 0 ] || die "a stage whose first command fails does not fail"
}

end_stage() {
  [ -n "$stage_pid" ] || return 0
  kill -TERM -- "-$stage_pid" 2>/dev/null || return 0
  local tick
  for tick in $(seq 100); do kill -0 -- "-$stage_pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL -- "-$stage_pid" 2>/dev/null || true
}

# run_stages STAGE...: all of them, then the table; fails if one failed.
run_stages() {
  local stage began took failed=() table=()
  check_that_stages_fail
  for stage in "$@"; do
    heading "$stage: $(stage_title "$stage")"
    began=$SECONDS
    run_one_stage "$stage"
    took=$((SECONDS - began))
    if [ "$stage_status" = 0 ]; then
      table+=("$(printf '%-10s ok      %5d s' "$stage" "$took")")
    else
      table+=("$(printf '%-10s FAILED  %5d s' "$stage" "$took")")
      failed+=("$stage")
    fi
    note "$stage took $took s"
  done
  heading "summary"
  printf '    %s\n' "${table[@]}" "$(printf '%-10s         %5d s' 'all' "$SECONDS")"
  [ ${#failed[@]} = 0 ] || { printf '\nFAILED: %s\n' "${failed[*]}"; return 1; }
  printf '\nAll stages passed.\n'
}
