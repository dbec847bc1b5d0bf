# Lines NAME SHA256 → a map of nginx from hashes to names; says what is wrong with which line.

function fail(words) {
    print "proxy: " file ", line " NR ": " words | "cat >&2"
    failed = 1
}

BEGIN {
    print "map $key_hash $client {"
    print "    default \"\";"
}

{
    sub(/\r$/, "")
    sub(/(^|[ \t])#.*/, "")
}

NF == 0 { next }

NF != 2 {
    fail("must be NAME SHA256")
    next
}

$1 !~ /^[A-Za-z0-9._-]+$/ || length($1) > 64 {
    fail("a name has up to 64 letters, digits and ._-")
    next
}

$2 !~ /^[0-9a-f]+$/ || length($2) != 64 {
    # Not quoted: it may be the key itself.
    fail("what follows " $1 " is no SHA-256 in 64 small hexadecimal digits")
    next
}

$1 in names {
    fail("there is " $1 " in line " names[$1] " already")
    next
}

$2 in hashes {
    fail("it is the same key as in line " hashes[$2])
    next
}

{
    names[$1] = hashes[$2] = NR
    print "    \"" $2 "\" \"" $1 "\";"
}

END {
    print "}"
    exit failed
}
