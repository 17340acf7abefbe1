#!/bin/sh
# After the Debian package was removed or purged. What dpcap switched on elsewhere, and has to undo, is in its journal:
# removing leaves it, purging says what goes with it. dpkg says where the system is (DPKG_ROOT).
set -e
state=${DPKG_ROOT-}/var/lib/dpcap

# Prints what the entries of the journal are about.
subjects() {
  for entry in "$state"/journal/*.json; do
    [ ! -e "$entry" ] || sed -n 's/.*"subject":"\([^"]*\)".*/  \1/p' "$entry"
  done
}

case $1 in
  remove)
    open=$(subjects)
    [ -z "$open" ] || printf 'dpcap: not undone yet (install it again, then: dpcap recover):\n%s\n' "$open" >&2
    ;;
  purge)
    open=$(subjects)
    [ -z "$open" ] || printf 'dpcap: these were never undone, and are forgotten now:\n%s\n' "$open" >&2
    rm -rf "$state"
    ;;
esac
