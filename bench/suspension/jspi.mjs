// Suspend + resume in V8 by JSPI (JavaScript Promise Integration): the guest of guest.c awaits a promise that
// is resolved already, again and again. Prints ns a round trip, by depth, as JSON; {} without JSPI.
//
//   node [--experimental-wasm-jspi] jspi.mjs roundtrip.wasm
import { readFileSync } from 'node:fs';

const figures = {};
if (WebAssembly.Suspending) {
  const module = new WebAssembly.Module(readFileSync(process.argv[2]));
  const resolved = Promise.resolve(1);
  const measure = async (depth, times) => {
    let left = times;
    const rare = new WebAssembly.Suspending(() => (left-- > 0 ? resolved : 0));
    const instance = new WebAssembly.Instance(module, { env: { rare } });
    const hold = WebAssembly.promising(instance.exports.hold);
    const start = process.hrtime.bigint();
    await hold(depth);
    return Number(process.hrtime.bigint() - start) / times;
  };
  for (const depth of [1, 10, 100, 1000, 10000]) {
    try {
      await measure(depth, 10000);  // compiled and warm
      let least = Infinity;
      for (let round = 0; round < 5; round++) least = Math.min(least, await measure(depth, 50000));
      figures[depth] = least;
    } catch (error) {  // a stack too deep for it
      console.error(`depth ${depth}: ${error.message}`);
    }
  }
}
console.log(JSON.stringify(figures));
