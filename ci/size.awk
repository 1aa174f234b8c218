# Finds functions in C that clang-format laid out: a definition begins in column 0, its body ends with a
# "}" there. Prints "f FILE LINE NAME LINES INPUTS PARAMETERS" for each, "c FILE LINES" for each file.
# INPUTS: parameters without ret*, reterr and "..."; a callback and its userdata count once, so do an
# array and its length.
function count_parameters(sig,    s, depth, i, c, one) {
        s = substr(sig, index(sig, "(") + 1)
        n_in = n_all = depth = 0
        one = ""
        for (i = 1; i <= length(s); i++) {
                c = substr(s, i, 1)
                if (c == "(") depth++
                if (c == ")" && depth-- == 0) break
                if (c == "," && depth == 0) { parameter(one); one = "" } else one = one c
        }
        if (one !~ /^[ \t]*(void)?[ \t]*$/) parameter(one)
}
function parameter(p) {
        n_all++
        if (p ~ /size_t (n|size|n_[a-z_]*)[ ]*$/) return
        if (p ~ /^ *[.][.][.]/ || p ~ /[ *]userdata[ ]*$/ || p ~ /[ *](ret|reterr|ret_[a-z0-9_]*)(\[\])?[ ]*$/) return
        n_in++
}
FNR == 1 {
        if (file != "") print "c", file, last
        file = FILENAME
        sig = ""; in_body = 0
}
{ last = FNR }
in_body {
        if (/^}/) {
                count_parameters(sig)
                print "f", file, start, name, FNR - start + 1, n_in, n_all
                in_body = 0
                sig = ""
        }
        next
}
/^[A-Za-z_]/ && !/^(typedef|extern|#)/ && !/^[A-Za-z_]+:$/ { sig = ""; start = FNR }
/^[#\/}]/ || /;[ \t]*$/ { sig = ""; next }
/^[A-Za-z_ ]/ {
        if (sig != "" || (start == FNR)) sig = sig " " $0
        if (sig ~ /\) \{[ \t]*$/ && sig !~ /=/) {
                name = sig
                sub(/\(.*/, "", name)
                sub(/.*[ *]/, "", name)
                in_body = 1
        } else if (sig ~ /\{[ \t]*$/) sig = ""
}
END { if (file != "") print "c", file, last }
