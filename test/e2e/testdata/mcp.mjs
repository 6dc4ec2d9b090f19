// A small MCP server over stdio: tools that answer, fail, and take their time.
import { createInterface } from "node:readline";

const schema = { type: "object", properties: { text: { type: "string" } } };
const names = ["echo", "fail", "picture", "slow"];

function call(name, args) {
  switch (name) {
    case "echo":
      return { result: { content: [{ type: "text", text: `echo: ${args?.text}` }] } };
    case "fail":
      return { result: { content: [{ type: "text", text: "it failed" }], isError: true } };
    case "picture":
      return { result: { content: [{ type: "text", text: "a" }, { type: "image", data: "aGk=", mimeType: "image/png" }], structuredContent: { n: 1 } } };
    case "slow":
      return { result: { content: [{ type: "text", text: "late" }] }, delay: 700 };
    default:
      return { error: { code: -32602, message: `no tool ${name}` } };
  }
}

function answer(request) {
  switch (request.method) {
    case "initialize":
      return {
        result: {
          protocolVersion: request.params.protocolVersion,
          capabilities: { tools: {}, resources: {} },
          serverInfo: { name: "test", version: "1.0.0" },
        },
      };
    case "tools/list":
      return { result: { tools: names.map((name) => ({ name, description: name, inputSchema: schema })) } };
    case "tools/call":
      return call(request.params.name, request.params.arguments);
    case "resources/list":
      return { result: { resources: [{ uri: "test://one", name: "one" }] } };
    case "resources/templates/list":
      return { result: { resourceTemplates: [] } };
    case "resources/read":
      return { result: { contents: [{ uri: "test://one", text: "the first" }] } };
    default:
      return { error: { code: -32601, message: `no method ${request.method}` } };
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  if (request.id === undefined) {
    return;
  }
  const { delay = 0, ...rest } = answer(request);
  setTimeout(() => console.log(JSON.stringify({ jsonrpc: "2.0", id: request.id, ...rest })), delay);
});
