// The openai package: each scenario is what a program does with it.
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { answered, attempt, collect, failure, play } from './scenario.mjs';

const model = 'gpt-5';
const tools = [
  {
    type: 'function',
    name: 'get_weather',
    description: 'Tells the weather.',
    strict: true,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
];

/** outputs are the results of the calls in a response. */
function outputs(items) {
  return items
    .filter((item) => item.type === 'function_call')
    .map((call) => ({ type: 'function_call_output', call_id: call.call_id, output: `sunny in ${JSON.parse(call.arguments).city}` }));
}

/** first returns the events of a stream up to the first of a type, and leaves the stream there. */
async function first(stream, type) {
  const events = [];
  for await (const event of stream) {
    events.push(event);
    if (event.type === type) break;
  }
  return events;
}

/** complete asks for a response until it is one that will not change. */
async function complete(client, response) {
  const seen = [response];
  while (['queued', 'in_progress'].includes(seen.at(-1).status)) seen.push(await client.responses.retrieve(response.id));
  return seen;
}

/** converse asks twice over a WebSocket, and returns what came. */
async function converse(second) {
  const connection = new ResponsesWS(new OpenAI());
  const events = [];
  connection.send({ type: 'response.create', ...text });
  for await (const { type, message, error } of connection.stream()) {
    events.push(message ?? (error ? failure(error) : { type }));
    if (type === 'close') break;
    if (message?.type === 'response.completed' && message.response.id === 'resp_1') {
      connection.send({ type: 'response.create', ...second });
    } else if (message?.type === 'response.completed' || error) {
      connection.close();
    }
  }
  return events;
}

const text = { model, input: 'say hello' };

await play({
  create: () => answered(new OpenAI().responses.create(text)),
  stream: () => answered(new OpenAI().responses.create({ ...text, stream: true })),
  async helper() {
    const stream = new OpenAI().responses.stream({ ...text, reasoning: { effort: 'low' } });
    return { events: await collect(stream), final: await stream.finalResponse() };
  },
  async twins() {
    const client = new OpenAI();
    return [await client.responses.create(text), await client.responses.create(text)];
  },
  async keyed() {
    const client = new OpenAI();
    const seen = [];
    const ask = async (key, ...said) => {
      const input = said.map((content, i) => ({ role: i % 2 ? 'assistant' : 'user', content }));
      seen.push(await client.responses.create({ model, input, prompt_cache_key: key }));
    };
    await ask('a', 'say hello');
    await ask('b', 'say hello');
    await ask('a', 'say hello', 'Hello', 'once more');
    await ask('b', 'say hello', 'Hello', 'louder');
    return seen;
  },

  // A loop of tool calls, in the two ways to go on.
  async chain() {
    const client = new OpenAI();
    let response = await client.responses.create({ model, input: 'weather in Paris and Rome?', tools });
    const seen = [response];
    for (let input = outputs(response.output); input.length; input = outputs(response.output)) {
      response = await client.responses.create({ model, previous_response_id: response.id, input, tools });
      seen.push(response);
    }
    return seen;
  },
  async history() {
    const client = new OpenAI();
    const input = [{ role: 'user', content: 'weather in Paris and Rome?' }];
    const seen = [];
    for (;;) {
      const events = await collect(await client.responses.create({ model, input, tools, store: false, stream: true }));
      seen.push(events);
      const items = events.filter((event) => event.type === 'response.output_item.done').map((event) => event.item);
      const results = outputs(items);
      if (!results.length) return seen;
      input.push(...items, ...results);
    }
  },

  // Failures.
  retry: () => answered(new OpenAI().responses.create(text)),
  dropped: () => new OpenAI().responses.create(text),
  exhausted: () => attempt(new OpenAI({ maxRetries: 1 }).responses.create({ ...text, stream: true })),
  refused: () => attempt(new OpenAI().responses.create(text)),
  failed: async () => collect(await new OpenAI().responses.create({ ...text, stream: true })),

  cut: async () => collect(await new OpenAI().responses.create({ ...text, stream: true })),

  // Callers and clocks that give up.
  async abort() {
    const caller = new AbortController();
    const stream = await new OpenAI().responses.create({ ...text, stream: true }, { signal: caller.signal });
    const events = [];
    try {
      for await (const event of stream) {
        events.push(event);
        if (event.type === 'response.output_text.delta') caller.abort();
      }
    } catch (e) {
      events.push(failure(e));
    }
    return events;
  },
  leave: async () => first(await new OpenAI().responses.create({ ...text, stream: true }), 'response.output_text.delta'),
  timeout: () => attempt(new OpenAI({ timeout: 1500, maxRetries: 1 }).responses.create(text)),
  stall: () => attempt(new OpenAI({ timeout: 1500, maxRetries: 1 }).responses.create(text)),

  // Responses that the API keeps.
  async background() {
    const client = new OpenAI();
    return complete(client, await client.responses.create({ ...text, background: true }));
  },
  async resume() {
    const client = new OpenAI();
    const events = await first(await client.responses.create({ ...text, background: true, stream: true }), 'response.output_text.delta');
    const { sequence_number } = events.at(-1);
    const { id } = events[0].response;
    return [events, await collect(await client.responses.retrieve(id, { stream: true, starting_after: sequence_number }))];
  },
  async reread() {
    const client = new OpenAI();
    const events = await collect(await client.responses.create({ ...text, stream: true }));
    const { id } = events[0].response;
    return [events, await collect(await client.responses.retrieve(id, { stream: true })), await client.responses.retrieve(id)];
  },
  async cancel() {
    const client = new OpenAI();
    const { id } = await client.responses.create({ ...text, background: true });
    return [await client.responses.cancel(id), await attempt(client.responses.cancel(id))];
  },
  async remove() {
    const client = new OpenAI();
    const { id } = await client.responses.create(text);
    return [await answered(client.responses.delete(id)), await attempt(client.responses.retrieve(id))];
  },

  // What is beside the generation of text.
  compact: () => answered(new OpenAI().responses.compact({ model, input: [{ role: 'user', content: 'say hello' }] })),
  count: () => answered(new OpenAI().responses.inputTokens.count(text)),
  async others() {
    const client = new OpenAI();
    const items = await client.responses.inputItems.list('resp_1');
    const models = await client.models.list();
    return [items.data, models.data, await client.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' })];
  },

  // A connection for several responses.
  socket: () => converse({ model, input: 'once more', previous_response_id: 'resp_1' }),
  socketTwins: () => converse(text),
  socketError: () => converse(),

  // Chat Completions.
  chat: () => answered(new OpenAI().chat.completions.create({ model, messages: [{ role: 'user', content: 'say hello' }] })),
  chatStream: () =>
    answered(new OpenAI().chat.completions.create({ model, messages: [{ role: 'user', content: 'say hello' }], stream: true })),
  chatUsage: () =>
    answered(
      new OpenAI().chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'say hello' }],
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
});
