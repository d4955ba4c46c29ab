#!/usr/bin/env bash
# The viewer in a headless Chromium, before a host with the official AppBridge. pytest runs none of this.
# Arguments go to `node --test`: tests/viewer/browser.sh --test-name-pattern="cancels"
set -Eeuo pipefail

# shellcheck source=setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$viewer_tests/host"
# Both files at once: they mostly wait, and on two cores node would run one after the other.
node --test --test-concurrency=2 --test-reporter=spec --test-timeout=900000 "$@" ./*.test.js
