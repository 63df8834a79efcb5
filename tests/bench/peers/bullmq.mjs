// BullMQ, asked as the others are (see asked.py): `node bullmq.mjs '{"verb": "add", ...}' FOLDER`,
// where FOLDER has node_modules. Each job keeps its record.
import { openSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

const ask = JSON.parse(process.argv[2]);
const { Queue, Worker } = createRequire(process.argv[3] + "/")("bullmq");
const [CONCURRENCY, BULK, SOON_MS] = [100, 1000, 50];
const [BEGAN, ENDED, DUE, RECORDED] = [0, 1, 2, 3];
const port = Number(ask.store.split(":").at(-1));
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const file = openSync(ask.marks, "a");
const record = Buffer.alloc(24);
const origin = process.hrtime.bigint();
const epoch = BigInt(Date.now()) * 1_000_000n;
function note(number, kind, at) {
  record.writeBigInt64LE(BigInt(number), 0);
  record.writeBigInt64LE(at ?? epoch + process.hrtime.bigint() - origin, 8);
  record.writeInt32LE(process.pid, 16);
  record.writeInt32LE(kind, 20);
  writeSync(file, record);
}

async function add() {
  const queue = new Queue("due", { connection });
  await queue.waitUntilReady();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  let jobs = [];
  for (let number = ask.first; number < ask.first + ask.count; number += 1) {
    if (ask.pause_s) await wait(ask.pause_s * 1000);
    const due = ask.pause_s
      ? Date.now() + SOON_MS
      : ask.at * 1000 + (ask.spread_s * 1000 * (number - ask.first)) / ask.count;
    if (ask.pause_s) note(number, DUE, BigInt(due) * 1_000_000n);
    const opts = { jobId: `j${number}`, delay: Math.max(0, Math.ceil(due - Date.now())) };
    if (ask.is_every) {
      const repeat = { every: 1000, startDate: new Date(due) };
      await queue.upsertJobScheduler(`j${number}`, repeat, { name: "due", data: { number } });
    } else if (!ask.is_bulk) {
      await queue.add("due", { number }, opts);
    } else {
      jobs.push({ name: "due", data: { number }, opts });
      if (jobs.length === BULK || number === ask.first + ask.count - 1) {
        await queue.addBulk(jobs);
        jobs = [];
      }
    }
  }
  const [took, used] = [performance.now() - began, process.cpuUsage(cpu)];
  const cpu_s = (used.user + used.system) / 1e6;
  console.log(JSON.stringify({ took_s: took / 1000, cpu_s }));
  await queue.close();
}

async function work() {
  let recorded = 0;
  const handler = async (job) => {
    note(job.data.number, BEGAN);
    if (ask.work_s) {
      await wait(ask.work_s * 1000);
      note(job.data.number, ENDED);
    }
  };
  const options = { connection, concurrency: CONCURRENCY };
  if (ask.work_s) Object.assign(options, { lockDuration: 5000, stalledInterval: 5000 });
  const worker = new Worker("due", handler, options);
  worker.on("completed", () => {
    recorded += 1;
    if (recorded === ask.total) note(-1, RECORDED);
  });
  await worker.waitUntilReady();
  console.log("ready");
}

await (ask.verb === "add" ? add() : work());
