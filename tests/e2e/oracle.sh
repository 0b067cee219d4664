#!/bin/sh
# Captured stacks equal libgcc's at every instruction of a dozen awkward scenes; see tests/preload/oracle.h.
. "$(dirname "$0")/lib.sh"
# Inside libunwind's own locks only KILL ends it.
timeout -s KILL 240 "$root/build/tests/oracle"
