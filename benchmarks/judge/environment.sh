# What benchmarks that judge on real histories need: data, the worker's Python in CV_PYTHON, one thread. Set `root` before.
# shellcheck shell=bash disable=SC2154
"$root/script/bootstrap" --worker --data >/dev/null
# shellcheck source=script/lib/env.sh
source "$root/script/lib/env.sh"
if [[ -z ${CV_SHARED_DATA-} ]]; then
    # Beside this checkout, or beside the one that this is a worktree of.
    main=$(git -C "$root" rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || main=$root/.git
    for folder in "$root/../shared/data" "$main/../../shared/data"; do
        if [[ -d $folder ]]; then
            CV_SHARED_DATA=$(cd -- "$folder" && pwd)
            break
        fi
    done
fi
export CV_DATA CV_CLASSICAL_PYTHON CV_SHARED_DATA=${CV_SHARED_DATA-}
# One thread each: more of them only wait for one another beside other processes.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
export PYTHONPATH=$root PYTHONDONTWRITEBYTECODE=1
cd "$root"
