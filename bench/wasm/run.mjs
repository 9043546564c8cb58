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

// What one answer costs in a large form. CPU time of the process; that of one call is read around it.
const cpuMicros = (work) => {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [user + system, result];
};
for (const kind of [0, 1]) {
  const [opening, items] = cpuMicros(() => ward.open_form(kind));
  const answers = quick ? 50 : 4000;
  for (let warm = 0; warm < answers / 4; warm++) ward.answer_one();
  const times = [];
  for (let done = 0; done < answers; done++) {
    const [time, taken] = cpuMicros(ward.answer_one);
    if (taken !== 1) failed = true;
    times.push(time);
  }
  times.sort((left, right) => left - right);
  const [again, same] = cpuMicros(ward.form_again);
  if (same !== 1) failed = true;
  const at = (share) => times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)];
  const word = at(0.99) < 5000 ? "met   " : "MISSED";
  console.log(`  ${word} one answer in a form of ${items} items: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs, most ${at(1)} µs (target p99 < 5 ms)`);
  console.log(`         opened in ${(opening / 1000).toFixed(0)} ms, evaluated from scratch in ${(again / 1000).toFixed(1)} ms, memory of the module ${(ward.memory.buffer.byteLength / 1048576).toFixed(1)} MiB`);
}
if (failed) console.log("FAILED: an answer was not taken, or a form evaluated from scratch says something else");
process.exit(failed ? 1 : 0);
