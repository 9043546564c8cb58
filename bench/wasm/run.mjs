// Loads the module, takes the times, says whether the target is met.
// node run.mjs MODULE.wasm [--quick]
import { readFile } from "node:fs/promises";

const [path, ...flags] = process.argv.slice(2);
const quick = flags.includes("--quick");
const bytes = await readFile(path);
const { instance } = await WebAssembly.instantiate(bytes, {});
const ward = instance.exports;
const rounds = quick ? 2 : 10;
const courses = [
  { name: "make a record", run: ward.make, count: 512, target: null },
  { name: "seal the envelope of a record", run: ward.seal, count: 512, target: null },
  { name: "verify both signatures and open, batches of 64", run: ward.open, count: 1024, target: 2500 },
].map((course) => ({ ...course, count: quick ? 64 : course.count, best: Infinity }));

console.log(`node ${process.version}, module ${(bytes.length / 1024).toFixed(0)} KiB, envelope ${ward.prepare()} bytes`);
let failed = false;
for (let round = 0; round < rounds; round++) {
  for (const course of courses) {
    const before = process.cpuUsage();
    const done = course.run(course.count);
    const { user, system } = process.cpuUsage(before);
    if (done !== course.count) {
      console.log(`FAILED ${course.name}: ${done} of ${course.count}`);
      failed = true;
    }
    course.best = Math.min(course.best, (user + system) / course.count);
  }
}
for (const { name, best, target } of courses) {
  const perSecond = 1e6 / best;
  const word = target === null || perSecond >= target ? "met   " : "MISSED";
  const wanted = target === null ? "none" : `>= ${target} /s`;
  console.log(`  ${word} ${name}: ${best.toFixed(1)} µs, ${perSecond.toFixed(0)} /s (target ${wanted})`);
}
process.exit(failed ? 1 : 0);
