// Carries out plans (subject.h) with the WebAssembly engine of Node and writes their logs (log.h).
//
//   node v8.mjs PLANS.json     a list of plans; for each a file PATH.v8.log beside PATH
//
// A module that the engine refuses gets a log of one line, "refused: " and why.
import { readFileSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";

const mask = 0xffffffffffffffffn;

// As TrapKind in log.h.
function kindOfTrap(error) {
  if (error instanceof RangeError && /call stack/.test(error.message)) return "stack";
  if (error instanceof WebAssembly.Exception) return "exception";
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  const message = error.message;
  const kinds = [
    [/unreachable/, "unreachable"],
    [/^memory access out of bounds|data segment|^offset is out of bounds/, "memory"],
    [/table.*out of bounds|element segment/, "table"],
    [/divide by zero|remainder by zero/, "zero"],
    [/unrepresentable/, "range"],
    [/signature mismatch/, "callee"],
    [/null/, "null"],
    [/unaligned/, "unaligned"],
    [/Atomics.wait/, "wait"],
    [/illegal cast/, "cast"],
    [/array.*out of bounds/, "array"],
    [/array is too large/, "stack"],
  ];
  for (const [pattern, kind] of kinds) if (pattern.test(message)) return kind;
  return `other (${message})`;
}

const isReference = (letter) => !"iIfFV".includes(letter);

// The text of integers that stand for values of these types; see Words in log.h.
function words(types, values) {
  let text = "", at = 0;
  const next = () => {
    const value = values[at++];
    return typeof value === "bigint" ? value & mask : BigInt(value >>> 0);
  };
  for (const letter of types) {
    const value = next();
    let shown = value.toString(16);
    if (letter === "f" && (value & 0x7fffffffn) > 0x7f800000n) shown = "nan";
    if (letter === "F" && (value & (mask >> 1n)) > 0x7ff0000000000000n) shown = "nan";
    if (letter === "V") shown += "," + next().toString(16);
    if (isReference(letter)) shown = value !== 0n ? "null" : "ref";
    text += ` ${letter}:${shown}`;
  }
  return text;
}

const integersOf = (types) =>
  [...types].flatMap((t) => (isReference(t) ? [] : t === "V" ? ["I", "I"] : [t]));

// A word (a BigInt) as an argument or result of that type.
const toJs = (letter, word) => (letter === "i" || letter === "f" ? Number(BigInt.asIntN(32, word)) : BigInt.asIntN(64, word));

const results = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

class Run {
  constructor(plan) {
    this.plan = plan;
    this.log = [];
    this.answered = 0;
  }

  // Fails for a module that the engine refuses.
  link() {
    const { plan } = this;
    const load = (suffix) => new WebAssembly.Module(readFileSync(plan.path + suffix));
    const module = load(""), host = load(".host"), wrapper = load(".wrapper");
    const js = {};
    plan.imports.forEach(([, , params, types], index) => {
      js["f" + index] = (...values) => {
        this.log.push(`  import ${index}${words(params, values)}`);
        const answer = this.answer(types);
        return answer.length < 2 ? answer[0] : answer;
      };
    });
    const provided = new WebAssembly.Instance(host, { js }).exports;
    const imports = {};
    const add = (from, name, value) => ((imports[from] ??= {})[name] = value);
    plan.imports.forEach(([from, name], index) => add(from, name, provided["f" + index]));
    plan.others.forEach(([from, name], index) => add(from, name, provided["o" + index]));
    return () => {
      this.exports = new WebAssembly.Instance(module, imports).exports;
      this.wrapped = new WebAssembly.Instance(wrapper, { m: this.exports }).exports;
    };
  }

  answer(types) {
    const list = this.plan.answers[types];
    const integers = integersOf(types);
    if (integers.length === 0) return [];
    const given = list[this.answered++ % list.length];
    return integers.map((letter, i) => toJs(letter, BigInt(given[i])));
  }

  // Returns whether to go on.
  attempt(what, prefix) {
    try {
      what();
      return true;
    } catch (error) {
      const kind = kindOfTrap(error);
      this.log.push(`${prefix}traps ${kind}`);
      return kind !== "stack" && prefix === "";
    }
  }

  state() {
    let text = "state";
    for (const name of this.plan.memories) {
      const bytes = new Uint8Array(this.exports[name].buffer);
      text += ` ${bytes.length.toString(16)}:${crc32(bytes).toString(16)}`;
    }
    for (const [name, type] of this.plan.globals) text += words(type, results(this.wrapped[name]()));
    this.log.push(text);
  }

  run() {
    const { plan } = this;
    const start = this.link();
    if (!this.attempt(start, "instantiate ")) return;
    this.log.push("instantiate ok");
    this.state();
    for (const [number, callee, ...given] of plan.calls) {
      const [name, params, types] = plan.callees[callee];
      const integers = integersOf(params);
      const values = given.map((word, at) => toJs(integers[at], BigInt(word)));
      const told = [...params].filter((t) => !isReference(t)).join("");
      this.log.push(`call ${number} ${name}${words(told, values)}`);
      const call = () => this.log.push(`returns${words(types, results(this.wrapped[name](...values)))}`);
      if (!this.attempt(call, "")) return;
      this.state();
    }
  }
}

for (const plan of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const run = new Run(plan);
  try {
    run.run();
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    run.log = [`refused: ${error.message}`];
  }
  writeFileSync(plan.path + ".v8.log", run.log.join("\n") + "\n");
}
