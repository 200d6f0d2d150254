# Doxygen's view of a header: the comments of Fermata's headers are plain `//`, which Doxygen skips.
#
#   awk -f filter.awk HEADER
#
#  - The comment that opens a header documents the file.
#  - A comment right above a declaration, in a namespace, class or enum, documents it.
#  - A comment behind a declaration documents it too, with the lines below that continue it, and so
#    does one behind the `{` of a class.
#  - The indented blocks of these comments are code.
#  - Comments in function bodies, and those with an empty line after them, stay what they are.
#  - What is outside of our namespaces, and not a macro, is left out.
#
# The line numbers of Doxygen's messages are those of the result.

# Whether the `{` that follows this text opens a scope of declarations rather than a body.
function opens_scope(head) {
  while (gsub(/<[^<>]*>/, "", head)) {}
  gsub(/alignas\([^)]*\)/, "", head)
  return head ~ /(^|[^a-zA-Z_])(namespace|class|struct|union|enum)([^a-zA-Z_]|$)/ && head !~ /[(=]/
}

# Follows the braces of a line of code.
function follow(code,  i, c) {
  if (code ~ /^ *#/) return
  gsub(/"([^"\\]|\\.)*"/, "", code)
  gsub(/'[{}]'/, "", code)
  for (i = 1; i <= length(code); ++i) {
    c = substr(code, i, 1)
    if (c == "{") {
      scope[++depth] = opens_scope(head)
      if (!scope[depth]) ++bodies
      head = ""
    } else if (c == "}") {
      if (depth > 0 && !scope[depth]) --bodies
      if (depth > 0) --depth
      head = ""
    } else if (c == ";") {
      head = ""
    } else {
      head = head c
    }
  }
  head = head " "
}

# A comment's text, with what would be markup for Doxygen but is not meant to be any escaped; what is
# between quotation marks or backquotes is none.
function prose(text,  out, c, i, quote) {
  for (i = 1; i <= length(text); ++i) {
    c = substr(text, i, 1)
    if (quote != "") {
      if (c == quote) quote = ""
    } else if (c == "`" || (c == "\"" && index(substr(text, i + 1), c))) {
      quote = c
    } else if (c ~ /[<>#@]/ || (c == "-" && substr(text, i, 2) == "--") ||
               (c == ":" && substr(text, i - 1, 3) ~ /^[( ]::/)) {
      out = out "\\"
      if (c ~ /[-:]/) {
        out = out c
        c = substr(text, ++i, 1)
      }
    }
    out = out c
  }
  return out
}

# Writes the comment that has been read, before a line of code or an empty line.
function flush(documents,  i, text, fenced) {
  for (i = 1; i <= count; ++i) {
    text = comment[i]
    if (!documents) {
      print indent[i] text
      continue
    }
    sub(/^\/\//, "", text)
    if (!fenced && text ~ /^   +[^ -]/ && (i == 1 || comment[i - 1] ~ /^(\/\/|.*:)$/)) {
      print indent[i] "/// ```{.cpp}"
      fenced = 1
    } else if (fenced && text ~ /^ ? ?[^ ]/) {
      print indent[i] "/// ```"
      fenced = 0
    }
    if (fenced) sub(/^   /, " ", text); else text = prose(text)
    print indent[i] "///" text
  }
  if (documents && fenced) print indent[count] "/// ```"
  count = 0
}

# The page: links to what is not part of the reference are text.
FILENAME ~ /\.md$/ {
  while (match($0, /\[[^]]*\]\(\.\.[^)]*\)/)) {
    link = substr($0, RSTART, RLENGTH)
    sub(/^\[/, "`", link)
    sub(/\].*/, "`", link)
    $0 = substr($0, 1, RSTART - 1) link substr($0, RSTART + RLENGTH)
  }
  print
  next
}
FILENAME ~ /\.dox$/ {
  print
  next
}

NR == 1 && /^\/\// { opening = 1; print "/// \\file" }

/^ *\/\// && !/\/\/ (clang-format |NOLINT)/ {
  match($0, /\/\//)
  if (behind && RSTART == behind) {
    print substr($0, 1, RSTART - 1) "///<" prose(substr($0, RSTART + 2))
    next
  }
  indent[++count] = substr($0, 1, RSTART - 1)
  comment[count] = substr($0, RSTART)
  next
}

# Enumerators that come from a table of macro calls: NAME(enumerator, code, …).
/^#define [A-Z_]+\(enumerator, code, / && depth > 0 && bodies == 0 {
  flush(0)
  name = $2
  sub(/\(.*/, "", name)
  enumerators[name] = 1
  continued = /\\$/
  next
}
continued {
  continued = /\\$/
  next
}
/^#include "fermata\/.*\.def"/ {
  flush(0)
  if (bodies > 0) next
  table = FILENAME
  sub(/fermata\/.*/, "", table)
  table = table substr($2, 2, length($2) - 2)
  while ((getline line < table) > 0) {
    split(line, words, /[(,]/)
    if (words[1] in enumerators) print "  " words[2] " =" words[3] ","
  }
  close(table)
  for (name in enumerators) delete enumerators[name]
  next
}

# Specializations of other people's templates.
depth == 0 && /^template/ { foreign = 1 }
foreign {
  flush(0)
  print ""
  if (/^};/) foreign = 0
  next
}

{
  documented = opening || (bodies == 0 && $0 !~ /^ *$/ && $0 !~ /^ *(}|#|public:|private:|protected:)/)
  flush(documented)
  opening = 0
  behind = 0
  at = match($0, /[^ ] +\/\/ /)
  code = at ? substr($0, 1, at) : $0
  if (at && bodies == 0 && code ~ /{$/ && code !~ /\(/) {
    print "///" prose(substr($0, index(substr($0, at), "//") + at + 1))
  }
  if (at && bodies == 0 && code !~ /^ *[#}]/ && code !~ /{$/ && $0 !~ /\/\/ NOLINT/) {
    behind = index(substr($0, at), "//") + at - 1
    print substr($0, 1, behind - 1) "///<" prose(substr($0, behind + 2))
  } else {
    print
  }
  follow(code)
}

END { flush(0) }
