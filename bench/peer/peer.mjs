// The peer's side of bench/peer/run.py: one scenario on llama.cpp, as the npm package node-llama-cpp ships it.
// usage: node peer.mjs FOLDER_WITH_NODE_MODULES '{"model": FILE, "scenario": NAME, …}'     Prints one JSON object.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [modules, text] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), "package.json"));
const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const job = JSON.parse(text);

const llama = await getLlama({ gpu: false, build: "never", progressLogs: false, logLevel: "error", maxThreads: job.threads });
const began = performance.now();
const model = await llama.loadModel({ modelPath: job.model });
const load = (performance.now() - began) / 1e3;

let state = 12345n; // SplitMix64: random tokens, none of the special ones at the end of the vocabulary
const mask = (1n << 64n) - 1n;
function draw() {
  state = (state + 0x9e3779b97f4a7c15n) & mask;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return Number((z ^ (z >> 31n)) % 150000n);
}
const tokens = (count) => Array.from({ length: count }, draw);
const now = () => performance.now() / 1e3;

async function context(sequences, size) {
  return model.createContext({ sequences, contextSize: size, batchSize: 512, threads: job.threads });
}

// Generates greedily; returns the times of the tokens.
async function generate(sequence, prompt, count) {
  const times = [];
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    times.push(now());
    if (times.length >= count) break;
  }
  return times;
}

const scenarios = {
  async prefill() {
    const sequence = (await context(1, job.prompt + 64)).getSequence();
    return async () => {
      await sequence.clearHistory();
      const prompt = tokens(job.prompt), start = now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      return job.prompt / (now() - start);
    };
  },
  async decode() {
    const sequence = (await context(1, 64 + job.tokens)).getSequence();
    return async () => {
      await sequence.clearHistory();
      const times = await generate(sequence, tokens(16), job.tokens);
      return (times.length - 1) / (times.at(-1) - times[0]);
    };
  },
  async batch() {
    const shared = await context(job.batch, 64 + job.tokens);
    const sequences = Array.from({ length: job.batch }, () => shared.getSequence());
    return async () => {
      for (const s of sequences) await s.clearHistory();
      const start = now();
      const all = await Promise.all(sequences.map((s) => generate(s, tokens(16), job.tokens)));
      return all.flat().length / (now() - start);
    };
  },
  // Forks of one prefix with the prompt cache: one sequence, which keeps what its prompts have in common.
  async fork() {
    const sequence = (await context(1, job.prefix + 64 + job.fork_tokens)).getSequence();
    return async () => {
      await sequence.clearHistory();
      const prefix = tokens(job.prefix), start = now();
      let made = 0;
      await sequence.evaluateWithoutGeneratingNewTokens(prefix);
      for (let i = 0; i < job.forks; ++i) {
        await sequence.eraseContextTokenRanges([{ start: prefix.length, end: sequence.nextTokenIndex }]);
        made += (await generate(sequence, tokens(16), job.fork_tokens)).length;
      }
      return made / (now() - start);
    };
  },
};

const run = await (scenarios[job.scenario] ?? (() => { throw new Error(`no scenario ${job.scenario}`); }))();
for (let i = 0; i < job.warmup; ++i) await run();
const values = [];
for (let i = 0; i < job.repeat; ++i) values.push(await run());
const peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
console.log(JSON.stringify({ load_seconds: load, peak_bytes: peak, values }));
process.exit(0);
