// What LangSmith's JavaScript client sends is found again, equal: ingest, reads, projects, feedback.
// Environment: LANGSMITH_ENDPOINT, and what the client itself reads.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";

import { Client, RunTree } from "langsmith";
import { getCurrentRunTree, traceable } from "langsmith/traceable";

const picture = new Uint8Array(Array.from({ length: 10_000 }, (_, at) => at % 256));
const values = [
  "Grüße, 你好, 👩‍👩‍👧, \u0000, \u001b[31m", "", null, true, -0.5, 1e-320, Number.MAX_SAFE_INTEGER,
  { "": 1, "a.b": 2, $set: 3 }, [], {}, [[[]]], "a".repeat(100_000),
  Array.from({ length: 100 }).reduce((inner) => ({ a: [inner] }), "deep"),
];

const client = new Client();

const traced = async (work) => {
  const project_name = `js-${randomUUID()}`;
  const settings = { client, project_name, tracingEnabled: true };
  await work((run, more) => traceable(run, { ...settings, ...more })).catch((error) => {
    if (error.message !== "no such order") throw error;
  });
  await client.flush();
  await client.awaitPendingTraceBatches();
  return project_name;
};

const listed = async (projectName, wanted = {}) => {
  const found = [];
  for await (const run of client.listRuns({ projectName, ...wanted })) found.push(run);
  return found;
};

test("a tree", async () => {
  const usage_metadata = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  const project = await traced(async (traceable) => {
    const model = traceable(async () => ({ usage_metadata }), { name: "model", run_type: "llm", tags: ["beta"] });
    const agent = async ({ question }) => (await model({ question }), "done");
    await traceable(agent, { name: "agent", metadata: { thread_id: "t-1" } })({ question: "Où? 📦" });
  });
  const [root] = await listed(project, { isRoot: true });
  assert.deepEqual([root.name, root.status, root.inputs], ["agent", "success", { question: "Où? 📦" }]);
  assert.deepEqual(root.outputs, { outputs: "done" });
  const { child_runs } = await client.readRun(root.id, { loadChildRuns: true });
  assert.deepEqual(child_runs.map((run) => [run.name, run.run_type, run.total_tokens]), [["model", "llm", 7]]);
  assert.equal(child_runs[0].trace_id, root.id);
  for (const [filter, names] of Object.entries({
    'eq(run_type, "llm")': ["model"],
    'has(tags, "beta")': ["model"],
    'and(eq(is_root, true), eq(thread_id, "t-1"))': ["agent"],
    'search("nowhere")': [],
  })) {
    assert.deepEqual((await listed(project, { filter })).map((run) => run.name), names, filter);
  }
});

test("a generator", async () => {
  const project = await traced(async (traceable) => {
    const counted = traceable(async function* (count) { for (let at = 0; at < count; at++) yield at; });
    for await (const _ of counted(3));
  });
  assert.deepEqual((await listed(project))[0].outputs, { outputs: [0, 1, 2] });
});

test("an error", async () => {
  const project = await traced((traceable) => traceable(async () => { throw new Error("no such order"); })());
  const [run] = await listed(project, { error: true });
  assert.equal(run.status, "error");
  assert.match(run.error, /no such order/);
});

test("values", async () => {
  const project = await traced(async (traceable) => {
    for (const [at, value] of values.entries()) await traceable(async () => ({ value }), { name: `${at}` })({ value });
  });
  const found = Object.fromEntries((await listed(project)).map((run) => [run.name, run]));
  for (const [at, value] of values.entries()) {
    assert.deepEqual([found[at].inputs, found[at].outputs], [{ value }, { value }]);
  }
});

test("fifteen megabytes, and many runs", async () => {
  const text = Array.from({ length: 1_400_000 }, (_, at) => `${at} ü`).join(" ");
  const count = 250;
  const project = await traced(async (traceable) => {
    await traceable(async () => "done", { name: "large" })({ text });
    const small = traceable(async ({ at }) => at, { name: "small" });
    await Promise.all(Array.from({ length: count }, (_, at) => small({ at })));
  });
  const [large] = await listed(project, { filter: 'eq(name, "large")' });
  assert.ok(large.inputs.text === text);
  const small = await listed(project, { filter: 'eq(name, "small")' });
  assert.deepEqual(small.map((run) => run.inputs.at).sort((a, b) => a - b), [...Array(count).keys()]);
});

test("feedback", async () => {
  const project = await traced((traceable) => traceable(async () => "done", { name: "agent" })());
  const [run] = await listed(project);
  const { id } = await client.createFeedback(run.id, "stars", { score: 1, comment: "späť 👍" });
  await client.updateFeedback(id, { score: 5 });
  const found = [];
  for await (const one of client.listFeedback({ runIds: [run.id] })) found.push(one);
  assert.deepEqual(found.map((one) => [one.id, one.score, one.comment]), [[id, 5, "späť 👍"]]);
  assert.equal((await listed(project))[0].feedback_stats.stars.avg, 5);
  await client.deleteFeedback(id);
  await assert.rejects(client.readFeedback(id));
});

test("one by one, without batches", async () => {
  const single = new Client({ autoBatchTracing: false });
  const project_name = `js-${randomUUID()}`;
  for (const [at, value] of values.entries()) {
    const root = new RunTree({ client: single, project_name, name: `${at}`, inputs: { value } });
    await root.postRun();
    const child = root.createChild({ name: "child", run_type: "tool", inputs: {} });
    await child.postRun();
    await child.end({ value });
    await child.patchRun();
    await root.end({ value });
    await root.patchRun();
  }
  const roots = Object.fromEntries((await listed(project_name, { isRoot: true })).map((run) => [run.name, run]));
  const children = await listed(project_name, { runType: "tool" });
  for (const [at, value] of values.entries()) {
    const { id, inputs, outputs, status } = roots[at];
    assert.deepEqual([inputs, outputs, status], [{ value }, { value }, "success"]);
    assert.deepEqual(children.filter((run) => run.parent_run_id === id).map((run) => run.outputs), [{ value }]);
  }
});

test("attachments", async () => {
  const project_name = `js-${randomUUID()}`;
  const described = traceable(
    async () => getCurrentRunTree().id,
    {
      client, project_name, tracingEnabled: true,
      extractAttachments: ({ file, ...rest }) => [{ file: ["image/png", file] }, rest],
    },
  );
  const id = await described({ file: picture, question: "What is in it?" });
  await client.flush();
  await client.awaitPendingTraceBatches();
  const run = await client.readRun(id);
  assert.deepEqual(run.inputs, { question: "What is in it?" });
  const { presigned_url, mime_type } = run.s3_urls["attachment.file"];
  assert.equal(mime_type, "image/png");
  const file = await fetch(process.env.LANGSMITH_ENDPOINT + presigned_url);
  assert.deepEqual(new Uint8Array(await file.arrayBuffer()), picture);
});

test("projects", async () => {
  const projectName = `js crud ${randomUUID()}`;
  const { id } = await client.createProject({ projectName, description: "first" });
  await assert.rejects(client.createProject({ projectName }));
  assert.equal((await client.createProject({ projectName, description: "second", upsert: true })).id, id);
  await client.updateProject(id, { name: `${projectName}!` });
  assert.equal((await client.readProject({ projectName: `${projectName}!` })).description, "second");
  await client.deleteProject({ projectName: `${projectName}!` });
  assert.equal(await client.hasProject({ projectName: `${projectName}!` }), false);
  await assert.rejects(client.readRun(randomUUID()));
});
