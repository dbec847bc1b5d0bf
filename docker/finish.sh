# Makes an installed folder small, quick to start, and the same at each build.
#
#   sh finish.sh FOLDER
set -eu
cd "$1"/lib/python3*/site-packages

# Headers, compilers, test programs and their data: a fifth of the wheels. PyTorch's import looks
# for torch_shm_manager. PyArrow's clients of Flight and S3 are imported by those who want them.
rm -rf torch/include torch/share torch/test torch/lib/*_test.so onnx/backend/test \
    pyarrow/include pyarrow/src pyarrow/tests pyarrow/*flight* pyarrow/*s3*
find . -path './torch/bin/*' ! -name torch_shm_manager -delete
find . -path './sympy/*/tests*' -delete -o -path './networkx/*/tests*' -delete

# The root is read-only, so nothing is compiled later. What a server never imports is left out; an
# image does not change, so no source is compared with what was compiled of it.
python3 -m compileall -q -j 1 --invalidation-mode unchecked-hash \
    -x '/(mpmath|networkx|setuptools|sympy|torch/_inductor|torch/testing/_internal)/' "$PWD"

find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
