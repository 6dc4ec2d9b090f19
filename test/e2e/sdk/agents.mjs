// The @openai/agents package: an agent with one tool, which the model calls once before it answers.
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import { z } from 'zod';
import { WebSocket } from 'ws';
import { attempt, play } from './scenario.mjs';

// Traces go to OpenAI directly, past any base URL.
setTracingDisabled(true);
// Node.js has a WebSocket of its own since version 22 only.
globalThis.WebSocket ??= WebSocket;

const agent = new Agent({
  name: 'Forecaster',
  instructions: 'You tell the weather.',
  model: 'gpt-5',
  tools: [
    tool({
      name: 'get_weather',
      description: 'Tells the weather.',
      parameters: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${city}`,
    }),
  ],
});

/** run returns what the agent says, and all that was said before. */
async function run(options, streaming) {
  const modelProvider = new OpenAIProvider(options);
  const runner = new Runner({ modelProvider });
  const result = await runner.run(agent, 'weather in Paris and Rome?', { stream: streaming });
  const events = [];
  if (streaming) {
    for await (const event of result) {
      events.push(event.type === 'raw_model_stream_event' ? event.data : { type: event.type, name: event.name });
    }
    await result.completed;
  }
  await modelProvider.close();
  return { final: result.finalOutput, history: result.history, responses: result.rawResponses, events };
}

await play({
  run: () => attempt(run({}, false)),
  stream: () => attempt(run({}, true)),
  chat: () => attempt(run({ useResponses: false }, false)),
  chatStream: () => attempt(run({ useResponses: false }, true)),
  socket: () => attempt(run({ useResponsesWebSocket: true }, true)),
});
