# Sourced by the scripts here. What is set, as compose reads it.

# The value of a variable: in the environment, in .env, or another one.
setting() {
    eval "value=\${$1:-}"
    [ -n "$value" ] || [ ! -f .env ] ||
        value=$(sed -n "s/^$1=//p" .env | tail -n 1 | sed "s/^\(['\"]\)\(.*\)\1\$/\2/")
    echo "${value:-$2}"
}
