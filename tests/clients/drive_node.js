// Drives the published Node client through all that it can do, and prints what came of each call.
// Reads and prints the same as drive_python.py. The client's address is a constant inside its module, so the library
// that it sends requests with is told to send those for that address to the server.
'use strict';
const assert = require('assert');
const fs = require('fs');

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const request = require('request');
const ADDRESS = 'https://api.scaleapi.com';
for (const method of ['get', 'post']) {
  const send = request[method];
  request[method] = (options, done) => send({ ...options, url: options.url.replace(ADDRESS, asked.url) }, done);
}
const { ScaleClient } = require('scaleapi');

const words = asked.types.categorization;

const called = (object, method, ...values) => new Promise((resolve, reject) => {
  object[method](...values, (error, result) => (error ? reject(error) : resolve(result)));
});

async function failsWith(code, word, promise) {
  const error = await promise.then(() => assert.fail('the call succeeded'), (reason) => reason);
  assert.strictEqual(error.errcode, code);
  assert.ok(error.message.includes(word), error.message);
}

// A call that no client has: what labelers do.
const asLabeler = (path, json) => new Promise((resolve, reject) => {
  const auth = { user: asked.labeler, pass: '' };
  request.post({ url: `${asked.url}/v1${path}`, auth, json }, (error, _, body) => (error ? reject(error) : resolve(body)));
});

// The client's functions that create tasks, by task type.
const CREATE = /^create([A-Z]\w+)Task$/;
const creators = () => Object.keys(ScaleClient.prototype).filter((name) => CREATE.test(name)).sort();

function callsOf(client) {
  let task;
  const create = (more) => called(client, 'createCategorizationTask', { ...words, ...more });
  const ids = async (params) => (await called(client, 'tasks', params)).docs.map((each) => each.id);
  const calls = {
    'create a task': async () => {
      task = await create({ unique_id: 'one', metadata: { row: 1 } });
      assert.strictEqual(task.status, 'pending');
      assert.deepStrictEqual(task.params.categories, words.categories);
    },
    'get a task': async () => assert.strictEqual((await called(client, 'fetchTask', task.id)).id, task.id),
    'refresh a task': async () => {
      await called(task, 'refresh');
      assert.strictEqual(task.unique_id, 'one');
    },
    'list tasks': async () => {
      const params = { status: 'pending', type: 'categorization', limit: 10, start_time: '2020-01-01' };
      const listed = await called(client, 'tasks', params);
      assert.ok(listed.docs.some((each) => each.id === task.id));
      assert.deepStrictEqual([listed.limit, listed.offset, listed.has_more], [10, 0, false]);
      assert.strictEqual(listed.total, listed.docs.length);
    },
    'page through tasks by offset': async () => {
      for (const number of [1, 2, 3]) await create({ unique_id: `page-${number}` });
      assert.deepStrictEqual(await ids({ limit: 2, offset: 1 }), (await ids({})).slice(1, 3));
    },
    'cancel a task': async () => {
      const made = await create({});
      assert.strictEqual((await called(made, 'cancel')).status, 'canceled');
      assert.strictEqual((await called(client, 'cancelTask', made.id)).status, 'canceled');
    },
    'read the response of a finished task': async () => {
      const made = await create({ project: asked.project });
      const claim = await asLabeler('/work/claim', { project: asked.project });
      await asLabeler(`/work/${claim.claim_id}/submit`, { response: { category: 'public' } });
      const [done] = (await called(client, 'tasks', { status: 'completed' })).docs;
      assert.deepStrictEqual([done.id, done.response], [made.id, { category: 'public' }]);
    },
    'error: a wrong key': () => failsWith(401, 'key', called(ScaleClient('live_nobody'), 'tasks', {})),
    'error: no such task': () => failsWith(404, '0'.repeat(24), called(client, 'fetchTask', '0'.repeat(24))),
    'error: wrong parameters': () => failsWith(400, 'categories', create({ categories: ['a', 7] })),
    'error: a repeated unique_id': async () => {
      await create({ unique_id: 'twice' });
      await failsWith(409, 'twice', create({ unique_id: 'twice' }));
    },
  };
  for (const creator of creators()) {
    const type = creator.match(CREATE)[1].toLowerCase();
    calls[`task type ${type}`] = async () => {
      assert.strictEqual((await called(client, creator, asked.types[type] || words)).type, type);
    };
  }
  return calls;
}

async function main() {
  const found = {};
  for (const [name, run] of Object.entries(callsOf(ScaleClient(asked.key)))) {
    try {
      await run();
      found[name] = 'works';
    } catch (error) {
      found[name] = error.errcode === 404 ? '404' : `failed: ${error.message}`;
    }
  }
  process.stdout.write(JSON.stringify(found));
}

main();
