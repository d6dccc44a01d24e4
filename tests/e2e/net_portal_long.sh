#!/bin/sh
# net_portal_long.sh - net_portal.sh with a bit turned in every third byte or so.
TURNS=200 exec tests/e2e/net_portal.sh
