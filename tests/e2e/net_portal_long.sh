#!/bin/sh
# net_portal_long.sh - net_portal.sh with a bit turned in every fifth byte or so.
TURNS=120 exec tests/e2e/net_portal.sh
