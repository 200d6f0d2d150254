// What is typed to the programs.
#include "tests/moves/session.h"

namespace fermata::moves {

// Held within functions in C that call Lua: sort, gsub, pcall with a handler, coroutines, an
// iterator over the lines of a file that is open. Errors are thrown through frames that were
// restored.
Typed LuaSession() {
  static constexpr char kLines[] = R"(x = 40 + 2.5
=x, x // 1, 7 % -3, 1e100, 0x10p2, math.maxinteger + 1 == math.mininteger
names = {"s390x", "aarch64", "armhf", "x86-64", "riscv64"}
table.sort(names, function(a, b) io.write(a, "?", b, " ") return a < b end)
print(table.concat(names, ","))
print((string.gsub("one two three", "%a+", function(w) print("word", w) return w:upper() end)))
print(pcall(function() print("in pcall") error({code = 7}) end))
print(xpcall(function() print("deep") string.rep() end, function(m) print("handler") return "H:" .. m end))
function nest(n) if n == 0 then print("bottom") error("up we go", 0) end local ok, e = pcall(nest, n - 1) print(n, ok, e) error(e, 0) end
print(pcall(nest, 6))
co = coroutine.wrap(function(a) for i = 1, 3 do print("yield", a) a = coroutine.yield(a * i) end return "done" end)
=co(2), co(3)
=co(4), co(5)
for line in io.lines("/w/poem") do print(#line, line) end
do local f <close> = setmetatable({}, {__close = function() print("closed") end}) print("open") end
=string.format("%.17g %a %q", 0.1, 0.1, 1 / 3), string.unpack("<i4", string.pack(">i4", 1))
=os.time() - 1000000000, os.clock() >= 0
t = setmetatable({}, {__gc = function() print("collected") end, __index = function(_, k) print("index", k) return k end})
=t.a, t[1]
t = nil collectgarbage()
for i = 1, 5 do print(i, 2 ^ i, i / 3) end
=nothing.here
os.exit(3)
)";
  return {
      {"lua", "-i"},
      kLines,
      {{"poem", "The bar holds its breath,\nthe note stays where it was,\nand then goes on.\n"}}};
}

// Held while rows are written, with the statement's cursors, sorters and triggers under way.
Typed SqliteSession() {
  static constexpr char kLines[] = R"(CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, v REAL);
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<2000)
 INSERT INTO t SELECT n, 'name'||(n*7919%1000), n*1.5 FROM c;
CREATE INDEX i1 ON t(name);
SELECT count(*), sum(v), avg(id), min(name), max(name) FROM t;
SELECT name, count(*) c FROM t GROUP BY name ORDER BY c DESC, name LIMIT 12;
SELECT a.id, b.id, a.name FROM t a JOIN t b ON a.name = b.name AND a.id < b.id WHERE a.id % 97 = 0 ORDER BY a.v * b.v DESC;
WITH RECURSIVE f(n, a, b) AS (SELECT 1, 0, 1 UNION ALL SELECT n + 1, b, a + b FROM f WHERE n < 12) SELECT n, a FROM f;
BEGIN;
DELETE FROM t WHERE id > 10;
SELECT id, printf('%.3f', v / 7), hex(name) FROM t;
ROLLBACK;
.mode column
.headers on
SELECT id, name, row_number() OVER (ORDER BY name) rn FROM t WHERE id<6;
SELECT json_extract('{"a":[1,2,{"b":"x"}]}','$.a[2].b') j, random() r, datetime('now') d;
CREATE VIRTUAL TABLE ft USING fts5(body);
INSERT INTO ft VALUES('the quick brown fox'),('lazy dogs sleep'),('quick dogs run');
SELECT rowid, body FROM ft WHERE ft MATCH 'quick' ORDER BY rank;
SELEC bad;
EXPLAIN QUERY PLAN SELECT * FROM t WHERE name='name1';
PRAGMA integrity_check;
)";
  return {{"sqlite3", ":memory:"}, kLines, {}};
}

}  // namespace fermata::moves
