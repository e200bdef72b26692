// BullMQ: `node bullmq.mjs SOCKET JOBS CONCURRENCY` adds the jobs in bulk, lets one worker process them, and prints
// the seconds of both as JSON.  A job does nothing; that it was completed is kept, as is BullMQ's default.
import { Queue, Worker } from "bullmq";

const [socket, jobs, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const bulk = 1000;
const connection = { path: socket, maxRetriesPerRequest: null };
const now = () => performance.now() / 1000;

const add = async (queue, count) => {
  for (let first = 0; first < count; first += bulk) {
    const names = Array.from({ length: Math.min(bulk, count - first) }, (_, n) => first + n);
    await queue.addBulk(names.map((n) => ({ name: "noop", data: { recipient: n } })));
  }
};

const drain = (name, count) =>
  new Promise((resolve, reject) => {
    let done = 0;
    const worker = new Worker(name, async () => null, { connection, concurrency, autorun: false });
    worker.on("error", reject);
    worker.on("completed", () => {
      done += 1;
      if (done === count) resolve(worker);
    });
    worker.waitUntilReady().then(() => worker.run()).catch(reject);
  });

const once = async (name, count) => {
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  const began = now();
  await add(queue, count);
  const added = now();
  const worker = await drain(name, count);
  const ended = now();
  const kept = await queue.getCompletedCount();
  await worker.close();
  await queue.close();
  return { added: added - began, processed: ended - added, kept };
};

await once("warm", Math.min(1000, jobs));
console.log(JSON.stringify(await once("bench", jobs)));
process.exit(0);
