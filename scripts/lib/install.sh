# Installs what the tests need and is not there. Sourced by scripts/test.

TOOLS_DIR=${ABACA_TEST_TOOLS_DIR:-$ROOT/target/test-tools}
VENV=$TOOLS_DIR/venv

# command (or pattern of its path) -> Debian package that brings it
NEEDED_COMMANDS=(
  '/usr/lib/postgresql/*/bin/initdb=postgresql'
  'mariadbd=mariadb-server'
  'mkfs.ext4=e2fsprogs'
  'mkfs.xfs=xfsprogs'
  'mkfs.btrfs=btrfs-progs'
  'losetup=mount'
  'openssl=openssl'
)

check_toolchain() {
  local tool
  for tool in cargo cargo-fmt cargo-clippy cargo-nextest cc python3; do
    command -v "$tool" >/dev/null || die "$tool is missing. The tests need Rust with rustfmt, clippy \
and cargo-nextest (https://nexte.st), a C compiler and Python 3.11 or later."
  done
}

missing_packages() {
  local entry pattern
  for entry in "${NEEDED_COMMANDS[@]}"; do
    pattern=${entry%%=*}
    # The file system tools live in sbin, which is not on everybody's PATH.
    PATH=$PATH:/usr/sbin:/sbin command -v "$pattern" >/dev/null || compgen -G "$pattern" >/dev/null || printf '%s\n' "${entry#*=}"
  done
  python3 -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv\n'
}

apt() { apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null >>"$LOG_DIR/apt.log" 2>&1; }

# dpkg must start no daemon and make no cluster: the tests run servers of their own.
install_packages() {
  local packages=("$@") policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf
  local made_policy= made_cluster= status=0
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    die "missing: ${packages[*]} (names of Debian packages). As root on Debian or Ubuntu this script \
installs them by itself; otherwise install them and start it again."
  fi
  heading "installing ${packages[*]}"
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made_policy=1; }
  if [ ! -e "$cluster" ]; then
    mkdir -p "${cluster%/*}"; echo 'create_main_cluster = false' >"$cluster"; made_cluster=1
  fi
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p "$LOG_DIR"; : >"$LOG_DIR/apt.log"
  apt update || note "apt-get update was not complete; going on"
  try_thrice apt install -y --no-install-recommends "${packages[@]}" || status=$?
  [ -z "$made_policy" ] || rm -f "$policy"
  [ -z "$made_cluster" ] || rm -f "$cluster"
  [ "$status" = 0 ] || { tail -n 40 "$LOG_DIR/apt.log"; die "apt-get could not install ${packages[*]}: $LOG_DIR/apt.log"; }
}

# install_venv NAME LIST: a virtual environment below the tools, made anew whenever its pinned list
# changes.
install_venv() {
  local venv=$TOOLS_DIR/$1 list=$2 stamp=$TOOLS_DIR/$1.installed
  cmp -s "$list" "$stamp" && "$venv/bin/python" -c '' 2>/dev/null && return
  heading "installing the Python packages of $list"
  rm -rf "$venv" "$stamp"; mkdir -p "$TOOLS_DIR"
  python3 -m venv "$venv"
  try_thrice "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$list" \
    || die "pip could not install $list; its output is above"
  cp "$list" "$stamp"
}

# Built by cargo without optimisation: that takes a minute, and its run three seconds either way.
CARGO_DENY_VERSION=0.20.2

install_cargo_deny() {
  local tool=$TOOLS_DIR/bin/cargo-deny
  [ "$("$tool" --version 2>/dev/null)" = "cargo-deny $CARGO_DENY_VERSION" ] && return
  note "building cargo-deny $CARGO_DENY_VERSION"
  CARGO_PROFILE_DEV_DEBUG=0 try_thrice cargo install --quiet --locked --debug --no-default-features \
    --root "$TOOLS_DIR" --version "$CARGO_DENY_VERSION" cargo-deny
}

install_everything() {
  local packages
  packages=$(missing_packages | sort -u)
  # shellcheck disable=SC2086 # one word a package
  [ -z "$packages" ] || install_packages $packages
  install_venv venv tests/requirements.txt
}
