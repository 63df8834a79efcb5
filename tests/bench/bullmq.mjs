// BullMQ in the place of ours: `node bullmq.mjs N SOCKET FOLDER`, where FOLDER has node_modules.
// N delayed jobs due at one moment, added in bulk, worked off by one worker in this process;
// each keeps its record. Prints one JSON object.
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

const [count, path, folder] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const { Queue, Worker } = createRequire(folder + "/")("bullmq");
const [CONCURRENCY, BULK, LEAD_MS] = [100, 1000, 4000];
const connection = { path, maxRetriesPerRequest: null };
const queue = new Queue("due", { connection });

const began = performance.now();
const at = Date.now() + LEAD_MS + count / 5;
for (let first = 0; first < count; first += BULK) {
  const jobs = [];
  for (let number = first; number < Math.min(count, first + BULK); number += 1) {
    const opts = { jobId: `j${number}`, delay: Math.max(0, at - Date.now()) };
    jobs.push({ name: "due", data: {}, opts });
  }
  await queue.addBulk(jobs);
}
const added = performance.now() - began;

let [started, recorded, fired] = [0, 0, 0];
const ended = new Promise((resolve) => {
  const work = async () => {
    started += 1;
    if (started === count) fired = performance.now();
  };
  const worker = new Worker("due", work, { connection, concurrency: CONCURRENCY });
  worker.on("completed", () => {
    recorded += 1;
    if (recorded === count) resolve(worker);
  });
});
await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
const [due, cpu] = [performance.now(), process.cpuUsage()];
const worker = await ended;
const [done, used] = [performance.now(), process.cpuUsage(cpu)];
console.log(
  JSON.stringify({
    adds_s: count / (added / 1000),
    fires_s: count / ((fired - due) / 1000),
    records_s: count / ((done - due) / 1000),
    cpu_us: (used.user + used.system) / count,
  }),
);
await worker.close();
await queue.close();
