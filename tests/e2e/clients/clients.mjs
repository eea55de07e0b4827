// Clients that nobody here wrote, against a running server over TLS: the npm packages openai, ai and
// @ai-sdk/openai-compatible. Prints "ok NAME" for each check; ends with 1 at the first that fails.
// Environment: BASE (https://localhost:PORT), KEY, CLIENTS (folder with node_modules), NODE_EXTRA_CA_CERTS.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.CLIENTS + "/x.js");
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: OpenAI } = await load("openai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const { generateText, streamText } = await load("ai");

const base = process.env.BASE;
const apiKey = process.env.KEY;
const client = new OpenAI({ baseURL: base + "/v1", apiKey, maxRetries: 0 });
const model = "default";
const messages = [{ role: "user", content: "Tell me a story." }];
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tells the weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string", maxLength: 30 } }, required: ["city"], additionalProperties: false },
  },
};

const checks = {
  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    assert(ids.includes(model), `${ids}`);
  },
  async chat() {
    const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 12 });
    assert(answer.choices[0].message.content.length > 0);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    const stream = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 12, stream: true, stream_options: { include_usage: true } });
    let text = "", usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, answer.choices[0].message.content);
    assert.equal(usage.completion_tokens, answer.usage.completion_tokens);
  },
  async "chat with n, seed, logprobs, stop"() {
    const ask = { model, messages, max_tokens: 8, n: 2, seed: 3, logprobs: true, top_logprobs: 2, stop: ["\n\n"] };
    const [a, b] = [await client.chat.completions.create(ask), await client.chat.completions.create(ask)];
    assert.deepEqual(a.choices.map((c) => c.message.content), b.choices.map((c) => c.message.content));
    assert.equal(a.choices.length, 2);
    assert.equal(a.choices[0].logprobs.content[0].top_logprobs.length, 2);
  },
  async "structured output"() {
    const schema = { type: "object", properties: { name: { type: "string", maxLength: 20 }, age: { type: "integer", minimum: 0, maximum: 120 } }, required: ["name", "age"], additionalProperties: false };
    const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Anna is 30." }], max_tokens: 80, response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema } } });
    const person = JSON.parse(answer.choices[0].message.content);
    assert.equal(typeof person.name, "string");
    assert(Number.isInteger(person.age));
    const any = await client.chat.completions.create({ model, messages, max_tokens: 60, response_format: { type: "json_object" } });
    assert.equal(typeof JSON.parse(any.choices[0].message.content), "object");
  },
  async tools() {
    const ask = { model, messages: [{ role: "user", content: "What is the weather in Paris?" }], tools: [weather], max_tokens: 80, temperature: 0 };
    const answer = await client.chat.completions.create({ ...ask, tool_choice: "required" });
    const call = answer.choices[0].message.tool_calls[0];
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const named = await client.chat.completions.create({ ...ask, tool_choice: { type: "function", function: { name: "get_weather" } } });
    assert.equal(named.choices[0].message.tool_calls[0].function.name, "get_weather");
    const stream = await client.chat.completions.create({ ...ask, tool_choice: "required", stream: true });
    const parts = [];
    for await (const chunk of stream) parts.push(...(chunk.choices[0]?.delta?.tool_calls ?? []));
    assert(parts.length > 2, "arguments come as they are made");
    assert.equal(parts[0].function.name, call.function.name);
    assert(parts[0].id.startsWith("call_") && parts.slice(1).every((part) => part.id === undefined && part.index === 0));
    assert.equal(parts.map((part) => part.function.arguments).join(""), call.function.arguments);
    const later = await client.chat.completions.create({ ...ask, tool_choice: "none", messages: [...ask.messages, answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sunny" }] });
    assert.equal(later.choices[0].message.tool_calls, undefined);
    await client.chat.completions.create({ ...ask, tool_choice: "auto" });
  },
  async completions() {
    const answer = await client.completions.create({ model, prompt: ["Once", "A"], max_tokens: 4, logprobs: 1, echo: true, temperature: 0 });
    assert.equal(answer.choices.length, 2);
    assert(answer.choices[0].text.startsWith("Once"));
    const stream = await client.completions.create({ model, prompt: "Once", max_tokens: 4, temperature: 0, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
    assert.equal("Once" + text, answer.choices[0].text);
  },
  async errors() {
    const status = async (promise) => promise.then(() => 200, (error) => error.status);
    assert.equal(await status(client.chat.completions.create({ model: "other", messages })), 404);
    assert.equal(await status(client.chat.completions.create({ model, messages: [] })), 400);
    assert.equal(await status(client.embeddings.create({ model, input: "a" })), 501);
    assert.equal(await status(new OpenAI({ baseURL: base + "/v1", apiKey: "wrong", maxRetries: 0 }).models.list()), 401);
    const error = await client.chat.completions.create({ model, messages, temperature: "hot" }).catch((e) => e);
    assert.equal(error.param, "temperature");
  },
  async abort() {
    const stream = await client.completions.create({ model, prompt: "Once", max_tokens: 1500, stream: true });
    for await (const chunk of stream) {
      assert(chunk.choices);
      break;
    }
    stream.controller.abort();
  },
  async "ai sdk: text and stream"() {
    const provider = createOpenAICompatible({ name: "sgl", baseURL: base + "/v1", apiKey, includeUsage: true });
    const whole = await generateText({ model: provider(model), prompt: "Tell me a story.", temperature: 0, maxOutputTokens: 12, maxRetries: 0 });
    assert(whole.text.length > 0);
    const stream = streamText({ model: provider(model), prompt: "Tell me a story.", temperature: 0, maxOutputTokens: 12, maxRetries: 0 });
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    assert.equal(text, whole.text);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${error.stack}`);
    process.exit(1);
  }
}
