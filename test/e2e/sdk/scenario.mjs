// What the scripts share: a script reads lines {"scenario", "baseURL"} from its input, plays each scenario against the API at
// that place, which it finds in OPENAI_BASE_URL as any program with an SDK does, and writes what the SDK made of the answers
// as a line of JSON.
import { createInterface } from 'node:readline';

/** play plays the scenarios that are asked for, one after the other. */
export async function play(scenarios) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { scenario, baseURL } = JSON.parse(line);
    process.env.OPENAI_BASE_URL = baseURL;
    const result = await scenarios[scenario]();
    await hangUp();
    process.stdout.write(JSON.stringify(result) + '\n');
  }
}

/**
 * hangUp closes the connections of fetch. After a request that was broken off one of them is a spare one that was never used,
 * and a server that is told to end gives such a connection five seconds.
 */
async function hangUp() {
  const dispatcher = Symbol.for('undici.globalDispatcher.1');
  const agent = globalThis[dispatcher];
  if (!agent) return;
  globalThis[dispatcher] = new agent.constructor();
  await agent.destroy();
}

/** attempt returns what promise fails with, as far as a program can see it, or its value. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (e) {
    return failure(e);
  }
}

/** failure is what an error of the SDK tells. Causes differ where a connection broke, since there are two of them then. */
export function failure(e) {
  const { name, status, code, type, param, requestID, message } = e;
  return { failed: e.constructor.name, name, status, code, type, param, requestID, message };
}

/** collect reads a stream to its end and returns its events, the error at its end included. */
export async function collect(stream) {
  const events = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (e) {
    events.push(failure(e));
  }
  return events;
}

/** answered is the answer with its status and headers. The date and what belongs to one connection is left out. */
export async function answered(promise) {
  const { data, response } = await promise.withResponse();
  const headers = Object.fromEntries(response.headers);
  for (const name of ['connection', 'date', 'keep-alive', 'transfer-encoding']) delete headers[name];
  return { data: Symbol.asyncIterator in data ? await collect(data) : data, status: response.status, headers };
}
