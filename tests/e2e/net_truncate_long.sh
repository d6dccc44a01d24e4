#!/bin/sh
# net_truncate_long.sh - net_truncate.sh in small steps.
STEP=9 exec tests/e2e/net_truncate.sh
